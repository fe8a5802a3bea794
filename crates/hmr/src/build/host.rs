//! The build of a new host beside the running one, with all its plugins.
//!
//! # Theory of operation
//!
//! One call of cargo builds the host and the plugins' crates. The result is staged. If the sdk library is still that of
//! the running host, the plugins' libraries fit the new host as they are, so it takes over the journal. Otherwise every
//! plugin is built once more, against the new library. Either way the new host's program loads each library in a probe.
//! So it is known to start, to link and to accept them before the running host gives way.

use std::path::{Path, PathBuf};
use std::pin::pin;

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use sdk_core::PluginId;

use super::cargo::Failures;
use super::request::{build_side_by_side, side_by_side};
use super::{Builder, Compilation, Failure, Toolchain as _};
use crate::error::SaveError;
use crate::findings::Findings;
use crate::hosts::{Hosts, Staged};
use crate::journal::{Entry, Journal, Version};
use crate::workspace::{Package, Workspace};

/// A request for a new host.
#[derive(Clone, Debug)]
pub struct HostRequest {
    /// Root folder of the workspace.
    pub root: PathBuf,
    /// Host that runs now.
    pub running: Staged,
    /// What is live in it, from its journal.
    pub journal: Journal,
    /// Ends the names of this request's files, so that they differ from those of others.
    pub suffix: String,
}

/// The result of a build of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewHost {
    /// Nothing in the host has changed.
    Same,
    /// A host that can take over.
    Built(Staged),
}

/// Why the running host stays.
#[derive(Debug)]
pub enum Refusal {
    /// A source changed while it was built.
    Superseded,
    /// The new host, or a plugin for it, cannot be built or loaded.
    Failed {
        /// The reason, in a sentence.
        words: String,
        /// The compiler's diagnostics.
        findings: Findings,
    },
}

impl Refusal {
    #[allow(clippy::needless_pass_by_value)] // Errors are handed in as they are.
    fn failed(words: impl std::fmt::Display) -> Self {
        Self::Failed { words: words.to_string(), findings: Findings::default() }
    }
}

/// Builds the host and its plugins. Dropping the future kills the compiler.
pub(super) async fn build(builder: &Builder, request: HostRequest) -> Result<NewHost, Refusal> {
    let HostRequest { root, running, journal, suffix } = request;
    let workspace = Workspace::read(&root).await.map_err(Refusal::failed)?;
    let packages: Vec<_> = workspace.plugins.values().cloned().collect();
    let captured = builder.capture(&workspace, &packages).await.map_err(Refusal::failed)?;
    if let Some(failures) = captured.host {
        return Err(of_host(&failures));
    }
    let hosts = Hosts::of(builder.target());
    let unreadable =
        |error: std::io::Error| Refusal::failed(format!("the new host cannot be staged ({error})"));
    if hosts.is_equal(&running).map_err(unreadable)? {
        return Ok(NewHost::Same);
    }
    let staged = hosts.stage().map_err(unreadable)?;
    hosts.tidy(&running);
    if staged.is_condemned() {
        let words =
            format!("host {} is the one that died before it was ready; change it first", staged.number());
        return Err(Refusal::failed(words));
    }
    let builder = builder
        .for_host(&staged)
        .map_err(|error| Refusal::failed(format!("the new host cannot be started ({error})")))?;
    let mut next = Journal::default();
    if hosts.has_sdk_of(&running).map_err(unreadable)? {
        let live = journal.plugins.iter().filter_map(|(plugin, entry)| {
            Some((workspace.plugins.get(plugin)?, entry.live.as_ref()?.library.as_path()))
        });
        let probe = |(package, library)| probe(&builder, package, library);
        side_by_side(live.map(probe).collect()).try_collect::<()>().await?;
        let kept = journal.plugins.into_iter();
        next.plugins.extend(kept.map(|(plugin, entry)| (plugin, Entry { coming: None, ..entry })));
    } else {
        let is_live =
            |plugin: &PluginId| journal.plugins.get(plugin).is_some_and(|entry| entry.live.is_some());
        refuse(captured.failures.into_iter().filter(|failure| failure.plugin.as_ref().is_none_or(is_live)))?;
        // A plugin that was left out of the running host is left out of the new one.
        let last = |plugin: &PluginId| journal.plugins.get(plugin).map_or(0, |entry| entry.last);
        let left_out = packages
            .iter()
            .map(|package| (package.id.clone(), Entry { last: last(&package.id), ..Entry::default() }));
        next.plugins.extend(left_out);
        let compilations = packages.iter().filter_map(|package| {
            let call = captured.calls.get(&package.id)?;
            Some(Compilation { workspace: &workspace, package, call, suffix: &suffix, may_reuse: false })
        });
        let compilations = compilations.collect();
        let mut builds = pin!(build_side_by_side(&builder, compilations));
        while let Some((Package { id, .. }, outcome)) = builds.next().await {
            match outcome {
                Ok(built) => {
                    let generation = last(id) + 1;
                    let live = Some(Version { generation, library: built.library });
                    next.plugins.insert(id.clone(), Entry { last: generation, live, ..Entry::default() });
                }
                Err(error) if is_live(id) => {
                    let failure = Failure { plugin: Some(id.clone()), error };
                    return refuse([failure].into_iter()).map(|()| NewHost::Same);
                }
                Err(_) => {}
            }
        }
    }
    next.write(&staged.journal_file()).map_err(unreadable)?;
    workspace.keep(&staged.workspace_file()).map_err(unreadable)?;
    Ok(NewHost::Built(staged))
}

/// Loads a plugin's library with the program of the new host.
async fn probe(builder: &Builder, package: &Package, library: &Path) -> Result<(), Refusal> {
    let refused = |error| Refusal::failed(format!("the new host cannot load {}: {error}", package.id));
    builder.accepts(package, library).await.map_err(refused)
}

/// Returns a refusal with rustc's diagnostics for the host's own crates.
fn of_host(failures: &Failures) -> Refusal {
    let names: Vec<_> = failures.keys().map(String::as_str).collect();
    let mut findings = Findings::default();
    failures.values().cloned().for_each(|one| findings.append(one));
    let words = if failures.is_empty() {
        "cargo did not say why it does not build".to_owned()
    } else if findings.linking.len() == findings.errors {
        format!("{}: {}", names.join(", "), findings.summary())
    } else {
        format!("{} in {}", findings.summary(), names.join(", "))
    };
    Refusal::Failed { words, findings }
}

/// Refuses the new host if plugins would be lost with it.
fn refuse(failures: impl Iterator<Item = Failure>) -> Result<(), Refusal> {
    let (mut words, mut all) = (Vec::new(), Findings::default());
    for Failure { plugin, error } in failures {
        if matches!(error, SaveError::Superseded) {
            return Err(Refusal::Superseded);
        }
        let name = plugin.as_ref().map_or("the workspace", PluginId::as_str);
        words.push(format!("{name} does not fit the new host: {error}"));
        if let SaveError::Compile(findings) = error {
            all.append(findings);
        }
    }
    if words.is_empty() { Ok(()) } else { Err(Refusal::Failed { words: words.join("; "), findings: all }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_host_are_told_with_their_crates() {
        let one = Findings { errors: 1, rendered: "error: one\n".to_owned(), ..Findings::default() };
        let Refusal::Failed { words, findings } = of_host(&[("bot".to_owned(), one)].into()) else {
            panic!("it has failed")
        };
        assert_eq!((words.as_str(), findings.rendered.as_str()), ("1 compile error in bot", "error: one\n"));
    }

    #[test]
    fn a_plugin_that_would_be_lost_keeps_the_running_host() {
        let failure = |error| Failure { plugin: Some(PluginId::new("commands/one")), error };
        assert!(refuse(std::iter::empty()).is_ok());
        let compile = SaveError::Compile(Findings { errors: 2, ..Findings::default() });
        let Err(Refusal::Failed { words, .. }) = refuse([failure(compile)].into_iter()) else {
            panic!("it is refused")
        };
        assert_eq!(words, "commands/one does not fit the new host: 2 compile errors");
        let superseded = refuse([failure(SaveError::Superseded)].into_iter());
        assert!(matches!(superseded, Err(Refusal::Superseded)));
    }
}
