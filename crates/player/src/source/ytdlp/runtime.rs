//! The JavaScript runtime of yt-dlp: without one, YouTube offers it few formats or none.
//!
//! yt-dlp looks for Deno by itself and uses others only if told to. Names, order and least versions are those of yt-dlp
//! 2026.10.26, `yt_dlp/utils/_jsruntime.py` and `yt-dlp --help`, "--js-runtimes".

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use sdk_core::voice::source::JsRuntime;

use super::process;

/// A runtime that yt-dlp knows.
struct Known {
    /// yt-dlp's name for it.
    name: &'static str,
    /// Name of its program.
    program: &'static str,
    /// Option with which it prints its version.
    asked: &'static str,
    /// Text before its version.
    mark: &'static str,
    /// Least version.
    least: [u32; 3],
}

/// In yt-dlp's order.
const KNOWN: [Known; 4] = [
    Known { name: "deno", program: "deno", asked: "--version", mark: "deno ", least: [2, 3, 0] },
    Known { name: "node", program: "node", asked: "--version", mark: "v", least: [22, 0, 0] },
    Known { name: "quickjs", program: "qjs", asked: "--help", mark: "version ", least: [2023, 12, 9] },
    Known { name: "bun", program: "bun", asked: "--version", mark: "", least: [1, 2, 11] },
];

/// Finds the first runtime in the folders of a `PATH` that is new enough, or else one that is too old.
pub(super) async fn find(path: &OsStr, within: Duration) -> Option<JsRuntime> {
    let mut old = None;
    for known in KNOWN {
        let Some(program) = process::on_path(path, known.program) else { continue };
        let Some(version) = version(&program, &known, within).await else { continue };
        // A fork of QuickJS with its own version numbers, all of which are new enough.
        let is_supported =
            numbers(&version) >= known.least || known.name == "quickjs" && numbers(&version)[0] < 1_000;
        let runtime = JsRuntime { name: known.name.to_owned(), path: program, version, is_supported };
        if is_supported {
            return Some(runtime);
        }
        old = old.or(Some(runtime));
    }
    old
}

async fn version(program: &Path, known: &Known, within: Duration) -> Option<String> {
    let told = process::output_of(program, &[known.asked], within).await?;
    let first = told.lines().find_map(|line| line.split_once(known.mark).map(|(_, rest)| rest))?;
    let version = first.split_ascii_whitespace().next()?;
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && version.len() < 40;
    is_version.then(|| version.to_owned())
}

/// Reads the numbers of a version or a date. Missing ones are 0.
pub(super) fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}
