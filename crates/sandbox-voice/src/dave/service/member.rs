//! State of one member in a delivery service.

use std::time::Instant;

use crate::dave::package::Package;
use crate::dave::plain::Plain;

/// Client or listener in the call.
pub(super) struct Member {
    /// Highest version that it supports.
    pub(super) max_version: u16,
    /// Whether its SESSION DESCRIPTION has been queued, from when on it takes part.
    pub(super) described: bool,
    /// Key package to add it with.
    pub(super) package: Option<Package>,
    /// Key package that came before it answered.
    pub(super) next_package: Option<Package>,
    /// Transition of the newest commit or welcome that it was sent.
    pub(super) newest: Option<u16>,
    /// Whether it has answered that one.
    pub(super) answered: bool,
    /// Whether its local group may hold proposals, so that it must start again before another group is created.
    pub(super) used: bool,
    /// Until when it may send in plain.
    pub(super) plain: Plain,
}

impl Member {
    /// Creates one that has just connected.
    pub(super) fn new(max_version: u16) -> Self {
        Self {
            max_version,
            described: false,
            package: None,
            next_package: None,
            newest: None,
            answered: true,
            used: false,
            plain: Plain::Always,
        }
    }

    /// Handles a member that has reset its keys or has been asked to: what it sent before is void.
    pub(super) fn start_anew(&mut self, now: Instant) {
        self.package = None;
        self.next_package = None;
        self.newest = None;
        self.answered = true;
        self.used = false;
        self.plain.renew(now);
    }
}
