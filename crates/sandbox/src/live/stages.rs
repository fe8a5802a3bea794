//! Live stages: opening, changing and closing them, by a request, by an event, and by themselves.

use serde_json::Value;
use time::OffsetDateTime;

use super::Live;
use super::changes::changes;
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::agenda::Due;
use crate::state::channel::kind;
use crate::state::clock;
use crate::state::message::{Author, Message};
use crate::state::scheduled_event::status;
use crate::state::stage::StageInstance;
use crate::validate::scheduled_event::entity;
use crate::validate::stage::{GUILD_ONLY, StageCreate};

/// Fields of a stage instance that no entry of the audit log names.
const NO_CHANGE: &[&str] =
    &["id", "guild_id", "channel_id", "discoverable_disabled", "guild_scheduled_event_id"];

/// Types of the messages with which a stage is reported in its channel.
mod notice {
    pub(super) const START: u8 = 27;
    pub(super) const END: u8 = 28;
    pub(super) const TOPIC: u8 = 31;
}

impl Live<'_> {
    /// Returns the live stage in a channel that a user sees.
    pub fn stage_for(&self, channel: Snowflake, user: Snowflake) -> ApiResult<&StageInstance> {
        self.channel_for(channel, user, Permissions::NONE)?;
        self.stage(channel).ok_or_else(ApiError::unknown_stage_instance)
    }

    /// Opens a stage for one of its moderators.
    pub fn create_stage(
        &mut self,
        body: StageCreate,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Value> {
        let channel_id = body.channel_id;
        let guild = self.moderated_stage(channel_id, by)?;
        if self.stage(channel_id).is_some() {
            return Err(ApiError::stage_already_open());
        }
        if let Some(event) = body.guild_scheduled_event_id {
            let event = self.event_for(guild, event, by)?;
            if event.body.entity_type != entity::STAGE_INSTANCE || event.body.channel_id != Some(channel_id) {
                return Err(ApiError::wrong_event_entity());
            }
            if !event.is_open() {
                return Err(ApiError::finished_event());
            }
        }
        // Without the permission the notification is not sent.
        let may_notify = self.require(channel_id, by, Permissions::MENTION_EVERYONE).is_ok();
        let stage = StageInstance {
            id: self.next_id(),
            guild_id: guild,
            channel_id,
            started_by: by,
            topic: body.topic,
            privacy_level: body.privacy_level,
            guild_scheduled_event_id: body.guild_scheduled_event_id,
        };
        let shown = stage.json();
        let id = stage.id;
        self.open_stage(stage, body.send_start_notification && may_notify);
        self.audit_stage(guild, 83, by, id, channel_id, reason, changes(&Value::Null, &shown, NO_CHANGE));
        let now = self.clock.now();
        if let Some(event) = body.guild_scheduled_event_id
            && let Some(found) = self.event_mut(guild, event)
        {
            found.entity_id = Some(id);
            found.status = status::ACTIVE;
            found.started = Some(now);
            self.announce_event(guild, event);
        }
        Ok(shown)
    }

    /// Changes the topic or privacy level of a live stage for one of its moderators.
    pub fn edit_stage(
        &mut self,
        channel: Snowflake,
        topic: Option<String>,
        privacy: Option<u8>,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Value> {
        let guild = self.moderated_stage(channel, by)?;
        let stage = self.guild_mut(guild)?.stage_instances.get_mut(&channel);
        let stage = stage.ok_or_else(ApiError::unknown_stage_instance)?;
        let before = stage.json();
        stage.topic = topic.unwrap_or(std::mem::take(&mut stage.topic));
        stage.privacy_level = privacy.unwrap_or(stage.privacy_level);
        let (id, after, topic) = (stage.id, stage.json(), stage.topic.clone());
        if before != after {
            self.dispatch_channel(channel, "STAGE_INSTANCE_UPDATE", after.clone());
            if before["topic"] != after["topic"] {
                self.notice(channel, notice::TOPIC, by, topic, false);
            }
            self.audit_stage(guild, 84, by, id, channel, reason, changes(&before, &after, NO_CHANGE));
        }
        Ok(after)
    }

    /// Closes a live stage for one of its moderators. Its event is over.
    pub fn delete_stage(&mut self, channel: Snowflake, by: Snowflake, reason: Option<&str>) -> ApiResult<()> {
        let guild = self.moderated_stage(channel, by)?;
        let gone = self.close_stage(channel, by).ok_or_else(ApiError::unknown_stage_instance)?;
        let changes = changes(&gone.json(), &Value::Null, NO_CHANGE);
        self.audit_stage(guild, 85, by, gone.id, channel, reason, changes);
        Ok(())
    }

    fn stage(&self, channel: Snowflake) -> Option<&StageInstance> {
        let guild = self.channels.get(&channel)?.guild_id?;
        self.guilds.get(&guild)?.stage_instances.get(&channel)
    }

    /// Returns the guild of a stage channel of which a user is a moderator (Stage Instance Resource, "Definitions").
    fn moderated_stage(&self, channel: Snowflake, user: Snowflake) -> ApiResult<Snowflake> {
        let moderator = Permissions::MANAGE_CHANNELS | Permissions::MUTE_MEMBERS | Permissions::MOVE_MEMBERS;
        let found = self.channel_for(channel, user, moderator)?;
        found.guild_id.filter(|_| found.kind == kind::STAGE).ok_or_else(ApiError::wrong_channel_type)
    }

    fn open_stage(&mut self, stage: StageInstance, notify: bool) {
        let (guild, channel, by) = (stage.guild_id, stage.channel_id, stage.started_by);
        let (topic, shown) = (stage.topic.clone(), stage.json());
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.stage_instances.insert(channel, stage);
        }
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.silent_since = None;
        }
        self.dispatch_channel(channel, "STAGE_INSTANCE_CREATE", shown);
        self.notice(channel, notice::START, by, topic, notify);
        self.watch_speakers(guild, channel);
    }

    /// Closes a stage, sends the events, and ends its scheduled event.
    fn close_stage(&mut self, channel: Snowflake, by: Snowflake) -> Option<StageInstance> {
        let guild = self.channels.get(&channel)?.guild_id?;
        let gone = self.guilds.get_mut(&guild)?.stage_instances.shift_remove(&channel)?;
        self.dispatch_channel(channel, "STAGE_INSTANCE_DELETE", gone.json());
        self.notice(channel, notice::END, by, gone.topic.clone(), false);
        if let Some(event) = gone.guild_scheduled_event_id
            && self.event_mut(guild, event).is_some_and(|event| event.status == status::ACTIVE)
        {
            self.set_event_status(guild, event, status::COMPLETED, by);
        }
        Some(gone)
    }

    /// Opens the stage of an event that starts, or links the one that is live.
    pub(super) fn open_stage_for_event(
        &mut self,
        channel_id: Snowflake,
        event: Snowflake,
        topic: String,
        by: Snowflake,
    ) {
        let Some(guild_id) = self.channels.get(&channel_id).and_then(|channel| channel.guild_id) else {
            return;
        };
        let live =
            self.guilds.get_mut(&guild_id).and_then(|guild| guild.stage_instances.get_mut(&channel_id));
        let id = if let Some(stage) = live {
            stage.guild_scheduled_event_id = Some(event);
            let (id, shown) = (stage.id, stage.json());
            self.dispatch_channel(channel_id, "STAGE_INSTANCE_UPDATE", shown);
            id
        } else {
            let id = self.next_id();
            let stage = StageInstance {
                id,
                guild_id,
                channel_id,
                started_by: by,
                topic,
                privacy_level: GUILD_ONLY,
                guild_scheduled_event_id: Some(event),
            };
            self.open_stage(stage, false);
            id
        };
        if let Some(event) = self.event_mut(guild_id, event) {
            event.entity_id = Some(id);
        }
    }

    /// Closes the stage of an event that is over.
    pub(super) fn close_stage_of_event(&mut self, guild: Snowflake, event: Snowflake, by: Snowflake) {
        let stages = self.guilds.get(&guild).into_iter().flat_map(|guild| guild.stage_instances.values());
        let mut linked = stages.filter(|stage| stage.guild_scheduled_event_id == Some(event));
        if let Some(channel) = linked.next().map(|stage| stage.channel_id) {
            self.close_stage(channel, by);
        }
    }

    /// Separates a stage from an event that is deleted.
    pub(super) fn unlink_stage(&mut self, guild: Snowflake, event: Snowflake) {
        let stages =
            self.guilds.get_mut(&guild).into_iter().flat_map(|guild| guild.stage_instances.values_mut());
        for stage in stages {
            if stage.guild_scheduled_event_id == Some(event) {
                stage.guild_scheduled_event_id = None;
            }
        }
    }

    /// Closes the stage in a channel that is deleted.
    pub(super) fn close_stage_in(&mut self, channel: Snowflake) {
        if let Some(by) = self.stage(channel).map(|stage| stage.started_by) {
            self.close_stage(channel, by);
        }
    }

    /// Notes since when a live stage has no speakers, and puts its end on the agenda.
    pub(super) fn watch_speakers(&mut self, guild_id: Snowflake, channel: Snowflake) {
        if self.stage(channel).is_none() {
            return;
        }
        let states = self.guilds.get(&guild_id).into_iter().flat_map(|guild| guild.voice_states.values());
        let mut speakers = states.filter(|state| {
            state.channel_id == channel && !state.suppress && state.request_to_speak.is_none()
        });
        let silent = speakers.next().is_none();
        let now = self.clock.now();
        let Some(found) = self.channels.get_mut(&channel) else { return };
        if !silent {
            found.silent_since = None;
        } else if found.silent_since.is_none() {
            found.silent_since = Some(now);
            self.schedule(clock::later(now, self.limits.empty_channel), Due::SilentStage { channel });
        }
    }

    /// Closes a stage that has had no speakers for too long (Stage Instance Resource, "Auto Closing").
    pub(super) fn stage_is_due(&mut self, channel: Snowflake, now: OffsetDateTime) {
        let since = self.channels.get(&channel).and_then(|channel| channel.silent_since);
        if since.is_some_and(|since| clock::later(since, self.limits.empty_channel) <= now) {
            self.close_stage_in(channel);
        }
    }

    fn notice(&mut self, channel: Snowflake, kind: u8, by: Snowflake, topic: String, notify: bool) {
        let mut notice = Message::new(self.next_id(), channel, Author::User(by));
        notice.kind = kind;
        notice.content = topic;
        notice.mention_everyone = notify;
        self.publish(notice);
    }

    #[expect(clippy::too_many_arguments, reason = "what, where, by whom and why belong to one entry")]
    fn audit_stage(
        &mut self,
        guild: Snowflake,
        action: u64,
        by: Snowflake,
        id: Snowflake,
        channel: Snowflake,
        reason: Option<&str>,
        changes: Vec<Value>,
    ) {
        let options = serde_json::json!({ "channel_id": channel });
        self.audit_with(guild, action, by, Some(id), reason, changes, Some(&options));
    }
}
