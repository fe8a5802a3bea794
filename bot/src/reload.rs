//! Which way plugins come in: linked into the binary, or through the reload engine.

use std::collections::BTreeSet;

use sdk::PluginId;
use sdk::host::Host;
use sdk::tracing::info;
#[cfg(feature = "plugins")]
use sdk::tracing::warn;

use crate::config::Reload;
use crate::failure::Failure;

/// What keeps plugins live, and which of them are not.
pub(crate) struct Plugins {
    /// Plugins that should be live and are not.
    pub(crate) left_out: BTreeSet<PluginId>,
    /// Ends the watching when it is dropped.
    #[cfg(feature = "hmr")]
    _engine: Option<hmr::Engine>,
}

#[cfg(not(any(feature = "hmr", feature = "plugins")))]
compile_error!("the bot needs the feature `plugins`, which links its plugins in, or `hmr`, which loads them");

/// Brings in all plugins, through the reload engine when that is there and either asked for or the only way.
pub(crate) async fn bring_in_plugins(host: &Host, reload: &Reload) -> Result<Plugins, Failure> {
    #[cfg(all(feature = "hmr", feature = "plugins"))]
    return if reload.enabled { with_engine(host, reload).await } else { Ok(linked_in(host, reload).await) };
    #[cfg(all(feature = "hmr", not(feature = "plugins")))]
    return with_engine(host, reload).await;
    #[cfg(not(feature = "hmr"))]
    return Ok(linked_in(host, reload).await);
}

const OFF: &str = "hot reload: off, changes are ignored until restart";

#[cfg(feature = "plugins")]
async fn linked_in(host: &Host, reload: &Reload) -> Plugins {
    if reload.enabled {
        warn!("this binary was built without hot reload; ENABLE_HMR is ignored");
    } else {
        info!("{OFF}");
    }
    Plugins {
        left_out: crate::plugins::start(host, commands::PLUGINS.iter().chain(events::PLUGINS).copied()).await,
        #[cfg(feature = "hmr")]
        _engine: None,
    }
}

#[cfg(feature = "hmr")]
async fn with_engine(host: &Host, reload: &Reload) -> Result<Plugins, Failure> {
    use std::io::IsTerminal as _;
    use std::path::PathBuf;
    use std::time::Duration;

    /// Joins what one save writes where the system does not tell that a file was closed.
    const DEBOUNCE: Duration = Duration::from_millis(5);
    /// Longest time for a `start` or `stop` hook.
    const HOOK_WITHIN: Duration = Duration::from_secs(5);

    // cargo puts the binary two folders below its target folder.
    let target = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.parent()?.to_owned()));
    let target = target.ok_or_else(|| Failure::other("The folder of this binary cannot be found."))?;
    let built_from = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let workspace = reload.workspace.clone().unwrap_or_else(built_from);
    // cargo and the system's events speak of files by their real paths.
    let workspace = workspace.canonicalize().map_err(|error| {
        let folder = workspace.display();
        Failure::configuration(format!(
            "The sources to reload are not at {folder} ({error}); set HMR_WORKSPACE."
        ))
    })?;
    let options = hmr::Options {
        enabled: reload.enabled,
        workspace,
        target,
        pace: hmr::watch::Pace { debounce: reload.debounce.unwrap_or(DEBOUNCE), poll: reload.poll },
        hook_deadline: HOOK_WITHIN,
        colour: std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    if !reload.enabled {
        info!("{OFF}");
    }
    let engine = hmr::Engine::start(host.clone(), options)
        .await
        .map_err(|error| Failure::other(format!("Hot reload cannot start: {error}.")))?;
    if reload.enabled {
        let folders = engine.folders().iter().map(|folder| folder.display().to_string());
        // The workspace itself, for its manifest, goes without saying.
        let folders: Vec<_> = folders.filter(|folder| !folder.is_empty()).collect();
        info!("hot reload: on, watching {}", folders.join(", "));
    }
    Ok(Plugins { left_out: engine.left_out().clone(), _engine: Some(engine) })
}
