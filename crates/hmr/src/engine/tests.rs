//! The engine with a toolchain of the test's own: no compiler runs, plugins live in this process, and builds and saves
//! happen when the test says so.

mod builds;
mod dependents;
mod fake;
mod groups;
mod host;
mod membership;
mod plugins;
mod probation;
mod test_engine;
mod troubles;
