//! Changes of permissions that keep those unknown to serenity.
//!
//! serenity 0.12.5 knows permissions up to bit 50 and drops higher bits when it reads a role or an overwrite. Code that
//! sends such a value back, as `EditRole::from_role`, `EditChannel::permissions` and `create_permission` do, removes
//! these permissions: [`PIN_MESSAGES`] and [`BYPASS_SLOWMODE`] today, and later ones of Discord.
//!
//! The functions here read Discord's complete numbers, apply the change, and send the result back:
//!
//! ```no_run
//! # use sdk_core::serenity::all::{GuildId, Http, Permissions, RoleId};
//! # use sdk_core::permissions::{self, PIN_MESSAGES};
//! # async fn example(http: &Http, guild: GuildId, role: RoleId) -> Result<(), sdk_core::Error> {
//! let change = permissions::Change::new().allow(Permissions::MANAGE_THREADS).allow(PIN_MESSAGES);
//! permissions::edit_role(http, guild, role, &change, Some("moderators tidy up")).await?;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::ops::{BitAnd, BitOr, Not};

use serde_json::{Value, json};
use serenity::all::{ChannelId, GuildId, Http, PermissionOverwriteType, Permissions, RoleId};
use serenity::http::{LightMethod, Request, Route};

use crate::Error;

/// Permission to pin and unpin messages. Source: "Bitwise Permission Flags" in Discord's documentation.
pub const PIN_MESSAGES: Bits = Bits(1 << 51);
/// Permission to write in spite of slowmode. Source: "Bitwise Permission Flags" in Discord's documentation.
pub const BYPASS_SLOWMODE: Bits = Bits(1 << 52);

/// Permissions in Discord's encoding, including those that serenity has no name for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bits(pub u64);

impl Bits {
    /// Returns whether all of `others` are set.
    pub fn contains(self, others: impl Into<Self>) -> bool {
        let others = others.into();
        self & others == others
    }

    fn read(json: &Value) -> Result<Self, Error> {
        let number = json.as_str().and_then(|text| text.parse().ok());
        number
            .map(Self)
            .ok_or_else(|| format!("Discord's answer has no permissions where it should: {json}").into())
    }
}

impl From<Permissions> for Bits {
    fn from(permissions: Permissions) -> Self {
        Self(permissions.bits())
    }
}

impl BitOr for Bits {
    type Output = Self;

    fn bitor(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

impl BitAnd for Bits {
    type Output = Self;

    fn bitand(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }
}

impl Not for Bits {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl fmt::Display for Bits {
    /// Writes the number in the form of Discord's API.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A change of permissions. All others stay as they are. The last call for a permission counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    allow: Bits,
    deny: Bits,
    inherit: Bits,
}

impl Change {
    /// Returns an empty change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Grants these to the role, or allows them in the channel.
    #[must_use]
    pub fn allow(mut self, permissions: impl Into<Bits>) -> Self {
        let bits = permissions.into();
        (self.deny, self.inherit) = (self.deny & !bits, self.inherit & !bits);
        self.allow = self.allow | bits;
        self
    }

    /// Removes these from the role, or denies them in the channel.
    #[must_use]
    pub fn deny(mut self, permissions: impl Into<Bits>) -> Self {
        let bits = permissions.into();
        (self.allow, self.inherit) = (self.allow & !bits, self.inherit & !bits);
        self.deny = self.deny | bits;
        self
    }

    /// Makes these in a channel the same as outside of it. For a role this is the same as [`deny`](Self::deny).
    #[must_use]
    pub fn inherit(mut self, permissions: impl Into<Bits>) -> Self {
        let bits = permissions.into();
        (self.allow, self.deny) = (self.allow & !bits, self.deny & !bits);
        self.inherit = self.inherit | bits;
        self
    }
}

/// Changes the permissions of a role and returns the new ones. `reason` goes to the audit log.
///
/// A change made elsewhere between the two requests is lost, as with every edit of Discord's roles.
///
/// # Errors
/// serenity's, if Discord refuses a request.
pub async fn edit_role(
    http: impl AsRef<Http>,
    guild: GuildId,
    role: RoleId,
    change: &Change,
    reason: Option<&str>,
) -> Result<Bits, Error> {
    let http = http.as_ref();
    let request = Request::new(Route::GuildRole { guild_id: guild, role_id: role }, LightMethod::Get);
    let before = Bits::read(&http.fire::<Value>(request).await?["permissions"])?;
    let after = (before | change.allow) & !(change.deny | change.inherit);
    http.edit_role(guild, role, &json!({ "permissions": after.to_string() }), reason).await?;
    Ok(after)
}

/// Changes what a channel allows and denies a role or member, and returns both. `reason` goes to the audit log.
///
/// A change made elsewhere between the two requests is lost, as with every edit of Discord's overwrites.
///
/// # Errors
/// serenity's, if Discord refuses a request.
pub async fn edit_overwrite(
    http: impl AsRef<Http>,
    channel: ChannelId,
    who: PermissionOverwriteType,
    change: &Change,
    reason: Option<&str>,
) -> Result<(Bits, Bits), Error> {
    let http = http.as_ref();
    let (id, kind) = match who {
        PermissionOverwriteType::Role(role) => (role.get(), 0),
        PermissionOverwriteType::Member(user) => (user.get(), 1),
        _ => return Err("only roles and members have overwrites".into()),
    };
    let request = Request::new(Route::Channel { channel_id: channel }, LightMethod::Get);
    let answer = http.fire::<Value>(request).await?;
    let name = id.to_string();
    let known = answer["permission_overwrites"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["id"] == name.as_str());
    let (allowed, denied) = match known {
        Some(known) => (Bits::read(&known["allow"])?, Bits::read(&known["deny"])?),
        None => Default::default(),
    };
    let allow = (allowed | change.allow) & !(change.deny | change.inherit);
    let deny = (denied | change.deny) & !(change.allow | change.inherit);
    let overwrite = json!({ "allow": allow.to_string(), "deny": deny.to_string(), "type": kind });
    http.create_permission(channel, id.into(), &overwrite, reason).await?;
    Ok((allow, deny))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_wishes_for_one_permission_the_later_counts() {
        let change =
            Change::new().allow(PIN_MESSAGES | BYPASS_SLOWMODE).deny(PIN_MESSAGES).inherit(BYPASS_SLOWMODE);
        assert_eq!(change, Change { allow: Bits(0), deny: PIN_MESSAGES, inherit: BYPASS_SLOWMODE });
        assert!(
            Bits(u64::MAX).contains(Permissions::all())
                && !Bits::from(Permissions::all()).contains(PIN_MESSAGES)
        );
    }
}
