//! The library that plugins use.
//!
//! A plugin is an ordinary library crate under `commands/` or `events/` with one line that is not plain serenity and
//! poise: [`export!`]. The same source is linked statically into production builds and loaded as a library by a
//! development host; it does not mention either.

// In development builds sdk-core comes from the shared library, which is linked because this names the crate.
#[cfg(feature = "hmr")]
use sdk_dylib as _;

pub use sdk_core::*;
