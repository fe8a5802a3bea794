//! The state file: how to reach a running sandbox, for its owner only.
//!
//! `sandbox serve` writes it, and removes it at its end; the other commands and programs in any language read it. It is
//! JSON and contains secrets, so only its owner can read it (mode 0600).

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::private_file;
use crate::server::Sandbox;
use crate::snowflake::Snowflake;

/// The content of a state file.
#[derive(Clone, Deserialize, Serialize)]
pub struct StateFile {
    /// Base address of the sandbox, as its bots know it.
    pub url: String,
    /// The base address from this machine, if it differs.
    #[serde(default)]
    pub local_url: String,
    /// Id of its process.
    #[serde(default)]
    pub pid: u32,
    /// Secret that the control API requires as `Authorization: Bearer SECRET`.
    #[serde(default)]
    pub control_secret: String,
    /// Token of the bot, unless it was given to the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Id of its first guild.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guild_id: Option<Snowflake>,
    /// Address of the proxy that leads names of other servers to the sandbox, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// File with the certificate that clients of voice, and of all else with TLS, must trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice_root: Option<PathBuf>,
}

impl std::fmt::Debug for StateFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("StateFile").field("url", &self.url).finish_non_exhaustive()
    }
}

impl StateFile {
    /// Returns the content for a sandbox of this process, including its token.
    pub fn of(sandbox: &Sandbox) -> Self {
        Self {
            url: sandbox.url().to_owned(),
            local_url: sandbox.local_url(),
            pid: std::process::id(),
            control_secret: sandbox.control_secret().to_owned(),
            token: Some(sandbox.token().to_owned()),
            guild_id: Some(sandbox.guild_id()),
            proxy: sandbox.proxy_url(),
            voice_root: None,
        }
    }

    /// Reads a state file.
    ///
    /// # Errors
    /// When there is none, or its content is invalid.
    pub fn read(path: &Path) -> io::Result<Self> {
        serde_json::from_str(&std::fs::read_to_string(path)?).map_err(io::Error::from)
    }

    /// Writes it atomically, so that no reader sees half of it, and readable only by its owner.
    ///
    /// # Errors
    /// When the file or its folder cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        private_file::write(path, text.as_bytes())
    }

    /// Returns the address for the users' side: the one of bots, or with TLS, whose name may be another server's, the one from
    /// this machine.
    pub fn control_url(&self) -> &str {
        if self.url.starts_with("https://") && !self.local_url.is_empty() {
            &self.local_url
        } else {
            &self.url
        }
    }

    /// Returns whether an address is that of this sandbox, so that its secret may be sent there.
    pub fn is_at(&self, url: &str) -> bool {
        let url = url.trim_end_matches('/');
        let same = |own: &str| {
            !own.is_empty() && (own == url || loopback(own).is_some() && loopback(own) == loopback(url))
        };
        same(&self.url) || same(&self.local_url)
    }
}

/// Returns scheme, port and path of an address on the loopback interface, which has many names.
fn loopback(url: &str) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let ip = host.parse::<std::net::IpAddr>();
    (host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback()))
        .then(|| (format!("{}{}", url.scheme(), url.path()), url.port_or_known_default().unwrap_or_default()))
}

/// Returns the default path of the state file of a sandbox on this port, in a folder of this user:
/// `$XDG_RUNTIME_DIR/sandbox`, else `$XDG_STATE_HOME/sandbox`, else `~/.local/state/sandbox`; `None` without a home.
pub fn default_path(port: u16) -> Option<PathBuf> {
    place(port, |name| std::env::var_os(name).map(PathBuf::from))
}

fn place(port: u16, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    // By the specification of these variables, relative paths are ignored.
    let folder = |name| variable(name).filter(|path: &PathBuf| path.is_absolute());
    let folder = folder("XDG_RUNTIME_DIR")
        .or_else(|| folder("XDG_STATE_HOME"))
        .or_else(|| folder("HOME").map(|home| home.join(".local/state")))?;
    Some(folder.join("sandbox").join(format!("{port}.json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> StateFile {
        StateFile {
            url: "http://sandbox:8787".into(),
            local_url: "http://127.0.0.1:8787".into(),
            pid: 1,
            control_secret: "s3cret".into(),
            token: None,
            guild_id: Some(Snowflake(7)),
            proxy: None,
            voice_root: None,
        }
    }

    #[test]
    fn it_reads_back_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        state().write(&path).unwrap();
        assert_eq!(StateFile::read(&path).unwrap().control_secret, "s3cret");
        assert!(!format!("{:?}", state()).contains("s3cret"));
    }

    #[test]
    fn the_secret_is_for_this_sandbox_alone() {
        for own in
            ["http://sandbox:8787", "http://sandbox:8787/", "http://localhost:8787", "http://[::1]:8787"]
        {
            assert!(state().is_at(own), "{own}");
        }
        for other in [
            "http://127.0.0.1:8788",
            "http://sandbox:1",
            "http://evil.example:8787",
            "https://localhost:8787",
            "",
        ] {
            assert!(!state().is_at(other), "{other}");
        }
    }

    #[test]
    fn its_usual_place_belongs_to_the_user() {
        let at = |set: &[(&str, &str)]| {
            let set = set.to_vec();
            place(8787, move |name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            })
        };
        let all = [("XDG_RUNTIME_DIR", "/run/user/1"), ("XDG_STATE_HOME", "/state"), ("HOME", "/home/me")];
        assert_eq!(at(&all), Some("/run/user/1/sandbox/8787.json".into()));
        assert_eq!(at(&all[1..]), Some("/state/sandbox/8787.json".into()));
        assert_eq!(at(&all[2..]), Some("/home/me/.local/state/sandbox/8787.json".into()));
        assert_eq!(at(&[("XDG_RUNTIME_DIR", "here"), ("HOME", "")]), None);
    }
}
