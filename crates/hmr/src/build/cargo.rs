//! The first build of a plugin: through cargo, since only cargo knows how rustc is to be called.
//!
//! cargo is asked for the host and all plugins in one selection, so that shared dependencies are built with the same
//! features as those of the running host. It calls rustc through `scripts/bin/hotcord-rustc`, which keeps each call. A
//! plugin's call is found by the file that it made, whichever run of cargo made it, and replayed by [`super::rustc`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;

use sdk_core::PluginId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

use super::compiler::{self, Group, Purpose};
use super::rustc_call::{RustcCall, hash_of_names, names_below};
use crate::error::SaveError;
use crate::findings::{self, Findings};
use crate::process;
use crate::watch::hash_of;
use crate::workspace::{HOST_FEATURES, HOST_PACKAGES, Workspace};

/// The result of a call of cargo.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Calls of rustc for the plugins whose library exists and is up to date.
    pub calls: BTreeMap<PluginId, RustcCall>,
    /// Packages whose library or program exists and is up to date.
    pub libraries: BTreeSet<String>,
    /// Built files of each crate of the workspace, by its folder.
    pub artifacts: Artifacts,
    /// rustc's diagnostics for plugins and shared crates that did not compile.
    pub failures: Failures,
    /// cargo's error output, if it failed for another reason than a crate that does not compile.
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
    /// Variables that a build script has set for rustc.
    #[serde(default)]
    env: Vec<(String, String)>,
    /// Folder for files that a build script writes.
    out_dir: Option<PathBuf>,
}

/// The target that an artifact was built from.
#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// Runs cargo for the host and all plugins of `workspace`.
///
/// # Errors
/// When cargo cannot be run at all. Crates that do not compile are part of the outcome.
pub async fn build(workspace: &Workspace, target: &Path, colour: bool) -> Result<Outcome, SaveError> {
    let format = if colour { "json-diagnostic-rendered-ansi" } else { "json" };
    let mut command =
        process::in_workspace(compiler::command(process::cargo(), Purpose::Cargo), &workspace.root);
    command
        .args(["build", "--quiet", "--keep-going", "--color=never"])
        .arg(format!("--message-format={format}"))
        .arg("--target-dir")
        .arg(target)
        .args(HOST_PACKAGES)
        .args(workspace.plugins.values().flat_map(|plugin| ["-p", &plugin.name]))
        .args(HOST_FEATURES)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = Group::spawn(command, "cargo", Purpose::Cargo)?;
    let (stdout, stderr) = (child.stdout(), child.stderr());
    let (messages, words) = tokio::join!(read_messages(stdout), read_text(stderr));
    let status =
        child.wait().await.map_err(|source| SaveError::Spawn { program: "cargo".to_owned(), source })?;
    let failed = (!status.success() && messages.failures.is_empty()).then_some(words);
    let calls = messages.calls(workspace);
    let Messages { libraries, artifacts, failures, .. } = messages;
    Ok(Outcome { calls, libraries, artifacts, failures, failed })
}

/// Makes cargo forget that it has built `packages`, so that its next run calls rustc for them.
///
/// # Errors
/// When cargo cannot be run.
pub async fn forget(workspace: &Workspace, target: &Path, packages: &[&str]) -> Result<(), SaveError> {
    let mut cargo = process::cargo_in(&workspace.root);
    cargo.args(["clean", "--color=never", "--target-dir"]).arg(target);
    cargo.args(packages.iter().flat_map(|package| ["-p", package]));
    process::output_of_cargo(cargo).await.map(drop)
}

/// Maximum number of files that a build script has read and that are watched.
const MAX_SCRIPT_INPUTS: usize = 1_000;

/// Errors by package.
pub type Failures = BTreeMap<String, Findings>;

/// Built files by the folder of their crate.
pub type Artifacts = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// The content of cargo's JSON messages.
#[derive(Default)]
pub(crate) struct Messages {
    pub(crate) libraries: BTreeSet<String>,
    artifacts: Artifacts,
    pub(crate) failures: Failures,
    /// Variables that build scripts have set for rustc, by package.
    environments: BTreeMap<String, Vec<(String, String)>>,
    /// Files with what build scripts have printed, by package.
    script_outputs: BTreeMap<String, PathBuf>,
}

impl Messages {
    /// Returns the calls that made the plugins' libraries.
    fn calls(&self, workspace: &Workspace) -> BTreeMap<PluginId, RustcCall> {
        let call = |plugin: &crate::workspace::Package| {
            let files = self.artifacts.get(&plugin.root)?;
            let mut call = RustcCall::find(&plugin.krate, &plugin.root, files)?;
            call.environment.extend(self.environments.get(&plugin.name).into_iter().flatten().cloned());
            let output = self.script_outputs.get(&plugin.name).and_then(|file| std::fs::read(file).ok());
            let inputs =
                ScriptInputs::read(&String::from_utf8_lossy(&output.unwrap_or_default()), &plugin.root);
            call.script_folders = inputs.folders;
            let files = inputs.files.into_iter();
            call.script_inputs =
                files.filter_map(|path| hash_of(&path).ok()?.map(|hash| (path, hash))).collect();
            Some((plugin.id.clone(), call))
        };
        workspace.plugins.values().filter_map(call).collect()
    }
}

/// Collects from cargo's JSON messages the packages whose library exists, its files, and the errors of each package.
pub(crate) async fn read_messages(stdout: Option<impl AsyncRead + Unpin>) -> Messages {
    let mut messages = Messages::default();
    let Some(stdout) = stdout else { return messages };
    let mut lines = BufReader::new(stdout);
    while let Some(line) = next_line(&mut lines).await {
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        let package = package_name(&message.package_id);
        match message.reason.as_str() {
            "compiler-artifact" => {
                if let Some(folder) = message.manifest_path.parent()
                    && message.package_id.starts_with("path+")
                {
                    messages.artifacts.entry(folder.to_path_buf()).or_default().extend(message.filenames);
                }
                // A build script exists before the package that it is for.
                if message.target.is_none_or(|target| target.kind != ["custom-build"]) {
                    messages.libraries.insert(package);
                }
            }
            "build-script-executed" => {
                // cargo keeps the output beside that folder.
                let output = message.out_dir.and_then(|folder| Some(folder.parent()?.join("output")));
                messages.script_outputs.extend(output.map(|output| (package.clone(), output)));
                messages.environments.insert(package, message.env);
            }
            "compiler-message" => {
                if let Some(diagnostic) = message.message
                    && diagnostic.level.starts_with("error")
                {
                    messages.failures.entry(package).or_default().add(diagnostic);
                }
            }
            _ => {}
        }
    }
    messages
}

/// Reads a line and replaces what is not UTF-8, which a build script may print. A reader that stopped there would block
/// cargo on a full pipe, or end it for want of a reader.
async fn next_line(output: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    let length = output.read_until(b'\n', &mut line).await.ok()?;
    let text = line.strip_suffix(b"\n").unwrap_or(&line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    (length > 0).then(|| String::from_utf8_lossy(text).into_owned())
}

/// Reads cargo's standard error. With `--quiet` it holds only the reason of a failure.
async fn read_text(stderr: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stderr) = stderr {
        // A read that fails leaves what was read. The exit status shows the rest.
        let _ = stderr.read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// Returns the package's name from cargo's package id, such as `path+file:///w/commands/one#commands-one@0.1.0`.
fn package_name(id: &str) -> String {
    let after = id.rsplit_once('#').map_or(id, |(_, after)| after);
    match after.split_once('@') {
        Some((name, _)) => name.to_owned(),
        // `path+file:///w/one#0.1.0`: the folder has the package's name.
        None => id.split('#').next().and_then(|path| path.rsplit('/').next()).unwrap_or(id).to_owned(),
    }
}

/// The files that a build script has read, by what it has printed.
///
/// For a script that names none, cargo takes all files of the package. They are not taken here: such a script may write
/// into its own package, which would be a save again. Source: "Build Scripts", `rerun-if-changed`, in the Cargo book.
#[derive(Debug, Default)]
struct ScriptInputs {
    /// Files that it names, and those in folders that it names.
    files: BTreeSet<PathBuf>,
    /// Folders that it names, with the hashes of the names of the files in them. One with too many files is left out.
    folders: BTreeMap<PathBuf, u64>,
}

impl ScriptInputs {
    /// Reads what a build script in `root` has printed.
    fn read(output: &str, root: &Path) -> Self {
        let named = output.lines().filter_map(|line| {
            ["cargo::rerun-if-changed=", "cargo:rerun-if-changed="]
                .iter()
                .find_map(|told| line.strip_prefix(told))
        });
        let mut inputs = Self::default();
        for path in named.map(|path| root.join(path)) {
            if !path.is_dir() {
                inputs.files.insert(path);
                continue;
            }
            let folder = without_detours(&path);
            let mut files = names_below(&folder);
            if files.len() <= MAX_SCRIPT_INPUTS {
                inputs.folders.insert(folder, hash_of_names(&files));
            }
            inputs.files.append(&mut files);
        }
        inputs.files = inputs.files.into_iter().take(MAX_SCRIPT_INPUTS).collect();
        inputs
    }
}

/// Returns a path without `.` and `..`. A folder that is watched is found by its name.
fn without_detours(path: &Path) -> PathBuf {
    let mut direct = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = direct.pop(),
            part => direct.push(part),
        }
    }
    direct
}

/// Reads what [`keep`] has written.
pub fn kept<T: DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Writes a call, or the result of one, to disk.
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
    fn package_ids_of_both_forms_give_the_name() {
        assert_eq!(package_name("path+file:///w/commands/one#commands-one@0.1.0"), "commands-one");
        assert_eq!(package_name("path+file:///w/crates/words#0.1.0"), "words");
    }

    #[test]
    fn a_call_is_outdated_once_a_file_changes_that_the_build_script_names() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for file in ["build.rs", "src/lib.rs", "data.txt", "texts/de.txt", "texts/more/en.txt"] {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), file).unwrap();
        }
        let inputs = |output: &str| -> Vec<String> {
            let inside = |path: &PathBuf| path.strip_prefix(root).unwrap_or(path).display().to_string();
            ScriptInputs::read(output, root).files.iter().map(inside).collect()
        };
        let named = "cargo::rerun-if-changed=data.txt\ncargo:rerun-if-changed=/w/x.txt\nhello\n";
        assert_eq!(inputs(named), ["data.txt", "/w/x.txt"]);
        assert_eq!(inputs("cargo::rerun-if-changed=texts\n"), ["texts/de.txt", "texts/more/en.txt"]);
        assert_eq!(inputs("cargo::rustc-env=A=b\ncargo:rerun-if-env-changed=HOME\n"), [""; 0]);

        let data = root.join("data.txt");
        let hash = hash_of(&data).unwrap().unwrap();
        assert_eq!(
            ScriptInputs::read("cargo::rerun-if-changed=./src/../texts", root)
                .folders
                .into_keys()
                .collect::<Vec<_>>(),
            [root.join("texts")]
        );
        let mut call = RustcCall { script_inputs: [(data.clone(), hash)].into(), ..RustcCall::default() };
        assert!(!call.is_outdated());
        std::fs::write(&data, "other").unwrap();
        assert!(call.is_outdated());
        std::fs::remove_file(&data).unwrap();
        assert!(call.is_outdated());

        let texts = root.join("texts");
        call.script_inputs.clear();
        call.script_folders = [(texts.clone(), hash_of_names(&names_below(&texts)))].into();
        assert!(!call.is_outdated());
        std::fs::write(texts.join("more/fr.txt"), "").unwrap();
        assert!(call.is_outdated(), "a new file");
        std::fs::remove_file(texts.join("more/fr.txt")).unwrap();
        assert!(!call.is_outdated());
        std::fs::remove_dir_all(&texts).unwrap();
        assert!(call.is_outdated());
    }

    #[tokio::test]
    async fn a_plugins_call_is_found_with_what_its_build_script_has_set() {
        let folder = tempfile::tempdir().unwrap();
        let (deps, calls) = (folder.path().join("debug/deps"), folder.path().join("debug/calls"));
        std::fs::create_dir_all(&calls).unwrap();
        std::fs::write(
            calls.join("commands_one-7f"),
            "CARGO_MANIFEST_DIR=/w/commands/one\0\0rustc\0--crate-name\0commands_one\0",
        )
        .unwrap();
        let id = PluginId::new("commands/one");
        let package = crate::workspace::Package {
            id: id.clone(),
            name: "commands-one".into(),
            krate: "commands_one".into(),
            root: "/w/commands/one".into(),
            shared: BTreeSet::new(),
            copies: BTreeSet::new(),
        };
        let workspace = Workspace { plugins: [(id.clone(), package)].into(), ..Workspace::default() };
        let said = |package: &str, rest: serde_json::Value| {
            let mut message =
                serde_json::json!({ "package_id": format!("path+file:///w/commands/one#{package}@0.1.0") });
            message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            message.to_string() + "\n"
        };
        let script = serde_json::json!({ "reason": "build-script-executed", "env": [["GREETING", "hi"]], "out_dir": "/o" });
        let library = serde_json::json!({
            "reason": "compiler-artifact",
            "manifest_path": "/w/commands/one/Cargo.toml",
            "target": { "kind": ["lib"] },
            "filenames": [deps.join("libcommands_one-7f.rmeta")],
        });
        let text = said("commands-one", script) + "no JSON\n" + &said("commands-one", library);
        let messages = read_messages(Some(text.as_bytes())).await;
        let call = &messages.calls(&workspace)[&id];
        assert_eq!(call.words, ["rustc", "--crate-name", "commands_one"]);
        let environment: Vec<_> =
            call.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(environment, ["CARGO_MANIFEST_DIR=/w/commands/one", "GREETING=hi"]);
        assert_eq!(messages.libraries.iter().collect::<Vec<_>>(), ["commands-one"]);
    }

    #[tokio::test]
    async fn what_follows_a_line_that_is_no_utf_8_is_read_too() {
        let artifact = br#"{"reason":"compiler-artifact","package_id":"path+file:///w/one#one@0.1.0"}"#;
        let output = [b"\xe9\xff\n", &artifact[..], b"\r\n"].concat();
        let messages = read_messages(Some(&output[..])).await;
        assert_eq!(messages.libraries, ["one".to_owned()].into());
        assert_eq!(read_text(Some(&b"error: \xe9\nthe last\n"[..])).await, "error: \u{fffd}\nthe last");
    }
}
