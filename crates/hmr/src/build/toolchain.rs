//! The interface of the engine to the programs that build and to the system's loader.

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

/// The means to build and load plugins: cargo, rustc, a probe process and the system's loader, or a test's substitutes.
///
/// Dropping a future of a toolchain ends what it has started.
pub trait Toolchain: Send + Sync + 'static {
    /// Returns the workspace at `root` as it is now.
    ///
    /// # Errors
    /// When it cannot be read, with cargo's message.
    fn read_workspace<'a>(&'a self, root: &'a Path) -> BoxFuture<'a, Result<Workspace, SaveError>>;

    /// Returns the features that the host and all plugins would be built with.
    ///
    /// # Errors
    /// As [`read_workspace`](Self::read_workspace).
    fn read_features<'a>(&'a self, workspace: &'a Workspace) -> BoxFuture<'a, Result<Shared, SaveError>>;

    /// Builds the host and the dependencies of `packages`. Returns the call of rustc for each package that compiles.
    ///
    /// # Errors
    /// When nothing can be built at all. A package that does not compile is among the failures.
    fn capture<'a>(
        &'a self,
        workspace: &'a Workspace,
        packages: &'a [Package],
    ) -> BoxFuture<'a, Result<Captured, SaveError>>;

    /// Builds the library of a plugin.
    ///
    /// # Errors
    /// When it cannot be built, with the reason; [`SaveError::Superseded`] if a source changed meanwhile.
    fn build<'a>(&'a self, plugin: Compilation<'a>) -> BoxFuture<'a, Result<BuiltPlugin, SaveError>>;

    /// Loads a library in another process first, and records a new one that is accepted.
    ///
    /// # Errors
    /// When it cannot go live, with the reason.
    fn probe<'a>(&'a self, plugin: &'a BuiltPlugin) -> BoxFuture<'a, Result<(), SaveError>>;

    /// Loads a library into this process for good, and returns the plugin that it exports.
    ///
    /// # Errors
    /// When it cannot be loaded, with the reason.
    fn load(&self, plugin: &BuiltPlugin) -> Result<&'static PluginEntry, SaveError>;

    /// Returns whether a plugin that was built is the same code as the library at `live`, for all that can be noticed
    /// when it runs.
    fn is_same_code(&self, live: &Path, built: &BuiltPlugin) -> bool;

    /// Removes a library that was built and is the same code as the one at `live`, which counts as built from the newest
    /// sources from now on.
    fn keep_instead(&self, live: &Path, built: &BuiltPlugin);

    /// Builds a new host with all its plugins.
    ///
    /// # Errors
    /// When the running host stays, with the reason.
    fn build_host(&self, request: HostRequest) -> BoxFuture<'_, Result<NewHost, Refusal>>;

    /// Returns whether new builds can be loaded into this process.
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
    /// Ends the name of the library, so that it differs from all others.
    pub suffix: &'a str,
    /// Whether a library of an earlier run is used if its sources are the same.
    pub may_reuse: bool,
}

/// The result of [`Toolchain::capture`].
#[derive(Debug, Default)]
pub struct Captured {
    /// Calls of rustc, by plugin.
    pub calls: BTreeMap<PluginId, RustcCall>,
    /// Plugins that do not compile.
    pub failures: Vec<Failure>,
    /// rustc's diagnostics for the host's own crates, if the host does not compile.
    pub host: Option<Failures>,
}
