//! What the tables have about users and servers, for `/privacy` and for servers that the bot has left.

use sdk::database::PersonalData;

/// A member who could erase their warnings would escape moderation, so these are only exported for them.
pub(crate) const TABLES: &[PersonalData] = &[
    PersonalData {
        export_user: Some("SELECT * FROM moderation_cases WHERE user_id = $1 ORDER BY guild, number"),
        retained: Some("Moderation cases stay with the servers that wrote them."),
        export_guild: Some("SELECT * FROM moderation_cases WHERE guild = $1 ORDER BY number"),
        erase_guild: Some("DELETE FROM moderation_cases WHERE guild = $1"),
        guilds: Some("SELECT DISTINCT guild FROM moderation_cases"),
        ..PersonalData::named("cases")
    },
    PersonalData {
        export_user: Some(
            "SELECT edits.* FROM moderation_edits AS edits JOIN moderation_cases AS cases \
             ON cases.guild = edits.guild AND cases.number = edits.number \
             WHERE cases.user_id = $1 ORDER BY edits.guild, edits.number, edits.edit",
        ),
        export_guild: Some("SELECT * FROM moderation_edits WHERE guild = $1 ORDER BY number, edit"),
        erase_guild: Some("DELETE FROM moderation_edits WHERE guild = $1"),
        ..PersonalData::named("edits")
    },
    PersonalData {
        export_user: Some("SELECT * FROM moderation_temporary_bans WHERE user_id = $1 ORDER BY guild"),
        export_guild: Some("SELECT * FROM moderation_temporary_bans WHERE guild = $1 ORDER BY user_id"),
        consequence: Some("Temporary bans then stay until `/unban`."),
        erase_guild: Some("DELETE FROM moderation_temporary_bans WHERE guild = $1"),
        ..PersonalData::named("temporary bans")
    },
    PersonalData {
        export_guild: Some("SELECT * FROM moderation_locks WHERE guild = $1 ORDER BY channel"),
        consequence: Some("Locked channels then have to be opened by hand."),
        erase_guild: Some("DELETE FROM moderation_locks WHERE guild = $1"),
        guilds: Some("SELECT DISTINCT guild FROM moderation_locks"),
        ..PersonalData::named("locks")
    },
    PersonalData {
        export_guild: Some("SELECT * FROM moderation_counters WHERE guild = $1"),
        erase_guild: Some("DELETE FROM moderation_counters WHERE guild = $1"),
        guilds: Some("SELECT guild FROM moderation_counters"),
        ..PersonalData::named("counters")
    },
];
