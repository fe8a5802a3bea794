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
//! - [`state`]: all objects of the world, as plain data; [`live`]: changes to it, with their gateway events.
//! - [`rest`]: the routes of REST; [`draft`]: request bodies converted into messages of the world.
//! - `draw`: small pictures, of a guild's widget.
//! - [`error`], [`permissions`], [`snowflake`], [`validate`]: Discord's rules, of the crate `discord-rules`.
//! - [`gateway`]: websockets, sessions, events; [`ratelimit`]: the layers in front of REST.
//! - `endpoint`: requests to the endpoints of applications, for interactions and webhook events.
//! - `control`: the users' side over HTTP; [`client`]: the same in Rust; [`typed`]: commands as users type them.
//! - [`controls`]: control characters in texts that others wrote.
//! - `page`: the page that shows it all in a browser, built from `page/`.
//! - [`voice`]: the voice servers, from the crate `sandbox-voice`.
//! - [`parity`]: what Discord has and the sandbox lacks, and `docs/parity.md`.
//! - [`event_log`]: the log of every request and event; [`fault`]: injected faults.
//! - [`data`]: the folder in which a world survives a restart; `snapshots`: named copies of a world.
//! - [`seed`]: seed files, exports and imports of guilds.
//! - `stage`: functions in front of a whole router.
//! - [`server`]: serves it all at one address; `tls`, `proxy`: with TLS, and under the names of others;
//!   [`state_file`]: the file with that address for its owner.
//!
//! # Invariants
//! The world's lock is never held across an await. Events are sent to the hub under that lock, so a bot receives them
//! in the order in which they happened. No code here depends on the bot.

mod address;
pub mod answer;
mod backend;
mod body;
pub mod client;
mod control;
pub mod controls;
pub mod data;
pub mod draft;
mod draw;
mod endpoint;
pub mod event_log;
pub mod fault;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod gateway;
mod in_flight;
pub mod live;
mod page;
pub mod parity;
pub mod private_file;
mod proxy;
pub mod ratelimit;
pub mod rest;
pub mod seed;
pub mod server;
mod snapshots;
mod stage;
pub mod state;
pub mod state_file;
mod tls;
pub mod typed;
pub mod voice;

pub use answer::Answer;
pub use client::Client;
pub use discord_rules::{error, permissions, snowflake, validate};
pub use server::{Builder, Sandbox};
pub use snapshots::is_name as is_snapshot_name;
