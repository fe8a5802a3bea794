//! What a request body must be: from JSON to a value that fits, or to one error that names everything wrong in it.
//!
//! # Layout
//! [`form`] walks a body and gathers complaints; every other module here reads one kind of body with it. Rules and
//! limits come from Discord's documentation, wording of complaints from what Discord answers to real bots. Nothing
//! here knows of state: whether an id exists is for the caller to say.

pub mod channel;
pub mod command;
pub mod component;
pub mod embed;
pub mod form;
pub mod forum;
pub mod guild;
pub mod interaction;
pub mod mentions;
pub mod message;
pub mod modal;
pub mod poll;
pub mod query;
pub mod reaction;
pub mod role;

pub use form::{Change, Form};
