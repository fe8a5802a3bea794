//! Hot reload: watch, build, probe, preflight, swap, retire.
//!
//! # Theory of operation
//!
//! [`Engine::start`] finds the plugins of a workspace, builds each as a library and makes generation 1 of all of
//! them live. Then it watches their sources. A finished save starts a build at once; a newer save of the same
//! plugin cancels it. A build that succeeds is loaded by a child process first ([`probe`]), then checked and loaded
//! here, started, and swapped in by one atomic store; the generation before it is stopped afterwards. Whatever
//! fails on the way leaves the live generation as it is and tells the developer what is wrong.
//!
//! # Layout
//!
//! - [`workspace`]: which crates are plugins, and what a changed file means for them.
//! - [`features`]: which plugin's dependency has the host built anew.
//! - [`watch`]: from the file system's events to finished saves.
//! - [`process`]: how programs that build are called; [`cargo`], [`rustc_call`] and [`rustc`]: the first build, the call of
//!   the compiler that it makes, and its replay; `compiler`: how both give way to the bot's own work.
//! - [`probe`] and [`library`]: loading a built plugin, first in a child, then here; [`mapping`]: what it takes up.
//! - [`engine`] and [`job`]: the loop that ties these together.
//! - [`policy`]: what may change while the engine runs.
//! - [`findings`], [`link`] and [`report`]: what compiler and linker found, and the one line that tells of a reload.
//! - [`supervisor`], [`hosts`] and [`journal`]: a host that dies comes back, and one whose own sources change is built
//!   beside the running one and takes its place.
//! - [`signals`]: what is started hears signals that this process was started to ignore.
//! - [`control`]: the socket by which other programs ask and command.

pub mod cargo;
mod compiler;
pub mod control;
pub mod engine;
pub mod error;
pub mod features;
pub mod findings;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod host_build;
pub mod hosts;
pub mod job;
pub mod journal;
pub mod library;
pub mod link;
pub mod mapping;
pub mod policy;
pub mod probe;
pub mod process;
pub mod report;
pub mod rustc;
pub mod rustc_call;
pub mod signals;
pub mod supervisor;
pub mod watch;
pub mod workspace;

pub use engine::{Engine, OnSettings, Options};
pub use error::{HostError, SaveError};
pub use policy::{Policy, SharedPolicy};
pub use supervisor::NextHost;
