//! Mistakes in typed commands, each as the sentence that the user reads.

use std::fmt;

use super::ValueError;

/// One mistake.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Mistake {
    /// Text that is no command.
    #[error("A command starts with a slash, as in /ping.")]
    NoSlash,
    /// A slash alone.
    #[error("There is no name after the slash.")]
    NoCommand,
    /// No bot has any command here.
    #[error("There is no command /{name}: no bot has registered commands here yet.")]
    NoCommandsYet {
        /// Typed name.
        name: String,
    },
    /// No such command.
    #[error("There is no command /{name}{}.", hint(nearest.as_deref(), "/"))]
    UnknownCommand {
        /// Typed name.
        name: String,
        /// A similar name.
        nearest: Option<String>,
    },
    /// The command only contains subcommands.
    #[error("This command needs one of its subcommands: {}.", names.join(", "))]
    SubcommandMissing {
        /// Their names.
        names: Vec<String>,
    },
    /// No such subcommand.
    #[error("There is no subcommand {name}{}.", hint_or_list(nearest.as_deref(), known))]
    UnknownSubcommand {
        /// Typed name.
        name: String,
        /// A similar name.
        nearest: Option<String>,
        /// Names of all subcommands there.
        known: Vec<String>,
    },
    /// No such option.
    #[error("There is no option \"{name}\"{}.", hint_or_list(nearest.as_deref(), known))]
    UnknownOption {
        /// Typed name.
        name: String,
        /// A similar name.
        nearest: Option<String>,
        /// Names of all options of the command.
        known: Vec<String>,
    },
    /// Text where an option should be.
    #[error("\"{text}\" belongs to no option{}.", if options.is_empty() {
        "; this command takes none".to_owned()
    } else {
        format!("; write it as {}", options.iter().map(|name| format!("{name}:…")).collect::<Vec<_>>().join(" or "))
    })]
    Stray {
        /// The text.
        text: String,
        /// Names of the command's options.
        options: Vec<String>,
    },
    /// A quote without its end.
    #[error("The value of \"{name}\" has an opening quote without a closing one.")]
    OpenQuote {
        /// Option.
        name: String,
    },
    /// An option twice.
    #[error("The option \"{name}\" is given twice.")]
    Twice {
        /// Option.
        name: String,
    },
    /// A required option that is not given.
    #[error("The option \"{name}\" is required: specify a value.")]
    Missing {
        /// Option.
        name: String,
    },
    /// A value that does not fit its option.
    #[error("The option \"{name}\" {source}.")]
    Value {
        /// Option.
        name: String,
        /// Why it does not.
        source: ValueError,
    },
    /// Autocompletion of an option that has none.
    #[error("The option \"{name}\" has no autocomplete.")]
    NotAutocompleted {
        /// Option.
        name: String,
    },
    /// Autocompletion without an option.
    #[error("Autocomplete needs an option that is being typed, as in name:va.")]
    NothingFocused,
    /// JSON that is no list of options.
    #[error("Options are a list of objects with \"name\" and \"value\", or an object of names and values.")]
    NotOptions,
}

fn hint(nearest: Option<&str>, prefix: &str) -> String {
    nearest.map_or_else(String::new, |name| format!("; the nearest is {prefix}{name}"))
}

/// Returns the similar name or, without one, all names.
fn hint_or_list(nearest: Option<&str>, known: &[String]) -> String {
    match nearest {
        Some(_) => hint(nearest, ""),
        None if known.is_empty() => "; this command takes none".to_owned(),
        None => format!("; there are {}", known.join(", ")),
    }
}

/// All mistakes in a typed command; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistakes(pub Vec<Mistake>);

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
