//! A row of the table as data: what is done, what has to be told, what has to hold afterwards.

use std::future::Future;
use std::io;
use std::pin::Pin;

use super::foreign::Origin;
use super::plugin::{Place, Sabotage};
use super::stage::Stage;

/// One thing that goes wrong.
#[derive(Clone, Copy)]
pub struct Row {
    /// What is tried, in words.
    pub name: &'static str,
    /// Rows of one group share a host.
    pub group: Group,
    /// What is done.
    pub fault: Fault,
    /// What the log has to say, in any order; it names the culprit.
    pub told: &'static [&'static str],
    /// What has to hold afterwards.
    pub after: After,
}

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Code of a plugin.
    Code,
    /// The library that a build leaves.
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

/// What is done.
#[derive(Clone, Copy)]
pub enum Fault {
    /// Code in one of the places of the failing plugin; where a user has to do something for it to run, one does.
    Sabotage(Place, Sabotage),
    /// A file in which one text takes another's place.
    Edit {
        /// File, as seen from the workspace.
        file: &'static str,
        /// Text that has to be there.
        from: &'static str,
        /// Text that takes its place.
        to: &'static str,
    },
    /// A good edit whose library is changed, in shell's words, as soon as it is linked.
    Spoil(&'static str),
    /// A good edit in whose library's place a foreign one is put.
    Foreign(Origin),
    /// Anything else.
    Scenario(Scenario),
}

/// A scenario on a stage, which gives what it observed besides the words that are told.
///
/// An error of kind `Unsupported` says why it cannot be tried on this machine.
pub type Scenario = fn(&mut Stage) -> ScenarioFuture<'_>;

/// A scenario in progress.
pub type ScenarioFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Seen>> + Send + 'a>>;

/// What a scenario observed itself; where it says nothing, the log and the users do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What was observed.
    pub observed: Option<String>,
    /// Who answers, or how soon the host was back.
    pub answers: Option<String>,
}

/// What has to hold after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The code from before answers on, all the while, and the new code never does.
    OldAnswers,
    /// The new code is live and answers: what failed in it failed alone.
    NewAnswers,
    /// The new code was live and has failed on probation; the code from before is back and answers.
    OldIsBack,
    /// The host has ended and comes back; the scenario itself brings it back.
    HostIsBack,
}

impl Row {
    /// Says whether the host is not fit for another row afterwards: a thread of it is lost to a loop.
    pub fn wears_out_the_host(&self) -> bool {
        matches!(self.fault, Fault::Sabotage(Place::Start | Place::Stop, Sabotage::Loop))
    }
}
