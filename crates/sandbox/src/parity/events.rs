//! Every event that Discord sends: through the gateway (Gateway Events, "Receive Events"), of which the sandbox sends all, and
//! to an address (Webhook Events, "Event Types").

/// An event of the gateway.
#[derive(Clone, Copy, Debug)]
pub struct GatewayEvent {
    /// Name, as in the payload's field `t`.
    pub name: &'static str,
    /// What is simplified; empty if nothing is known to be.
    pub note: &'static str,
}

const fn sent(name: &'static str, note: &'static str) -> GatewayEvent {
    GatewayEvent { name, note }
}

/// All events, in the order of Discord's table.
pub const EVENTS: &[GatewayEvent] = &[
    sent("READY", ""),
    sent("RESUMED", ""),
    sent("RATE_LIMITED", "For opcode 8 only, as on Discord."),
    sent("APPLICATION_COMMAND_PERMISSIONS_UPDATE", ""),
    sent("AUTO_MODERATION_RULE_CREATE", ""),
    sent("AUTO_MODERATION_RULE_UPDATE", ""),
    sent("AUTO_MODERATION_RULE_DELETE", ""),
    sent("AUTO_MODERATION_ACTION_EXECUTION", ""),
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
    sent("GUILD_CREATE", ""),
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
    sent("GUILD_SCHEDULED_EVENT_CREATE", ""),
    sent("GUILD_SCHEDULED_EVENT_UPDATE", ""),
    sent("GUILD_SCHEDULED_EVENT_DELETE", ""),
    sent("GUILD_SCHEDULED_EVENT_USER_ADD", ""),
    sent("GUILD_SCHEDULED_EVENT_USER_REMOVE", ""),
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
    sent("STAGE_INSTANCE_CREATE", ""),
    sent("STAGE_INSTANCE_UPDATE", ""),
    sent("STAGE_INSTANCE_DELETE", ""),
    sent("SUBSCRIPTION_CREATE", ""),
    sent("SUBSCRIPTION_UPDATE", ""),
    sent("SUBSCRIPTION_DELETE", ""),
    sent("TYPING_START", ""),
    sent("USER_UPDATE", ""),
    sent("VOICE_CHANNEL_EFFECT_SEND", ""),
    sent("VOICE_CHANNEL_START_TIME_UPDATE", ""),
    sent("VOICE_CHANNEL_STATUS_UPDATE", ""),
    sent("VOICE_STATE_UPDATE", ""),
    sent("VOICE_SERVER_UPDATE", ""),
    sent("WEBHOOKS_UPDATE", ""),
    sent("MESSAGE_POLL_VOTE_ADD", ""),
    sent("MESSAGE_POLL_VOTE_REMOVE", ""),
];

/// A webhook event.
#[derive(Clone, Copy, Debug)]
pub struct WebhookEvent {
    /// Type, as in the field `type` of the event.
    pub name: &'static str,
    /// Whether it is sent.
    pub sent: bool,
    /// What is simplified; empty if nothing is known to be.
    pub note: &'static str,
}

const fn webhook(name: &'static str, note: &'static str) -> WebhookEvent {
    WebhookEvent { name, sent: true, note }
}

const GAMES: &str = "For users whose game the control API has connected to a lobby.";

/// All webhook events, in the order of Discord's table.
pub const WEBHOOK_EVENTS: &[WebhookEvent] = &[
    webhook("APPLICATION_AUTHORIZED", "A guild's owner authorizes a bot that is added."),
    webhook(
        "APPLICATION_DEAUTHORIZED",
        "When a user removes the application, and when accounts are unmerged.",
    ),
    webhook("ENTITLEMENT_CREATE", ""),
    webhook("ENTITLEMENT_UPDATE", ""),
    webhook("ENTITLEMENT_DELETE", ""),
    WebhookEvent {
        name: "QUEST_USER_ENROLLMENT",
        sent: false,
        note: "Apps cannot receive it at this time, as the documentation says.",
    },
    webhook("LOBBY_MESSAGE_CREATE", ""),
    webhook("LOBBY_MESSAGE_UPDATE", "For messages of the linked channel."),
    webhook("LOBBY_MESSAGE_DELETE", "For messages of the linked channel."),
    webhook("GAME_DIRECT_MESSAGE_CREATE", GAMES),
    webhook("GAME_DIRECT_MESSAGE_UPDATE", GAMES),
    webhook("GAME_DIRECT_MESSAGE_DELETE", GAMES),
];
