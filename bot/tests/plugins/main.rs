//! The bot's own plugins, tested from outside: users of a local Discord use them and read the answers.

mod bot;
#[cfg(feature = "plugins")]
mod commands_doc;
mod config;
mod dev;
mod general;
mod moderation;
mod modlog;
mod music;
mod poll;
mod welcome;
