//! What plugins' tables have about users and guilds.

/// The statements with which the host exports and erases what a plugin's table has about a user or a guild, whose id is
/// `$1`. For [`Plugin::personal_data`](crate::Plugin::personal_data):
///
/// ```
/// # use sdk_core::database::PersonalData;
/// const NOTES: PersonalData = PersonalData {
///     export_user: Some("SELECT * FROM notes_notes WHERE user_id = $1"),
///     erase_user: Some("DELETE FROM notes_notes WHERE user_id = $1"),
///     export_guild: Some("SELECT * FROM notes_notes WHERE guild_id = $1"),
///     erase_guild: Some("DELETE FROM notes_notes WHERE guild_id = $1"),
///     guilds: Some("SELECT DISTINCT guild_id FROM notes_notes"),
///     ..PersonalData::named("notes")
/// };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonalData {
    /// Its name in the exported file.
    pub name: &'static str,
    /// Returns the rows about a user.
    pub export_user: Option<&'static str>,
    /// Deletes or changes them, so that the user is not in them any more.
    pub erase_user: Option<&'static str>,
    /// Says what stays although a user has their data erased, and why: a sentence for that user.
    pub retained: Option<&'static str>,
    /// Returns the rows about a guild.
    pub export_guild: Option<&'static str>,
    /// Says what no longer works once a guild's rows are deleted: a sentence for its owner.
    pub consequence: Option<&'static str>,
    /// Deletes them.
    pub erase_guild: Option<&'static str>,
    /// Returns the ids of all guilds, so that those which the bot has left can be erased.
    pub guilds: Option<&'static str>,
}

impl PersonalData {
    /// Returns one without any statement.
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            export_user: None,
            erase_user: None,
            retained: None,
            export_guild: None,
            consequence: None,
            erase_guild: None,
            guilds: None,
        }
    }
}
