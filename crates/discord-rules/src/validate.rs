//! Rules for request bodies: from JSON to a valid value, or to one error that names everything wrong in it.
//!
//! # Layout
//! [`form`] walks a body and collects errors; every other module here reads one kind of body with it. Rules and limits
//! come from Discord's documentation, the wording of errors from Discord's answers to real bots. Nothing here knows of
//! state: the caller checks whether an id exists.

pub mod application;
pub mod auto_moderation;
pub mod channel;
pub mod command;
pub mod community;
pub mod component;
pub mod embed;
pub mod expression;
pub mod file_types;
pub mod form;
pub mod forum;
pub mod guild;
pub mod incidents;
pub mod interaction;
pub mod invite;
pub mod lobby;
pub mod mentions;
pub mod message;
pub mod modal;
pub mod new_member;
pub mod partner;
pub mod poll;
pub mod prune;
pub mod reaction;
pub mod role;
pub mod scheduled_event;
pub mod service;
pub mod sound;
pub mod stage;
pub mod template;
pub mod unread;
pub mod user;
pub mod webhook;
pub mod widget;

pub use form::{Change, Form};
