//! A local Discord: REST v10 and gateway v10, stateful, in memory, for any bot in any language.

pub mod answer;
mod backend;
pub mod client;
mod control;
pub mod draft;
pub mod error;
pub mod fault;
pub mod gateway;
pub mod live;
pub mod permissions;
pub mod ratelimit;
pub mod record;
pub mod rest;
pub mod server;
pub mod snowflake;
pub mod state;
pub mod typed;
pub mod validate;

pub use answer::Answer;
pub use client::Client;
pub use server::{Builder, Sandbox};
