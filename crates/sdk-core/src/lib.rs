//! What plugins and the host share: plugins, registries, dispatch, and the services of the host.
//!
//! # Layout
//!
//! - [`plugin`]: the plugin trait and how a plugin is exported.
//! - [`event`] and [`subscriptions`]: events and the listeners of a plugin.
//! - [`host_services`], [`data`] and [`tasks`]: what a generation holds of the host, its handle to it, and its tasks.
//! - [`state`], [`state_history`] and [`handover`]: a plugin's state, and its transfer to the next generation.
//! - [`generation`], [`routing_table`] and [`registry`]: what is live, and how it changes in one atomic store.
//! - [`ledger`], [`probation`] and [`panics`]: the ledger of generations, and the effect of a panic in a new one.
//! - [`dispatch`]: every gateway event reads one snapshot; a generation's gate lets its calls in.
//! - [`definition`] and [`preflight`]: command definitions in Discord's form, and the check of what Discord would
//!   refuse.
//! - [`dependency`], [`order`] and [`services`]: dependencies between plugins, and the services that plugins offer.
//! - [`settings`], [`store`] and [`scheduler`]: what outlives every reload; [`checkpoint`]: what outlives a restart.
//! - [`server`]: what each server has set: settings of plugins, what is switched off, and a prefix.
//! - [`database`]: documents, SQL and migrations; their engine is the crate `database`, which only the host links.
//! - [`host`]: the bot's facade of the services and the registry.
//! - [`voice`]: what plugins see of the player; its engine is the crate `player`, which only the host links.
//! - [`flight`]: what is in progress, recorded so that it outlives a crash; [`observer`]: what was handled, for
//!   metrics.
//! - [`bus`] and [`status`]: events about plugins, and the status of the bot.
//! - [`permissions`]: edits of roles and overwrites that keep permissions unknown to serenity.
//! - [`raw`]: gateway events as Discord sends them.
//! - [`components`]: messages with every component that Discord has.
//! - [`autocomplete`]: limits of choices, and what is entered in the other options.
//! - [`text`]: formatting of durations and counts, shortening, and escaping of untrusted text.
//!
//! Its modules depend on each other one way: leaves, what the host keeps for each plugin, what a generation holds, a
//! plugin, a generation, all generations, the host. `crates/workspace-hack/tests/graph/modules.rs` has the table and checks it.
//! This crate knows neither the bot nor the reload engine.

pub mod answers;
pub mod autocomplete;
pub mod bus;
mod cache;
pub mod changes;
pub mod checkpoint;
pub mod clock;
pub mod code;
mod collectors;
mod compatibility;
pub mod components;
pub mod confirm;
pub mod data;
pub mod database;
pub mod definition;
pub mod dependency;
pub mod dispatch;
mod edits;
pub mod event;
mod failure;
pub mod flight;
mod gate;
pub mod generation;
pub mod handover;
pub mod host;
pub mod host_services;
mod instantiate;
pub mod ledger;
pub mod observer;
mod offers;
mod options;
pub mod order;
pub mod panics;
pub mod permissions;
pub mod plugin;
mod plugin_id;
pub mod preflight;
pub mod privacy;
pub mod probation;
pub mod raw;
mod refusal;
pub mod registry;
pub mod roots;
pub mod routing_table;
pub mod scheduler;
pub mod server;
pub mod services;
pub mod settings;
pub mod state;
pub mod state_history;
pub mod status;
pub mod store;
pub mod subscriptions;
pub mod tasks;
pub mod text;
pub mod voice;

pub use data::Data;
pub use dependency::Dependency;
pub use event::EventKind;
pub use failure::on_error;
pub use offers::Services;
pub use plugin::{FINGERPRINT, Manifest, Plugin, PluginEntry};
pub use plugin_id::PluginId;
pub use refusal::Refusal;
pub use subscriptions::{EventContext, Subscriptions};
pub use {poise, serenity, tokio, tracing};

/// The error type of commands, listeners and hooks. Its text is shown to the user.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// poise's command context with this bot's [`Data`] and [`Error`].
pub type Context<'a> = poise::Context<'a, Data, Error>;

/// poise's command with this bot's [`Data`] and [`Error`].
pub type Command = poise::Command<Data, Error>;

/// poise's options of a framework with this bot's [`Data`] and [`Error`]; see [`Plugin::options`].
pub type FrameworkOptions = poise::FrameworkOptions<Data, Error>;

/// The imports of most plugin files: `use sdk::prelude::*;`.
pub mod prelude {
    pub use crate::bus::ReloadEvent;
    pub use crate::database::Document;
    pub use crate::event;
    pub use crate::scheduler::Timer;
    pub use crate::server::{ServerSetting, SettingDeclaration};
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
