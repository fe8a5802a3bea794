//! One build of one plugin, or of several that go live together.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, Stream, StreamExt as _};
use sdk_core::PluginId;

use super::rustc_call::RustcCall;
use super::{BuiltPlugin, Compilation, Failure, Toolchain};
use crate::error::SaveError;
use crate::workspace::{Package, Workspace};

/// Plugins to build, and how.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// Plugins, each with its call if that is known.
    pub packages: Vec<(Package, Option<RustcCall>)>,
    /// Whether cargo must be asked first.
    pub through_cargo: bool,
    /// Ends the names of this request's files, so that they differ from those of others.
    pub suffix: String,
    /// Moment of the save.
    pub began: Instant,
    /// Whether a library of an earlier run is used if its sources are the same.
    pub may_reuse: bool,
}

/// The result of a request.
#[derive(Debug, Default)]
pub struct BuildResult {
    /// Calls that cargo made.
    pub calls: BTreeMap<PluginId, RustcCall>,
    /// Plugins that may go live.
    pub built: Vec<BuiltPlugin>,
    /// Plugins that may not go live.
    pub failures: Vec<Failure>,
}

/// Builds the requested plugins and probes them. Dropping the future kills the compiler.
pub async fn run(
    toolchain: Arc<dyn Toolchain>,
    workspace: Arc<Workspace>,
    request: BuildRequest,
) -> BuildResult {
    let watch = request.began.elapsed();
    let asked = Instant::now();
    let mut result = BuildResult::default();
    let mut calls: BTreeMap<_, _> = request
        .packages
        .iter()
        .filter_map(|(package, call)| Some((package.id.clone(), call.clone()?)))
        .collect();
    let packages: Vec<_> = request.packages.into_iter().map(|(package, _)| package).collect();
    // A build script has set what these calls say, and would set something else now.
    let is_outdated = calls.values().any(RustcCall::is_outdated);
    if request.through_cargo || is_outdated || calls.len() < packages.len() {
        match toolchain.capture(&workspace, &packages).await {
            Ok(captured) => {
                result.calls = captured.calls.clone();
                calls = captured.calls;
                result.failures = captured.failures;
            }
            Err(error) => {
                result.failures.push(Failure { plugin: None, error });
                return result;
            }
        }
    }
    let through_cargo: Duration = asked.elapsed();
    let compilations = packages.iter().filter_map(|package| {
        let call = calls.get(&package.id)?;
        let (suffix, may_reuse) = (request.suffix.as_str(), request.may_reuse);
        Some(Compilation { workspace: &workspace, package, call, suffix, may_reuse })
    });
    let compilations = compilations.collect();
    let mut outcomes = pin!(build_side_by_side(&*toolchain, compilations));
    while let Some((package, outcome)) = outcomes.next().await {
        match outcome {
            Ok(mut built) => {
                built.parts.watch = watch;
                built.parts.build += through_cargo;
                result.built.push(built);
            }
            Err(error) => result.failures.push(Failure { plugin: Some(package.id.clone()), error }),
        }
    }
    result
}

/// Builds and probes plugins side by side. Yields the results in the plugins' order.
pub(super) fn build_side_by_side<'a>(
    toolchain: &'a dyn Toolchain,
    compilations: Vec<Compilation<'a>>,
) -> impl Stream<Item = (&'a Package, Result<BuiltPlugin, SaveError>)> {
    let build = |compilation: Compilation<'a>| async move {
        (compilation.package, build_and_probe(toolchain, compilation).await)
    };
    side_by_side(compilations.into_iter().map(build).collect())
}

/// Runs as many of `works` at a time as there are processors. Yields the results in order.
///
/// Most of what rustc does for a small crate happens on one thread.
pub(super) fn side_by_side<F: Future>(works: Vec<F>) -> impl Stream<Item = F::Output> {
    stream::iter(works).buffered(std::thread::available_parallelism().map_or(1, NonZero::get))
}

/// Builds a plugin's library and probes it.
async fn build_and_probe(
    toolchain: &dyn Toolchain,
    compilation: Compilation<'_>,
) -> Result<BuiltPlugin, SaveError> {
    let began = Instant::now();
    let mut built = toolchain.build(compilation).await?;
    built.parts.build = began.elapsed();
    let began = Instant::now();
    toolchain.probe(&built).await?;
    built.parts.probe = began.elapsed();
    Ok(built)
}
