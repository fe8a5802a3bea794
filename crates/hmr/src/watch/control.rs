//! What a running watcher is wanted to do.

use std::sync::Arc;

use tokio::sync::watch;

use super::Pace;
use super::filter::Filter;
use super::moment::Moment;
use super::scope::Scope;

/// A handle on a running [`Watcher`](super::Watcher).
#[derive(Clone, Debug)]
pub struct Control(Arc<watch::Sender<Wanted>>);

/// What is wanted at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) scope: Scope,
    pub(super) pace: Pace,
    pub(super) filter: Filter,
    /// When the filter was set.
    pub(super) filter_since: Moment,
    pub(super) is_paused: bool,
}

impl Control {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self(Arc::new(watch::Sender::new(wanted)))
    }

    /// Makes a handle that no watcher follows.
    #[cfg(test)]
    pub(crate) fn of(scope: Scope, pace: Pace, filter: Filter) -> Self {
        Self::new(Wanted { scope, pace, filter, filter_since: Moment::now(), is_paused: false })
    }

    pub(super) fn changes(&self) -> watch::Receiver<Wanted> {
        self.0.subscribe()
    }

    /// Stops watching, so that no save counts, or watches again, when what was saved meanwhile counts as one burst; says
    /// whether that is another state than before.
    pub fn set_paused(&self, is_paused: bool) -> bool {
        self.want(|wanted| &mut wanted.is_paused, is_paused)
    }

    /// Says whether watching is stopped.
    pub fn is_paused(&self) -> bool {
        self.0.borrow().is_paused
    }

    /// Watches other folders and files; the present contents of what is new count as known.
    pub fn follow(&self, scope: Scope) {
        self.want(|wanted| &mut wanted.scope, scope);
    }

    /// Gives what is watched.
    pub fn scope(&self) -> Scope {
        self.0.borrow().scope.clone()
    }

    /// Gives how changes are noticed.
    pub fn pace(&self) -> Pace {
        self.0.borrow().pace
    }

    /// Notices changes in another way from now on.
    pub fn set_pace(&self, pace: Pace) {
        self.want(|wanted| &mut wanted.pace, pace);
    }

    /// Leaves out other files from now on: what is saved after this call counts by this filter.
    pub fn set_filter(&self, filter: Filter) {
        self.0.send_if_modified(|wanted| {
            let is_other = wanted.filter != filter;
            if is_other {
                (wanted.filter, wanted.filter_since) = (filter, Moment::now());
            }
            is_other
        });
    }

    /// Gives what is left out, and which extensions count.
    pub fn filter(&self) -> Filter {
        self.0.borrow().filter.clone()
    }

    fn want<T: PartialEq>(&self, part: impl FnOnce(&mut Wanted) -> &mut T, value: T) -> bool {
        self.0.send_if_modified(|wanted| {
            let part = part(wanted);
            let is_other = *part != value;
            *part = value;
            is_other
        })
    }
}
