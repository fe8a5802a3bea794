//! What a plugin is written against.
//!
//! A plugin is an ordinary library crate under `commands/` or `events/` with one line that is not plain serenity
//! and poise: [`export!`]. The same source is linked statically into production builds and loaded as a library by
//! a development host; nothing in it says which.

// Development builds take sdk-core from the shared library; naming the crate is what links it.
#[cfg(feature = "hmr")]
use sdk_dylib as _;

pub use sdk_core::*;
