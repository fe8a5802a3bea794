//! The bot's own plugins, seen from outside: people of a local Discord use them, and read what they answer.

mod bot;
#[cfg(feature = "plugins")]
mod commands_doc;
mod dev;
mod general;
mod modlog;
mod music;
mod poll;
mod welcome;
