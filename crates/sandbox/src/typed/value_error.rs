//! Why a value does not fit its option.

use serde_json::Value;

use crate::validate::command::Bound;

/// Why a value does not fit its option. It is displayed as the rest of a sentence that begins with the option.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// The option contains others and takes no value itself.
    #[error("has type {kind}, which takes no value")]
    NoValue {
        /// Type of the option.
        kind: u8,
    },
    /// The file cannot be uploaded.
    #[error("needs a file: {0}")]
    File(#[source] FileError),
    /// A file of a type that the option does not take.
    #[error("takes only files of {}, and \"{filename}\" is none", wanted.join(" or "))]
    FileKind {
        /// What the option takes, such as `image` or `.pdf`.
        wanted: Vec<String>,
        /// Name of the file.
        filename: String,
    },
    /// Nothing has this name or id, or the user may not see it.
    #[error("names no {kind}: there is no \"{typed}\" here")]
    NotFound {
        /// What the option names, such as a user.
        kind: &'static str,
        /// Typed value.
        typed: String,
    },
    /// A channel of a type that the option does not take.
    #[error("takes only {}, and \"{typed}\" is none", wanted.join(" or "))]
    ChannelKind {
        /// What the option takes, such as text channels.
        wanted: Vec<&'static str>,
        /// Typed value.
        typed: String,
    },
    /// None of the option's choices.
    #[error("has no choice \"{typed}\"; {}", match nearest {
        Some(name) => format!("the nearest is \"{name}\""),
        None => format!("choose from {}", choices.join(", ")),
    })]
    NoChoice {
        /// Typed value.
        typed: String,
        /// Names of the choices.
        choices: Vec<String>,
        /// A similar name.
        nearest: Option<String>,
    },
    /// JSON that is no text.
    #[error("takes text, not {value}")]
    NotText {
        /// The value.
        value: Value,
    },
    /// No text for a required option.
    #[error("is required: specify a value")]
    Empty,
    /// A text that is too short.
    #[error("takes at least {min} characters, not {length}")]
    TooShort {
        /// Fewest characters.
        min: u32,
        /// Characters of the text.
        length: usize,
    },
    /// A text that is too long.
    #[error("takes at most {max} characters, not {length}")]
    TooLong {
        /// Most characters.
        max: u32,
        /// Characters of the text.
        length: usize,
    },
    /// No whole number, or one that JavaScript does not represent exactly.
    #[error("takes a whole number, not \"{typed}\"{}", stray_name(typed))]
    NotInteger {
        /// Typed value.
        typed: String,
    },
    /// No number, or one beyond 2^53.
    #[error("takes a number, not \"{typed}\"{}", stray_name(typed))]
    NotNumber {
        /// Typed value.
        typed: String,
    },
    /// A number that is too small.
    #[error("takes no number below {min}, as {number} is")]
    Below {
        /// Smallest number.
        min: Bound,
        /// Typed number.
        number: f64,
    },
    /// A number that is too large.
    #[error("takes no number above {max}, as {number} is")]
    Above {
        /// Largest number.
        max: Bound,
        /// Typed number.
        number: f64,
    },
    /// Neither true nor false.
    #[error("is true or false, not \"{typed}\"")]
    NotBoolean {
        /// Typed value, in lower case.
        typed: String,
    },
}

/// Why a file cannot be uploaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The request does not contain it.
    #[error("the file {path} did not come with the request")]
    Missing {
        /// Its path.
        path: String,
    },
    /// Its bytes cannot be decoded.
    #[error("the file {path} is not valid base64")]
    Encoding {
        /// Its path.
        path: String,
        /// What is wrong with them.
        source: base64::DecodeError,
    },
}

/// Returns a hint if an invalid number contains what looks like the name of another option.
fn stray_name(typed: &str) -> String {
    let word = typed.split_whitespace().skip(1).find_map(|word| word.split_once(':'));
    word.map_or_else(String::new, |(name, _)| format!("; there is no option \"{name}\""))
}
