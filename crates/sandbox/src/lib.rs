//! A local Discord: REST v10 and gateway v10, stateful, in memory, for any bot in any language.

pub mod error;
pub mod fault;
pub mod gateway;
pub mod ratelimit;
pub mod record;
pub mod snowflake;
