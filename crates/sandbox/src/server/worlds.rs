//! The world that a sandbox begins with.

use std::io;

use super::Builder;
use crate::data::Data;
use crate::seed::{Applied, Defaults, Seed};
use crate::state::World;
use crate::state::scenario::Scenario;
use crate::tls::Addresses;

impl Builder {
    /// Keeps the world in this folder. If there is one already, the sandbox goes on with it; names and members of the
    /// default world do not matter then, and a given token replaces that of the first bot.
    #[must_use]
    pub fn data(mut self, data: Data) -> Self {
        self.data = Some(data);
        self
    }

    /// Adds a seed. The world consists of all seeds, in place of the default one; what they do not have at all (users,
    /// bots, guilds) is there by default. The first bot has the name and token of this builder only if they have no bot,
    /// and a given token in any case.
    #[must_use]
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seeds.push(seed);
        self
    }

    /// Returns the world to begin with: that of the folder, or a new one.
    pub(super) fn world(&self, addresses: &Addresses) -> io::Result<(World, Scenario, Applied)> {
        if let Some(data) = &self.data
            && let Some(mut world) = data.load(addresses).map_err(io::Error::other)?
        {
            let scenario = world.resume(self.token.clone());
            return Ok((world, scenario, Applied::default()));
        }
        if self.seeds.is_empty() {
            let (world, scenario) = self.default_world(addresses);
            return Ok((world, scenario, Applied::default()));
        }
        let defaults =
            Defaults { bot_name: &self.bot_name, token: self.token.clone(), privileged: self.privileged };
        let (mut world, scenario, added) = World::seeded(&self.seeds, defaults).map_err(io::Error::other)?;
        world.serve_at(&addresses.base, &addresses.files);
        Ok((world, scenario, added))
    }

    pub(super) fn default_world(&self, addresses: &Addresses) -> (World, Scenario) {
        let (mut world, scenario) = World::scenario(&self.bot_name, self.token.clone());
        world.serve_at(&addresses.base, &addresses.files);
        if let Some(application) = world.applications.get_mut(&scenario.application) {
            application.privileged = self.privileged;
        }
        (world, scenario)
    }
}
