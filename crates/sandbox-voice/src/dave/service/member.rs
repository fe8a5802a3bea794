//! What a delivery service knows of one member.

use std::time::Instant;

use crate::dave::package::Package;
use crate::dave::plain::Plain;

/// A client or listener in the call.
pub(super) struct Member {
    /// Highest version that it supports.
    pub(super) max_version: u16,
    /// Its SESSION DESCRIPTION is out: it takes part.
    pub(super) described: bool,
    /// The key package to add it with.
    pub(super) package: Option<Package>,
    /// One that came before it answered.
    pub(super) next_package: Option<Package>,
    /// Transition of the newest commit or welcome that it was sent.
    pub(super) newest: Option<u16>,
    /// Whether it has answered that one.
    pub(super) answered: bool,
    /// Its local group may hold proposals, so that it must start anew before another group is made.
    pub(super) used: bool,
    /// Until when it may send in plain.
    pub(super) plain: Plain,
}

impl Member {
    /// One that has just connected.
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

    /// It has reset its keys, or is told to: what it sent before is void.
    pub(super) fn start_anew(&mut self, now: Instant) {
        self.package = None;
        self.next_package = None;
        self.newest = None;
        self.answered = true;
        self.used = false;
        self.plain.renew(now);
    }
}
