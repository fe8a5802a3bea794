//! Another world in the place of this one.

use super::{Live, Notice};
use crate::seed::Applied;
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::voice::close;

impl Live<'_> {
    /// Puts a saved world in the place of this one, its time included, and returns the number of sessions that this has
    /// ended. Each connected bot gets INVALID_SESSION (opcode 9, `d: false`), and after its IDENTIFY the guilds of the
    /// other world. Bots are out of voice, and offline until they identify. A bot of both worlds keeps the token and the key
    /// pair that it has now, with which its process was started.
    pub fn restore(&mut self, mut world: World) -> usize {
        self.empty_voice();
        world.serve_at(&self.base_url, &self.files_url);
        for (id, application) in &mut world.applications {
            if let Some(now) = self.applications.get(id) {
                application.token.clone_from(&now.token);
                application.key_pair.clone_from(&now.key_pair);
            }
        }
        world.derive();
        self.clock.set_ahead(world.clock.ahead());
        world.clock = self.clock.clone();
        self.interactions.hand_over(&mut world.interactions);
        let ended = self.hub.invalidate_all("the world was restored");
        **self = world;
        self.begin();
        self.feed.restart();
        ended
    }

    /// Takes bots that have no session out of voice and offline, and people who are in voice into their calls, and sends
    /// webhook events that wait. For a world that was read.
    pub(crate) fn begin(&mut self) {
        let bots: Vec<Snowflake> = self.applications.keys().copied().collect();
        let mut left = Vec::new();
        let mut people = Vec::new();
        for guild in self.guilds.values_mut() {
            for bot in &bots {
                guild.presences.remove(bot);
                if let Some(state) = guild.voice_states.shift_remove(bot) {
                    left.push((guild.id, state.channel_id));
                }
            }
            people
                .extend(guild.voice_states.values().map(|state| (guild.id, state.user_id, state.channel_id)));
        }
        for (guild, user, channel) in people {
            self.voice.person(guild, user, Some(channel));
        }
        for (guild, channel) in left {
            self.voice_changed(guild, channel);
        }
        self.resume_webhook_events();
        self.scheduled.notify_one();
        self.catch_up();
    }

    /// Puts on the agenda what the objects of a seed will do by themselves, sends the new guilds to their bots, and has
    /// everybody's client draw what is new.
    pub(crate) fn planted(&mut self, added: &Applied) {
        for (guild, event) in &added.events {
            self.schedule_event(*guild, *event);
        }
        for thread in &added.threads {
            self.watch_activity(*thread);
        }
        self.world_changed();
        for guild in added.guilds.iter().filter_map(|id| self.guilds.get(id)) {
            self.feed.push(Notice::Guild(guild.id));
            for bot in self.bots_in(guild.id).into_iter().filter(|bot| self.is_online(*bot)) {
                let create = self.guild_create_json(guild, bot);
                self.dispatch_bot(bot, "GUILD_CREATE", Some(guild.id), create);
            }
        }
    }

    fn empty_voice(&self) {
        for guild in self.guilds.values() {
            for user in guild.voice_states.keys() {
                if self.applications.contains_key(user) {
                    self.voice.remove(guild.id, *user, close::disconnected());
                } else {
                    self.voice.person(guild.id, *user, None);
                }
            }
        }
    }
}
