//! The gateway as its clients see it, over real websockets.

mod client;
mod close_codes;
mod faults;
mod intents;
mod requests;
mod resume;
mod sessions;
mod transport;
mod world;
