//! The engine with a toolchain of the tests: no compiler runs, plugins live in this process, and the test controls
//! builds and saves.

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
