//! Bots that use poise, brought along as plugins: what poise's own examples do, run by people of a local Discord.
//!
//! The plugins have the features of poise 0.7.1's examples `feature_showcase`, `event_handler`, `fluent_localization`,
//! `advanced_cooldowns` and `invocation_data`. They are written as any plugin is, against a crate named `sdk`, and are
//! linked into this test alone.

extern crate sdk_core as sdk;

mod components;
mod edits;
mod errors;
mod examples;
mod page;
mod plugins;
mod prefixes;
mod production;
mod raw;
mod rig;
mod showcase;
