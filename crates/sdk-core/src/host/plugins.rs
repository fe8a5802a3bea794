//! What plugins see of the host and the registry: narrow methods of their handle, [`Data`].
//!
//! They are here and not in `data.rs`, because a generation does not depend on what holds it. Once the host has been
//! dropped, nothing is live and there is nothing to return.

use std::sync::Arc;

use super::{Host, Inner, Registrar, Reloader};
use crate::ledger::{Former, PluginLedger};
use crate::routing_table::RoutingTable;
use crate::state::StateError;
use crate::state_history::StateSnapshot;
use crate::status::Status;
use crate::{Data, PluginId};

impl Host {
    /// Returns the host of a generation, while it exists.
    pub(crate) fn of(data: &Data) -> Option<Self> {
        data.services().host()?.downcast::<Inner>().ok().map(Self)
    }
}

impl Data {
    /// Returns everything that is live now.
    pub fn live(&self) -> Arc<RoutingTable> {
        Host::of(self).map(|host| host.registry().snapshot()).unwrap_or_default()
    }

    /// Returns the ledger of all generations, by plugin.
    pub fn ledger(&self) -> Vec<PluginLedger> {
        Host::of(self).map(|host| host.registry().ledger()).unwrap_or_default()
    }

    /// Returns the generations of a plugin that were live and whose code can be restored, the newest first.
    pub fn formers(&self, plugin: &PluginId) -> Vec<Former> {
        Host::of(self).map(|host| host.registry().formers(plugin)).unwrap_or_default()
    }

    /// Returns a plugin's snapshots of its state, the newest first.
    pub fn state_snapshots(&self, plugin: &PluginId) -> Vec<StateSnapshot> {
        Host::of(self).map(|host| host.state_history().list(plugin)).unwrap_or_default()
    }

    /// Saves a snapshot of the state of a live plugin; `None` if it is not live.
    ///
    /// # Errors
    /// As [`StateHistory::take`](crate::state_history::StateHistory::take).
    pub fn take_state_snapshot(&self, plugin: &PluginId) -> Option<Result<StateSnapshot, StateError>> {
        let host = Host::of(self)?;
        let live = host.registry().snapshot();
        Some(host.state_history().take(live.generations().get(plugin)?))
    }

    /// Collects the bot's status.
    pub async fn status(&self) -> Status {
        match Host::of(self) {
            Some(host) => Status::of(&host).await,
            None => Status::default(),
        }
    }

    /// Returns the reload engine; `None` in production and where reloading is off.
    pub fn reloader(&self) -> Option<Arc<dyn Reloader>> {
        Host::of(self)?.reloader().cloned()
    }

    /// Returns the registrar of commands, once one is set.
    pub fn registrar(&self) -> Option<Arc<dyn Registrar>> {
        Host::of(self)?.registrar().cloned()
    }
}
