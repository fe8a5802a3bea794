//! Discord's rules as plain functions and types: ids, permissions, errors, and the rules for request bodies.
//!
//! Nothing here opens a socket, reads a clock for a decision, or holds any state. The sandbox answers requests with
//! these rules, and tests of the bot check its commands against them.
//!
//! # Layout
//! - [`snowflake`]: ids, and the generator of new ones.
//! - [`permissions`]: permission bits, and how roles, overwrites and timeouts make up a member's permissions.
//! - [`error`]: how Discord refuses a request: status, JSON code, message, and the tree of errors in a body.
//! - [`validate`]: bodies of requests, from JSON to a typed value or an error.
//! - [`auto_moderation`]: whether a text triggers a rule.
//! - [`emoji`]: reference to an emoji.
//! - [`media`]: uploaded files: data URIs, pictures, stickers, sounds.

pub mod auto_moderation;
pub mod emoji;
pub mod error;
pub mod media;
pub mod permissions;
pub mod snowflake;
pub mod validate;
