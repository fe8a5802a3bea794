//! Music, as users in a voice channel use it.

mod asking;
mod band;
mod lasting;
mod live;
mod queueing;
mod refusing;
mod settings;
mod stage;
mod steering;
mod together;
