//! A host's own status, read from its control socket.

use std::io;
use std::path::PathBuf;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use crate::Playground;

/// Counts in a host's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Tasks that plugins have started.
    pub tasks: u64,
    /// Handlers of events, components, modals and timers.
    pub listeners: u64,
    /// Retired generations in which something still runs, or that are still referenced.
    pub retired: u64,
    /// Calls in progress in `commands/music`.
    pub music_calls: u64,
}

impl Inside {
    /// Requests the status of a playground's host.
    ///
    /// # Errors
    /// If it does not respond.
    pub async fn of(playground: &Playground) -> io::Result<Self> {
        let mut socket = UnixStream::connect(socket(playground)).await?;
        socket.write_all(b"{\"do\":\"status\"}\n").await?;
        let mut answer = String::new();
        BufReader::new(socket).read_line(&mut answer).await?;
        let answer: Value = serde_json::from_str(&answer)?;
        if answer["ok"].is_object() {
            Ok(Self::read(&answer["ok"]))
        } else {
            Err(io::Error::other(format!("the host does not say how things stand: {answer}")))
        }
    }

    fn read(status: &Value) -> Self {
        let list = |name: &str| status[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let all = || list("live").iter().chain(list("retired"));
        let tasks = |generation: &Value| generation["tasks"].as_array().map_or(0, Vec::len);
        Self {
            tasks: all().map(tasks).sum::<usize>() as u64,
            listeners: all().filter_map(|generation| generation["listeners"].as_u64()).sum(),
            retired: list("retired").len() as u64,
            music_calls: all()
                .filter(|generation| generation["plugin"] == "commands/music")
                .filter_map(|generation| generation["calls"].as_u64())
                .sum(),
        }
    }
}

/// Returns the socket's path. A file contains it if the path in the folder would be too long.
fn socket(playground: &Playground) -> PathBuf {
    match playground.read(".hotcord/control.path") {
        Ok(elsewhere) => elsewhere.trim().into(),
        Err(_) => playground.path(".hotcord/control.sock"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_retired_counts_as_long_as_it_is_there() {
        let generation = |plugin: &str, tasks: &[&str], listeners: u64, calls: u64| json!({"plugin": plugin, "tasks": tasks, "listeners": listeners, "calls": calls});
        let status = json!({
            "live": [generation("commands/music", &["a", "b"], 3, 2), generation("commands/general", &[], 1, 9)],
            "retired": [generation("commands/music", &["c"], 2, 1)],
        });
        assert_eq!(Inside::read(&status), Inside { tasks: 3, listeners: 6, retired: 1, music_calls: 3 });
    }
}
