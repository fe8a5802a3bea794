//! A copy of the workspace with a sandbox and a host, the basis of smoke, bench, play, drip, docker and the reload
//! tests.
//!
//! The developer's own sources are never touched: plugins are edited in a [`Playground`], a copy with a build folder of
//! its own, in which a development host runs as a child process ([`Bot`]) and connects to a sandbox.

pub mod audio;
pub mod bench;
pub mod bot;
pub mod busy;
pub mod docker;
pub mod drip;
pub mod faults;
pub mod kept;
pub mod load;
pub mod music_host;
pub mod numbers;
pub mod play;
pub mod playground;
mod plugin_cache;
pub mod plugins;
mod slot;
pub mod smoke;
pub mod soak;
pub mod song;
pub mod test_host;
mod tree;
pub mod wait;

pub use bot::Bot;
pub use music_host::MusicTestHost;
pub use playground::Playground;
pub use test_host::TestHost;
