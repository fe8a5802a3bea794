//! Why the bot ended, for the user and for its supervisor.

use std::fmt;

/// The reason for the end of the bot, in one or more sentences.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    sentences: String,
    of_configuration: bool,
}

impl Failure {
    /// Creates a failure that a user has to fix before another start can succeed.
    pub(crate) fn configuration(sentences: impl Into<String>) -> Self {
        Self { sentences: sentences.into(), of_configuration: true }
    }

    /// Creates any other failure. Another start may succeed.
    pub(crate) fn other(sentences: impl Into<String>) -> Self {
        Self { sentences: sentences.into(), of_configuration: false }
    }

    /// Returns the exit code: 78 (`EX_CONFIG` of sysexits.h), on which a supervisor can be configured not to restart,
    /// or 1.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.of_configuration { 78 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences)
    }
}
