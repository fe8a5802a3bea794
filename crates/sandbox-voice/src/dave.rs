//! Connection between DAVE, the end-to-end encryption of calls, and the voice server.
//!
//! The server itself knows nothing of MLS: it carries the opcodes 21 to 31 between clients and the [`Group`] of their
//! channel, asks the group for the protocol version of a client's SESSION DESCRIPTION, and lets it open the frames that
//! a client sends before they are decoded. A channel without a group is not end-to-end encrypted: its clients receive
//! version 0.
//!
//! # What a group may rely on
//!
//! - One group exists for each call (guild and channel), created for the first client that connects and dropped after
//!   the last has left.
//! - Every call to one group comes under a lock of its own, never with the world's or the server's lock held; a call
//!   may take the milliseconds that MLS takes. It must not await.
//! - The [`Out`]s that calls return reach each client in the order of the calls. They are kept for a client whose
//!   websocket is gone and can be resumed; those for users without a client are dropped.
//! - For one client the order is [`Group::connect`], [`Group::describe`] when SESSION DESCRIPTION has been queued for
//!   it, any number of [`Group::json`], [`Group::binary`] and [`Group::open`], [`Group::disconnect`]. A RESUME is no
//!   call.
//! - A client has received every other user in the call (opcode 11) before it receives any `Out` that concerns them.

mod call;
mod frame;
mod listener;
mod package;
mod plain;
mod roster;
mod sender;
mod service;
#[cfg(test)]
mod tests;
mod tls;
mod transition;
mod wire;

use std::borrow::Cow;
use std::time::Instant;

use discord_rules::snowflake::Snowflake;
use serde_json::Value;

/// Message that a group sends to one client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Out {
    /// User whose client receives it.
    pub(crate) to: Snowflake,
    /// The message.
    pub(crate) message: Message,
}

/// Message to a client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// Text frame, `{"op": op, "d": data}`.
    Json {
        /// Opcode.
        op: u8,
        /// Data.
        data: Value,
    },
    /// Binary frame of opcode and payload; the server puts the sequence number of version 8 before it.
    Binary {
        /// Opcode.
        op: u8,
        /// Payload, without sequence number and opcode.
        payload: Vec<u8>,
    },
    /// End of its connection; the session cannot be resumed.
    Close {
        /// Close code.
        code: u16,
        /// Reason for the close frame.
        reason: String,
    },
}

/// DAVE side of one call.
pub(crate) trait Group: Send {
    /// Handles a client that identified; `max_version` is its `max_dave_protocol_version`, 0 without support.
    ///
    /// Clients that a channel with required encryption cannot take never come here: they are closed with 4017.
    fn connect(&mut self, user: Snowflake, max_version: u16) -> Vec<Out>;

    /// Returns the protocol version for the `dave_protocol_version` of a client's SESSION DESCRIPTION.
    fn version(&self, user: Snowflake) -> u16;

    /// Handles a SESSION DESCRIPTION that has been queued for a client; the messages returned follow it.
    fn describe(&mut self, user: Snowflake) -> Vec<Out>;

    /// Handles a client that has left for good.
    fn disconnect(&mut self, user: Snowflake) -> Vec<Out>;

    /// Handles a user of the sandbox, who can hear but has no client, who entered the channel.
    ///
    /// Called for those already present right after the group is created.
    fn enter(&mut self, person: Snowflake) -> Vec<Out>;

    /// Handles a user of the sandbox who left the channel.
    fn exit(&mut self, person: Snowflake) -> Vec<Out>;

    /// Handles a text frame of a client, with one of the opcodes 21 to 31.
    fn json(&mut self, user: Snowflake, op: u8, data: &Value) -> Vec<Out>;

    /// Handles a binary frame of a client; `payload` follows the opcode.
    fn binary(&mut self, user: Snowflake, op: u8, payload: &[u8]) -> Vec<Out>;

    /// Opens a frame that a client sent, after the transport encryption has been removed.
    ///
    /// Returns the Opus frame, or why no user of the sandbox can hear it.
    fn open<'a>(&mut self, user: Snowflake, frame: &'a [u8]) -> Result<Frame<'a>, Unopened>;

    /// Returns when [`Group::tick`] is to be called, for transitions that not everyone has become ready for.
    fn deadline(&self) -> Option<Instant>;

    /// Handles a deadline that has passed.
    fn tick(&mut self, now: Instant) -> Vec<Out>;
}

/// Frame that can be heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// Opus frame.
    pub(crate) opus: Cow<'a, [u8]>,
    /// Whether it came encrypted.
    pub(crate) encrypted: bool,
}

impl<'a> Frame<'a> {
    /// Creates one that came in plain.
    pub(crate) fn plain(opus: &'a [u8]) -> Self {
        Self { opus: Cow::Borrowed(opus), encrypted: false }
    }

    /// Creates one that keys were needed for.
    fn decrypted(opus: Vec<u8>) -> Self {
        Self { opus: Cow::Owned(opus), encrypted: true }
    }
}

/// Why a frame cannot be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unopened {
    /// The keys of no listener open it: it was tampered with, is sent twice, or is for another group.
    Undecryptable,
    /// It is in plain where it must be encrypted.
    Plain,
    /// It is encrypted, and no user of the sandbox is in the channel.
    Unheard,
}

/// How calls are encrypted end to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dave {
    /// Not at all: every client receives version 0.
    Off,
    /// As soon as every client in the channel supports it, as on Discord until March 2026.
    Optional,
    /// Always; a client without support is closed with 4017, as on Discord since March 2026.
    #[default]
    Required,
}

/// Creates the group of a call; `None` where calls are not encrypted end to end.
pub(crate) fn group(_guild: Snowflake, channel: Snowflake, dave: Dave) -> Option<Box<dyn Group>> {
    match dave {
        Dave::Off => None,
        Dave::Optional | Dave::Required => Some(Box::new(call::Call::new(channel))),
    }
}
