//! Who acts on whom: role hierarchy and permissions, checked before Discord is asked. All sentences that refuse are here.

use std::cmp::Reverse;

use sdk::prelude::*;
use serenity::{
    ChannelId, Guild, GuildChannel, GuildId, Member, Mentionable as _, ModalInteraction, Permissions, RoleId,
    User, UserId,
};

use crate::discord;

/// A moderator at work in a server.
pub(crate) struct ModerationContext {
    pub(crate) ctx: serenity::Context,
    pub(crate) data: Data,
    pub(crate) guild: GuildId,
    pub(crate) moderator: User,
    member: Member,
}

/// Whom a moderator acts on.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) user: User,
    /// Roles in the server; `None` for a user who is no member.
    pub(crate) roles: Option<Vec<RoleId>>,
}

impl Target {
    /// Returns the user's name for a sentence.
    pub(crate) fn name(&self) -> String {
        name(&self.user)
    }

    pub(crate) fn is_member(&self) -> bool {
        self.roles.is_some()
    }
}

/// Returns a user's name for a sentence.
pub(crate) fn name(user: &User) -> String {
    bold(&user.name)
}

/// Returns a stored name for a sentence.
pub(crate) fn bold(name: &str) -> String {
    format!("**{}**", foreign(name, Surface::Line, 100))
}

/// Place in the hierarchy. Of roles with the same position, the one with the lower id is higher.
///
/// Source: "Role Object" in Discord's documentation.
type Rank = (u16, Reverse<RoleId>);

fn rank(guild: &Guild, roles: &[RoleId]) -> Rank {
    let everyone = RoleId::new(guild.id.get());
    let known = roles.iter().filter_map(|id| guild.roles.get(id));
    known.map(|role| (role.position, Reverse(role.id))).max().unwrap_or((0, Reverse(everyone)))
}

/// Returns the permissions of a member in the server as a whole.
fn permissions(guild: &Guild, user: UserId, roles: &[RoleId]) -> Permissions {
    if guild.owner_id == user {
        return Permissions::all();
    }
    let everyone = RoleId::new(guild.id.get());
    let of = |id: &RoleId| guild.roles.get(id).map_or(Permissions::empty(), |role| role.permissions);
    let all = roles.iter().fold(of(&everyone), |all, id| all | of(id));
    if all.administrator() { Permissions::all() } else { all }
}

impl ModerationContext {
    /// Returns the context of a command's user.
    pub(crate) fn of(ctx: Context<'_>) -> Result<Self, Error> {
        let poise::Context::Application(app) = ctx else { return Err(elsewhere()) };
        let member = app.interaction.member.as_deref();
        Self::new(ctx.serenity_context(), ctx.data(), app.interaction.guild_id, member)
    }

    /// Returns the context of the user who submits a modal.
    pub(crate) fn submitting(ctx: &EventContext, modal: &ModalInteraction) -> Result<Self, Error> {
        Self::new(ctx.serenity_context(), ctx.data(), modal.guild_id, modal.member.as_ref())
    }

    fn new(
        ctx: &serenity::Context,
        data: &Data,
        guild: Option<GuildId>,
        member: Option<&Member>,
    ) -> Result<Self, Error> {
        let (Some(guild), Some(member)) = (guild, member) else { return Err(elsewhere()) };
        let (ctx, data) = (ctx.clone(), data.clone());
        Ok(Self { ctx, data, guild, moderator: member.user.clone(), member: member.clone() })
    }

    /// Looks up whether a user is a member.
    pub(crate) async fn target(&self, user: User) -> Result<Target, Error> {
        match self.ctx.http.get_member(self.guild, user.id).await {
            Ok(member) => Ok(Target { user, roles: Some(member.roles) }),
            Err(error) if discord::is_unknown(&error) => Ok(Target { user, roles: None }),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses what the bot has no permission for in the server. `to` says what for, as in "to ban somebody".
    pub(crate) fn bot_may(&self, needed: Permissions, to: &str) -> Result<(), Error> {
        let missing = self.in_guild(|guild, bot| needed - permissions(guild, bot.user.id, &bot.roles))?;
        lacks("I", missing, &format!(" {to}"))
    }

    /// Refuses what the bot has no permission for in a channel.
    pub(crate) fn bot_may_in(&self, channel: ChannelId, needed: Permissions, to: &str) -> Result<(), Error> {
        let missing = self.in_guild(|guild, bot| {
            let place = permissions_from(guild, channel);
            // Without cached data, Discord decides.
            place.map_or(Permissions::empty(), |place| needed - guild.user_permissions_in(place, bot))
        })?;
        lacks("I", missing, &format!(" in {} {to}", channel.mention()))
    }

    /// Refuses what the moderator has no permission for in a channel. Discord has checked the command's permission, and
    /// only in the channel in which it was used.
    pub(crate) fn moderator_may_in(&self, channel: ChannelId, needed: Permissions) -> Result<(), Error> {
        let missing = self.in_guild(|guild, _| {
            let place = permissions_from(guild, channel)?;
            Some(needed - guild.user_permissions_in(place, &self.member))
        })?;
        lacks("You", missing.ok_or_else(unknown_yet)?, &format!(" in {}", channel.mention()))
    }

    /// Returns whether a channel is a thread.
    pub(crate) fn is_thread(&self, channel: ChannelId) -> Result<bool, Error> {
        self.in_guild(|guild, _| guild.threads.iter().any(|thread| thread.id == channel))
    }

    /// Returns whether the moderator owns the server.
    pub(crate) fn is_owner(&self) -> Result<bool, Error> {
        self.in_guild(|guild, _| guild.owner_id == self.moderator.id)
    }

    /// Refuses a target that the moderator or the bot must not act on. `verb` is what is to be done, for example "ban".
    pub(crate) fn check(&self, target: &Target, verb: &str) -> Result<(), Error> {
        let name = target.name();
        if target.user.id == self.moderator.id {
            return Err(Refusal::new(format!("You cannot {verb} yourself.")).into());
        }
        self.in_guild(|guild, bot| {
            if target.user.id == bot.user.id {
                return Err(Refusal::new(format!("I cannot {verb} myself.")));
            }
            if target.user.id == guild.owner_id {
                return Err(Refusal::new(format!("{name} owns this server, so nobody can {verb} them.")));
            }
            let Some(roles) = &target.roles else { return Ok(()) };
            let theirs = rank(guild, roles);
            if guild.owner_id != self.moderator.id && theirs >= rank(guild, &self.member.roles) {
                return Err(Refusal::new(format!(
                    "You cannot {verb} {name}, because their highest role is not below yours."
                )));
            }
            below_bot(guild, bot, theirs, &name, verb)
        })?
        .map_err(Into::into)
    }

    /// Refuses a target that the bot cannot act on, whoever the moderator is.
    pub(crate) fn check_bot(&self, target: &Target, verb: &str) -> Result<(), Error> {
        let Some(roles) = &target.roles else { return Ok(()) };
        self.in_guild(|guild, bot| below_bot(guild, bot, rank(guild, roles), &target.name(), verb))?
            .map_err(Into::into)
    }

    /// Refuses a role that the moderator or the bot must not give or take.
    pub(crate) fn check_role(&self, role: RoleId) -> Result<(), Error> {
        let mention = role.mention();
        self.in_guild(|guild, bot| {
            let Some(known) = guild.roles.get(&role) else {
                return Err(Refusal::new("That role is not part of this server any more."));
            };
            if role.get() == guild.id.get() {
                return Err(Refusal::new("Everyone has that role; it can be neither given nor taken."));
            }
            if known.managed {
                let words = format!("{mention} belongs to a bot or to Discord, so nobody can give or take it.");
                return Err(Refusal::new(words));
            }
            let place = (known.position, Reverse(known.id));
            if guild.owner_id != self.moderator.id && place >= rank(guild, &self.member.roles) {
                let words = format!("You cannot give or take {mention}, because it is not below your highest role.");
                return Err(Refusal::new(words));
            }
            if place >= rank(guild, &bot.roles) {
                let words = format!(
                    "I cannot give or take {mention}, because it is not below my highest role; move mine up in the \
                     server's settings."
                );
                return Err(Refusal::new(words));
            }
            Ok(())
        })?
        .map_err(Into::into)
    }

    /// Returns whether a member is an administrator, whom Discord lets nobody time out.
    pub(crate) fn is_administrator(&self, target: &Target) -> Result<bool, Error> {
        let Some(roles) = &target.roles else { return Ok(false) };
        self.in_guild(|guild, _| permissions(guild, target.user.id, roles).administrator())
    }

    /// Returns the server's name.
    pub(crate) fn guild_name(&self) -> String {
        let name = self.ctx.cache.guild(self.guild).map(|guild| guild.name.clone());
        bold(&name.unwrap_or_else(|| "the server".to_owned()))
    }

    /// Returns the text for Discord's audit log, at most 512 characters: the moderator and the reason.
    pub(crate) fn audit(&self, reason: Option<&str>) -> String {
        audit(&format!("{} ({})", self.moderator.name, self.moderator.id), reason)
    }

    fn in_guild<T>(&self, look: impl FnOnce(&Guild, &Member) -> T) -> Result<T, Error> {
        let bot = self.ctx.cache.current_user().id;
        let guild = self.ctx.cache.guild(self.guild);
        match guild.as_ref().and_then(|guild| Some((guild, guild.members.get(&bot)?))) {
            Some((guild, bot)) => Ok(look(guild, bot)),
            None => Err(unknown_yet()),
        }
    }
}

/// Returns a text for Discord's audit log: who, and why.
///
/// Source: "Audit Logs" in Discord's documentation.
pub(crate) fn audit(who: &str, reason: Option<&str>) -> String {
    const MOST: usize = 512;
    let text = match reason {
        Some(reason) => format!("{who}: {reason}"),
        None => who.to_owned(),
    };
    foreign(&text, Surface::Label, MOST)
}

fn below_bot(guild: &Guild, bot: &Member, theirs: Rank, name: &str, verb: &str) -> Result<(), Refusal> {
    if guild.owner_id != bot.user.id && theirs >= rank(guild, &bot.roles) {
        return Err(Refusal::new(format!(
            "I cannot {verb} {name}, because their highest role is not below mine; move mine up in the server's \
             settings."
        )));
    }
    Ok(())
}

/// Returns the channel whose permissions hold in a channel or thread.
fn permissions_from(guild: &Guild, channel: ChannelId) -> Option<&GuildChannel> {
    let thread = guild.threads.iter().find(|thread| thread.id == channel);
    guild.channels.get(&thread.and_then(|thread| thread.parent_id).unwrap_or(channel))
}

fn lacks(who: &str, missing: Permissions, rest: &str) -> Result<(), Error> {
    let names = missing.get_permission_names();
    if names.is_empty() {
        return Ok(());
    }
    let noun = if names.len() == 1 { "permission" } else { "permissions" };
    Err(Refusal::new(format!("{who} need the {noun} {}{rest}.", names.join(", "))).into())
}

fn unknown_yet() -> Error {
    Refusal::new("This server is not known well enough yet; try again in a moment.").into()
}

fn elsewhere() -> Error {
    Refusal::new("Moderation works in servers only.").into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn guild() -> Guild {
        let role = |id: u64, position: u16, permissions: &str| {
            json!({"id": id.to_string(), "name": "r", "color": 0, "colors": {"primary_color": 0}, "hoist": false,
                "position": position,
                "permissions": permissions, "managed": false, "mentionable": false, "flags": 0})
        };
        serde_json::from_value(json!({
            "id": "1", "name": "g", "owner_id": "9", "roles": [role(1, 0, "1024"), role(2, 5, "4"), role(3, 5, "2"),
            role(4, 7, "8")], "emojis": [], "features": [], "mfa_level": 0, "verification_level": 0,
            "default_message_notifications": 0, "explicit_content_filter": 0, "afk_timeout": 60, "premium_tier": 0,
            "preferred_locale": "en-US", "nsfw_level": 0, "system_channel_flags": 0, "stickers": [], "joined_at":
            "2024-01-01T00:00:00Z", "large": false, "unavailable": false, "member_count": 1, "voice_states": [],
            "members": [], "channels": [], "threads": [], "presences": [], "stage_instances": [],
            "guild_scheduled_events": [], "premium_progress_bar_enabled": false,
        }))
        .unwrap()
    }

    #[test]
    fn of_roles_at_the_same_position_the_older_is_higher() {
        let guild = guild();
        let of =
            |roles: &[u64]| rank(&guild, &roles.iter().map(|role| RoleId::new(*role)).collect::<Vec<_>>());
        assert!(of(&[2]) > of(&[3]));
        assert!(of(&[2, 3]) == of(&[2]));
        assert!(of(&[4]) > of(&[2]));
        assert!(of(&[]) < of(&[3]));
        assert!(of(&[77]) == of(&[]), "a role that is not known does not count");
    }

    #[test]
    fn permissions_are_those_of_all_roles_and_an_owner_has_all() {
        let guild = guild();
        let of = |user: u64, roles: &[u64]| {
            let roles: Vec<_> = roles.iter().map(|role| RoleId::new(*role)).collect();
            permissions(&guild, UserId::new(user), &roles)
        };
        assert_eq!(of(8, &[2, 3]).bits(), 1024 | 4 | 2);
        assert_eq!(of(8, &[4]), Permissions::all());
        assert_eq!(of(9, &[]), Permissions::all());
    }

    #[test]
    fn the_audit_log_names_the_moderator_and_has_at_most_512_characters() {
        assert_eq!(audit("bob (5)", None), "bob (5)");
        assert_eq!(audit("bob (5)", Some("spam\nagain")), "bob (5): spam again");
        assert_eq!(audit("bob (5)", Some(&"ä".repeat(600))).chars().count(), 512);
    }

    #[test]
    fn a_missing_permission_is_named() {
        assert!(lacks("I", Permissions::empty(), " to ban somebody").is_ok());
        let refused = lacks("I", Permissions::BAN_MEMBERS, " to ban somebody").unwrap_err();
        assert_eq!(refused.to_string(), "I need the permission Ban Members to ban somebody.");
    }
}
