//! How plugins are loaded: linked into the binary, or through the reload engine.

use std::collections::BTreeSet;
use std::path::PathBuf;
#[cfg(feature = "hmr")]
use std::sync::Arc;

#[cfg(feature = "hmr")]
use hmr::watch::{NoEvents, WatchMode};
use sdk::PluginId;
use sdk::host::Host;
#[cfg(feature = "hmr")]
use sdk::status::since_1970;
use sdk::tracing::info;

use crate::application::Application;
#[cfg(feature = "hmr")]
use crate::config::Reload;
use crate::config::{Config, Source};
#[cfg(feature = "hmr")]
use crate::environment::{Environment, Running};
use crate::failure::Failure;

/// Keeps the plugins loaded. Dropping it ends reloading.
#[derive(Default)]
pub(crate) struct Plugins {
    #[cfg(feature = "hmr")]
    engine: Option<hmr::Engine>,
}

impl Plugins {
    /// Waits until another host is to replace this one, and returns that host.
    pub(crate) async fn wait_for_successor(&self) -> Next {
        #[cfg(feature = "hmr")]
        if let Some(engine) = &self.engine {
            return Next { host: engine.wait_for_successor().await, closed_at: 0 };
        }
        std::future::pending().await
    }

    /// Returns a handle that reports that the bot is ready.
    #[cfg_attr(not(feature = "hmr"), allow(clippy::unused_self))]
    pub(crate) fn arrival(&self) -> Arrival {
        Arrival {
            #[cfg(feature = "hmr")]
            child: self.engine.as_ref().and_then(hmr::Engine::child).cloned(),
        }
    }
}

/// Reports to the supervisor that the bot is ready.
#[derive(Clone)]
pub(crate) struct Arrival {
    #[cfg(feature = "hmr")]
    child: Option<hmr::supervisor::child::Child>,
}

impl Arrival {
    /// Sends the report. Only the first call has an effect.
    #[cfg_attr(not(feature = "hmr"), allow(clippy::unused_self))]
    pub(crate) fn tell(&self) {
        #[cfg(feature = "hmr")]
        if let Some(child) = &self.child {
            child.ready();
        }
    }
}

/// The host that replaces this one.
#[cfg(feature = "hmr")]
pub(crate) struct Next {
    host: hmr::NextHost,
    closed_at: u64,
}

/// A production build never has a host to replace this one.
#[cfg(not(feature = "hmr"))]
pub(crate) enum Next {}

#[cfg(feature = "hmr")]
impl Next {
    /// Records that calls are refused from now on.
    pub(crate) fn close(mut self) -> Self {
        self.closed_at = since_1970();
        self
    }

    /// Replaces this process. Returns only if that fails.
    pub(crate) fn take_over(&self) -> std::process::ExitCode {
        self.host.take_over(self.closed_at)
    }
}

#[cfg(not(feature = "hmr"))]
impl Next {
    pub(crate) fn close(self) -> Self {
        self
    }

    pub(crate) fn take_over(&self) -> std::process::ExitCode {
        match *self {}
    }
}

/// Supervises a host instead of being one, if hot reload is on and there is no supervisor yet. Returns the exit code in
/// that case.
///
/// `local` is the local Discord of a start without a token. It runs in this process and outlives its hosts.
#[cfg(feature = "hmr")]
pub(crate) fn supervise(
    config: &Config,
    local: Option<&crate::sandbox::Local>,
) -> Result<Option<std::process::ExitCode>, Failure> {
    let reload = &config.reload;
    let environment = || local.map(crate::sandbox::Local::environment).unwrap_or_default();
    if std::env::var_os(hmr::supervisor::restart_on_save::VARIABLE).is_some() {
        let workspace = workspace(reload)?;
        let filter = filter(reload, &workspace).map_err(Failure::configuration)?;
        let no_events = NoEvents::of(&workspace);
        if let Some(reason) = why_polling(reload, no_events.as_ref()) {
            sdk::text::write_error(format_args!(
                "hotcord: {reason}, so all sources are looked at every {POLL_MS} ms; HMR_POLL_MS sets another time, or 0 \
                 to wait for events"
            ));
        }
        let mode = mode(reload, no_events.as_ref());
        // A configured server may be a local Discord, whose voice servers have a certificate of their own. With that
        // feature the bot trusts it.
        let has_own = config.connection.as_ref().is_some_and(|connection| connection.api.is_some());
        let options = hmr::supervisor::restart_on_save::Options {
            root: workspace,
            environment: environment(),
            features: if has_own { "bot/sandbox" } else { "" },
        };
        let code = hmr::supervisor::restart_on_save::run(options, mode, filter);
        return code.map(|code| Some(code.into())).map_err(Failure::other);
    }
    if !reload.enabled {
        return Ok(None);
    }
    if let Some(child) = hmr::supervisor::child::Child::this() {
        child.tie_to_supervisor();
        return Ok(None);
    }
    // So that a folder that is not a workspace is reported once, and not by each host again.
    workspace(reload)?;
    let gateway = crate::held_gateway::OfSupervisor::start(config)?;
    let mut environment = environment();
    environment.extend(gateway.as_ref().map(crate::held_gateway::OfSupervisor::variable));
    let options = hmr::supervisor::Options { target: target()?, environment };
    let ended = hmr::supervisor::run(&options);
    if let Some(gateway) = gateway {
        gateway.shut_down();
    }
    match ended {
        Ok(code) => Ok(Some(code.into())),
        Err(error) => Err(Failure::other(format!("The bot cannot be supervised: {error}."))),
    }
}

/// Returns how changes are detected: by `HMR_DEBOUNCE_MS` and `HMR_POLL_MS`, otherwise as the system supports.
#[cfg(feature = "hmr")]
pub(crate) fn mode(reload: &Reload, no_events: Option<&NoEvents>) -> WatchMode {
    let by_default = no_events.map(|_| WatchMode::DEFAULT_POLL);
    WatchMode {
        debounce: reload.debounce.unwrap_or(WatchMode::DEFAULT_DEBOUNCE),
        poll: reload.poll.or(by_default).filter(|period| !period.is_zero()),
    }
}

/// How often files are polled if the system reports no changes.
#[cfg(feature = "hmr")]
const POLL_MS: u128 = WatchMode::DEFAULT_POLL.as_millis();

/// Returns why files are polled, if that is because the system reports no changes and not because it was configured.
#[cfg(feature = "hmr")]
fn why_polling<'a>(reload: &Reload, no_events: Option<&'a NoEvents>) -> Option<&'a NoEvents> {
    no_events.filter(|_| reload.poll.is_none())
}

/// A wrong entry of `HMR_IGNORE` or `HMR_EXTENSIONS`.
#[cfg(feature = "hmr")]
#[derive(Debug, thiserror::Error)]
#[error("In HMR_IGNORE or HMR_EXTENSIONS, {0}.")]
pub(crate) struct WrongFilter(#[source] hmr::watch::FilterError);

/// Returns the filter of `HMR_IGNORE` and `HMR_EXTENSIONS`.
#[cfg(feature = "hmr")]
pub(crate) fn filter(
    reload: &Reload,
    workspace: &std::path::Path,
) -> Result<hmr::watch::Filter, WrongFilter> {
    let extensions = reload.extensions.as_deref().unwrap_or_default();
    hmr::watch::Filter::new(workspace, &reload.ignore, extensions).map_err(WrongFilter)
}

/// Logs that hot reload is off.
fn tell_off() {
    info!("hot reload: off, changes are ignored until restart");
}

/// Returns the state file of an earlier version, beside which the database is by default.
pub(crate) fn state_file(config: &Config) -> Option<PathBuf> {
    #[cfg(feature = "hmr")]
    let workspace = workspace(&config.reload).ok();
    #[cfg(not(feature = "hmr"))]
    let workspace: Option<PathBuf> = None;
    config.state_file(workspace.as_deref())
}

/// Loads all plugins. Returns those that should be live but are not.
#[cfg(feature = "hmr")]
pub(crate) async fn bring_in_plugins(
    host: &Host,
    config: &Config,
    source: Source,
    application: &Application,
) -> Result<(Plugins, BTreeSet<PluginId>), Failure> {
    use std::io::IsTerminal as _;

    let reload = &config.reload;
    #[cfg(feature = "plugins")]
    if !reload.enabled {
        tell_off();
        let left_out = start_linked(host).await;
        return Ok((Plugins::default(), left_out));
    }
    let policy = reload.policy(config.environment).shared();
    let workspace = workspace(reload)?;
    let no_events = if reload.enabled { NoEvents::of(&workspace) } else { None };
    if let Some(reason) = why_polling(reload, no_events.as_ref()) {
        info!(
            %reason,
            every_ms = POLL_MS,
            "hot reload: all sources are polled; HMR_POLL_MS sets another time, or 0 to wait for events"
        );
    }
    let mode = mode(reload, no_events.as_ref());
    let running = Running {
        host: host.clone(),
        policy: policy.clone(),
        workspace: workspace.clone(),
        no_events,
        owners: application.owners.clone(),
    };
    let environment = Environment::new(running, source).map_err(Failure::configuration)?;
    let options = hmr::Options {
        enabled: reload.enabled,
        filter: filter(reload, &workspace).map_err(Failure::configuration)?,
        workspace,
        target: target()?,
        mode,
        policy,
        on_settings: Some(hmr::OnSettings(Arc::new(move |watching| environment.reload(watching)))),
        colour: std::io::stderr().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let engine = hmr::Engine::start(host.clone(), options).await.map_err(Failure::other)?;
    if reload.enabled {
        // The repository itself, which is watched for its manifest, is not listed.
        let folders = engine.folders().into_iter().map(|path| path.display().to_string());
        let folders: Vec<_> = folders.filter(|folder| !folder.is_empty()).collect();
        info!(watching = folders.join(", "), "hot reload: on");
    } else {
        tell_off();
    }
    let left_out = engine.left_out().clone();
    Ok((Plugins { engine: Some(engine) }, left_out))
}

/// Returns the workspace whose plugins are loaded.
#[cfg(feature = "hmr")]
pub(crate) fn workspace(reload: &Reload) -> Result<std::path::PathBuf, Failure> {
    let here = std::env::current_dir()
        .map_err(|error| Failure::other(format!("The current folder cannot be read: {error}.")))?;
    match &reload.workspace {
        Some(folder) if hmr::workspace::is_workspace(folder) => folder
            .canonicalize()
            .map_err(|error| Failure::configuration(format!("HMR_WORKSPACE cannot be read: {error}."))),
        Some(folder) => Err(Failure::configuration(format!(
            "HMR_WORKSPACE is '{}', which holds no Cargo.toml with commands/ and events/; name the folder of this \
             repository.",
            folder.display()
        ))),
        None => hmr::workspace::find(&here).ok_or_else(|| {
            Failure::configuration(
                "Hot reload finds no Cargo.toml with commands/ and events/ in this folder or above it; run the bot \
                 in the repository, or name its folder in HMR_WORKSPACE.",
            )
        }),
    }
}

/// Opens the socket for `./dev-env.sh status` and similar commands, or logs why there is none.
#[cfg(feature = "hmr")]
pub(crate) fn open_control(host: &Host, reload: &Reload) -> Option<hmr::control::Server> {
    // If there is no workspace, hot reload itself reports that.
    let workspace = workspace(reload).ok()?;
    hmr::control::serve(host.clone(), &workspace, crate::log::redact::clean)
        .inspect_err(|error| sdk::tracing::warn!(%error, "there is no control socket"))
        .ok()
}

/// Returns cargo's target folder in which this binary was built, wherever it has been copied since.
#[cfg(feature = "hmr")]
fn target() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe()
        .ok()
        .and_then(|program| hmr::hosts::Hosts::target_of(&program))
        .ok_or_else(|| Failure::other("Hot reload cannot tell where this binary was built."))
}

/// Loads all plugins. Returns those that should be live but are not.
#[cfg(not(feature = "hmr"))]
pub(crate) async fn bring_in_plugins(
    host: &Host,
    config: &Config,
    _: Source,
    _: &Application,
) -> Result<(Plugins, BTreeSet<PluginId>), Failure> {
    if config.reload.enabled {
        sdk::tracing::warn!("this binary was built without hot reload; ENABLE_HMR is ignored");
    } else {
        tell_off();
    }
    Ok((Plugins::default(), start_linked(host).await))
}

/// Makes live the plugins that are linked into the binary. Returns those that were left out.
#[cfg(feature = "plugins")]
async fn start_linked(host: &Host) -> BTreeSet<PluginId> {
    crate::plugins::start(host, commands::PLUGINS.iter().chain(events::PLUGINS).copied()).await
}

#[cfg(not(any(feature = "plugins", feature = "hmr")))]
compile_error!(
    "a bot without plugins and without hot reload can do nothing; choose the feature `plugins` or `hmr`"
);
