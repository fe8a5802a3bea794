//! Every event that Discord sends through the gateway (Gateway Events, "Receive Events"), and whether the sandbox does.

/// An event of the gateway.
#[derive(Clone, Copy, Debug)]
pub struct GatewayEvent {
    /// Name, as in the payload's field `t`.
    pub name: &'static str,
    /// Whether something in the sandbox sends it.
    pub sent: bool,
    /// What is simplified; empty if nothing is known to be.
    pub note: &'static str,
}

const fn sent(name: &'static str, note: &'static str) -> GatewayEvent {
    GatewayEvent { name, sent: true, note }
}

const fn never(name: &'static str) -> GatewayEvent {
    GatewayEvent { name, sent: false, note: "" }
}

/// All events, in the order of Discord's table.
pub const EVENTS: &[GatewayEvent] = &[
    sent("READY", ""),
    sent("RESUMED", ""),
    sent("RATE_LIMITED", "For opcode 8, if `Options::member_list_every` is set."),
    sent("APPLICATION_COMMAND_PERMISSIONS_UPDATE", ""),
    never("AUTO_MODERATION_RULE_CREATE"),
    never("AUTO_MODERATION_RULE_UPDATE"),
    never("AUTO_MODERATION_RULE_DELETE"),
    never("AUTO_MODERATION_ACTION_EXECUTION"),
    sent("CHANNEL_CREATE", ""),
    sent("CHANNEL_UPDATE", ""),
    sent("CHANNEL_DELETE", ""),
    sent("CHANNEL_INFO", ""),
    sent("CHANNEL_PINS_UPDATE", ""),
    sent("THREAD_CREATE", ""),
    sent("THREAD_UPDATE", ""),
    sent("THREAD_DELETE", ""),
    sent("THREAD_LIST_SYNC", ""),
    sent("THREAD_MEMBER_UPDATE", "On unarchiving."),
    sent("THREAD_MEMBERS_UPDATE", ""),
    sent("ENTITLEMENT_CREATE", ""),
    sent("ENTITLEMENT_UPDATE", "Also when one is consumed."),
    sent("ENTITLEMENT_DELETE", ""),
    sent("GUILD_CREATE", "Stage instances and scheduled events are always empty."),
    sent("GUILD_UPDATE", ""),
    sent("GUILD_DELETE", ""),
    sent("GUILD_AUDIT_LOG_ENTRY_CREATE", ""),
    sent("GUILD_BAN_ADD", ""),
    sent("GUILD_BAN_REMOVE", ""),
    sent("GUILD_EMOJIS_UPDATE", ""),
    sent("GUILD_STICKERS_UPDATE", ""),
    sent("GUILD_INTEGRATIONS_UPDATE", ""),
    sent("GUILD_MEMBER_ADD", ""),
    sent("GUILD_MEMBER_REMOVE", ""),
    sent("GUILD_MEMBER_UPDATE", ""),
    sent("GUILD_MEMBERS_CHUNK", ""),
    sent("GUILD_ROLE_CREATE", ""),
    sent("GUILD_ROLE_UPDATE", ""),
    sent("GUILD_ROLE_DELETE", ""),
    never("GUILD_SCHEDULED_EVENT_CREATE"),
    never("GUILD_SCHEDULED_EVENT_UPDATE"),
    never("GUILD_SCHEDULED_EVENT_DELETE"),
    never("GUILD_SCHEDULED_EVENT_USER_ADD"),
    never("GUILD_SCHEDULED_EVENT_USER_REMOVE"),
    sent("GUILD_SOUNDBOARD_SOUND_CREATE", ""),
    sent("GUILD_SOUNDBOARD_SOUND_UPDATE", ""),
    sent("GUILD_SOUNDBOARD_SOUND_DELETE", ""),
    sent("GUILD_SOUNDBOARD_SOUNDS_UPDATE", "When boosts come or go."),
    sent("SOUNDBOARD_SOUNDS", ""),
    sent("INTEGRATION_CREATE", ""),
    sent("INTEGRATION_UPDATE", ""),
    sent("INTEGRATION_DELETE", ""),
    sent("INTERACTION_CREATE", "`entitlements` leaves out what is consumed."),
    sent("INVITE_CREATE", ""),
    sent("INVITE_DELETE", ""),
    sent("MESSAGE_CREATE", ""),
    sent("MESSAGE_UPDATE", ""),
    sent("MESSAGE_DELETE", ""),
    sent("MESSAGE_DELETE_BULK", ""),
    sent("MESSAGE_REACTION_ADD", ""),
    sent("MESSAGE_REACTION_REMOVE", ""),
    sent("MESSAGE_REACTION_REMOVE_ALL", ""),
    sent("MESSAGE_REACTION_REMOVE_EMOJI", ""),
    sent("PRESENCE_UPDATE", ""),
    never("STAGE_INSTANCE_CREATE"),
    never("STAGE_INSTANCE_UPDATE"),
    never("STAGE_INSTANCE_DELETE"),
    sent("SUBSCRIPTION_CREATE", ""),
    sent("SUBSCRIPTION_UPDATE", ""),
    sent("SUBSCRIPTION_DELETE", ""),
    sent("TYPING_START", ""),
    sent("USER_UPDATE", ""),
    sent("VOICE_CHANNEL_EFFECT_SEND", ""),
    never("VOICE_CHANNEL_START_TIME_UPDATE"),
    sent("VOICE_CHANNEL_STATUS_UPDATE", ""),
    sent("VOICE_STATE_UPDATE", ""),
    sent("VOICE_SERVER_UPDATE", ""),
    sent("WEBHOOKS_UPDATE", ""),
    never("MESSAGE_POLL_VOTE_ADD"),
    never("MESSAGE_POLL_VOTE_REMOVE"),
];
