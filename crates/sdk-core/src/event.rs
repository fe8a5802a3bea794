//! Every gateway event as a type of its own, so that a listener's argument determines what it listens to.

use std::collections::HashMap;

#[allow(clippy::wildcard_imports)] // The table below names nearly all of them.
use serenity::all::*;

macro_rules! events {
    ($( $(#[doc = $doc:literal])* $name:ident { $($field:ident: $type:ty),* } needs $intents:expr, in $guild:expr; )*) => {
        /// The kind of an event, one for each variant of serenity's [`FullEvent`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind {
            $( $(#[doc = $doc])* $name, )*
        }

        impl EventKind {
            /// Every kind, in the order of their indices.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the kind of an event; `None` for one that Discord no longer sends.
            pub fn of(event: &FullEvent) -> Option<Self> {
                match event {
                    $( FullEvent::$name { .. } => Some(Self::$name), )*
                    _ => None,
                }
            }

            /// Returns the kind's name as serenity spells it, for example `GuildMemberAddition`.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => stringify!($name), )* }
            }

            /// Returns the intents without which Discord does not send this event in a guild.
            ///
            /// Source: Discord's list of intents in the gateway documentation. For direct messages a plugin adds
            /// `DIRECT_MESSAGES` and the like in [`Plugin::intents`](crate::Plugin::intents).
            pub const fn intents(self) -> GatewayIntents {
                match self { $( Self::$name => $intents, )* }
            }
        }

        /// Returns the guild that an event belongs to; `None` for direct messages, and for events of no guild.
        #[allow(unused_variables)] // Most events have more than their guild.
        pub(crate) fn guild_of(event: &FullEvent) -> Option<GuildId> {
            match event {
                $( FullEvent::$name { $($field),* } => $guild, )*
                _ => None,
            }
        }

        $(
            $(#[doc = $doc])*
            #[derive(Clone, Debug)]
            #[allow(missing_docs)] // The fields are serenity's own; see `FullEvent`.
            pub struct $name { $( pub $field: $type, )* }

            impl Event for $name {
                const KIND: EventKind = EventKind::$name;

                fn from_full(event: &FullEvent) -> Option<Self> {
                    match event {
                        FullEvent::$name { $($field),* } => Some(Self { $($field: $field.clone()),* }),
                        _ => None,
                    }
                }
            }
        )*
    };
}

/// An event that a listener can have as its argument.
pub trait Event: Sized + Send + 'static {
    /// Kind of the event.
    const KIND: EventKind;

    /// Extracts the event from serenity's enum; `None` if it is of another kind.
    fn from_full(event: &FullEvent) -> Option<Self>;
}

const NONE: GatewayIntents = GatewayIntents::empty();
const NO_GUILD: Option<GuildId> = None;

fn of_interaction(interaction: &Interaction) -> Option<GuildId> {
    match interaction {
        Interaction::Command(command) | Interaction::Autocomplete(command) => command.guild_id,
        Interaction::Component(component) => component.guild_id,
        Interaction::Modal(modal) => modal.guild_id,
        _ => None,
    }
}

events! {
    /// Permissions of an application command were changed.
    CommandPermissionsUpdate { permission: CommandPermissions } needs NONE, in Some(permission.guild_id);
    /// An auto moderation rule was created.
    AutoModRuleCreate { rule: Rule } needs GatewayIntents::AUTO_MODERATION_CONFIGURATION, in Some(rule.guild_id);
    /// An auto moderation rule was changed.
    AutoModRuleUpdate { rule: Rule } needs GatewayIntents::AUTO_MODERATION_CONFIGURATION, in Some(rule.guild_id);
    /// An auto moderation rule was deleted.
    AutoModRuleDelete { rule: Rule } needs GatewayIntents::AUTO_MODERATION_CONFIGURATION, in Some(rule.guild_id);
    /// An auto moderation rule took effect.
    AutoModActionExecution { execution: ActionExecution } needs GatewayIntents::AUTO_MODERATION_EXECUTION, in Some(execution.guild_id);
    /// All guilds are in the cache.
    CacheReady { guilds: Vec<GuildId> } needs GatewayIntents::GUILDS, in NO_GUILD;
    /// Every shard is ready.
    ShardsReady { total_shards: u32 } needs NONE, in NO_GUILD;
    /// A channel was created.
    ChannelCreate { channel: GuildChannel } needs GatewayIntents::GUILDS, in Some(channel.guild_id);
    /// A category was created.
    CategoryCreate { category: GuildChannel } needs GatewayIntents::GUILDS, in Some(category.guild_id);
    /// A category was deleted.
    CategoryDelete { category: GuildChannel } needs GatewayIntents::GUILDS, in Some(category.guild_id);
    /// A channel was deleted.
    ChannelDelete { channel: GuildChannel, messages: Option<Vec<serenity::all::Message>> } needs GatewayIntents::GUILDS, in Some(channel.guild_id);
    /// A message was pinned or unpinned.
    ChannelPinsUpdate { pin: ChannelPinsUpdateEvent } needs GatewayIntents::GUILDS, in pin.guild_id;
    /// A channel was changed.
    ChannelUpdate { old: Option<GuildChannel>, new: GuildChannel } needs GatewayIntents::GUILDS, in Some(new.guild_id);
    /// The audit log got an entry.
    GuildAuditLogEntryCreate { entry: AuditLogEntry, guild_id: GuildId } needs GatewayIntents::GUILD_MODERATION, in Some(*guild_id);
    /// A user was banned.
    GuildBanAddition { guild_id: GuildId, banned_user: User } needs GatewayIntents::GUILD_MODERATION, in Some(*guild_id);
    /// A ban was lifted.
    GuildBanRemoval { guild_id: GuildId, unbanned_user: User } needs GatewayIntents::GUILD_MODERATION, in Some(*guild_id);
    /// A guild became available, or the bot joined it.
    GuildCreate { guild: Guild, is_new: Option<bool> } needs GatewayIntents::GUILDS, in Some(guild.id);
    /// A guild went offline, or the bot left it.
    GuildDelete { incomplete: UnavailableGuild, full: Option<Guild> } needs GatewayIntents::GUILDS, in Some(incomplete.id);
    /// A guild's emojis were changed.
    GuildEmojisUpdate { guild_id: GuildId, current_state: HashMap<EmojiId, Emoji> } needs GatewayIntents::GUILD_EMOJIS_AND_STICKERS, in Some(*guild_id);
    /// A guild's integrations were changed.
    GuildIntegrationsUpdate { guild_id: GuildId } needs GatewayIntents::GUILD_INTEGRATIONS, in Some(*guild_id);
    /// A user joined a guild.
    GuildMemberAddition { new_member: Member } needs GatewayIntents::GUILD_MEMBERS, in Some(new_member.guild_id);
    /// A user left a guild, or was removed.
    GuildMemberRemoval { guild_id: GuildId, user: User, member_data_if_available: Option<Member> } needs GatewayIntents::GUILD_MEMBERS, in Some(*guild_id);
    /// A member was changed.
    GuildMemberUpdate { old_if_available: Option<Member>, new: Option<Member>, event: GuildMemberUpdateEvent } needs GatewayIntents::GUILD_MEMBERS, in Some(event.guild_id);
    /// Requested members arrived.
    GuildMembersChunk { chunk: GuildMembersChunkEvent } needs NONE, in Some(chunk.guild_id);
    /// A role was created.
    GuildRoleCreate { new: Role } needs GatewayIntents::GUILDS, in Some(new.guild_id);
    /// A role was deleted.
    GuildRoleDelete { guild_id: GuildId, removed_role_id: RoleId, removed_role_data_if_available: Option<Role> } needs GatewayIntents::GUILDS, in Some(*guild_id);
    /// A role was changed.
    GuildRoleUpdate { old_data_if_available: Option<Role>, new: Role } needs GatewayIntents::GUILDS, in Some(new.guild_id);
    /// A guild's stickers were changed.
    GuildStickersUpdate { guild_id: GuildId, current_state: HashMap<StickerId, Sticker> } needs GatewayIntents::GUILD_EMOJIS_AND_STICKERS, in Some(*guild_id);
    /// A guild was changed.
    GuildUpdate { old_data_if_available: Option<Guild>, new_data: PartialGuild } needs GatewayIntents::GUILDS, in Some(new_data.id);
    /// An invite was created.
    InviteCreate { data: InviteCreateEvent } needs GatewayIntents::GUILD_INVITES, in data.guild_id;
    /// An invite was deleted.
    InviteDelete { data: InviteDeleteEvent } needs GatewayIntents::GUILD_INVITES, in data.guild_id;
    /// A message was sent.
    Message { new_message: serenity::all::Message } needs GatewayIntents::GUILD_MESSAGES, in new_message.guild_id;
    /// A message was deleted.
    MessageDelete { channel_id: ChannelId, deleted_message_id: MessageId, guild_id: Option<GuildId> } needs GatewayIntents::GUILD_MESSAGES, in *guild_id;
    /// Messages were deleted at once.
    MessageDeleteBulk { channel_id: ChannelId, multiple_deleted_messages_ids: Vec<MessageId>, guild_id: Option<GuildId> } needs GatewayIntents::GUILD_MESSAGES, in *guild_id;
    /// A message was edited.
    MessageUpdate { old_if_available: Option<serenity::all::Message>, new: Option<serenity::all::Message>, event: MessageUpdateEvent } needs GatewayIntents::GUILD_MESSAGES, in event.guild_id;
    /// A reaction was added.
    ReactionAdd { add_reaction: Reaction } needs GatewayIntents::GUILD_MESSAGE_REACTIONS, in add_reaction.guild_id;
    /// A reaction was removed.
    ReactionRemove { removed_reaction: Reaction } needs GatewayIntents::GUILD_MESSAGE_REACTIONS, in removed_reaction.guild_id;
    /// All reactions of a message were removed.
    ReactionRemoveAll { channel_id: ChannelId, removed_from_message_id: MessageId } needs GatewayIntents::GUILD_MESSAGE_REACTIONS, in NO_GUILD;
    /// All reactions with one emoji were removed.
    ReactionRemoveEmoji { removed_reactions: Reaction } needs GatewayIntents::GUILD_MESSAGE_REACTIONS, in removed_reactions.guild_id;
    /// A user's presence was changed.
    PresenceUpdate { new_data: Presence } needs GatewayIntents::GUILD_PRESENCES, in new_data.guild_id;
    /// The gateway session began.
    Ready { data_about_bot: serenity::all::Ready } needs NONE, in NO_GUILD;
    /// The gateway session was resumed.
    Resume { event: ResumedEvent } needs NONE, in NO_GUILD;
    /// A shard's connection changed its stage.
    ShardStageUpdate { event: ShardStageUpdateEvent } needs NONE, in NO_GUILD;
    /// Requested soundboard sounds arrived.
    SoundboardSounds { event: SoundboardSoundsEvent } needs NONE, in Some(event.guild_id);
    /// A soundboard sound was created.
    SoundboardSoundCreate { event: SoundboardSoundCreateEvent } needs GatewayIntents::GUILD_EMOJIS_AND_STICKERS, in event.soundboard.guild_id;
    /// A soundboard sound was changed.
    SoundboardSoundUpdate { event: SoundboardSoundUpdateEvent } needs GatewayIntents::GUILD_EMOJIS_AND_STICKERS, in event.soundboard.guild_id;
    /// Several soundboard sounds were changed.
    SoundboardSoundsUpdate { event: SoundboardSoundsUpdateEvent } needs GatewayIntents::GUILD_EMOJIS_AND_STICKERS, in Some(event.guild_id);
    /// A soundboard sound was deleted.
    SoundboardSoundDelete { event: SoundboardSoundDeleteEvent } needs GatewayIntents::GUILD_EMOJIS_AND_STICKERS, in Some(event.guild_id);
    /// A user began to type.
    TypingStart { event: TypingStartEvent } needs GatewayIntents::GUILD_MESSAGE_TYPING, in event.guild_id;
    /// The bot's own user was changed.
    UserUpdate { old_data: Option<CurrentUser>, new: CurrentUser } needs NONE, in NO_GUILD;
    /// A guild's voice server was changed.
    VoiceServerUpdate { event: VoiceServerUpdateEvent } needs GatewayIntents::GUILD_VOICE_STATES, in event.guild_id;
    /// A user joined, left or moved in voice.
    VoiceStateUpdate { old: Option<VoiceState>, new: VoiceState } needs GatewayIntents::GUILD_VOICE_STATES, in new.guild_id;
    /// A voice channel's status was changed.
    VoiceChannelStatusUpdate { old: Option<String>, status: Option<String>, id: ChannelId, guild_id: GuildId } needs GatewayIntents::GUILD_VOICE_STATES, in Some(*guild_id);
    /// A channel's webhooks were changed.
    WebhookUpdate { guild_id: GuildId, belongs_to_channel_id: ChannelId } needs GatewayIntents::GUILD_WEBHOOKS, in Some(*guild_id);
    /// A user ran a command, pressed a component or sent a modal.
    InteractionCreate { interaction: Interaction } needs NONE, in of_interaction(interaction);
    /// An integration was created.
    IntegrationCreate { integration: Integration } needs GatewayIntents::GUILD_INTEGRATIONS, in integration.guild_id;
    /// An integration was changed.
    IntegrationUpdate { integration: Integration } needs GatewayIntents::GUILD_INTEGRATIONS, in integration.guild_id;
    /// An integration was deleted.
    IntegrationDelete { integration_id: IntegrationId, guild_id: GuildId, application_id: Option<ApplicationId> } needs GatewayIntents::GUILD_INTEGRATIONS, in Some(*guild_id);
    /// A stage began.
    StageInstanceCreate { stage_instance: StageInstance } needs GatewayIntents::GUILDS, in Some(stage_instance.guild_id);
    /// A stage was changed.
    StageInstanceUpdate { stage_instance: StageInstance } needs GatewayIntents::GUILDS, in Some(stage_instance.guild_id);
    /// A stage ended.
    StageInstanceDelete { stage_instance: StageInstance } needs GatewayIntents::GUILDS, in Some(stage_instance.guild_id);
    /// A thread was created, or the bot was added to it.
    ThreadCreate { thread: GuildChannel } needs GatewayIntents::GUILDS, in Some(thread.guild_id);
    /// A thread was changed.
    ThreadUpdate { old: Option<GuildChannel>, new: GuildChannel } needs GatewayIntents::GUILDS, in Some(new.guild_id);
    /// A thread was deleted.
    ThreadDelete { thread: PartialGuildChannel, full_thread_data: Option<GuildChannel> } needs GatewayIntents::GUILDS, in Some(thread.guild_id);
    /// The bot gained access to a channel's threads.
    ThreadListSync { thread_list_sync: ThreadListSyncEvent } needs GatewayIntents::GUILDS, in Some(thread_list_sync.guild_id);
    /// The bot's own thread membership was changed.
    ThreadMemberUpdate { thread_member: ThreadMember } needs GatewayIntents::GUILDS, in thread_member.guild_id;
    /// Members were added to or removed from a thread.
    ThreadMembersUpdate { thread_members_update: ThreadMembersUpdateEvent } needs GatewayIntents::GUILDS, in Some(thread_members_update.guild_id);
    /// A scheduled event was created.
    GuildScheduledEventCreate { event: ScheduledEvent } needs GatewayIntents::GUILD_SCHEDULED_EVENTS, in Some(event.guild_id);
    /// A scheduled event was changed.
    GuildScheduledEventUpdate { event: ScheduledEvent } needs GatewayIntents::GUILD_SCHEDULED_EVENTS, in Some(event.guild_id);
    /// A scheduled event was deleted.
    GuildScheduledEventDelete { event: ScheduledEvent } needs GatewayIntents::GUILD_SCHEDULED_EVENTS, in Some(event.guild_id);
    /// A user subscribed to a scheduled event.
    GuildScheduledEventUserAdd { subscribed: GuildScheduledEventUserAddEvent } needs GatewayIntents::GUILD_SCHEDULED_EVENTS, in Some(subscribed.guild_id);
    /// A user unsubscribed from a scheduled event.
    GuildScheduledEventUserRemove { unsubscribed: GuildScheduledEventUserRemoveEvent } needs GatewayIntents::GUILD_SCHEDULED_EVENTS, in Some(unsubscribed.guild_id);
    /// A user subscribed to a SKU.
    EntitlementCreate { entitlement: Entitlement } needs NONE, in entitlement.guild_id;
    /// A subscription was changed.
    EntitlementUpdate { entitlement: Entitlement } needs NONE, in entitlement.guild_id;
    /// A subscription was deleted.
    EntitlementDelete { entitlement: Entitlement } needs NONE, in entitlement.guild_id;
    /// A user voted in a poll.
    MessagePollVoteAdd { event: MessagePollVoteAddEvent } needs GatewayIntents::GUILD_MESSAGE_POLLS, in event.guild_id;
    /// A user removed a vote from a poll.
    MessagePollVoteRemove { event: MessagePollVoteRemoveEvent } needs GatewayIntents::GUILD_MESSAGE_POLLS, in event.guild_id;
    /// A request waited for a rate limit.
    Ratelimit { data: RatelimitInfo } needs NONE, in NO_GUILD;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_taken_out_by_its_own_type_only() {
        let event = FullEvent::ShardsReady { total_shards: 2 };
        assert_eq!(EventKind::of(&event), Some(EventKind::ShardsReady));
        assert_eq!(ShardsReady::from_full(&event).map(|event| event.total_shards), Some(2));
        assert!(GuildIntegrationsUpdate::from_full(&event).is_none());
    }

    #[test]
    fn indices_follow_the_order_of_all() {
        for (index, kind) in EventKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, index);
        }
    }
}
