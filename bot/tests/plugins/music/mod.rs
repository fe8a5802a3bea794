//! Music, as people in a voice channel use it.

mod asking;
mod band;
mod live;
mod queueing;
mod refusing;
mod settings;
mod steering;
