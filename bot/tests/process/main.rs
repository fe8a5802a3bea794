//! The binary itself: what Discord, a monitor, a person who made a mistake, and a look inside see of it.

#[cfg(not(any(feature = "hmr", feature = "sandbox")))]
mod discord;
#[cfg(not(any(feature = "hmr", feature = "sandbox")))]
mod health;
mod mistakes;
#[cfg(not(any(feature = "hmr", feature = "sandbox")))]
mod production;
