//! What plugins and the host share: plugins, registries, dispatch, and the services the host owns.
//!
//! # Layout
//!
//! - [`plugin`]: what a plugin is and how it is exported.
//! - [`event`] and [`subscriptions`]: what a plugin listens to.
//! - [`data`] and [`tasks`]: a generation's handle to the host, and the work it started.
//! - [`state`], [`snapshots`] and [`handover`]: what a plugin remembers, and how it gets to the next generation.
//! - [`generation`], [`snapshot`] and [`registry`]: what is live, and how that changes in one atomic store.
//! - [`ledger`], [`probation`] and [`panics`]: the account of generations, and what a panic in a new one does.
//! - [`dispatch`]: every gateway event reads one snapshot; a generation's gate lets its calls in.
//! - [`definition`] and [`preflight`]: command definitions as Discord sees them, and what Discord would refuse.
//! - [`dependency`], [`order`] and [`services`]: what plugins need of each other, and what they offer.
//! - [`host`], [`settings`], [`store`] and [`scheduler`]: what outlives every reload; [`checkpoint`]: and a restart.
//! - [`voice`]: what plugins see of the player; its engine is the crate `player`, which only the host links.
//! - [`flight`]: what is under way, for an account that outlives a crash; [`observer`]: what was done, for figures.
//! - [`bus`] and [`status`]: what happens to plugins and how things stand, for everyone who asks.
//! - [`permissions`]: edits of roles and overwrites that keep what serenity does not know.
//! - [`text`]: durations, counts and cut texts, for answers, and text of others made harmless.
//!
//! This crate knows neither the bot nor the reload engine.

pub mod answers;
mod asker;
pub mod bus;
pub mod checkpoint;
mod collectors;
pub mod data;
pub mod definition;
pub mod dependency;
pub mod dispatch;
mod edits;
pub mod event;
mod fit;
pub mod flight;
mod gate;
pub mod generation;
pub mod handover;
pub mod host;
mod instantiate;
pub mod ledger;
pub mod observer;
mod options;
pub mod order;
pub mod panics;
pub mod permissions;
pub mod plugin;
pub mod preflight;
pub mod probation;
mod refusal;
pub mod registry;
pub mod roots;
pub mod scheduler;
pub mod services;
pub mod settings;
pub mod snapshot;
pub mod snapshots;
pub mod state;
pub mod status;
pub mod store;
pub mod subscriptions;
pub mod tasks;
pub mod text;
pub mod voice;

pub use data::Data;
pub use dependency::Dependency;
pub use dispatch::on_error;
pub use event::EventKind;
pub use plugin::{FINGERPRINT, Manifest, Plugin, PluginEntry, PluginId};
pub use refusal::Refusal;
pub use services::Services;
pub use subscriptions::{EventContext, Subscriptions};
pub use {poise, serenity, tokio, tracing};

/// Any error a command, listener or hook may end with; its text is what the user reads.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// poise's command context with this bot's [`Data`] and [`Error`].
pub type Context<'a> = poise::Context<'a, Data, Error>;

/// poise's command with this bot's [`Data`] and [`Error`].
pub type Command = poise::Command<Data, Error>;

/// poise's options of a framework with this bot's [`Data`] and [`Error`]; see [`Plugin::options`].
pub type FrameworkOptions = poise::FrameworkOptions<Data, Error>;

/// What most plugin files start with: `use sdk::prelude::*;`.
pub mod prelude {
    pub use crate::bus::ReloadEvent;
    pub use crate::event;
    pub use crate::scheduler::Timer;
    pub use crate::state::{State, StateSlot};
    pub use crate::text::{Surface, foreign};
    pub use crate::voice::VoiceEvent;
    pub use crate::{
        Command, Context, Data, Dependency, Error, EventContext, FrameworkOptions, Plugin, Refusal, Services,
        Subscriptions,
    };
    pub use poise::serenity_prelude as serenity;
    pub use serenity::async_trait;
}
