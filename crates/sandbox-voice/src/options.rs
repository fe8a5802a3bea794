//! Settings of voice that are chosen before a sandbox starts.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Dave, Mode, Root};

/// Settings of the voice servers.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address of the first region's server, websocket and UDP; by default the sandbox's own with free ports.
    ///
    /// Further regions take free ports of the same interface.
    pub listen: Option<SocketAddr>,
    /// Ids of the voice regions, each with a server of its own; the first is the one for channels without a choice.
    pub regions: Vec<String>,
    /// Transport encryptions that READY offers.
    pub modes: Vec<Mode>,
    /// Root of the servers' certificates from an earlier start, which is used again if the names are the same.
    pub root: Option<Root>,
    /// End-to-end encryption.
    pub dave: Dave,
    /// Interval between heartbeats, as HELLO states it.
    pub heartbeat_interval: Duration,
    /// How long a session waits for a RESUME.
    pub resume_window: Duration,
    /// Messages kept for a RESUME (version 8).
    pub replay_messages: usize,
    /// Payloads that a client may send in any 60 seconds, DAVE's included; Discord documents no number.
    pub payloads_per_minute: Option<usize>,
    /// How long audio may come before the first SPEAKING until its sender is closed with 4020.
    pub speaking_grace: Duration,
    /// How much of the newest decoded audio is kept, for each user; a minute takes 11.5 MB.
    pub keep: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: None,
            regions: vec!["sandbox".to_owned(), "outpost".to_owned()],
            modes: Mode::ALL.to_vec(),
            root: None,
            dave: Dave::default(),
            heartbeat_interval: Duration::from_millis(41_250),
            resume_window: Duration::from_mins(1),
            replay_messages: 512,
            payloads_per_minute: Some(600),
            speaking_grace: Duration::from_secs(5),
            keep: Duration::from_mins(2),
        }
    }
}
