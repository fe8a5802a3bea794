//! The status as text for a terminal.

use std::fmt;
use std::time::Duration;

use super::{Creations, GenerationStatus, HostStatus, LastFailure, ReloadStatus, Status, Withdrawn};
use crate::{PluginId, text};

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.host)?;
        writeln!(f, "{}", self.reload)?;
        if let Some(commands) = self.commands() {
            writeln!(f, "{commands}")?;
        }
        list(f, "live", &self.live)?;
        list(f, "retired, with something still running or held", &self.retired)?;
        list(f, "not live as saved", &self.failures)
    }
}

impl Status {
    /// Returns the lines about registered commands; `None` before the first registration.
    pub fn commands(&self) -> Option<String> {
        let mut lines: Vec<_> =
            self.creations.iter().map(|creations| format!("commands: {creations}")).collect();
        lines.extend(withdrawn(&self.withdrawn));
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

/// Returns a sentence about commands that no live plugin defines any more; `None` if there are none.
fn withdrawn(all: &[Withdrawn]) -> Option<String> {
    let first = all.iter().min_by_key(|withdrawn| withdrawn.removed_in_ms.unwrap_or(u64::MAX))?;
    let names: Vec<_> = all.iter().map(|withdrawn| withdrawn.command.as_str()).collect();
    let until = match (first.removed_in_ms, &first.waits_for) {
        (Some(ms), _) => format!("the first is removed in {}", ago(ms)),
        (None, Some(what)) => format!("kept {what}"),
        (None, None) => "kept for now".to_owned(),
    };
    let count = text::count(all.len(), "command");
    Some(format!(
        "{count} still registered and defined by no live plugin, {until}; prune removes them now: {}",
        names.join(", ")
    ))
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, title: &str, rows: &[T]) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    for row in rows {
        writeln!(f, "  {}", row.to_string().replace('\n', "\n    "))?;
    }
    Ok(())
}

impl fmt::Display for HostStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, version, environment, .. } = self;
        write!(f, "hotcord {version}, {environment}, process {pid}, up {}", ago(self.uptime_ms))?;
        if let Some(bytes) = self.memory_bytes {
            write!(f, ", {} of its own", size(bytes))?;
        }
        if self.sessions.is_empty() {
            write!(f, "\ngateway: no session")?;
        }
        for session in &self.sessions {
            write!(f, "\ngateway: shard {} {}", session.shard, session.stage)?;
            if let Some(latency) = session.latency_ms {
                write!(f, ", {latency} ms away")?;
            }
        }
        if let Some(database) = &self.database {
            write!(f, "\ndatabase: {database}")?;
        }
        for (what, words) in [("library", &self.library), ("yt-dlp", &self.yt_dlp)] {
            if !words.is_empty() {
                write!(f, "\n{what}: {words}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for ReloadStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.on, self.watching) {
            (false, _) => return f.write_str("hot reload is off"),
            (true, false) => f.write_str("hot reload is on, watching is stopped")?,
            (true, true) => {
                let folders = text::count(self.folders.len(), "folder");
                let how = self.poll_ms.map(|ms| format!(", looked at every {ms} ms")).unwrap_or_default();
                write!(f, "hot reload is on, {folders} watched{how}: {}", self.folders.join(", "))?;
            }
        }
        for (word, groups) in [("building", &self.building), ("held back", &self.held)] {
            for group in groups {
                write!(f, "\n{word}: {}", names(group))?;
            }
        }
        if !self.awaiting_restart.is_empty() {
            write!(f, "\na restart brings in: {}", self.awaiting_restart.join(", "))?;
        }
        if let Some(words) = &self.rebuilding {
            write!(f, "\na new host is built: {words}")?;
        }
        Ok(())
    }
}

impl fmt::Display for GenerationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} · generation {} · {} old · {} under way · {} · {} · {}",
            self.plugin,
            self.version,
            self.generation,
            ago(self.age_ms),
            text::count(self.calls, "call"),
            text::count(self.tasks.len(), "task"),
            text::count(self.commands, "command"),
            text::count(self.listeners, "listener"),
        )?;
        if let Some(bytes) = self.memory_bytes {
            write!(f, " · {}", size(bytes))?;
        }
        for task in &self.tasks {
            write!(f, "\n– {task}")?;
        }
        Ok(())
    }
}

impl fmt::Display for LastFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = super::since_1970().saturating_sub(self.at);
        write!(f, "{}: {}", self.plugin.as_ref().map_or("workspace", PluginId::as_str), self.reason)?;
        if let Some(place) = &self.place {
            write!(f, " at {place}")?;
        }
        write!(f, " ({} ago)", ago(age))
    }
}

impl fmt::Display for Creations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} creations used today ({})", self.used, self.limit, self.scope)?;
        if let Some(wait) = self.possible_in_ms {
            write!(f, ", the next is possible in {}", ago(wait))?;
        }
        Ok(())
    }
}

fn ago(ms: u64) -> String {
    text::duration(Duration::from_millis(ms))
}

fn names(plugins: &[PluginId]) -> String {
    plugins.iter().map(PluginId::as_str).collect::<Vec<_>>().join(", ")
}

/// Formats bytes in a suitable unit: `980 KB`, `12.5 MB`.
fn size(bytes: u64) -> String {
    let kilobytes = bytes.div_ceil(1024);
    if kilobytes < 1000 {
        format!("{kilobytes} KB")
    } else {
        let tenths = kilobytes * 10 / 1024;
        format!("{}.{} MB", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::SessionStatus;

    fn status() -> Status {
        let plugin = PluginId::new("commands/general");
        Status {
            host: HostStatus {
                pid: 7,
                version: "0.1.0".to_owned(),
                environment: "development".to_owned(),
                uptime_ms: 61_000,
                memory_bytes: Some(12_800 * 1024),
                sessions: vec![SessionStatus {
                    shard: 0,
                    stage: "connected".to_owned(),
                    latency_ms: Some(22),
                }],
                database: None,
                library: "3 tracks".to_owned(),
                yt_dlp: "2026.11.01 (/usr/bin/yt-dlp), with node 22.0.0".to_owned(),
            },
            reload: ReloadStatus {
                on: true,
                watching: true,
                folders: vec!["commands".to_owned(), "events".to_owned()],
                poll_ms: None,
                building: vec![vec![plugin.clone(), PluginId::new("events/welcome")]],
                held: Vec::new(),
                awaiting_restart: vec!["bot/src/run.rs".to_owned()],
                rebuilding: Some("the dependency x of commands/one turns on `y` of z".to_owned()),
            },
            live: vec![GenerationStatus {
                plugin: plugin.clone(),
                generation: 4,
                version: "1.2.3".to_owned(),
                age_ms: 5_000,
                calls: 1,
                tasks: vec!["watch (spawned at a.rs:1:2)".to_owned()],
                commands: 6,
                listeners: 2,
                memory_bytes: Some(59_000),
            }],
            retired: Vec::new(),
            failures: vec![LastFailure {
                plugin: Some(plugin),
                at: 0,
                reason: "1 compile error".to_owned(),
                place: Some("a.rs:12:79".to_owned()),
            }],
            creations: vec![Creations {
                scope: "global".to_owned(),
                used: 200,
                limit: 200,
                possible_in_ms: Some(3_600_000),
            }],
            withdrawn: ["/a", "/b"]
                .map(|command| Withdrawn {
                    command: command.to_owned(),
                    scope: "global".to_owned(),
                    removed_in_ms: Some(120_000),
                    waits_for: None,
                })
                .to_vec(),
        }
    }

    #[test]
    fn everything_is_told_in_words() {
        let words = status().to_string();
        for part in [
            "hotcord 0.1.0, development, process 7, up 1 minute 1 second, 12.5 MB of its own\n",
            "gateway: shard 0 connected, 22 ms away\n",
            "library: 3 tracks\nyt-dlp: 2026.11.01 (/usr/bin/yt-dlp), with node 22.0.0\n",
            "hot reload is on, 2 folders watched: commands, events\n",
            "building: commands/general, events/welcome\n",
            "a restart brings in: bot/src/run.rs\n",
            "a new host is built: the dependency x of commands/one turns on `y` of z\n",
            "200 of 200 creations used today (global), the next is possible in 1 hour\n",
            "2 commands still registered and defined by no live plugin, the first is removed in 2 minutes; prune removes \
             them now: /a, /b\n",
            "live\n  commands/general 1.2.3 · generation 4 · 5 seconds old · 1 call under way · 1 task · 6 commands · \
             2 listeners · 58 KB\n    – watch (spawned at a.rs:1:2)\n",
            "not live as saved\n  commands/general: 1 compile error at a.rs:12:79 (",
        ] {
            assert!(words.contains(part), "{part:?} is not in {words}");
        }
        assert!(!words.contains("retired"), "{words}");
    }

    #[test]
    fn as_data_it_comes_back_the_same() {
        let status = status();
        let text = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
    }
}
