//! A local Discord: REST v10 and gateway v10, stateful, in memory, for any bot in any language.

pub mod error;
pub mod permissions;
pub mod snowflake;
pub mod typed;
pub mod validate;
