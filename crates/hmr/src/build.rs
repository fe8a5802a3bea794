//! From sources to a library that a probe has accepted.
//!
//! # Theory of operation
//!
//! The engine uses a [`Toolchain`] to call cargo, rustc, a probe process and the system's loader. [`Builder`] is the
//! real one; tests use one whose plugins live in the process. [`run`] carries out a [`BuildRequest`] with either: first
//! cargo, where a call of rustc is not known, then rustc and the probe for each plugin. A record of each build is kept
//! beside it (`record`), so that a host that starts again need not build it again.

pub mod builder;
pub mod cargo;
mod compiler;
pub mod features;
pub mod host;
pub mod library;
mod linker;
pub mod mapping;
mod parts;
mod plugin;
pub mod probe;
mod record;
mod request;
pub mod rustc;
pub mod rustc_call;
mod same_code;
mod toolchain;

pub use builder::Builder;
pub use parts::Parts;
pub use plugin::{BuiltPlugin, Failure};
pub(crate) use record::discard;
pub use record::{BuildRecord, Records};
pub use request::{BuildRequest, BuildResult, run};
pub use toolchain::{Captured, Compilation, Toolchain};
