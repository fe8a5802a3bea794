//! Refusals: answers to requests that cannot be fulfilled, as opposed to failures of the bot.

use std::borrow::Cow;
use std::fmt;

use crate::Error;
use crate::database::DatabaseError;
use crate::voice::source::SourceError;
use crate::voice::{LyricsError, VoiceError};

/// A sentence for a user whose request cannot be fulfilled: `return Err(Refusal::new("The poll is over.").into())`.
///
/// It does not count as a failure of the command or handler: only that user sees the sentence, and no failure is
/// logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(Cow<'static, str>);

impl Refusal {
    /// Creates a refusal with the sentence to show.
    pub fn new(words: impl Into<Cow<'static, str>>) -> Self {
        Self(words.into())
    }

    /// Returns whether an error is a refusal rather than a failure.
    pub(crate) fn is(error: &Error) -> bool {
        error.is::<Self>()
            || error.downcast_ref::<DatabaseError>().is_some_and(DatabaseError::is_unavailable)
            || error.is::<VoiceError>()
            || error.is::<SourceError>()
            || error.is::<LyricsError>()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}
