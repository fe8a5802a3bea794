//! What somebody is told who asks for what cannot be done, as opposed to a failure of the bot.

use std::borrow::Cow;
use std::fmt;

use crate::Error;
use crate::voice::source::SourceError;
use crate::voice::{LyricsError, VoiceError};

/// One sentence for somebody who asks for what cannot be done: `return Err(Refusal::new("The poll is over.").into())`.
///
/// A command or handler that ends with it has done its work: the sentence is shown to that person alone, and no failure
/// is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(Cow<'static, str>);

impl Refusal {
    /// Makes a refusal with the sentence that is shown.
    pub fn new(words: impl Into<Cow<'static, str>>) -> Self {
        Self(words.into())
    }

    /// Says whether an error is an answer to what was asked, and no failure.
    pub(crate) fn is(error: &Error) -> bool {
        error.is::<Self>()
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
