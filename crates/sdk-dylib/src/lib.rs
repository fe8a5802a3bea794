//! The one shared library of development builds: sdk-core and everything below it, in one copy.
//!
//! A plugin that linked its own tokio, serenity or tracing would have its own thread-locals and statics; with
//! this library, host and plugins use the same ones.

pub use sdk_core::*;
