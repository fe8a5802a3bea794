//! Whole worlds: saved, restored, and kept over a restart.

mod data;
mod full;
mod seeds;
mod snapshots;
