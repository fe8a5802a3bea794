//! A local Discord: REST v10 and gateway v10, stateful, in memory, for any bot in any language.
//!
//! Start one, point a bot at its address, and be its users:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sandbox::Sandbox;
//!
//! let sandbox = Sandbox::builder().bot_name("Helper").start().await?;
//!
//! // The bot, in whatever language: here one call to REST with its token.
//! let me: serde_json::Value = reqwest::Client::new()
//!     .get(format!("{}/users/@me", sandbox.api_url()))
//!     .header("authorization", format!("Bot {}", sandbox.token()))
//!     .send()
//!     .await?
//!     .json()
//!     .await?;
//! assert_eq!(me["username"], "Helper");
//!
//! // The people: alice, bob and carol are in the guild "Sandbox" already.
//! let user = sandbox.client();
//! let message = user.send("alice", "general", "hello").await?;
//! assert_eq!(message["author"]["username"], "alice");
//!
//! // Running a command that no bot has registered is refused, as Discord's client would.
//! assert!(user.say("/ping").await.is_err());
//! sandbox.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//! - [`state`]: everything that exists, as plain data; [`live`]: changes to it that gateways hear of.
//! - [`rest`]: the routes of REST; [`draft`]: bodies made into things of the world.
//! - [`error`], [`permissions`], [`snowflake`], [`validate`]: Discord's rules, of the crate `discord-rules`.
//! - [`gateway`]: websockets, sessions, events; [`ratelimit`]: what stands before REST.
//! - `control`: the users' side over HTTP; [`client`]: the same from Rust; [`typed`]: commands as people type them.
//! - [`voice`]: the voice servers, which are the crate `sandbox-voice`.
//! - [`record`]: every request and event; [`fault`]: what goes wrong on purpose.
//! - [`server`]: puts it all behind one address; [`state_file`]: where its owner finds it.
//!
//! # Invariants
//! The world's lock is never held across an await. Events leave for the hub under that lock, so a bot hears of things in
//! the order in which they happened. Nothing here knows what bot it serves.

pub mod answer;
mod backend;
pub mod client;
mod control;
pub mod draft;
pub mod fault;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod gateway;
pub mod live;
pub mod ratelimit;
pub mod record;
pub mod rest;
pub mod server;
pub mod state;
pub mod state_file;
pub mod typed;
pub mod voice;

pub use answer::Answer;
pub use client::Client;
pub use discord_rules::{error, permissions, snowflake, validate};
pub use server::{Builder, Sandbox};
