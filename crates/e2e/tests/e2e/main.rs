//! End-to-end tests of the whole project: a host in a copy of the workspace, with a sandbox of its own.
//!
//! They are one program, because each program links everything: `cargo test -p e2e --test e2e watching::` runs one
//! module.

mod build_scripts;
mod configuration;
mod dependencies;
mod dev_env;
mod events;
mod faults;
mod formats;
mod guide;
mod heard;
mod metrics;
mod migrations;
mod moderation;
mod music;
mod plain;
mod play;
mod reload;
mod restart;
mod rollback;
mod servers;
mod soak;
mod state;
mod statics;
mod supervisor;
mod troubles;
mod watching;
