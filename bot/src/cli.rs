//! The command line of `hotcord`. Without arguments the bot starts.

use std::process::ExitCode;

use crate::health::ask::ask;

/// `EX_USAGE` of sysexits.h.
const USAGE: u8 = 64;

/// Runs the command of this process's arguments. Returns the exit code; `None` if there are no arguments.
pub(crate) fn serve_if_asked() -> Option<ExitCode> {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let ready = match words.as_slice() {
        [] => return None,
        ["health"] => false,
        ["health", "--ready"] => true,
        other => {
            let other = other.join(" ");
            sdk::text::write_error(format_args!(
                "hotcord does not know '{other}'; without words it starts the bot, and `hotcord health [--ready]` asks one."
            ));
            return Some(ExitCode::from(USAGE));
        }
    };
    Some(match ask(ready) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            sdk::text::write_error(sentence);
            ExitCode::FAILURE
        }
    })
}
