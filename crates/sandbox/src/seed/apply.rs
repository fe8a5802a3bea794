//! Seeds that become objects of a world.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::file::{Seed, User as SeedUser};
use super::mistake::Mistake;
use super::names::{Ids, user};
use super::{bots, guild, name};
use crate::gateway::Intents;
use crate::snowflake::Snowflake;
use crate::state::scenario::Scenario;
use crate::state::user::User;
use crate::state::{Home, World};
use crate::validate::command::LOCALES;

/// What a seed has added, for which events are due or entries on the agenda.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Guilds.
    pub(crate) guilds: Vec<Snowflake>,
    /// Scheduled events, with their guilds.
    pub(crate) events: Vec<(Snowflake, Snowflake)>,
    /// Threads.
    pub(crate) threads: Vec<Snowflake>,
}

/// The work on one world.
pub(super) struct Planter<'a> {
    pub(super) world: &'a mut World,
    pub(super) ids: Ids,
    pub(super) applied: Applied,
    pub(super) now: OffsetDateTime,
    /// Ids of messages, which are made of their times.
    pub(super) message_ids: HashSet<Snowflake>,
}

/// What the seed of a new sandbox lacks.
#[derive(Debug)]
pub(crate) struct Defaults<'a> {
    /// Name of the bot.
    pub(crate) bot_name: &'a str,
    /// Token of the first bot.
    pub(crate) token: Option<String>,
    /// Privileged intents of bots that say nothing of them.
    pub(crate) privileged: Intents,
}

/// Adds a seed to a world that exists, whole or not at all.
pub(crate) fn plant(seed: &Seed, world: &mut World) -> Result<Applied, Mistake> {
    let before = Before::of(world);
    let mut planter = Planter::new(world, Ids::of_world(world));
    match planter.seed(seed, Intents::PRIVILEGED) {
        Ok(()) => Ok(planter.applied),
        Err(mistake) => {
            before.restore(world);
            Err(mistake)
        }
    }
}

/// What a world has before a seed is planted. A seed changes none of it and only adds to it, so that what comes after it in
/// the order of a map is the seed's.
struct Before {
    users: usize,
    applications: usize,
    guilds: usize,
    channels: usize,
    webhooks: usize,
    invites: usize,
}

impl Before {
    fn of(world: &World) -> Self {
        Self {
            users: world.users.len(),
            applications: world.applications.len(),
            guilds: world.guilds.len(),
            channels: world.channels.len(),
            webhooks: world.webhooks.len(),
            invites: world.invites.len(),
        }
    }

    /// Removes what a seed has added.
    fn restore(self, world: &mut World) {
        for guild in world.guilds.drain(self.guilds..) {
            for picture in guild.1.emojis.keys().chain(guild.1.stickers.keys()) {
                world.files.remove(picture);
            }
        }
        world.users.truncate(self.users);
        world.applications.truncate(self.applications);
        world.channels.truncate(self.channels);
        world.webhooks.truncate(self.webhooks);
        world.invites.truncate(self.invites);
        world.derive();
    }
}

impl World {
    /// Creates a world from seeds. What they do not have is there by default: people, a bot, a guild.
    pub(crate) fn seeded(
        seeds: &[Seed],
        defaults: Defaults<'_>,
    ) -> Result<(Self, Scenario, Applied), Mistake> {
        let mut world = Self::default();
        let mut planter = Planter::new(&mut world, Ids::default());
        if seeds.iter().all(|seed| seed.users.is_empty()) {
            for (username, shown) in [("alice", Some("Alice")), ("bob", Some("Bob")), ("carol", None)] {
                planter.user(&SeedUser {
                    name: name(username),
                    id: None,
                    display_name: shown.map(str::to_owned),
                    locale: None,
                })?;
            }
        }
        for seed in seeds {
            seed.users
                .iter()
                .try_for_each(|user| planter.user(user))
                .map_err(|wrong| wrong.in_file(&seed.file))?;
        }
        let mut first = defaults.token;
        if seeds.iter().all(|seed| seed.bots.is_empty()) {
            bots::default(&mut planter, defaults.bot_name, first.take(), defaults.privileged)?;
        }
        for seed in seeds {
            for bot in &seed.bots {
                let added = bots::add(&mut planter, bot, first.take(), defaults.privileged);
                added.map_err(|wrong| wrong.in_file(&seed.file))?;
            }
        }
        if seeds.iter().all(|seed| seed.guilds.is_empty()) {
            guild::default(&mut planter)?;
        }
        for seed in seeds {
            for entry in &seed.guilds {
                guild::add(&mut planter, entry).map_err(|wrong| wrong.in_file(&seed.file))?;
            }
        }
        let applied = planter.applied;
        let first = |missing: &str| Mistake::anywhere(format!("the world has no {missing}."));
        let application = *world.applications.keys().next().ok_or_else(|| first("bot"))?;
        let guild = *world.guilds.keys().next().ok_or_else(|| first("guild"))?;
        world.home = Some(Home { application, guild });
        let scenario = world.resume(None);
        Ok((world, scenario, applied))
    }
}

impl<'a> Planter<'a> {
    fn new(world: &'a mut World, ids: Ids) -> Self {
        let now = world.clock.now();
        let messages = world.channels.values().flat_map(|channel| channel.messages.keys());
        let message_ids = messages.chain(world.ephemeral.keys()).copied().collect();
        Self { world, ids, applied: Applied::default(), now, message_ids }
    }

    fn seed(&mut self, seed: &Seed, privileged: Intents) -> Result<(), Mistake> {
        let mut added = || -> Result<(), Mistake> {
            seed.users.iter().try_for_each(|user| self.user(user))?;
            seed.bots.iter().try_for_each(|bot| bots::add(self, bot, None, privileged))?;
            seed.guilds.iter().try_for_each(|entry| guild::add(self, entry))
        };
        added().map_err(|wrong| wrong.in_file(&seed.file))
    }

    fn user(&mut self, entry: &SeedUser) -> Result<(), Mistake> {
        if self.world.users.values().any(|user| user.username.eq_ignore_ascii_case(&entry.name.value)) {
            return Err(Mistake::at(
                &entry.name,
                format!("there is another user \"{}\"; names are unique.", entry.name.value),
            ));
        }
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
        if !(2..=32).contains(&entry.name.value.len()) || !entry.name.value.chars().all(fits) {
            let rule = "has 2 to 32 of a-z, 0-9, `_` and `.`; other names are a `display_name`";
            return Err(Mistake::at(
                &entry.name,
                format!("the name of a user, as \"{}\" here, {rule}.", entry.name.value),
            ));
        }
        let id = self.id(entry.id.as_ref(), &format!("user:{}", entry.name.value), &entry.name)?;
        let mut user = User::person(id, &entry.name.value, entry.display_name.as_deref(), self.now);
        if let Some(locale) = &entry.locale {
            super::names::word("language", locale, LOCALES)?;
            user.locale.clone_from(&locale.value);
        }
        self.world.users.insert(id, user);
        Ok(())
    }

    /// Returns a given id, or one that follows from names.
    pub(super) fn id(
        &mut self,
        given: Option<&super::Name>,
        path: &str,
        place: &super::Name,
    ) -> Result<Snowflake, Mistake> {
        self.ids.of(given, path, place)
    }

    /// Returns the user of a name, or else `default`.
    pub(super) fn user_or(
        &self,
        wanted: Option<&super::Name>,
        default: Snowflake,
    ) -> Result<Snowflake, Mistake> {
        wanted.map_or(Ok(default), |wanted| user(self.world, wanted))
    }

    /// Returns the first person.
    pub(super) fn first_person(&self, place: &super::Name) -> Result<Snowflake, Mistake> {
        let found = self.world.users.values().find(|user| !user.bot).map(|user| user.id);
        found.ok_or_else(|| {
            Mistake::at(place, "there is no user who could own it; describe one under `users`.")
        })
    }
}
