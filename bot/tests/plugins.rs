//! The bot's own plugins, seen from outside: people of a local Discord use them, and read what they answer.

#[path = "plugins/bot.rs"]
mod bot;
#[path = "plugins/dev.rs"]
mod dev;
#[path = "plugins/general.rs"]
mod general;
#[path = "plugins/modlog.rs"]
mod modlog;
#[path = "plugins/music/mod.rs"]
mod music;
#[path = "plugins/poll.rs"]
mod poll;
#[path = "plugins/welcome.rs"]
mod welcome;
