//! The plugins; each has the features of one of poise's examples.

pub(crate) mod cooldowns;
pub(crate) mod events;
pub(crate) mod invocation;
pub(crate) mod localisation;
pub(crate) mod showcase;
