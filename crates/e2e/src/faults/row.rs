//! A row of the table as data: the fault, the expected log messages, and what has to hold afterwards.

use std::future::Future;
use std::io;
use std::pin::Pin;

use super::foreign::Origin;
use super::plugin::{Place, Sabotage};
use super::stage::Stage;

/// A fault and its expected outcome.
#[derive(Clone, Copy)]
pub struct Row {
    /// Description of the fault.
    pub name: &'static str,
    /// Rows of one group share a host.
    pub group: Group,
    /// The fault.
    pub fault: Fault,
    /// Texts that have to be in the log, in any order. They name the cause.
    pub told: &'static [&'static str],
    /// What has to hold afterwards.
    pub after: After,
}

/// Where a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Code of a plugin.
    Code,
    /// The library that a build produces.
    Library,
    /// Compiler, disk and source folders.
    Machine,
    /// Discord.
    Discord,
}

impl Group {
    /// Every group, in the table's order.
    pub const ALL: [Self; 4] = [Self::Code, Self::Library, Self::Machine, Self::Discord];
}

/// What is done to cause the fault.
#[derive(Clone, Copy)]
pub enum Fault {
    /// Code in one of the places of the failing plugin. If a user has to do something for it to run, that is done.
    Sabotage(Place, Sabotage),
    /// A file in which one text is replaced by another.
    Edit {
        /// File, relative to the workspace.
        file: &'static str,
        /// Text to replace, which has to exist.
        from: &'static str,
        /// Text to insert.
        to: &'static str,
    },
    /// A good edit whose library is changed by a shell script as soon as it is linked.
    Spoil(&'static str),
    /// A good edit whose library is replaced by a foreign one.
    Foreign(Origin),
    /// Anything else.
    Scenario(Scenario),
}

/// A scenario on a stage, which returns what it observed besides the log messages.
///
/// An error of kind `Unsupported` is the reason why it cannot be run on this machine.
pub type Scenario = fn(&mut Stage) -> ScenarioFuture<'_>;

/// A scenario in progress.
pub type ScenarioFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Seen>> + Send + 'a>>;

/// What a scenario observed itself. For fields that it leaves out, the log and the users' calls are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Description of what was observed.
    pub observed: Option<String>,
    /// Which version answers, or how soon the host was back.
    pub answers: Option<String>,
}

/// What has to hold after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The old code answers all the time, and the new code never does.
    OldAnswers,
    /// The new code is live and answers: only what failed in it is affected.
    NewAnswers,
    /// The new code was live and failed on probation. The old code is back and answers.
    OldIsBack,
    /// The host has ended and comes back. The scenario itself restarts it if necessary.
    HostIsBack,
}

impl Row {
    /// Returns whether the host cannot be used for another row afterwards: one of its threads is lost to a loop.
    pub fn wears_out_the_host(&self) -> bool {
        matches!(self.fault, Fault::Sabotage(Place::Start | Place::Stop, Sabotage::Loop))
    }
}
