//! Hotcord: a Discord bot whose commands and events reload while it runs.
//!
//! # Layout
//!
//! - [`mod@config`]: the typed variables of the environment and `.env`; `environment` applies a changed `.env`, in
//!   builds with hot reload.
//! - [`api`]: the connection to Discord's REST interface or to a server in its place.
//! - [`run`]: the bot from its first request to its last; [`shutdown`] ends it.
//! - [`reload`] and [`plugins`]: how plugins are loaded.
//! - [`register`]: slash commands, registered by difference.
//! - [`gateway`] and [`intents`]: the intents of the session, and Discord's refusals; [`starts`]: when a session may be
//!   started; [`shards`]: which shards run in this process.
//! - [`held_gateway`]: the gateway that keeps the session while hosts come and go; [`raw_events`]: its events for plugins.
//! - [`application`], [`backoff`] and [`failure`]: the bot's application, waits between attempts, and why the bot
//!   ended.
//! - `sandbox`: the local Discord of a start without a token, in builds that have it.
//! - `feedback`: reload events in a channel of Discord, in builds with hot reload.
//! - [`mod@health`] and [`metrics`]: health and metrics over HTTP; [`cli`] has the command line, with a client for
//!   health.
//! - [`backup`]: copies of the database; [`retention`]: erases what is kept about guilds that the bot has left.
//! - [`log`]: the log, without tokens; [`files`]: the limit of open files.

use std::process::ExitCode;
use std::time::Duration;

use config::{Config, Mistakes, Source};
use failure::Failure;
use sdk::tokio;

mod api;
mod application;
mod backoff;
mod backup;
mod cli;
mod config;
#[cfg(feature = "hmr")]
mod environment;
mod failure;
#[cfg(feature = "hmr")]
mod feedback;
mod files;
mod gateway;
mod health;
mod held_gateway;
mod intents;
mod interfaces;
#[cfg(test)]
mod local_bot;
mod log;
mod metrics;
#[cfg(feature = "plugins")]
mod plugins;
mod raw_events;
mod register;
mod reload;
mod retention;
mod run;
#[cfg(any(feature = "sandbox", feature = "hmr"))]
mod sandbox;
mod shards;
mod shutdown;
mod starts;

/// Longest wait for busy threads after everything else has ended.
const THREADS_WITHIN: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    // The reload engine first loads a new library in a child process with this program.
    #[cfg(feature = "hmr")]
    if let Some(code) = hmr::build::probe::serve_if_child() {
        return code;
    }
    // `./dev-env.sh status` and similar commands query a running bot and need no configuration.
    #[cfg(feature = "hmr")]
    if let Some(code) = hmr::control::client::serve_if_asked() {
        return code;
    }
    if let Some(code) = cli::serve_if_asked() {
        return code;
    }
    match start() {
        Ok(code) => code,
        Err(failure) => {
            sdk::text::write_error(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Reads the configuration. Returns it with its source.
fn config() -> Result<(Config, Source), Mistakes> {
    let source = Source::read()?;
    Ok((source.config()?, source))
}

fn start() -> Result<ExitCode, Failure> {
    #[cfg_attr(not(any(feature = "sandbox", feature = "hmr")), allow(unused_mut))]
    let (mut config, source) = config().map_err(Failure::configuration)?;
    #[cfg(any(feature = "sandbox", feature = "hmr"))]
    let local = if config.connection.is_none() {
        Some(sandbox::Local::start(sandbox::Trusted::name()?)?)
    } else {
        None
    };
    #[cfg(any(feature = "sandbox", feature = "hmr"))]
    if let Some(local) = &local {
        config.connection = Some(local.connection.clone());
        config.test_guild = Some(local.guild);
    }
    #[cfg(feature = "hmr")]
    if let Some(code) = reload::supervise(&config, local.as_ref())? {
        return Ok(code);
    }
    files::raise_limit();
    let refusals = log::start(&config.log_filter);
    // The configuration reports a missing token in every build that needs one.
    let connection =
        config.connection.clone().ok_or_else(|| Failure::configuration("DISCORD_TOKEN is not set."))?;
    log::redact::hide(connection.token.expose());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("No threads can be started on this machine: {error}.")))?;
    let next = runtime.block_on(run::run(config, source, connection, refusals, shutdown::signal()));
    if let Ok(Some(next)) = next {
        return Ok(next.take_over());
    }
    runtime.shutdown_timeout(THREADS_WITHIN);
    next.map(|_| ExitCode::SUCCESS)
}
