//! Why the bot ended, for the user and for its supervisor.

use std::error::Error;
use std::fmt;

/// What ended the bot. Its text is one or more sentences.
type Cause = Box<dyn Error + Send + Sync>;

/// The reason for the end of the bot.
#[derive(Debug)]
pub(crate) struct Failure {
    cause: Cause,
    of_configuration: bool,
}

impl Failure {
    /// Creates a failure that a user has to fix before another start can succeed.
    pub(crate) fn configuration(cause: impl Into<Cause>) -> Self {
        Self { cause: cause.into(), of_configuration: true }
    }

    /// Creates any other failure. Another start may succeed.
    pub(crate) fn other(cause: impl Into<Cause>) -> Self {
        Self { cause: cause.into(), of_configuration: false }
    }

    /// Returns the exit code: 78 (`EX_CONFIG` of sysexits.h), on which a supervisor can be configured not to restart,
    /// or 1.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.of_configuration { 78 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}
