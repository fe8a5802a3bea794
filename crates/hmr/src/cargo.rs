//! The first build of a plugin: through cargo, which is the only one to know how rustc is to be called.
//!
//! cargo is asked for the host and all plugins in one selection, so that shared dependencies are built with the
//! same features as the running host has them. Its verbose output tells the exact call of rustc for each crate
//! that it builds; a plugin's call is kept, on disk too, and replayed by [`crate::rustc`].

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sdk_core::{PluginId, roots};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;

use crate::compiler::{self, Group};
use crate::error::SaveError;
use crate::findings::{self, Findings};
use crate::workspace::{HOST_FEATURES, Package, Workspace};

/// Gives the cargo to call: the one that runs us, or the first on PATH.
pub(crate) fn program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Variable that no compiler, build script or macro has to know.
pub(crate) const SECRET: &str = "DISCORD_TOKEN";

/// Returns a program that builds, to be given words: without the token, and with the roots that the machine trusts, not
/// the local Discord's.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    with_environment(program, |name| std::env::var_os(name))
}

fn with_environment(program: impl AsRef<OsStr>, variable: impl Fn(&str) -> Option<OsString>) -> Command {
    let mut command = Command::new(program);
    command.env_remove(SECRET);
    match roots::for_programs(variable) {
        Some(file) => command.env(roots::NAMED, file),
        None => command.env_remove(roots::NAMED),
    };
    command
}

/// One call of rustc, as cargo made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Environment variables that cargo added.
    pub environment: BTreeMap<String, String>,
    /// Program and arguments.
    pub words: Vec<String>,
}

impl Call {
    /// Reads a line of cargo's verbose output, without its "Running" and backticks.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut environment = BTreeMap::new();
        let mut words = shell_words::split(line).ok()?.into_iter().peekable();
        while let Some(word) = words.peek() {
            let is_assignment = word.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            });
            if !is_assignment {
                break;
            }
            if let Some((name, value)) = words.next()?.split_once('=') {
                environment.insert(name.to_owned(), value.to_owned());
            }
        }
        Some(Self { environment, words: words.collect() })
    }

    /// Gives the value that follows `flag`.
    pub fn value_of(&self, flag: &str) -> Option<&str> {
        let place = self.words.iter().position(|word| word == flag)?;
        self.words.get(place + 1).map(String::as_str)
    }

    /// Says whether one of `files` is what this call makes.
    ///
    /// cargo names a library by all that goes into it besides the sources: dependencies, features, profile, compiler.
    pub fn makes_one_of<'a>(&self, files: impl IntoIterator<Item = &'a PathBuf>) -> bool {
        let (Some(krate), Some(hash)) = (
            self.value_of("--crate-name"),
            self.words.iter().find_map(|word| word.strip_prefix("extra-filename=")),
        ) else {
            return false;
        };
        let stem = format!("lib{krate}{hash}");
        files.into_iter().any(|file| file.file_stem().is_some_and(|name| name == stem.as_str()))
    }

    fn is_library_of(&self, krate: &str) -> bool {
        self.value_of("--crate-name") == Some(krate) && self.value_of("--crate-type") == Some("lib")
    }
}

/// What a call of cargo gave.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Calls of rustc for the plugins that cargo built anew.
    pub calls: BTreeMap<PluginId, Call>,
    /// Packages whose library or program is there and up to date.
    pub libraries: BTreeSet<String>,
    /// Files that were built of each crate of the workspace, by its folder.
    pub artifacts: Artifacts,
    /// What rustc found in plugins and shared crates that did not compile.
    pub failures: Failures,
    /// cargo's own words, when it failed for another reason than a crate that does not compile.
    pub failed: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    message: Option<findings::Message>,
    target: Option<Target>,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// What an artifact was built from.
#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// Runs cargo for the host and all plugins of `workspace`; `heard` is told each call of rustc for a plugin at once,
/// since a run that is cut short has built for good what it has built.
///
/// # Errors
/// When cargo cannot be run at all; crates that do not compile are part of the outcome.
pub async fn build(
    workspace: &Workspace,
    target: &Path,
    colour: bool,
    heard: impl Fn(&Package, &Call),
) -> Result<Outcome, SaveError> {
    let format = if colour { "json-diagnostic-rendered-ansi" } else { "json" };
    let mut command = compiler::command(program());
    command
        .args(["build", "-vv", "--keep-going", "--color=never"])
        .arg(format!("--message-format={format}"))
        .arg("--target-dir")
        .arg(target)
        .args(["-p", "bot"])
        .args(workspace.plugins.values().flat_map(|plugin| ["-p", &plugin.name]))
        .args(HOST_FEATURES)
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = Group::spawn(command, "cargo")?;
    let (stdout, stderr) = (child.stdout(), child.stderr());
    let (said, (calls, words)) = tokio::join!(read_messages(stdout), read_progress(stderr, workspace, heard));
    let Said { libraries, artifacts, failures } = said;
    let status =
        child.wait().await.map_err(|source| SaveError::Spawn { program: "cargo".to_owned(), source })?;
    let failed = (!status.success() && failures.is_empty()).then_some(words);
    Ok(Outcome { calls, libraries, artifacts, failures, failed })
}

/// Makes cargo forget that it has built `packages`, so that its next run tells how it builds them.
///
/// # Errors
/// When cargo cannot be run.
pub async fn forget(workspace: &Workspace, target: &Path, packages: &[&str]) -> Result<(), SaveError> {
    let output = command(program())
        .args(["clean", "--color=never", "--target-dir"])
        .arg(target)
        .args(packages.iter().flat_map(|package| ["-p", package]))
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| SaveError::Spawn { program: "cargo".to_owned(), source })?;
    if output.status.success() {
        Ok(())
    } else {
        Err(SaveError::Cargo(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

/// Errors by package.
pub type Failures = BTreeMap<String, Findings>;

/// Built files by the folder of their crate.
pub type Artifacts = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// What cargo's JSON messages tell.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) libraries: BTreeSet<String>,
    artifacts: Artifacts,
    pub(crate) failures: Failures,
}

/// Collects from cargo's JSON messages the packages whose library is there, its files, and the errors of each package.
pub(crate) async fn read_messages(stdout: Option<impl AsyncRead + Unpin>) -> Said {
    let mut said = Said::default();
    let Some(stdout) = stdout else { return said };
    let mut lines = BufReader::new(stdout);
    while let Some(line) = next_line(&mut lines).await {
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        let package = package_name(&message.package_id);
        if message.reason == "compiler-artifact" {
            if let Some(folder) = message.manifest_path.parent()
                && message.package_id.starts_with("path+")
            {
                said.artifacts.entry(folder.to_path_buf()).or_default().extend(message.filenames);
            }
            // A build script is there before what it is for.
            if message.target.is_none_or(|target| target.kind != ["custom-build"]) {
                said.libraries.insert(package);
            }
            continue;
        }
        let Some(diagnostic) = message.message.filter(|_| message.reason == "compiler-message") else {
            continue;
        };
        if diagnostic.level.starts_with("error") {
            said.failures.entry(package).or_default().add(diagnostic);
        }
    }
    said
}

/// Reads a line. A build script may print what is no UTF-8, which is replaced: whoever stops to read there has cargo wait
/// for room in the pipe, or end for want of a reader.
async fn next_line(output: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    let length = output.read_until(b'\n', &mut line).await.ok()?;
    let text = line.strip_suffix(b"\n").unwrap_or(&line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    (length > 0).then(|| String::from_utf8_lossy(text).into_owned())
}

/// Gives a package's name from cargo's package id, `path+file:///w/commands/one#commands-one@0.1.0` say.
fn package_name(id: &str) -> String {
    let after = id.rsplit_once('#').map_or(id, |(_, after)| after);
    match after.split_once('@') {
        Some((name, _)) => name.to_owned(),
        // `path+file:///w/one#0.1.0`: the folder bears the package's name.
        None => id.split('#').next().and_then(|path| path.rsplit('/').next()).unwrap_or(id).to_owned(),
    }
}

/// Collects the calls of rustc, and whatever else cargo says, from its verbose output.
pub(crate) async fn read_progress(
    stderr: Option<impl AsyncRead + Unpin>,
    workspace: &Workspace,
    heard: impl Fn(&Package, &Call),
) -> (BTreeMap<PluginId, Call>, String) {
    let mut calls = BTreeMap::new();
    let mut words = String::new();
    let Some(stderr) = stderr else { return (calls, words) };
    let mut lines = BufReader::new(stderr);
    let mut running: Option<String> = None;
    while let Some(line) = next_line(&mut lines).await {
        if let Some(begun) = line.trim_start().strip_prefix("Running `") {
            running = Some(begun.to_owned());
        } else if let Some(begun) = &mut running {
            // A value with a line break in it, a package's description say.
            begun.push('\n');
            begun.push_str(&line);
        } else {
            let is_progress = ["Fresh", "Compiling", "Dirty", "Finished", "Blocking"]
                .iter()
                .any(|word| line.trim_start().starts_with(word));
            if !is_progress {
                words.push_str(&line);
                words.push('\n');
            }
        }
        if let Some(whole) = running.as_ref().and_then(|begun| begun.strip_suffix('`')) {
            if let Some(call) = Call::parse(whole) {
                let plugin = workspace.plugins.values().find(|plugin| call.is_library_of(&plugin.krate));
                if let Some(plugin) = plugin {
                    heard(plugin, &call);
                    calls.insert(plugin.id.clone(), call);
                }
            }
            running = None;
        }
    }
    (calls, words.trim().to_owned())
}

/// Reads what was kept by [`keep`].
pub fn kept<T: DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Keeps a call, or what was built by one, on disk.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(file: &Path, value: &impl Serialize) -> Result<(), SaveError> {
    let write = || {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, serde_json::to_vec(value).map_err(std::io::Error::other)?)
    };
    write().map_err(SaveError::io("written", PathBuf::from(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_builds_knows_no_token_and_trusts_no_local_discord() {
        for (before, expected) in [(Some("machine.pem"), Some("machine.pem")), (Some(""), None)] {
            let command = with_environment("cargo", |name| match name {
                roots::NAMED => Some("with-sandbox.pem".into()),
                roots::BEFORE => before.map(OsString::from),
                _ => None,
            });
            let set: BTreeMap<_, _> = command.as_std().get_envs().collect();
            assert_eq!(set[OsStr::new(SECRET)], None);
            assert_eq!(set[OsStr::new("SSL_CERT_FILE")], expected.map(OsStr::new));
        }
    }

    #[test]
    fn a_call_is_read_with_its_environment() {
        let call = Call::parse(
            "CARGO=/bin/cargo CARGO_PKG_DESCRIPTION='Two words,\nand a line: it'\\''s' /bin/rustc --crate-name one \
             --crate-type lib --check-cfg 'cfg(feature, values(\"a\"))' -C metadata=1",
        )
        .unwrap();
        assert_eq!(call.environment["CARGO_PKG_DESCRIPTION"], "Two words,\nand a line: it's");
        assert_eq!(call.words[0], "/bin/rustc");
        assert_eq!(call.value_of("--check-cfg"), Some("cfg(feature, values(\"a\"))"));
        assert!(call.is_library_of("one") && !call.is_library_of("two"));
    }

    #[test]
    fn a_call_is_known_by_the_file_that_it_makes() {
        let call =
            Call::parse("rustc --crate-name one -C metadata=1 -C extra-filename=-00c7 --crate-type lib")
                .unwrap();
        let files = |names: &[&str]| -> Vec<PathBuf> {
            names.iter().map(|name| Path::new("/t/deps").join(name)).collect()
        };
        assert!(call.makes_one_of(&files(&["libone.rlib", "libone-00c7.rmeta"])));
        assert!(!call.makes_one_of(&files(&["libone.rlib", "libone-99.rmeta", "libone-00c7a.rmeta"])));
        let unnamed = Call::parse("rustc --crate-name one").unwrap();
        assert!(!unnamed.makes_one_of(&files(&["libone.rlib"])));
    }

    #[test]
    fn package_ids_of_both_forms_give_the_name() {
        assert_eq!(package_name("path+file:///w/commands/one#commands-one@0.1.0"), "commands-one");
        assert_eq!(package_name("path+file:///w/crates/words#0.1.0"), "words");
    }

    #[tokio::test]
    async fn a_call_over_several_lines_is_put_together() {
        let text = "   Compiling one v0.1.0\n     Running `A='x\ny' rustc --crate-name commands_one --crate-type lib`\n\
                    error: something else\n";
        let id = PluginId::new("commands/one");
        let package = crate::workspace::Package {
            id: id.clone(),
            name: "commands-one".into(),
            krate: "commands_one".into(),
            root: "/w/commands/one".into(),
            shared: std::collections::BTreeSet::new(),
            copies: std::collections::BTreeSet::new(),
        };
        let workspace = Workspace { plugins: [(id.clone(), package)].into(), ..Workspace::default() };
        let (calls, words) = read_progress(Some(text.as_bytes()), &workspace, |_, _| ()).await;
        assert_eq!(calls[&id].environment["A"], "x\ny");
        assert_eq!(words, "error: something else");
    }

    #[tokio::test]
    async fn what_follows_a_line_that_is_no_utf_8_is_read_too() {
        let artifact = br#"{"reason":"compiler-artifact","package_id":"path+file:///w/one#one@0.1.0"}"#;
        let output = [b"\xe9\xff\n", &artifact[..], b"\r\n"].concat();
        let said = read_messages(Some(&output[..])).await;
        assert_eq!(said.libraries, ["one".to_owned()].into());
        let output = b"[one 0.1.0] \xe9\n     Running `rustc \xff`\nerror: the last\n";
        let (_, words) = read_progress(Some(&output[..]), &Workspace::default(), |_, _| ()).await;
        assert_eq!(words, "[one 0.1.0] \u{fffd}\nerror: the last");
    }
}
