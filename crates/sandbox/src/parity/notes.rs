//! What is simplified in operations that exist, and why some others will stay missing.

use super::Operation;

/// The state of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has a route; the text is what is simplified, or empty.
    Here(&'static str),
    /// It has a route whose list is always empty, since nothing can be in it.
    Empty,
    /// It has no route; the text is the reason, or empty.
    Missing(&'static str),
}

impl State {
    /// Returns the state of an operation that has a route, or none.
    pub fn of(operation: &Operation, exists: bool) -> Self {
        let name = operation.name;
        let note = NOTES.iter().find(|(names, _)| names.contains(&name)).map_or("", |(_, note)| note);
        match exists {
            true if EMPTY.contains(&name) => Self::Empty,
            true => Self::Here(note),
            false => Self::Missing(note),
        }
    }

    /// Returns the word for the state, and its text.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Here(note) => ("here", note),
            Self::Empty => ("empty", "Always empty."),
            Self::Missing(note) => ("**missing**", note),
        }
    }
}

/// Operations whose answer is always an empty list.
const EMPTY: &[&str] =
    &["list_auto_moderation_rules", "list_guild_integrations", "list_guild_scheduled_events"];

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
    (&["get_gateway"], "`encoding=etf` is closed with 4002."),
    (&["get_bot_gateway"], "`shards` is 1 unless `serve --shards` says otherwise."),
    (&["update_guild"], "Only the fields of the settings that are stored; others are named in the log."),
    (
        &["list_guild_audit_log_entries"],
        "Most entries have no `changes`; overwrites, threads and invites write none.",
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
        &["list_guild_members", "search_guild_members"],
        "No privileged intent can be switched off, so they are never refused.",
    ),
    (
        &["create_message", "update_message", "execute_webhook"],
        "Links get no embeds; pictures are not resized.",
    ),
    (
        &["create_interaction_response"],
        "An upgrade button (10) shows nothing; an Activity (12) has only an instance id.",
    ),
    (
        &["update_application", "update_my_application"],
        "The addresses for interactions and events are stored; interactions still go through the gateway.",
    ),
    (&["add_group_dm_user"], "Nicknames are taken and shown to nobody."),
    (&["get_public_keys"], "A key of the sandbox; it signs nothing."),
    (&["get_openid_connect_userinfo"], "There are no e-mail addresses."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::OPERATIONS;

    #[test]
    fn every_note_is_about_an_operation() {
        let all = EMPTY.iter().chain(NOTES.iter().flat_map(|(names, _)| *names));
        for name in all {
            assert!(OPERATIONS.iter().any(|operation| operation.name == *name), "{name}");
        }
    }
}
