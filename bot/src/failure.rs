//! Why the bot ended, for the person who started it and for whatever supervises it.

use std::fmt;

/// The end of the bot, in one sentence or more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    sentences: String,
    of_configuration: bool,
}

impl Failure {
    /// Something that a person has to set right before another start can succeed.
    pub(crate) fn configuration(sentences: impl Into<String>) -> Self {
        Self { sentences: sentences.into(), of_configuration: true }
    }

    /// Anything else; another start may succeed.
    pub(crate) fn other(sentences: impl Into<String>) -> Self {
        Self { sentences: sentences.into(), of_configuration: false }
    }

    /// Gives the exit code: 78 (`EX_CONFIG` of sysexits.h), which a supervisor can be told not to restart on, or 1.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.of_configuration { 78 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences)
    }
}
