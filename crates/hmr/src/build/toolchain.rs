//! What the engine asks of the programs that build and of the system's loader.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::future::BoxFuture;
use sdk_core::{PluginEntry, PluginId};

use super::cargo::Failures;
use super::features::Shared;
use super::host::{HostRequest, NewHost, Refusal};
use super::rustc_call::RustcCall;
use super::{BuiltPlugin, Failure};
use crate::error::SaveError;
use crate::workspace::{Package, Workspace};

/// What plugins are built and loaded with: cargo, rustc, a probe process and the system's loader, or what a test puts in
/// their place.
///
/// Dropping a future of a toolchain ends what it has started.
pub trait Toolchain: Send + Sync + 'static {
    /// Returns the workspace at `root` as it is now.
    ///
    /// # Errors
    /// When it cannot be read, in cargo's own words.
    fn read_workspace<'a>(&'a self, root: &'a Path) -> BoxFuture<'a, Result<Workspace, SaveError>>;

    /// Returns with which features the host and all plugins would be built.
    ///
    /// # Errors
    /// As [`read_workspace`](Self::read_workspace).
    fn read_features<'a>(&'a self, workspace: &'a Workspace) -> BoxFuture<'a, Result<Shared, SaveError>>;

    /// Builds the host and what `packages` depend on, and returns how each of them that compiles is compiled.
    ///
    /// # Errors
    /// When nothing can be built at all; a package that does not compile is among the failures.
    fn capture<'a>(
        &'a self,
        workspace: &'a Workspace,
        packages: &'a [Package],
    ) -> BoxFuture<'a, Result<Captured, SaveError>>;

    /// Builds the library of a plugin.
    ///
    /// # Errors
    /// Why it cannot be built; [`SaveError::Superseded`] when a source changed meanwhile.
    fn build<'a>(&'a self, plugin: Compilation<'a>) -> BoxFuture<'a, Result<BuiltPlugin, SaveError>>;

    /// Has another process load a library first, and records a new one that is accepted.
    ///
    /// # Errors
    /// Why it cannot go live.
    fn probe<'a>(&'a self, plugin: &'a BuiltPlugin) -> BoxFuture<'a, Result<(), SaveError>>;

    /// Loads a library into this process for good, and returns the plugin that it exports.
    ///
    /// # Errors
    /// Why it cannot be loaded.
    fn load(&self, plugin: &BuiltPlugin) -> Result<&'static PluginEntry, SaveError>;

    /// Builds a new host with all its plugins.
    ///
    /// # Errors
    /// Why the running host stays.
    fn build_host(&self, request: HostRequest) -> BoxFuture<'_, Result<NewHost, Refusal>>;

    /// Returns whether what is built now can be loaded into this process.
    fn fits_host(&self) -> bool;
}

/// One plugin to compile, and how.
#[derive(Clone, Copy, Debug)]
pub struct Compilation<'a> {
    /// Workspace that the plugin is in.
    pub workspace: &'a Workspace,
    /// Plugin.
    pub package: &'a Package,
    /// How it is compiled.
    pub call: &'a RustcCall,
    /// Tells the library from all others.
    pub suffix: &'a str,
    /// Whether a library of a former run is taken when its sources are the same.
    pub may_reuse: bool,
}

/// What [`Toolchain::capture`] has found out.
#[derive(Debug, Default)]
pub struct Captured {
    /// Calls of rustc, by plugin.
    pub calls: BTreeMap<PluginId, RustcCall>,
    /// Plugins that do not compile.
    pub failures: Vec<Failure>,
    /// What rustc said of the host's own crates, when the host does not compile.
    pub host: Option<Failures>,
}
