//! Hotcord: a Discord bot whose commands and events reload while it runs.
mod api;
mod config;
mod gateway;
mod log;
fn main() {}
