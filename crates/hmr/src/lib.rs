//! Hot reload: watch, build, probe, preflight, swap, retire.
//!
//! # Theory of operation
//!
//! [`Engine::start`] finds the plugins of a workspace, builds each as a library and makes generation 1 of all of them
//! live. Then it watches their sources. A finished save starts a build at once; a newer save of the same plugin cancels
//! it. A build that succeeds is loaded by a child process first ([`build::probe`]), then checked and loaded here,
//! started, and swapped in by one atomic store; the generation before it is stopped afterwards. A failure at any step
//! leaves the live generation as it is and is reported to the developer.
//!
//! # Layout
//!
//! - [`process`]: how build programs are called.
//! - [`workspace`]: which crates are plugins, and what a changed file means for them.
//! - [`watch`]: from the file system's events to finished saves.
//! - [`build`]: cargo, rustc, the probe and the loader, behind the trait [`build::Toolchain`].
//! - [`findings`] and [`link`]: diagnostics of compiler and linker.
//! - [`engine`]: the loop that connects saves, builds and swaps.
//! - [`policy`]: options that may change while the engine runs.
//! - [`supervisor`], [`hosts`] and [`journal`]: a host that dies is started again, and one whose own sources change is
//!   built beside the running one and replaces it.
//! - [`signals`]: child processes receive signals that this process was started to ignore.
//! - [`control`]: the socket for requests of other programs.

pub mod build;
pub mod control;
pub mod engine;
pub mod error;
pub mod findings;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod hosts;
pub mod journal;
pub mod link;
pub mod policy;
pub mod process;
pub mod signals;
pub mod supervisor;
pub mod watch;
pub mod workspace;

pub use engine::{Engine, OnSettings, Options};
pub use error::{HostError, SaveError};
pub use policy::{Policy, SharedPolicy};
pub use supervisor::NextHost;
