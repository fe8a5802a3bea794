//! What a user reads about a failure: in production only a number, by which its log line is found.

use std::fmt;

use crate::settings::Environment;
use crate::{Data, Error, Refusal};

/// The message for an error whose text is not for users, during development.
pub(super) const INTERNAL: &str = "Something went wrong here. It has been logged.";

/// The short random number of a failure; in the log it is the field `reference`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference(u32);

impl Reference {
    /// Returns a number for a failure of a plugin in production; `None` during development, where users read what went
    /// wrong.
    pub(crate) fn of(data: &Data) -> Option<Self> {
        match data.settings().environment {
            Environment::Production => Some(Self(rand::random())),
            Environment::Development | Environment::Testing => None,
        }
    }

    /// Returns a number for an error, unless the error is a refusal.
    pub(crate) fn of_error(data: &Data, error: &Error) -> Option<Self> {
        if Refusal::is(error) { None } else { Self::of(data) }
    }

    /// Returns the message for the user.
    pub(crate) fn sentence(self) -> String {
        format!(
            "Something went wrong (reference {self}); with this number, whoever runs the bot finds out what."
        )
    }

    /// Returns the message for the user of an error.
    pub(crate) fn user_message(reference: Option<Self>, error: &Error) -> String {
        match reference {
            Some(reference) => reference.sentence(),
            None if error.is::<serenity::Error>() => INTERNAL.to_owned(),
            None => {
                let words = error.to_string();
                // Discord refuses a message of white space only, so the user would get no message.
                if words.trim().is_empty() { INTERNAL.to_owned() } else { words }
            }
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}-{:04X}", self.0 >> 16, self.0 & 0xffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_short_and_the_sentence_names_it() {
        let reference = Reference(0x7f3a_09c2);
        assert_eq!(reference.to_string(), "7F3A-09C2");
        assert_eq!(Reference(7).to_string(), "0000-0007");
        assert!(reference.sentence().starts_with("Something went wrong (reference 7F3A-09C2)"));
    }

    #[test]
    fn with_a_reference_nothing_of_the_error_is_told() {
        let secret = || Error::from("the database at db.internal is gone");
        let told = Reference::user_message(Some(Reference(1)), &secret());
        assert!(!told.contains("db.internal") && told.contains("0000-0001"), "{told}");
        assert_eq!(Reference::user_message(None, &secret()), "the database at db.internal is gone");
        let request: Error = serenity::Error::Other("POST https://discord.com/api/v10/x").into();
        assert_eq!(Reference::user_message(None, &request), INTERNAL);
        for nothing in ["", " \n"] {
            assert_eq!(Reference::user_message(None, &Error::from(nothing)), INTERNAL);
        }
    }
}
