//! Which way plugins come in: linked into the binary, or through the reload engine.

use std::collections::BTreeSet;

use sdk::PluginId;
use sdk::host::Host;
use sdk::tracing::{info, warn};

use crate::config::Reload;
use crate::failure::Failure;

/// Brings in all plugins and gives those that should be live and are not.
#[cfg_attr(not(feature = "hmr"), allow(clippy::unused_async))]
pub(crate) async fn bring_in_plugins(host: &Host, reload: &Reload) -> Result<BTreeSet<PluginId>, Failure> {
    if reload.enabled {
        warn!("this binary was built without hot reload; ENABLE_HMR is ignored");
    } else {
        info!("hot reload: off, changes are ignored until restart");
    }
    #[cfg(feature = "plugins")]
    return Ok(crate::plugins::start(host, commands::PLUGINS.iter().chain(events::PLUGINS).copied()).await);
    #[cfg(not(feature = "plugins"))]
    return Err(Failure::other(
        "This binary was built with neither plugins nor hot reload; it can do nothing.",
    ));
}
