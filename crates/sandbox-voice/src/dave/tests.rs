//! Calls as clients see them: davey sessions in handshakes with the delivery service, and frames that are heard.

mod frames;
mod handshakes;
mod nonsense;
mod recovery;
mod room;
mod versions;
