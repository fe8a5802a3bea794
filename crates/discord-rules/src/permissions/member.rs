//! Permissions of a member: from roles, overwrites and timeouts to one set of permissions.

use serde::de;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Permissions;
use crate::snowflake::Snowflake;

/// Kind of an overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverwriteKind {
    /// For all members with a role.
    Role,
    /// For one member.
    Member,
}

impl Serialize for OverwriteKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            Self::Role => 0,
            Self::Member => 1,
        })
    }
}

impl<'de> Deserialize<'de> for OverwriteKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            0 => Ok(Self::Role),
            1 => Ok(Self::Member),
            other => {
                Err(de::Error::custom(format!("{other} is not an overwrite type: 0 is role, 1 is member")))
            }
        }
    }
}

/// Overwrite of a channel for one role or member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overwrite {
    /// Id of the role or user.
    pub id: Snowflake,
    /// Which of the two it is for.
    #[serde(rename = "type")]
    pub kind: OverwriteKind,
    /// Permissions given here.
    pub allow: Permissions,
    /// Permissions removed here.
    pub deny: Permissions,
}

/// Input of a member's permissions in one guild.
#[derive(Clone, Debug)]
pub struct MemberPermissions<'a> {
    /// Guild, whose id is also that of its @everyone role.
    pub guild_id: Snowflake,
    /// The member's user.
    pub user_id: Snowflake,
    /// Whether the user owns the guild.
    pub owner: bool,
    /// Whether a timeout is in effect.
    pub timed_out: bool,
    /// Permissions of @everyone.
    pub everyone: Permissions,
    /// The member's roles with the permissions of each, without @everyone.
    pub roles: &'a [(Snowflake, Permissions)],
}

impl MemberPermissions<'_> {
    /// Returns the permissions in the guild, before any channel's overwrites.
    pub fn in_guild(&self) -> Permissions {
        let base = self.base();
        if self.timed_out && base != Permissions::ALL { base & Permissions::WHILE_TIMED_OUT } else { base }
    }

    /// Returns the permissions in a channel with these overwrites, in the eight steps of Discord's "Permission
    /// Overwrites".
    pub fn in_channel(&self, overwrites: &[Overwrite]) -> Permissions {
        let base = self.base();
        if base == Permissions::ALL {
            return base;
        }
        let mut permissions = base;
        let role = |id: Snowflake| overwrites.iter().find(|o| o.kind == OverwriteKind::Role && o.id == id);
        if let Some(everyone) = role(self.guild_id) {
            permissions = permissions.overwritten(everyone.deny, everyone.allow);
        }
        let (mut allow, mut deny) = (Permissions::NONE, Permissions::NONE);
        for overwrite in self.roles.iter().filter_map(|(id, _)| role(*id)) {
            allow |= overwrite.allow;
            deny |= overwrite.deny;
        }
        permissions = permissions.overwritten(deny, allow);
        let own = overwrites.iter().find(|o| o.kind == OverwriteKind::Member && o.id == self.user_id);
        if let Some(own) = own {
            permissions = permissions.overwritten(own.deny, own.allow);
        }
        if self.timed_out { permissions & Permissions::WHILE_TIMED_OUT } else { permissions }
    }

    /// Returns the permissions that owner, @everyone and roles give; `ALL` for owners and administrators, from whom
    /// nothing is removed.
    fn base(&self) -> Permissions {
        let granted = self.roles.iter().fold(self.everyone, |all, (_, permissions)| all | *permissions);
        if self.owner || granted.contains(Permissions::ADMINISTRATOR) { Permissions::ALL } else { granted }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GUILD: Snowflake = Snowflake(1);
    const USER: Snowflake = Snowflake(2);
    const MODS: Snowflake = Snowflake(3);
    const MUTED: Snowflake = Snowflake(4);

    fn standing(everyone: Permissions, roles: &[(Snowflake, Permissions)]) -> MemberPermissions<'_> {
        MemberPermissions { guild_id: GUILD, user_id: USER, owner: false, timed_out: false, everyone, roles }
    }

    fn overwrite(id: Snowflake, kind: OverwriteKind, allow: Permissions, deny: Permissions) -> Overwrite {
        Overwrite { id, kind, allow, deny }
    }

    #[test]
    fn an_overwrite_reads_and_writes_as_documented() {
        let json = serde_json::json!({ "id": "3", "type": 0, "allow": "1024", "deny": "2048" });
        let overwrite: Overwrite = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(overwrite.kind, OverwriteKind::Role);
        assert_eq!(serde_json::to_value(overwrite).unwrap(), json);
    }

    #[test]
    fn owners_and_administrators_have_everything_everywhere() {
        let deny_all = [overwrite(GUILD, OverwriteKind::Role, Permissions::NONE, Permissions::ALL)];
        let owner = MemberPermissions { owner: true, ..standing(Permissions::NONE, &[]) };
        let roles = [(MODS, Permissions::ADMINISTRATOR)];
        let admin = MemberPermissions { timed_out: true, ..standing(Permissions::NONE, &roles) };
        for member in [owner, admin] {
            assert_eq!(member.in_guild(), Permissions::ALL);
            assert_eq!(member.in_channel(&deny_all), Permissions::ALL);
        }
    }

    #[test]
    fn overwrites_apply_everyone_then_roles_then_member() {
        let see_and_write = Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES;
        let roles = [(MODS, Permissions::NONE), (MUTED, Permissions::NONE)];
        let member = standing(see_and_write, &roles);
        let everyone = overwrite(GUILD, OverwriteKind::Role, Permissions::NONE, Permissions::VIEW_CHANNEL);
        let muted = overwrite(MUTED, OverwriteKind::Role, Permissions::NONE, Permissions::SEND_MESSAGES);
        let mods = overwrite(MODS, OverwriteKind::Role, see_and_write, Permissions::NONE);
        let own = overwrite(USER, OverwriteKind::Member, Permissions::NONE, Permissions::SEND_MESSAGES);

        assert_eq!(member.in_channel(&[everyone]), Permissions::SEND_MESSAGES);
        assert_eq!(member.in_channel(&[everyone, muted]), Permissions::NONE);
        // Among roles an allowance takes precedence over a denial, in any order.
        assert_eq!(member.in_channel(&[muted, mods, everyone]), see_and_write);
        assert_eq!(member.in_channel(&[own, everyone, mods, muted]), Permissions::VIEW_CHANNEL);
    }

    #[test]
    fn a_member_overwrite_is_not_taken_for_a_role_of_the_same_id() {
        let member = standing(Permissions::VIEW_CHANNEL, &[]);
        let strange = overwrite(GUILD, OverwriteKind::Member, Permissions::NONE, Permissions::ALL);
        assert_eq!(member.in_channel(&[strange]), Permissions::VIEW_CHANNEL);
    }

    #[test]
    fn a_timed_out_member_can_only_look() {
        let member = MemberPermissions { timed_out: true, ..standing(Permissions::EVERYONE, &[]) };
        assert_eq!(member.in_guild(), Permissions::WHILE_TIMED_OUT);
        let own = overwrite(USER, OverwriteKind::Member, Permissions::SEND_MESSAGES, Permissions::NONE);
        assert_eq!(member.in_channel(&[own]), Permissions::WHILE_TIMED_OUT);
    }

    proptest! {

        #[test]
        fn what_the_member_overwrite_says_holds(everyone: u64, role: u64, allow: u64, deny: u64, chan: u64) {
            let administrator = Permissions::ADMINISTRATOR.0;
            let roles = [(MODS, Permissions(role & !administrator))];
            let member = standing(Permissions(everyone & !administrator), &roles);
            let overwrites = [
                overwrite(GUILD, OverwriteKind::Role, Permissions(chan), Permissions(!chan)),
                overwrite(USER, OverwriteKind::Member, Permissions(allow), Permissions(deny)),
            ];
            let result = member.in_channel(&overwrites);
            prop_assert!(result.contains(Permissions(allow)));
            prop_assert_eq!(result & Permissions(deny & !allow), Permissions::NONE);
            prop_assert_eq!(result.0 & !(allow | deny), chan & !(allow | deny));
        }

        #[test]
        fn more_roles_never_take_a_guild_permission_away(everyone: u64, one: u64, two: u64) {
            let few = [(MODS, Permissions(one))];
            let many = [(MODS, Permissions(one)), (MUTED, Permissions(two))];
            let fewer = standing(Permissions(everyone), &few).in_guild() & Permissions::ALL;
            prop_assert!(standing(Permissions(everyone), &many).in_guild().contains(fewer));
        }
    }
}
