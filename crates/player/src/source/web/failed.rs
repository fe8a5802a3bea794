//! Failures of servers, and which of them users see.
//!
//! A user who can have any address fetched could find out which ports of a machine are open from the error messages.
//! Ports of web servers are open to everyone, so their failures are reported as they are. At every other port all
//! failures look the same: whether no server listens there, or one that sends no audio.

use reqwest::Url;

use crate::source::SourceError;

/// The last port among those connected to that is not a web server's, if there was one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct Port(Option<String>);

/// A failure in detail, which converts into the error that a user sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct Failed {
    /// The error.
    pub(in crate::source) error: SourceError,
    /// The port at which it happened.
    pub(in crate::source) port: Port,
    /// The system's error message.
    pub(in crate::source) cause: Option<String>,
}

impl Port {
    /// Records a connection to an address, or an attempt.
    pub(super) fn note(&mut self, url: &Url, ports: &[u16]) {
        let port = url.port_or_known_default().filter(|port| !ports.contains(port));
        let host = url.host_str().unwrap_or_default();
        self.0 = port.map(|port| format!("{host}:{port}")).or(self.0.take());
    }

    /// Returns a failure for an error that happened there.
    pub(in crate::source) fn failed(&self, error: SourceError) -> Failed {
        Failed { error, port: self.clone(), cause: None }
    }

    /// Returns the error that a user sees for an error that happened there.
    pub(in crate::source) fn explain(&self, error: SourceError) -> SourceError {
        self.failed(error).into()
    }
}

impl From<Failed> for SourceError {
    fn from(failed: Failed) -> Self {
        let Failed { error, port: Port(Some(at)), cause } = failed else { return failed.error };
        // These are about the audio, or about the bot itself.
        if matches!(error, Self::TooLong { .. } | Self::Hls | Self::Busy) {
            return error;
        }
        let cause = cause.unwrap_or_else(|| error.to_string());
        tracing::info!(at, cause, "nothing can be played at a port that is no web server's");
        Self::NothingThere
    }
}

impl From<SourceError> for Failed {
    /// Returns a failure for an error before any connection.
    fn from(error: SourceError) -> Self {
        Port::default().failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(urls: &[&str]) -> Port {
        let mut port = Port::default();
        for url in urls {
            port.note(&Url::parse(url).unwrap(), &[80, 443]);
        }
        port
    }

    #[test]
    fn a_failure_tells_nothing_once_a_port_that_is_no_web_servers_was_connected_to() {
        for urls in [
            &["http://a.example:22/"][..],
            &["http://a.example/", "http://b.example:8443/"],
            &["https://a.example:80/", "http://[::1]:25/", "https://b.example/"],
        ] {
            for error in [
                SourceError::Unreachable,
                SourceError::TimedOut,
                SourceError::Late { most: std::time::Duration::from_secs(20) },
                SourceError::Status(404),
                SourceError::NoSound,
                SourceError::Broken,
                SourceError::NotPublic,
                SourceError::NoPages,
                SourceError::EmptyPlaylist,
                SourceError::TooLarge,
            ] {
                assert_eq!(port(urls).explain(error), SourceError::NothingThere, "{urls:?}");
            }
            assert_eq!(port(urls).explain(SourceError::Hls), SourceError::Hls);
        }
        for urls in [&["http://a.example/", "https://b.example/"][..], &["https://b.example:443/"], &[]] {
            assert_eq!(port(urls).explain(SourceError::NoSound), SourceError::NoSound, "{urls:?}");
        }
    }
}
