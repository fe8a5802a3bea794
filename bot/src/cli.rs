//! The command line of `hotcord`. Without arguments the bot starts.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use crate::backup::{back_up, restore};
use crate::health::ask::ask;
use crate::held_gateway::run_alone;

/// `EX_USAGE` of sysexits.h.
const USAGE: u8 = 64;

/// Runs the command of this process's arguments. Returns the exit code; `None` if there are no arguments.
pub(crate) fn serve_if_asked() -> Option<ExitCode> {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let outcome = match words.as_slice() {
        [] => return None,
        ["gateway"] => {
            return Some(run_alone().unwrap_or_else(|failure| {
                sdk::text::write_error(&failure);
                ExitCode::from(failure.exit_code())
            }));
        }
        ["health"] => ask(false).map(|()| None).map_err(|error| error.to_string()),
        ["health", "--ready"] => ask(true).map(|()| None).map_err(|error| error.to_string()),
        ["backup", file] => back_up(Path::new(file)).map(Some).map_err(|error| error.to_string()),
        ["restore", file] => restore(Path::new(file)).map(Some).map_err(|error| error.to_string()),
        other => {
            let other = other.join(" ");
            sdk::text::write_error(format_args!(
                "hotcord does not know '{other}'; without words it starts the bot; `hotcord health [--ready]` asks \
                 one, `hotcord gateway` holds its session, `hotcord backup FILE` copies its database, and `hotcord restore FILE` fills an empty one."
            ));
            return Some(ExitCode::from(USAGE));
        }
    };
    Some(match outcome {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(sentence)) => {
            // The copy is complete, also if standard output is closed.
            let _ = writeln!(std::io::stdout(), "{sentence}");
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            sdk::text::write_error(sentence);
            ExitCode::FAILURE
        }
    })
}
