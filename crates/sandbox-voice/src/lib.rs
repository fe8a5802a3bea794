//! Voice: the servers that VOICE_SERVER_UPDATE names, their websockets and their UDP.
//!
//! # Theory of operation
//!
//! The world decides who is in voice. For a bot that joins or is moved it requests an *assignment* from [`Voice`]: a
//! server and a token. A client that identifies with it on that server's websocket receives a *session*, numbered
//! messages that outlive the websocket; sessions of one channel form a *call*, whose own task announces clients to each
//! other and runs the DAVE group. Packets come to one thread for each server, which opens them, records what is
//! *heard*, decodes it, and seals them again for the others in the call, as a selective forwarding unit does.
//!
//! # Layout
//! - `gateway`: websockets; `payload`, `close`: what clients may send, and the close codes when they may not.
//! - `state`: assignments, sessions, calls and how to find them; `session`, `call`: one of each; `links`: commands.
//! - `udp`: audio in and out; `rtp`, `discovery`, `crypto`: its formats.
//! - `receive`: what is heard, in counts and times ([`Heard`]); `sequence`, `intervals`, `pcm`, [`wav`]: its parts.
//! - `server`, `wire`: sockets; `dave`: end-to-end encryption.
//! - [`Host`]: surroundings of the servers, with log and faults; [`fault`]: the rules of these.

mod call;
pub mod close;
mod crypto;
mod dave;
mod discovery;
pub mod fault;
mod gateway;
mod host;
mod intervals;
mod links;
mod options;
mod payload;
mod pcm;
mod receive;
mod rtp;
mod sequence;
mod server;
mod session;
mod state;
mod udp;
pub mod wav;
mod wire;

pub use self::crypto::Mode;
pub use self::dave::Dave;
pub use self::host::{Data, Event, Host};
pub use self::intervals::Between;
pub use self::links::{Command, Target};
pub use self::options::Options;
pub use self::receive::{Counts, Heard, StreamHeard};
pub use self::server::{Running, start};
pub use self::session::Session;
pub use self::state::{Assigned, Frame, Voice};
pub use sandbox_net::Root;
