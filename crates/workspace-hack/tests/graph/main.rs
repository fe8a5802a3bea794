//! The graph of packages: which crates may depend on which, and that dependencies are built once.

mod arrows;
mod modules;
mod one_graph;
mod tree;
