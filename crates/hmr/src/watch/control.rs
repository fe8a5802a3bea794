//! The configuration of a running watcher.

use std::sync::Arc;

use tokio::sync::watch;

use super::filter::Filter;
use super::mode::WatchMode;
use super::moment::Moment;
use super::scope::Scope;

/// A handle on a running [`Watcher`](super::Watcher).
#[derive(Clone, Debug)]
pub struct Control(Arc<watch::Sender<Config>>);

/// The configuration of a watcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) scope: Scope,
    pub(super) mode: WatchMode,
    pub(super) filter: Filter,
    /// When the filter was set.
    pub(super) filter_since: Moment,
    pub(super) is_paused: bool,
}

impl Control {
    pub(super) fn new(config: Config) -> Self {
        Self(Arc::new(watch::Sender::new(config)))
    }

    /// Creates a handle that no watcher follows.
    #[cfg(test)]
    pub(crate) fn of(scope: Scope, mode: WatchMode, filter: Filter) -> Self {
        Self::new(Config { scope, mode, filter, filter_since: Moment::now(), is_paused: false })
    }

    pub(super) fn changes(&self) -> watch::Receiver<Config> {
        self.0.subscribe()
    }

    /// Stops watching, so that no save counts, or resumes it, when all saves meanwhile count as one burst. Returns
    /// whether this changed the state.
    pub fn set_paused(&self, is_paused: bool) -> bool {
        self.change(|config| &mut config.is_paused, is_paused)
    }

    /// Returns whether watching is stopped.
    pub fn is_paused(&self) -> bool {
        self.0.borrow().is_paused
    }

    /// Watches other folders and files. The present contents of new ones count as known.
    pub fn follow(&self, scope: Scope) {
        self.change(|config| &mut config.scope, scope);
    }

    /// Returns what is watched.
    pub fn scope(&self) -> Scope {
        self.0.borrow().scope.clone()
    }

    /// Returns how changes are noticed.
    pub fn mode(&self) -> WatchMode {
        self.0.borrow().mode
    }

    /// Changes how changes are noticed from now on.
    pub fn set_mode(&self, mode: WatchMode) {
        self.change(|config| &mut config.mode, mode);
    }

    /// Changes which files are left out from now on: saves after this call are filtered by this filter.
    pub fn set_filter(&self, filter: Filter) {
        self.0.send_if_modified(|config| {
            let is_other = config.filter != filter;
            if is_other {
                (config.filter, config.filter_since) = (filter, Moment::now());
            }
            is_other
        });
    }

    /// Returns which files are left out, and which extensions count.
    pub fn filter(&self) -> Filter {
        self.0.borrow().filter.clone()
    }

    fn change<T: PartialEq>(&self, part: impl FnOnce(&mut Config) -> &mut T, value: T) -> bool {
        self.0.send_if_modified(|config| {
            let part = part(config);
            let is_other = *part != value;
            *part = value;
            is_other
        })
    }
}
