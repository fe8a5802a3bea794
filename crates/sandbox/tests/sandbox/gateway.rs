//! The gateway from its clients' side, over real websockets.

pub(crate) mod client;
mod close_codes;
mod faults;
mod intents;
mod requests;
mod resume;
mod sessions;
pub(crate) mod terms;
mod transport;
mod world;
