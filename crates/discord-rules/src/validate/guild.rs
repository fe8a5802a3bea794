//! Guilds and their members: bodies of modifications and bans.

use serde_json::Value;
use time::OffsetDateTime;

use super::command::LOCALES;
use super::form::{Change, Form};
use crate::error::{ApiResult, FieldError};
use crate::media::data_uri;
use crate::snowflake::Snowflake;

/// Longest timeout.
const MAX_TIMEOUT: time::Duration = time::Duration::days(28);

/// Fields of a guild in a modification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuildBody {
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Change<String>,
    /// Who may write (0 to 4).
    pub verification_level: Change<u8>,
    /// 0 for all messages, 1 for mentions.
    pub default_message_notifications: Change<u8>,
    /// Members whose media are checked (0 to 2).
    pub explicit_content_filter: Change<u8>,
    /// Voice channel for members who are away.
    pub afk_channel_id: Change<Snowflake>,
    /// Seconds until a member counts as away.
    pub afk_timeout: Option<u32>,
    /// Channel in which Discord greets members.
    pub system_channel_id: Change<Snowflake>,
    /// Which of Discord's messages are off.
    pub system_channel_flags: Change<u32>,
    /// Channel of the rules.
    pub rules_channel_id: Change<Snowflake>,
    /// Channel of Discord's notices.
    pub public_updates_channel_id: Change<Snowflake>,
    /// Language.
    pub preferred_locale: Change<&'static str>,
    /// New owner.
    pub owner_id: Option<Snowflake>,
    /// Channel of Discord's safety alerts.
    pub safety_alerts_channel_id: Change<Snowflake>,
    /// Whether the progress of boosts is shown.
    pub premium_progress_bar_enabled: Option<bool>,
    /// All features.
    pub features: Option<Vec<String>>,
    /// Icon, as a `data:` URI.
    pub icon: Change<String>,
    /// Splash of invites, as a `data:` URI.
    pub splash: Change<String>,
    /// Splash in discovery, as a `data:` URI.
    pub discovery_splash: Change<String>,
    /// Banner, as a `data:` URI.
    pub banner: Change<String>,
}

/// Reads the body of a guild's modification.
pub fn modify(body: &Value) -> ApiResult<GuildBody> {
    const AFK_SECONDS: &[u16] = &[60, 300, 900, 1800, 3600];
    Form::read_object(body, |form, body| {
        // Every voice channel has its region by now, so that of the guild does nothing.
        form.optional(body, "region", Form::any_text);
        form.check(body, "home_header", data_uri::picture);
        let name = form.present(body, "name", |form, value| form.trimmed(value, 2..=100));
        Some(GuildBody {
            name,
            description: form.field(body, "description", |form, value| form.trimmed(value, 0..=300)),
            verification_level: form
                .field(body, "verification_level", |form, value| form.one_of(value, &[0, 1, 2, 3, 4])),
            default_message_notifications: form.field(
                body,
                "default_message_notifications",
                |form, value| form.one_of(value, &[0, 1]),
            ),
            explicit_content_filter: form
                .field(body, "explicit_content_filter", |form, value| form.one_of(value, &[0, 1, 2])),
            afk_channel_id: form.field(body, "afk_channel_id", Form::snowflake),
            afk_timeout: form.optional(body, "afk_timeout", |form, value| {
                let seconds = form.int(value, i64::MIN..=i64::MAX)?;
                let found = AFK_SECONDS.iter().copied().find(|allowed| i64::from(*allowed) == seconds);
                if found.is_none() {
                    form.complain(FieldError::choices(AFK_SECONDS));
                }
                found.map(u32::from)
            }),
            system_channel_id: form.field(body, "system_channel_id", Form::snowflake),
            system_channel_flags: form
                .field(body, "system_channel_flags", |form, value| form.uint(value, u32::MAX)),
            rules_channel_id: form.field(body, "rules_channel_id", Form::snowflake),
            public_updates_channel_id: form.field(body, "public_updates_channel_id", Form::snowflake),
            preferred_locale: form.field(body, "preferred_locale", |form, value| form.word(value, LOCALES)),
            owner_id: form.optional(body, "owner_id", Form::snowflake),
            safety_alerts_channel_id: form.field(body, "safety_alerts_channel_id", Form::snowflake),
            premium_progress_bar_enabled: form.optional(body, "premium_progress_bar_enabled", Form::boolean),
            features: form.optional(body, "features", |form, value| form.list(value, 0..=1521, feature)),
            icon: form.field(body, "icon", Form::any_text),
            splash: form.field(body, "splash", Form::any_text),
            discovery_splash: form.field(body, "discovery_splash", Form::any_text),
            banner: form.field(body, "banner", Form::any_text),
        })
    })
}

/// Longest name of a feature, in characters.
const MAX_FEATURE: usize = 152_133;

fn feature(form: &mut Form, value: &Value) -> Option<String> {
    form.text(value, 0..=MAX_FEATURE)
}

/// Fields of a member in a modification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberBody {
    /// Nickname; an empty one clears it.
    pub nick: Change<String>,
    /// All roles.
    pub roles: Change<Vec<Snowflake>>,
    /// Whether the member is muted in voice.
    pub mute: Change<bool>,
    /// Whether the member is deafened in voice.
    pub deaf: Change<bool>,
    /// Voice channel to move to; null disconnects the member.
    pub channel_id: Change<Snowflake>,
    /// End of a timeout.
    pub communication_disabled_until: Change<OffsetDateTime>,
    /// Flags.
    pub flags: Change<u32>,
}

/// Longest text about a member, in characters.
const MAX_BIO: usize = 190;

/// What a bot changes of its own membership.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnMemberBody {
    /// Nickname; an empty one clears it.
    pub nick: Change<String>,
    /// Picture, as a data URI.
    pub avatar: Change<String>,
    /// Banner, as a data URI.
    pub banner: Change<String>,
    /// Text about the member; an empty one clears it.
    pub bio: Change<String>,
}

/// Reads the body of the modification of one's own membership.
pub fn own_member(body: &Value) -> ApiResult<OwnMemberBody> {
    Form::read_object(body, |form, body| {
        let filled = |change: Change<String>| match change {
            Change::Set(text) if text.is_empty() => Change::Clear,
            change => change,
        };
        let nick = form.field(body, "nick", |form, value| form.trimmed(value, 0..=32));
        let bio = form.field(body, "bio", |form, value| form.trimmed(value, 0..=MAX_BIO));
        Some(OwnMemberBody {
            nick: filled(nick),
            avatar: form.field(body, "avatar", picture),
            banner: form.field(body, "banner", picture),
            bio: filled(bio),
        })
    })
}

/// Reads a picture: a data URI of an image.
fn picture(form: &mut Form, value: &Value) -> Option<String> {
    let text = form.any_text(value)?;
    if text.starts_with("data:image/") {
        return Some(text);
    }
    form.complain(FieldError::new("IMAGE_INVALID", "Invalid image data"));
    None
}

/// Reads the body of a member's modification, of another member or oneself, at the moment `now`.
pub fn member(body: &Value, now: OffsetDateTime) -> ApiResult<MemberBody> {
    Form::read_object(body, |form, body| {
        let nick = form.field(body, "nick", |form, value| form.trimmed(value, 0..=32));
        Some(MemberBody {
            nick: match nick {
                Change::Set(nick) if nick.is_empty() => Change::Clear,
                nick => nick,
            },
            roles: form.field(body, "roles", |form, value| form.id_set(value, 0..=350)),
            mute: form.field(body, "mute", Form::boolean),
            deaf: form.field(body, "deaf", Form::boolean),
            channel_id: form.field(body, "channel_id", Form::snowflake),
            communication_disabled_until: form.field(body, "communication_disabled_until", |form, value| {
                let until = form.moment(value)?;
                if until > now + MAX_TIMEOUT {
                    form.complain(FieldError::new(
                        "GUILD_MEMBER_INVALID_COMMUNICATION_DISABLED_UNTIL",
                        "Timeout cannot be longer than 28 days",
                    ));
                    return None;
                }
                Some(until)
            }),
            flags: form.field(body, "flags", |form, value| form.uint(value, u32::MAX)),
        })
    })
}

/// Returns the flags of a member that can be set: of all, only BYPASSES_VERIFICATION.
pub fn editable_flags(flags: u32) -> u32 {
    flags & 1 << 2
}

/// Fields of a voice state in a modification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoiceStateBody {
    /// Channel that the member is in.
    pub channel_id: Option<Snowflake>,
    /// Whether the member may not speak on the stage.
    pub suppress: Option<bool>,
    /// When the member requested to speak.
    pub request_to_speak_timestamp: Change<OffsetDateTime>,
}

/// Reads the body of a voice state's modification, of another member or oneself.
pub fn voice_state(body: &Value) -> ApiResult<VoiceStateBody> {
    Form::read_object(body, |form, body| {
        Some(VoiceStateBody {
            channel_id: form.optional(body, "channel_id", Form::snowflake),
            suppress: form.optional(body, "suppress", Form::boolean),
            request_to_speak_timestamp: form.field(body, "request_to_speak_timestamp", Form::moment),
        })
    })
}

/// Reads the body of a ban and returns for how many seconds back messages are deleted too.
pub fn ban(body: &Value) -> ApiResult<u32> {
    Form::read_object(body, |form, body| {
        let days = form.optional(body, "delete_message_days", |form, value| form.uint(value, 7));
        let seconds = form.optional(body, "delete_message_seconds", |form, value| form.uint(value, 604_800));
        Some(seconds.or(days.map(|days| days * 86_400)).unwrap_or(0))
    })
}

/// Reads the body of a bulk ban and returns the users, and for how many seconds back messages are deleted too.
pub fn bulk_ban(body: &Value) -> ApiResult<(Vec<Snowflake>, u32)> {
    Form::read_object(body, |form, body| {
        let users = form.required(body, "user_ids", |form, value| form.id_set(value, 1..=200));
        let seconds = form.optional(body, "delete_message_seconds", |form, value| form.uint(value, 604_800));
        Some((users?, seconds.unwrap_or(0)))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn a_guilds_limits_hold_at_their_edges() {
        for good in [
            json!({}),
            json!({ "name": "ab", "afk_timeout": 300, "preferred_locale": "de" }),
            json!({ "name": "n".repeat(100), "verification_level": 4, "system_channel_id": null }),
        ] {
            assert!(modify(&good).is_ok(), "{good}");
        }
        for bad in [
            json!({ "name": "a" }),
            json!({ "name": "n".repeat(101) }),
            json!({ "name": null }),
            json!({ "verification_level": 5 }),
            json!({ "afk_timeout": 61 }),
            json!({ "preferred_locale": "xx" }),
        ] {
            assert_eq!(modify(&bad).unwrap_err().code(), 50035, "{bad}");
        }
    }

    #[test]
    fn a_members_limits_hold_at_their_edges() {
        let body = member(&json!({ "nick": "n".repeat(32), "roles": ["1"], "mute": true }), NOW).unwrap();
        assert_eq!(body.roles, Change::Set(vec![Snowflake(1)]));
        assert_eq!(member(&json!({ "nick": "" }), NOW).unwrap().nick, Change::Clear);
        assert!(member(&json!({ "nick": "n".repeat(33) }), NOW).is_err());
        assert!(member(&json!({ "roles": ["1", "1"] }), NOW).is_err());
    }

    #[test]
    fn a_timeout_lasts_at_most_28_days() {
        assert!(member(&json!({ "communication_disabled_until": "1970-01-29T00:00:00Z" }), NOW).is_ok());
        assert!(member(&json!({ "communication_disabled_until": "1970-01-29T00:00:01Z" }), NOW).is_err());
        let lifted = member(&json!({ "communication_disabled_until": null }), NOW).unwrap();
        assert_eq!(lifted.communication_disabled_until, Change::Clear);
    }

    #[test]
    fn a_ban_takes_at_most_a_week_of_messages() {
        assert_eq!(ban(&json!({})).unwrap(), 0);
        assert_eq!(ban(&json!({ "delete_message_seconds": 604_800 })).unwrap(), 604_800);
        assert_eq!(ban(&json!({ "delete_message_days": 1 })).unwrap(), 86_400);
        assert!(ban(&json!({ "delete_message_seconds": 604_801 })).is_err());
        assert!(ban(&json!({ "delete_message_days": 8 })).is_err());
        assert!(bulk_ban(&json!({ "user_ids": [] })).is_err());
        assert_eq!(bulk_ban(&json!({ "user_ids": ["1"] })).unwrap(), (vec![Snowflake(1)], 0));
    }
}
