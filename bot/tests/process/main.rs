//! The binary itself: tests with Discord, with a monitor, with mistakes of users, and of its content.

mod backup;
#[cfg(not(any(feature = "hmr", feature = "sandbox")))]
mod discord;
#[cfg(not(any(feature = "hmr", feature = "sandbox")))]
mod health;
mod mistakes;
#[cfg(not(any(feature = "hmr", feature = "sandbox")))]
mod production;
#[cfg(not(any(feature = "hmr", feature = "sandbox")))]
mod scale;
#[cfg(not(any(feature = "hmr", feature = "sandbox")))]
#[path = "../../../crates/database/tests/database/server.rs"]
#[allow(dead_code)] // The database's own tests use all of it.
mod server;
