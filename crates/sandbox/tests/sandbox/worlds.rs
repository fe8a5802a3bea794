//! Whole worlds: saved, restored, and kept over a restart.

mod data;
mod full;
mod import;
mod large;
mod seeds;
mod snapshots;
