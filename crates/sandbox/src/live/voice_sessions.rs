//! Since when a voice channel is in use, and since when it is empty.

use serde_json::json;
use time::OffsetDateTime;

use super::Live;
use crate::snowflake::Snowflake;
use crate::state::agenda::Due;
use crate::state::clock;
use crate::state::scheduled_event::status;

impl Live<'_> {
    /// Notes that a member joined, left or changed in a voice channel. If the session starts or ends with that, sends the
    /// event.
    pub(super) fn voice_changed(&mut self, guild: Snowflake, channel: Snowflake) {
        let is_used = !self.in_voice(guild, channel).is_empty();
        let now = self.clock.now();
        let Some(found) = self.channels.get_mut(&channel) else { return };
        if is_used != found.voice_start.is_some() {
            found.voice_start = is_used.then_some(now);
            found.empty_since = (!is_used).then_some(now);
            let start = found.voice_start.map(OffsetDateTime::unix_timestamp);
            let event = json!({ "id": channel, "guild_id": guild, "voice_start_time": start });
            self.dispatch_channel(channel, "VOICE_CHANNEL_START_TIME_UPDATE", event);
            if !is_used {
                self.schedule_empty(guild, channel);
            }
        }
        self.watch_speakers(guild, channel);
    }

    /// Puts the end of the events in a channel that is empty now on the agenda.
    fn schedule_empty(&mut self, guild_id: Snowflake, channel: Snowflake) {
        let Some(guild) = self.guilds.get(&guild_id) else { return };
        let here = guild.scheduled_events.values();
        let here =
            here.filter(|event| event.body.channel_id == Some(channel) && event.status == status::ACTIVE);
        let events: Vec<Snowflake> = here.map(|event| event.id).collect();
        for event in events {
            let at = clock::later(self.clock.now(), self.limits.empty_channel);
            self.schedule(at, Due::ScheduledEvent { guild: guild_id, event });
        }
    }
}
