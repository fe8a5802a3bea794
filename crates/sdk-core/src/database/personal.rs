//! What plugins' tables have about users and guilds.

/// The statements with which the host exports and erases what a plugin's table has about a user or a guild, whose id is
/// `$1`. For [`Plugin::personal_data`](crate::Plugin::personal_data):
///
/// ```
/// # use sdk_core::database::PersonalData;
/// const CASES: PersonalData = PersonalData {
///     export_user: Some("SELECT * FROM moderation_cases WHERE user_id = $1"),
///     erase_user: Some("DELETE FROM moderation_cases WHERE user_id = $1"),
///     export_guild: Some("SELECT * FROM moderation_cases WHERE guild_id = $1"),
///     erase_guild: Some("DELETE FROM moderation_cases WHERE guild_id = $1"),
///     guilds: Some("SELECT DISTINCT guild_id FROM moderation_cases"),
///     ..PersonalData::named("cases")
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
    /// Returns the rows about a guild.
    pub export_guild: Option<&'static str>,
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
            export_guild: None,
            erase_guild: None,
            guilds: None,
        }
    }
}
