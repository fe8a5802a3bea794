//! How users come into a guild: by an invite, or added by a bot.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Live, MemberChange, changes};
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::guild::Member;
use crate::state::invite::Invite;
use crate::state::message::{Author, Message};
use crate::state::perks::{INVITES_DISABLED, MEMBER_VERIFICATION};
use crate::validate::Change;

/// Most invites of one guild.
const MOST_INVITES: usize = 1000;
/// Member flag of a user who was a member before.
const DID_REJOIN: u64 = 1;
/// Member flag of a user who need not be verified.
const BYPASSES_VERIFICATION: u64 = 1 << 2;

impl Live<'_> {
    /// Adds a member without roles and sends the events. Fails for a banned user.
    pub fn join(&mut self, guild_id: Snowflake, user: Snowflake) -> ApiResult<()> {
        self.admit(guild_id, Member::new(user, self.clock.now()))
    }

    /// Adds a member and sends the events; does nothing if the user is a member. In a guild with membership screening
    /// the member is pending.
    ///
    /// # Errors
    /// If the user does not exist or is banned.
    pub fn admit(&mut self, guild_id: Snowflake, mut member: Member) -> ApiResult<()> {
        let user = member.user_id;
        self.user(user)?;
        let guild = self.guild_mut(guild_id)?;
        if guild.bans.contains_key(&user) {
            return Err(ApiError::banned());
        }
        if guild.members.contains_key(&user) {
            return Ok(());
        }
        member.pending = guild.perks.has(MEMBER_VERIFICATION) && member.flags & BYPASSES_VERIFICATION == 0;
        if guild.former.contains(&user) {
            member.flags |= DID_REJOIN;
        }
        guild.members.insert(user, member);
        let (system, quiet) = (guild.system_channel_id, guild.system_channel_flags & 1 != 0);
        self.saw(user);
        self.dispatch_joined(guild_id, user);
        if let Some(channel) = system.filter(|id| !quiet && self.channels.contains_key(id)) {
            let mut notice = Message::new(self.next_id(), channel, Author::User(user));
            notice.kind = 7;
            self.publish(notice);
        }
        self.judge_profile(guild_id, user, "guild_join");
        Ok(())
    }

    /// Lets a user into a guild by an invite, with its roles, and counts its use. The last use deletes it first. A member
    /// gets the roles too.
    ///
    /// # Errors
    /// If the invite is unknown, expired or for others, invites are paused, or the user is banned.
    pub fn accept_invite(&mut self, code: &str, user: Snowflake) -> ApiResult<Snowflake> {
        let invite = self.invite(code).filter(|invite| invite.is_for(Some(user)));
        let invite = invite.ok_or_else(ApiError::unknown_invite)?;
        let guild_id = invite.guild_id;
        let clock = self.clock.clone();
        let guild = self.guild_mut(guild_id)?;
        let known: Vec<Snowflake> =
            invite.roles.iter().copied().filter(|role| guild.roles.contains_key(role)).collect();
        if let Some(member) = guild.members.get(&user) {
            let mut roles = member.roles.clone();
            roles.extend(known.iter().filter(|role| !member.roles.contains(role)));
            if roles.len() > member.roles.len() {
                let change = MemberChange { roles: Change::Set(roles), ..MemberChange::default() };
                self.change_member(guild_id, user, change)?;
            }
            return Ok(guild_id);
        }
        if guild.perks.has(INVITES_DISABLED) || guild.incidents.pauses_invites(&clock) {
            let sentence = "Invites are currently paused for this server. Please try again later.";
            return Err(ApiError::new(StatusCode::FORBIDDEN, 0, sentence));
        }
        if guild.bans.contains_key(&user) {
            return Err(ApiError::banned());
        }
        if let Some(vanity) = guild.perks.vanity.as_mut().filter(|vanity| vanity.code == code) {
            vanity.uses += 1;
        }
        if invite.temporary {
            guild.visitors.insert(user);
        }
        if let Some(invite) = self.invites.get_mut(code) {
            invite.uses += 1;
            if invite.max_uses > 0 && invite.uses >= invite.max_uses {
                self.remove_invite(code);
            }
        }
        let mut member = Member::new(user, self.clock.now());
        member.roles = known;
        self.admit(guild_id, member)?;
        Ok(guild_id)
    }

    /// Writes about an invite into the audit log: 40 for created, 41 for changed, 42 for deleted.
    pub fn audit_invite(&mut self, action: u64, code: &str, by: Snowflake, reason: Option<&str>) {
        let Some(invite) = self.invites.get(code) else { return };
        let mut state = invite.json(self, true, false);
        state["channel_id"] = json!(invite.channel_id);
        state["inviter_id"] = json!(invite.inviter);
        let guild = invite.guild_id;
        let fields =
            ["code", "channel_id", "inviter_id", "uses", "max_uses", "max_age", "temporary", "flags"];
        let changes = match action {
            40 => changes::between(&Value::Null, &state, &fields),
            42 => changes::between(&state, &Value::Null, &fields),
            _ => Vec::new(),
        };
        self.audit(guild, action, by, None, reason, changes);
    }

    /// Removes the members of a guild without a role who came by an invite for a visit and have gone offline.
    pub(super) fn end_visit(&mut self, guild_id: Snowflake, user: Snowflake) {
        let Some(guild) = self.guilds.get_mut(&guild_id) else { return };
        let stays = guild.members.get(&user).is_none_or(|member| !member.roles.is_empty());
        if guild.visitors.remove(&user) && !stays {
            // A member who is one: leaving cannot fail.
            let _ = self.leave(guild_id, user);
        }
    }

    /// Checks that a guild has fewer invites than it may have.
    pub fn has_room_for_invite(&self, guild: Snowflake) -> ApiResult<()> {
        let count = self.open_invites().filter(|invite| invite.guild_id == guild).count();
        if count < MOST_INVITES { Ok(()) } else { Err(ApiError::max_invites()) }
    }

    /// Adds an invite and sends the event.
    pub fn add_invite(&mut self, invite: Invite) {
        let shown = invite.json(self, true, false);
        let mut event = json!({
            "channel_id": invite.channel_id,
            "guild_id": invite.guild_id,
            "code": invite.code,
            "created_at": shown["created_at"],
            "expires_at": shown["expires_at"],
            "max_age": invite.max_age,
            "max_uses": invite.max_uses,
            "temporary": invite.temporary,
            "uses": 0,
        });
        for key in ["inviter", "target_type", "target_user", "target_application"] {
            if let Some(value) = shown.get(key) {
                event[key] = value.clone();
            }
        }
        if !invite.roles.is_empty() {
            event["role_ids"] = json!(invite.roles);
        }
        let channel = invite.channel_id;
        self.invites.insert(invite.code.clone(), invite);
        self.dispatch_channel(channel, "INVITE_CREATE", event);
    }

    /// Creates the invite of a guild's widget if that invites to a channel, sends the event, and returns the code.
    pub fn create_widget_invite(&mut self, guild_id: Snowflake) -> Option<String> {
        let channel_id = self.guilds.get(&guild_id)?.widget.channel_id?;
        let mut invite = Invite::new(guild_id, channel_id, None, self.clock.now());
        invite.of_widget = true;
        let code = invite.code.clone();
        self.add_invite(invite);
        Some(code)
    }

    /// Removes an invite and sends the event.
    pub fn remove_invite(&mut self, code: &str) {
        let Some(invite) = self.invites.shift_remove(code) else { return };
        let event = json!({ "channel_id": invite.channel_id, "guild_id": invite.guild_id, "code": code });
        self.dispatch_channel(invite.channel_id, "INVITE_DELETE", event);
    }

    /// Notes that a user has just been active, which decides who is pruned.
    pub fn saw(&mut self, user: Snowflake) {
        let now = self.clock.now();
        if let Some(user) = self.users.get_mut(&user) {
            user.last_seen = now;
        }
    }
}
