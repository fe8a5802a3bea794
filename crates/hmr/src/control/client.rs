//! `hotcord ctl`: the client of the socket, in the same program, so that a terminal needs no other tool.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::error::ErrorKind;
use clap::{Parser, Subcommand, ValueEnum};
use sdk_core::status::Status;
use sdk_core::text::{Surface, foreign, is_control};
use serde::de::DeserializeOwned;

use super::{Outcome, Reply, Request, address};
use crate::workspace;

/// Longest wait for a bot that replaces itself.
const BACK_WITHIN: Duration = Duration::from_secs(10);
/// Time between two checks whether it is back.
const LOOK_EVERY: Duration = Duration::from_millis(50);

const USAGE: u8 = 64;
const UNAVAILABLE: u8 = 69;

const NO_BOT: &str = "no bot of this folder is running; start one with ./dev-env.sh hmr";

/// Controls the bot that runs in this folder.
#[derive(Debug, Parser)]
#[command(name = "hotcord ctl", arg_required_else_help = false)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what is live, being built and held back.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print events, one line of JSON each.
    Events {
        /// Begin with the last N events.
        #[arg(long, value_name = "N", default_value_t = 0)]
        last: usize,
        /// Go on with the events to come, which is the default.
        #[arg(long, overrides_with = "no_follow")]
        follow: bool,
        /// Exit after the past events.
        #[arg(long)]
        no_follow: bool,
    },
    /// Build and swap a plugin, or all, even if no code has changed.
    Reload {
        /// Plugin, as in commands/general.
        plugin: Option<String>,
    },
    /// Make earlier code of a plugin live again.
    Rollback {
        /// Plugin, as in commands/general.
        plugin: String,
        /// Generation whose code is wanted; by default the one before the live one.
        generation: Option<u64>,
    },
    /// Print all generations as JSON.
    Generations,
    /// Stop reloading on saves, or go on with it.
    Watch {
        /// Whether saves start builds.
        state: Switch,
    },
    /// Remove the commands at Discord that no live plugin defines.
    Prune,
    /// Replace the host by a new process.
    Restart {
        /// Do not wait for calls in progress.
        #[arg(long)]
        now: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Why a command failed.
enum Trouble {
    Usage(String),
    NoBot,
    Refused(String),
    /// The output has no reader, which is not an error.
    Unread,
}

/// Runs `hotcord ctl ...` and returns its exit code, if this process was started as that.
pub fn serve_if_asked() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != "ctl" {
        return None;
    }
    let words: Vec<_> = words.collect();
    let code = match run(&words) {
        Ok(code) => return Some(code),
        Err(Trouble::Unread) => return Some(ExitCode::SUCCESS),
        Err(Trouble::Usage(why)) => {
            sdk_core::text::write_error(why);
            USAGE
        }
        Err(Trouble::NoBot) => {
            sdk_core::text::write_error(NO_BOT);
            UNAVAILABLE
        }
        Err(Trouble::Refused(why)) => {
            sdk_core::text::write_error(why);
            1
        }
    };
    Some(ExitCode::from(code))
}

fn run(words: &[OsString]) -> Result<ExitCode, Trouble> {
    let words = std::iter::once("hotcord ctl".into()).chain(words.iter().cloned());
    let command = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments.command,
        Err(help) if help.kind() == ErrorKind::DisplayHelp => {
            return write(help.render().to_string().trim_end());
        }
        Err(error) => return Err(Trouble::Usage(sentence(&error))),
    };
    match command {
        Command::Status { json: false } => print(&ask::<Status>(&Request::Status)?.to_string()),
        Command::Status { json: true } => {
            let status: serde_json::Value = ask(&Request::Status)?;
            print_json(&serde_json::to_string_pretty(&status).unwrap_or_default())
        }
        Command::Events { last, no_follow, .. } => events(last, !no_follow),
        Command::Reload { plugin } => reload(plugin),
        Command::Rollback { plugin, generation } => {
            print(&ask::<String>(&Request::Rollback { plugin, generation })?)
        }
        Command::Generations => {
            let ledger: serde_json::Value = ask(&Request::Generations)?;
            print_json(&serde_json::to_string_pretty(&ledger).unwrap_or_default())
        }
        Command::Watch { state } => {
            print(&ask::<String>(&Request::Watch { on: matches!(state, Switch::On) })?)
        }
        Command::Prune => print(&ask::<String>(&Request::Prune)?),
        Command::Restart { now } => print(&ask::<String>(&Request::Restart { now })?),
    }
}

/// Returns a parser's error as one sentence: the problem, what may have been meant, and the usage.
fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let parts = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let parts = parts.filter_map(|part| {
        let [problem, tip, usage] = ["error: ", "tip: ", "Usage: "].map(|start| part.strip_prefix(start));
        problem.or(tip).map(str::to_owned).or_else(|| Some(format!("usage: {}", usage?)))
    });
    parts.collect::<Vec<_>>().join("; ")
}

fn reload(plugin: Option<String>) -> Result<ExitCode, Trouble> {
    let outcome: Outcome = ask(&Request::Reload { plugin })?;
    for sentence in &outcome.failed {
        sdk_core::text::write_error(sentence);
    }
    for reloaded in &outcome.reloaded {
        print(&reloaded.line)?;
    }
    Ok(if outcome.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn events(mut last: usize, follow: bool) -> Result<ExitCode, Trouble> {
    let workspace = find()?;
    let mut stream = connect(&workspace)?;
    loop {
        send(&stream, &Request::Events { last, follow })?;
        for line in BufReader::new(&stream).lines() {
            let Ok(line) = line else { break };
            if let Ok(Reply::Error(why)) = serde_json::from_str::<Reply<()>>(&line) {
                return Err(Trouble::Refused(why));
            }
            print_json(&line)?;
        }
        if !follow {
            return Ok(ExitCode::SUCCESS);
        }
        // A bot that replaces itself is back in a moment. All that it has published by then is new.
        let Some(again) = back(&workspace) else {
            sdk_core::text::write_error("the bot has ended");
            return Ok(ExitCode::SUCCESS);
        };
        (stream, last) = (again, usize::MAX);
    }
}

fn back(workspace: &Path) -> Option<UnixStream> {
    let began = Instant::now();
    while began.elapsed() < BACK_WITHIN {
        if let Ok(stream) = address::connect(workspace) {
            return Some(stream);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    None
}

fn ask<T: DeserializeOwned>(request: &Request) -> Result<T, Trouble> {
    let stream = connect(&find()?)?;
    send(&stream, request)?;
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).map_err(|_| Trouble::NoBot)?;
    if line.is_empty() {
        return Err(Trouble::Refused("the bot ended before it had answered".to_owned()));
    }
    match serde_json::from_str(&line) {
        Ok(Reply::Ok(answer)) => Ok(answer),
        Ok(Reply::Error(why)) => Err(Trouble::Refused(why)),
        Err(error) => Err(Trouble::Refused(format!(
            "the bot's answer is not understood ({error}); is it of another build?"
        ))),
    }
}

fn send(stream: &UnixStream, request: &Request) -> Result<(), Trouble> {
    let mut line = serde_json::to_string(request).unwrap_or_default();
    line.push('\n');
    let mut stream: &UnixStream = stream;
    stream.write_all(line.as_bytes()).map_err(|_| Trouble::NoBot)
}

fn connect(workspace: &Path) -> Result<UnixStream, Trouble> {
    address::connect(workspace).map_err(|_| Trouble::NoBot)
}

/// Returns the workspace whose bot is meant.
fn find() -> Result<PathBuf, Trouble> {
    let named = std::env::var_os("HMR_WORKSPACE").filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = named.or_else(|| workspace::find(&std::env::current_dir().ok()?));
    folder.and_then(|folder| folder.canonicalize().ok()).ok_or_else(|| {
        Trouble::Usage("run it in the repository, or name its folder in HMR_WORKSPACE".to_owned())
    })
}

/// Prints lines, with control characters in foreign text replaced so that they do not control the terminal.
fn print(lines: &str) -> Result<ExitCode, Trouble> {
    let lines: Vec<_> =
        lines.trim_end().split('\n').map(|line| foreign(line, Surface::Log, usize::MAX)).collect();
    write(&lines.join("\n"))
}

/// Prints JSON with its control characters as escapes. They occur only in strings, so its meaning stays the same.
fn print_json(json: &str) -> Result<ExitCode, Trouble> {
    let mut shown = String::new();
    for character in json.trim_end().chars() {
        if is_control(character) && character != '\n' {
            shown += &format!("\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    write(&shown)
}

/// Prints and flushes at once, for a reader at the other end of a pipe.
fn write(text: &str) -> Result<ExitCode, Trouble> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.map(|()| ExitCode::SUCCESS).map_err(|_| Trouble::Unread)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        let words = ["hotcord ctl"].into_iter().chain(line.split_whitespace());
        Arguments::try_parse_from(words).map(|arguments| arguments.command).map_err(|error| sentence(&error))
    }

    #[test]
    fn a_wrong_command_line_is_one_sentence_with_the_usage() {
        Arguments::command().debug_assert();
        for (line, problem, usage) in [
            ("", "requires a subcommand", "usage: hotcord ctl <COMMAND>"),
            (
                "reloda",
                "unrecognized subcommand 'reloda'; a similar subcommand exists: 'reload'",
                "usage: hotcord ctl",
            ),
            ("status --jsno", "unexpected argument '--jsno' found", "usage: hotcord ctl status"),
            ("events --last all", "invalid value 'all' for '--last <N>'", ""),
            (
                "rollback",
                "the following required arguments were not provided: <PLUGIN>",
                "usage: hotcord ctl rollback",
            ),
            ("rollback commands/a one", "invalid value 'one' for '[GENERATION]'", ""),
            ("watch maybe", "invalid value 'maybe' for '<STATE>' [possible values: on, off]", ""),
            ("restart now", "unexpected argument 'now' found", "usage: hotcord ctl restart"),
        ] {
            let sentence = parsed(line).unwrap_err();
            assert!(sentence.contains(problem) && sentence.contains(usage), "{line}: {sentence}");
            assert!(!sentence.contains('\n') && !sentence.starts_with("error"), "{line}: {sentence}");
        }
    }

    #[test]
    fn the_last_of_two_contrary_options_counts() {
        for (line, expected) in [
            ("events", false),
            ("events --no-follow", true),
            ("events --no-follow --follow", false),
            ("events --follow --no-follow --last 3", true),
        ] {
            let Ok(Command::Events { no_follow, .. }) = parsed(line) else { panic!("{line}") };
            assert_eq!(no_follow, expected, "{line}");
        }
    }
}
