//! Which way plugins come in: linked into the binary, or through the reload engine.

use std::collections::BTreeSet;
use std::path::PathBuf;
#[cfg(feature = "hmr")]
use std::sync::Arc;

use sdk::PluginId;
use sdk::host::Host;
use sdk::tracing::info;

use crate::application::Application;
#[cfg(feature = "hmr")]
use crate::config::Reload;
use crate::config::{Config, Source};
#[cfg(feature = "hmr")]
use crate::environment::Environment;
use crate::failure::Failure;

/// What keeps plugins coming in; dropping it ends that.
#[derive(Default)]
pub(crate) struct Plugins {
    #[cfg(feature = "hmr")]
    _engine: Option<hmr::Engine>,
}

/// Says whether changes will be followed.
fn tell_off() {
    info!("hot reload: off, changes are ignored until restart");
}

/// Gives the file that keeps what the bot remembers over a restart, if it is to.
pub(crate) fn state_file(config: &Config) -> Option<PathBuf> {
    #[cfg(feature = "hmr")]
    let workspace = workspace(&config.reload).ok();
    #[cfg(not(feature = "hmr"))]
    let workspace: Option<PathBuf> = None;
    config.state_file(workspace.as_deref())
}

/// Brings in all plugins, and gives those that should be live and are not.
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
    let pace = hmr::watch::Pace {
        debounce: reload.debounce.unwrap_or(hmr::watch::Pace::DEFAULT_DEBOUNCE),
        poll: reload.poll,
    };
    let policy = reload.policy(config.environment).shared();
    let environment = Environment::new(host.clone(), policy.clone(), application.owners.clone(), source)
        .map_err(|mistakes| Failure::configuration(mistakes.to_string()))?;
    let options = hmr::Options {
        enabled: reload.enabled,
        workspace: workspace(reload)?,
        target: target()?,
        pace,
        policy,
        on_settings: Some(hmr::OnSettings(Arc::new(move || environment.reload()))),
        colour: std::io::stderr().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let engine =
        hmr::Engine::start(host.clone(), options).await.map_err(|error| Failure::other(error.to_string()))?;
    if reload.enabled {
        // The repository itself, watched for its manifest, goes without saying.
        let folders = engine.folders().iter().map(|path| path.display().to_string());
        let folders: Vec<_> = folders.filter(|folder| !folder.is_empty()).collect();
        info!("hot reload: on, watching {}", folders.join(", "));
    } else {
        tell_off();
    }
    let left_out = engine.left_out().clone();
    Ok((Plugins { _engine: Some(engine) }, left_out))
}

/// Gives the workspace whose plugins are loaded.
#[cfg(feature = "hmr")]
fn workspace(reload: &Reload) -> Result<std::path::PathBuf, Failure> {
    let here = std::env::current_dir()
        .map_err(|error| Failure::other(format!("The current folder cannot be read: {error}.")))?;
    let is_workspace = |folder: &std::path::Path| {
        folder.join("Cargo.toml").is_file()
            && folder.join("commands").is_dir()
            && folder.join("events").is_dir()
    };
    match &reload.workspace {
        Some(folder) if is_workspace(folder) => folder
            .canonicalize()
            .map_err(|error| Failure::configuration(format!("HMR_WORKSPACE cannot be read: {error}."))),
        Some(folder) => Err(Failure::configuration(format!(
            "HMR_WORKSPACE is '{}', which holds no Cargo.toml with commands/ and events/; name the folder of this \
             repository.",
            folder.display()
        ))),
        None => here.ancestors().find(|folder| is_workspace(folder)).map(std::path::Path::to_path_buf).ok_or_else(|| {
            Failure::configuration(
                "Hot reload finds no Cargo.toml with commands/ and events/ in this folder or above it; run the bot \
                 in the repository, or name its folder in HMR_WORKSPACE.",
            )
        }),
    }
}

/// Gives cargo's target folder, in which this very binary was built.
#[cfg(feature = "hmr")]
fn target() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe()
        .ok()
        .and_then(|binary| Some(binary.parent()?.parent()?.to_path_buf()))
        .ok_or_else(|| Failure::other("Hot reload cannot tell where this binary was built."))
}

/// Brings in all plugins, and gives those that should be live and are not.
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

/// Makes live the plugins that are linked into the binary.
#[cfg(feature = "plugins")]
async fn start_linked(host: &Host) -> BTreeSet<PluginId> {
    crate::plugins::start(host, commands::PLUGINS.iter().chain(events::PLUGINS).copied()).await
}

#[cfg(not(any(feature = "plugins", feature = "hmr")))]
compile_error!(
    "a bot without plugins and without hot reload can do nothing; choose the feature `plugins` or `hmr`"
);
