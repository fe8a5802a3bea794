//! The shared library of development builds: one copy of sdk-core and its dependencies.
//!
//! A plugin that linked its own tokio, serenity or tracing would have its own thread-locals and statics; with this
//! library, host and plugins use the same ones.

pub use sdk_core::*;
