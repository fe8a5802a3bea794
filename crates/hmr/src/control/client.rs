//! `hotcord ctl`: the client of the socket, in the same program, so that a terminal needs no other tool.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

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

const WORDS: &str = "usage: hotcord ctl status [--json] | events [--last N] [--no-follow] | reload [PLUGIN] | \
                     rollback PLUGIN [GENERATION] | generations | watch on|off | prune | restart [--now]";

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
            sdk_core::text::write_error(format_args!("{why}; {WORDS}"));
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
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        ["status"] => print(&ask::<Status>(&Request::Status)?.to_string()),
        ["status", "--json"] => {
            let status: serde_json::Value = ask(&Request::Status)?;
            print_json(&serde_json::to_string_pretty(&status).unwrap_or_default())
        }
        ["events", options @ ..] => events(options),
        ["reload"] => reload(None),
        ["reload", plugin] if !plugin.starts_with('-') => reload(Some((*plugin).to_owned())),
        ["rollback", plugin, rest @ ..] if rest.len() < 2 => {
            let number = |text: &&str| {
                text.parse().map_err(|_| Trouble::Usage(format!("'{text}' is no number of a generation")))
            };
            let generation = rest.first().map(number).transpose()?;
            print(&ask::<String>(&Request::Rollback { plugin: (*plugin).to_owned(), generation })?)
        }
        ["generations"] => {
            let ledger: serde_json::Value = ask(&Request::Generations)?;
            print_json(&serde_json::to_string_pretty(&ledger).unwrap_or_default())
        }
        ["watch", word @ ("on" | "off")] => print(&ask::<String>(&Request::Watch { on: *word == "on" })?),
        ["prune"] => print(&ask::<String>(&Request::Prune)?),
        ["restart"] => print(&ask::<String>(&Request::Restart { now: false })?),
        ["restart", "--now"] => print(&ask::<String>(&Request::Restart { now: true })?),
        [] => Err(Trouble::Usage("ctl what?".to_owned())),
        other => Err(Trouble::Usage(format!("'{}' is not understood", other.join(" ")))),
    }
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

fn events(options: &[&str]) -> Result<ExitCode, Trouble> {
    let (mut last, mut follow) = (0, true);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match *option {
            "--follow" => follow = true,
            "--no-follow" => follow = false,
            "--last" => {
                let number = options.next().and_then(|number| number.parse().ok());
                last = number.ok_or_else(|| Trouble::Usage("--last takes a number".to_owned()))?;
            }
            other => return Err(Trouble::Usage(format!("events does not know '{other}'"))),
        }
    }
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
