//! Entry points for `fuzz/`: requests, frames and commands from outside. No crate of this workspace enables the
//! feature.
//!
//! Each function panics when a rule is broken.

mod frames;
mod requests;
#[cfg(test)]
mod tests;
mod typing;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use crate::event_log::Capacity;
use crate::live::Discord;
use crate::ratelimit::Config;
use crate::server::{Assembled, Builder};
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::tls::Addresses;

pub use frames::gateway_frames;
pub use requests::rest_bodies;
pub use typing::typed_command;

/// Token of the bot.
const TOKEN: &str = "MTEwMDAwMDAwMDAwMDAwMDAwMQ.fuzzed.token";
/// Secret of the control API.
const SECRET: &str = "secret";
/// Number of inputs after which everything is created again, including state outside the world.
const INPUTS: u32 = 512;

/// A sandbox without an address, for one thread.
struct Place {
    router: Router,
    discord: Arc<Discord>,
    left: u32,
}

impl Place {
    fn new() -> Self {
        let capacity = Capacity { entries: 64, bytes: 1 << 20, body: 4 << 10 };
        let gateway = crate::gateway::Options {
            resume_window: Duration::ZERO,
            heartbeat_latency: Duration::ZERO,
            ..Default::default()
        };
        let builder = Builder::default().token(TOKEN).control_secret(SECRET);
        let builder = builder.rate_limits(Config::off()).gateway(gateway).event_log(capacity);
        // Longest wait for the answer to a command.
        let builder = builder.response_deadline(Duration::from_millis(20));
        let Assembled { router, discord, .. } = builder.assemble(&Addresses::plain("http://127.0.0.1:8787"));
        Self { router, discord, left: INPUTS }
    }

    /// Restores the initial world.
    fn reset(&mut self) -> Ids {
        self.left -= 1;
        if self.left == 0 {
            *self = Self::new();
        }
        let (mut world, scenario) = World::scenario("Sandbot", Some(TOKEN.to_owned()));
        world.serve_at("http://127.0.0.1:8787", "http://127.0.0.1:8787");
        let ids = Ids::new(&world, scenario.guild, scenario.application);
        *self.discord.lock() = world;
        ids
    }
}

/// Placeholders of an input for ids and tokens, and their values.
struct Ids(Vec<(&'static str, String)>);

impl Ids {
    fn new(world: &World, guild: Snowflake, bot: Snowflake) -> Self {
        let channel = |name: &str| {
            let found = world.channels.values().find(|channel| channel.name == name);
            found.map(|channel| channel.id.to_string()).unwrap_or_default()
        };
        let user = |name: &str| world.find_user(name).map(|user| user.id.to_string()).unwrap_or_default();
        let role = |name: &str| {
            let found = world.guilds[&guild].roles.values().find(|role| role.name == name);
            found.map(|role| role.id.to_string()).unwrap_or_default()
        };
        Self(vec![
            ("$T", TOKEN.to_owned()),
            ("$g", guild.to_string()),
            ("$a", bot.to_string()),
            ("$c", channel("general")),
            ("$v", channel("Lounge")),
            ("$u", user("alice")),
            ("$b", user("bob")),
            ("$r", role("Member")),
        ])
    }

    fn set(&mut self, name: &'static str, value: String) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// Replaces the placeholders.
    fn fill(&self, text: &[u8]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.first() {
            let known = self.0.iter().find(|(name, _)| rest.starts_with(name.as_bytes()));
            if let Some((name, value)) = known {
                filled.extend_from_slice(value.as_bytes());
                rest = &rest[name.len()..];
            } else {
                filled.push(*first);
                rest = &rest[1..];
            }
        }
        filled
    }
}
