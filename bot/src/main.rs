//! Hotcord: a Discord bot whose commands and events reload while it runs.
//!
//! # Layout
//!
//! - [`mod@config`]: variables of the environment and `.env`, typed; `environment` brings a changed `.env` in, in builds
//!   that reload.
//! - [`api`]: the way to Discord's REST interface or to a server in its place.
//! - [`run`]: the bot from its first request to its last; [`shutdown`] is its end.
//! - [`reload`] and [`plugins`]: how plugins come in.
//! - [`register`]: slash commands, registered by difference.
//! - [`gateway`] and [`intents`]: what the session asks for, and what Discord says to that; [`starts`]: when it may ask.
//! - [`application`], [`backoff`] and [`failure`]: who the bot is, how often it tries, and why it ends.
//! - `sandbox`: the local Discord of a start without a token, in builds that have it.
//! - `feedback`: what happens to plugins, in a channel of Discord, in builds with hot reload.
//! - [`mod@health`] and [`metrics`]: how the bot stands, for whoever asks over HTTP; [`words`] asks, too.
//! - [`log`]: the log, without tokens; [`files`]: how many files may be open.

use std::process::ExitCode;
use std::time::Duration;

use config::{Config, Mistakes, Source};
use failure::Failure;
use sdk::tokio;

mod api;
mod application;
mod backoff;
mod config;
#[cfg(feature = "hmr")]
mod environment;
mod failure;
#[cfg(feature = "hmr")]
mod feedback;
mod files;
mod gateway;
mod health;
mod intents;
mod interfaces;
#[cfg(test)]
mod local_bot;
mod log;
mod metrics;
#[cfg(feature = "plugins")]
mod plugins;
mod register;
mod reload;
mod run;
#[cfg(any(feature = "sandbox", feature = "hmr"))]
mod sandbox;
mod shutdown;
mod starts;
mod words;

/// Longest wait for threads that are busy when everything else has ended.
const THREADS_WITHIN: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    // The reload engine has this program load a new library in a child process first.
    #[cfg(feature = "hmr")]
    if let Some(code) = hmr::build::probe::serve_if_child() {
        return code;
    }
    // `./dev-env.sh status` and its like ask a bot that is running; they need no configuration.
    #[cfg(feature = "hmr")]
    if let Some(code) = hmr::control::client::serve_if_asked() {
        return code;
    }
    if let Some(code) = words::serve_if_asked() {
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

/// Reads the configuration, and gives also what it was read from.
fn config() -> Result<(Config, Source), Mistakes> {
    let source = Source::read()?;
    Ok((source.config()?, source))
}

fn start() -> Result<ExitCode, Failure> {
    #[cfg_attr(not(any(feature = "sandbox", feature = "hmr")), allow(unused_mut))]
    let (mut config, source) = config().map_err(|mistakes| Failure::configuration(mistakes.to_string()))?;
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
    // The configuration tells of a missing token in every build that cannot do without.
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
