//! What is simplified in operations that exist, and why some others will stay missing.

use super::Operation;

/// The state of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has a route; the text is what is simplified, or empty.
    Here(&'static str),
    /// It has no route; the text is the reason, or empty.
    Missing(&'static str),
}

impl State {
    /// Returns the state of an operation that has a route, or none.
    pub fn of(operation: &Operation, exists: bool) -> Self {
        let name = operation.name;
        let note = NOTES.iter().find(|(names, _)| names.contains(&name)).map_or("", |(_, note)| note);
        if exists { Self::Here(note) } else { Self::Missing(note) }
    }

    /// Returns the word for the state, and its text.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Here(note) => ("here", note),
            Self::Missing(note) => ("**missing**", note),
        }
    }
}

/// Operations by name, and the sentence about them.
const NOTES: &[(&[&str], &str)] = &[
    (
        &["create_entitlement"],
        "A guild's has the application's owner as its user. A second one like it is refused with 40074.",
    ),
    (
        &["get_soundboard_default_sounds"],
        "Six, without files. No guild has the feature SOUNDBOARD, which Discord's description of its API lacks.",
    ),
    (
        &["list_sticker_packs", "get_sticker_pack"],
        "One pack of the sandbox's own. Bots may send its stickers.",
    ),
    (
        &["create_guild_sticker"],
        "Pictures above 320 x 320 and Lottie without the guild feature are refused with 50046; Discord's code is not documented.",
    ),
    (&["get_bot_gateway"], "`shards` is 1 unless `serve --shards` says otherwise."),
    (
        &["update_guild"],
        "COMMUNITY and DISCOVERABLE need no channels or levels. The region of a guild does nothing. The control API sets boosts and other features.",
    ),
    (&["create_guild_emoji"], "A picture is checked by its type and size only."),
    (
        &["preview_prune_guild", "prune_guild"],
        "Activity is whatever a user does here; the control API says when somebody was last seen.",
    ),
    (
        &["get_guild_welcome_screen", "update_guild_welcome_screen"],
        "Needs the feature COMMUNITY, which the control API gives.",
    ),
    (&["put_guilds_onboarding"], "A new prompt without `in_onboarding` is in \"Channels & Roles\" only."),
    (
        &["get_guild_new_member_welcome"],
        "The control API sets the Server Guide, as no bot can. Icons are not modelled.",
    ),
    (
        &["get_guild_join_requests", "action_guild_join_request"],
        "Undocumented: needs KICK_MEMBERS here, and a request can be reviewed again. There is no event.",
    ),
    (
        &["create_guild_template", "sync_guild_template", "get_guild_template"],
        "Announcement channels become text, stages voice, media channels forums. Emojis of the guild, which tags have, are left out.",
    ),
    (
        &["get_guild_widget_png"],
        "Drawn by the sandbox: with its own mark and letters, and without the guild's icon.",
    ),
    (
        &["create_channel_invite"],
        "Nobody streams here: a target user is one in the voice channel. A target application is a bot of the sandbox.",
    ),
    (
        &["get_invite_target_users_job_status"],
        "A file is processed at once, so a job is always completed. The ids need not be those of users of the sandbox.",
    ),
    (&["add_guild_member"], "Works while invites are paused. The control API grants access tokens."),
    (
        &["update_guild_incident_actions"],
        "Paused direct messages are refused to people, not to bots. Spam and raids are not detected.",
    ),
    (
        &["crosspost_message"],
        "No `mention_channels`. Copies of a deleted message say \"[Original Message Deleted]\".",
    ),
    (
        &["execute_github_compatible_webhook"],
        "Titles and colours are those that are known from Discord; they are not documented.",
    ),
    (
        &["update_application_command", "bulk_set_application_commands"],
        "A change is visible to users at once.",
    ),
    (
        &["set_guild_application_command_permissions"],
        "The user needs MANAGE_GUILD and MANAGE_ROLES; whether they could run the command is not checked.",
    ),
    (&["get_my_guild_member"], "A bot's own token will do here."),
    (
        &["list_voice_regions", "list_guild_voice_regions"],
        "The sandbox's own voice servers, not Discord's regions.",
    ),
    (
        &["create_message", "update_message", "execute_webhook"],
        "Links get no embeds; pictures are not resized.",
    ),
    (
        &["create_auto_moderation_rule", "update_auto_moderation_rule"],
        "Presets are a few words of the sandbox's own, SPAM is the GTUBE line, free Nitro with a link, or the same text five \
         times in ten seconds; raids by mentions are not detected. Each rule that matches is carried out. Answers of apps that only the user \
         has installed are not judged.",
    ),
    (
        &["create_guild_scheduled_event", "update_guild_scheduled_event"],
        "An event in an empty channel ends after 5 minutes, one that has not begun is canceled after 3 hours, and those in \
         a channel that is deleted end with it.",
    ),
    (
        &["create_guild_scheduled_event_exception", "update_guild_scheduled_event_exception"],
        "A moved occurrence is only noted: the event's own times and its automatic start stay those of the rule.",
    ),
    (
        &["list_guild_scheduled_event_exception_users", "count_guild_scheduled_event_users"],
        "Of an exception, only those who answered for that occurrence.",
    ),
    (
        &["guild_search", "thread_search"],
        "Indexed 2 seconds after the first search. Words are compared whole, without stemming; a file name may contain the \
         one searched for. Channels that the bot may not search are passed over.",
    ),
    (&["create_stage_instance"], "A stage without speakers is closed after 5 minutes."),
    (&["poll_expire"], "The counts are final at once, so one MESSAGE_UPDATE tells both."),
    (
        &["create_interaction_response"],
        "An upgrade button (10) shows nothing; an Activity (12) has only an instance id. The HTTP answer of an interactions endpoint \
         is read by the same rules.",
    ),
    (
        &["update_application", "update_my_application"],
        "Addresses for interactions and events may be http:// on this machine and in private networks, and need not be public; the \
         code of a refused `event_webhooks_url` is not documented. A PING with a wrong signature may be answered with any 4xx. Of `flags`, those of privileged intents are set, and others change \
         nothing.",
    ),
    (&["add_group_dm_user"], "Nicknames are taken and shown to nobody."),
    (
        &["create_lobby", "edit_lobby"],
        "Deleted when it is idle: no game connects, so it is idle since the last operation on it; the control API connects a \
         member's game. `override_event_webhooks_url`, which is not documented, gets the lobby's events in place of the application's \
         address, and is not verified. There is no voice in lobbies.",
    ),
    (
        &["add_lobby_member", "bulk_update_lobby_members", "create_or_join_lobby"],
        "1000 members of a lobby and 100 lobbies of a user are refused with code 0 and a sentence, since no code is \
         documented. Any user can be added, who need not have authorized the application; a bot cannot (50229).",
    ),
    (
        &["leave_lobby"],
        "That of a lobby which a server created is refused with 403; Discord's code is not documented.",
    ),
    (
        &["edit_lobby_channel_link"],
        "Codes are not documented: 50001 for no member, 50013 without the flag or a permission, 50024 for no text channel and \
         for an age-restricted one, 0 for a lobby with a secret and a channel of another lobby. Nobody gets an event.",
    ),
    (
        &["create_linked_lobby_guild_invite_for_self", "create_linked_lobby_guild_invite_for_user"],
        "The invite has no inviter. Without a linked channel it is refused with 400; a provisional account with 50229. \
         An invited user need not be in the lobby.",
    ),
    (&["get_lobby_messages"], "Oldest first, as the Social SDK returns them; those of 72 hours."),
    (
        &["create_lobby_message"],
        "Text, metadata and flags; other fields of messages are not documented. `metadata` is in this answer and in the \
         event only, since no game receives it. The events LOBBY_MESSAGE_* are webhook events. Limits of lobbies are \
         counted for each token, not for the application.",
    ),
    (
        &["update_lobby_message_external_moderation_metadata"],
        "Lobby members read it with the messages, and the control API returns it.",
    ),
    (
        &["update_user_message_external_moderation_metadata"],
        "Any direct message of the two users; the control API returns the metadata, as a game would show it.",
    ),
    (
        &["partner_sdk_token", "partner_sdk_unmerge_provisional_account"],
        "No identity provider is asked: of an ID token form, algorithm, `kid`, `sub`, `iat` and `exp` are checked, but neither \
         signature nor issuer nor audience. A session ticket or access token stands for a player of its own, as it is. Applications \
         have no client secret, so any is taken. `id_token` is not signed.",
    ),
    (
        &["bot_partner_sdk_token"],
        "`provisional_user_id`, which is not documented, is not read. `id_token` is not signed.",
    ),
    (
        &["bot_partner_sdk_unmerge_provisional_account"],
        "Accounts are merged through the control API, as there is no code grant. Friends are not modelled.",
    ),
    (&["get_public_keys"], "A key of the sandbox; it signs nothing."),
    (&["get_openid_connect_userinfo"], "There are no e-mail addresses."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::OPERATIONS;

    #[test]
    fn every_note_is_about_an_operation() {
        for name in NOTES.iter().flat_map(|(names, _)| *names) {
            assert!(OPERATIONS.iter().any(|operation| operation.name == *name), "{name}");
        }
    }
}
