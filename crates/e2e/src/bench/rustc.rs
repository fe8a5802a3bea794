//! Bare rustc: the same edit compiled without the engine, and where its time goes.

use std::io;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use hmr::build::rustc::Replay;
use hmr::build::rustc_call::RustcCall;
use serde_json::Value;

use super::edited::Edited;
use super::outcome::Parts;
use crate::Playground;

/// Folder of the copies that no host watches.
pub(super) const FOLDER: &str = "bare";

/// Passes of rustc that are shown, by their names in `-Ztime-passes`.
const PASSES: [&str; 6] = [
    "expand_crate",
    "type_check_crate",
    "MIR_borrow_checking",
    "monomorphization_collector_graph_walk",
    "LLVM_passes",
    "link_crate",
];

/// rustc's call for a plugin, turned to a copy of it that no host watches.
pub(super) struct Bare<'a> {
    playground: &'a Playground,
    edited: &'a Edited,
    call: RustcCall,
    /// The same call, which also prints the time of each pass, into another folder.
    inside: RustcCall,
}

impl<'a> Bare<'a> {
    /// Reads the call that the engine has captured.
    ///
    /// # Errors
    /// If the plugin was not built, or its sources cannot be copied.
    pub(super) fn of(playground: &'a Playground, edited: &'a Edited) -> io::Result<Self> {
        let kept = playground.path(&format!("target/hmr/plugins/commands-{}/call.json", edited.name));
        let captured = hmr::build::cargo::kept(&kept)
            .ok_or_else(|| io::Error::other(format!("{} holds no call of rustc", kept.display())))?;
        edited.copy(playground.root(), FOLDER)?;
        let call = replay(playground, edited, &captured, "target/bare")?;
        let inside = with_times(replay(playground, edited, &captured, "target/inside")?);
        Ok(Self { playground, edited, call, inside })
    }

    /// Makes an edit and compiles it. Returns the milliseconds that rustc took.
    ///
    /// # Errors
    /// If rustc fails.
    pub(super) fn compile(&self, answer: &str) -> io::Result<f64> {
        self.edited.save(self.playground.root(), FOLDER, answer)?;
        let (took, output) = self.run(&self.call)?;
        succeeded(&output).map(|()| took)
    }

    /// Makes a mistake and has it found. Returns the milliseconds that rustc took.
    ///
    /// # Errors
    /// If rustc does not find it.
    pub(super) fn fail(&self, round: usize) -> io::Result<f64> {
        self.edited.save_wrong(self.playground.root(), FOLDER, round)?;
        let (took, output) = self.run(&self.call)?;
        if output.status.success() {
            Err(io::Error::other("rustc took a number for a text"))
        } else {
            Ok(took)
        }
    }

    /// Makes an edit and compiles it, with the time of each pass in milliseconds.
    ///
    /// # Errors
    /// If rustc fails.
    pub(super) fn passes(&self, answer: &str) -> io::Result<Parts> {
        self.edited.save(self.playground.root(), FOLDER, answer)?;
        let (_, output) = self.run(&self.inside)?;
        succeeded(&output)?;
        Ok(passes_of(&String::from_utf8_lossy(&output.stderr)))
    }

    fn run(&self, call: &RustcCall) -> io::Result<(f64, Output)> {
        let (program, words) =
            call.words.split_first().ok_or_else(|| io::Error::other("no call of rustc"))?;
        let began = Instant::now();
        let output = Command::new(program)
            .args(words)
            .envs(&call.environment)
            .current_dir(self.playground.path(""))
            .stdin(Stdio::null())
            .output()?;
        Ok((began.elapsed().as_secs_f64() * 1e3, output))
    }
}

/// Returns the call that the engine makes, for the copy, into a folder below `target`.
fn replay(
    playground: &Playground,
    edited: &Edited,
    captured: &RustcCall,
    target: &str,
) -> io::Result<RustcCall> {
    let folder = playground.path(target).join(edited.name);
    std::fs::create_dir_all(&folder)?;
    let replay =
        Replay { folder, suffix: "-bare".to_owned(), colour: true, working_folder: playground.path("") };
    let mut call = replay.call(captured);
    let watched = format!("commands/{}/src/lib.rs", edited.name);
    for word in &mut call.words {
        if word.ends_with(&watched) {
            *word = format!("{FOLDER}/{}/src/lib.rs", edited.name);
        }
    }
    Ok(call)
}

/// Has rustc print the time of its passes, an option for its own developers.
fn with_times(mut call: RustcCall) -> RustcCall {
    call.environment.insert("RUSTC_BOOTSTRAP".to_owned(), "1".to_owned());
    call.words.extend(["-Ztime-passes", "-Ztime-passes-format=json"].map(str::to_owned));
    call
}

fn succeeded(output: &Output) -> io::Result<()> {
    if output.status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("bare rustc failed:\n{}", String::from_utf8_lossy(&output.stderr))))
    }
}

/// Parses lines such as `time: {"pass":"link_crate","time":0.09,...}`, with seconds.
fn passes_of(output: &str) -> Parts {
    let passes = output.lines().filter_map(|line| {
        let pass: Value = serde_json::from_str(line.strip_prefix("time: ")?).ok()?;
        let name = PASSES.into_iter().find(|name| pass["pass"] == **name)?;
        Some((name.to_owned(), pass["time"].as_f64()? * 1e3))
    });
    passes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passes_are_read_from_rustcs_lines() {
        let output = "warning: unused\ntime: {\"pass\":\"link_crate\",\"time\":0.098,\"rss_start\":1}\n\
                      time: {\"pass\":\"another\",\"time\":1.0}\ntime: {cut off";
        assert_eq!(passes_of(output), [("link_crate".to_owned(), 98.0)]);
    }
}
