//! Channels and threads: bodies of their creation and modification, and of overwrites.

use serde_json::Value;

use super::form::{Change, Form, Object};
use super::forum::{self, TagBody};
use crate::emoji::EmojiRef;
use crate::error::{ApiResult, FieldError};
use crate::permissions::{Overwrite, OverwriteKind, Permissions};
use crate::snowflake::Snowflake;

/// Kinds of channels.
pub mod kind {
    /// Text channel.
    pub const GUILD_TEXT: u8 = 0;
    /// Direct messages.
    pub const DM: u8 = 1;
    /// Voice.
    pub const GUILD_VOICE: u8 = 2;
    /// Category.
    pub const GUILD_CATEGORY: u8 = 4;
    /// Text channel that other guilds can follow.
    pub const GUILD_ANNOUNCEMENT: u8 = 5;
    /// Thread in an announcement channel.
    pub const ANNOUNCEMENT_THREAD: u8 = 10;
    /// Thread.
    pub const PUBLIC_THREAD: u8 = 11;
    /// Thread for invited users.
    pub const PRIVATE_THREAD: u8 = 12;
    /// Stage.
    pub const GUILD_STAGE_VOICE: u8 = 13;
    /// Channel of threads.
    pub const GUILD_FORUM: u8 = 15;
    /// Channel of threads with media.
    pub const GUILD_MEDIA: u8 = 16;
}

const CREATABLE: &[u8] = &[0, 2, 4, 5, 13, 15, 16];
const ARCHIVE_MINUTES: &[u16] = &[60, 1440, 4320, 10080];
const MAX_SLOWMODE: u32 = 21_600;
/// Longest status of a voice channel, in characters (Channel, "Set Voice Channel Status").
const MAX_VOICE_STATUS: usize = 500;

/// Fields of a guild channel, in a creation or a modification.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelBody {
    /// One of [`kind`].
    pub kind: Change<u8>,
    /// Name, for text channels in the form that Discord gives it.
    pub name: Option<String>,
    /// Position in the list.
    pub position: Change<u32>,
    /// Topic.
    pub topic: Change<String>,
    /// Bitrate of voice, in bits per second.
    pub bitrate: Change<u32>,
    /// Maximum number of users in voice; 0 for no limit.
    pub user_limit: Change<u32>,
    /// Whether it is age-restricted.
    pub nsfw: Change<bool>,
    /// Slowmode, in seconds.
    pub rate_limit_per_user: Change<u32>,
    /// Category.
    pub parent_id: Change<Snowflake>,
    /// All overwrites.
    pub permission_overwrites: Change<Vec<Overwrite>>,
    /// Voice region.
    pub rtc_region: Change<String>,
    /// Camera quality.
    pub video_quality_mode: Change<u8>,
    /// Minutes after which its threads are archived.
    pub default_auto_archive_duration: Change<u16>,
    /// Slowmode of its threads.
    pub default_thread_rate_limit_per_user: Change<u32>,
    /// Flags.
    pub flags: Change<u32>,
    /// All tags of a forum.
    pub available_tags: Change<Vec<TagBody>>,
    /// Default reaction of a forum.
    pub default_reaction_emoji: Change<EmojiRef>,
    /// Order of posts of a forum.
    pub default_sort_order: Change<u8>,
    /// Whether a search of a forum's posts needs all tags, or any.
    pub default_tag_setting: Change<&'static str>,
    /// View of posts of a forum.
    pub default_forum_layout: Change<u8>,
}

/// Reads the body of a creation; the type is text unless given.
pub fn create(body: &Value) -> ApiResult<ChannelBody> {
    Form::read_object(body, |form, body| {
        if !body.contains_key("name") {
            form.complain_at("name", FieldError::required());
        }
        let kind = form.field(body, "type", |form, value| form.one_of(value, CREATABLE));
        Some(read(form, body, kind.as_ref().copied().unwrap_or(kind::GUILD_TEXT), kind))
    })
}

/// Reads the body of a modification of a channel of this type.
pub fn modify(body: &Value, current: u8) -> ApiResult<ChannelBody> {
    Form::read_object(body, |form, body| {
        // Only text and announcement channels can become one another.
        let convertible = [kind::GUILD_TEXT, kind::GUILD_ANNOUNCEMENT];
        let kind = form.field(body, "type", |form, value| {
            let other = if convertible.contains(&current) {
                &convertible[..]
            } else {
                std::slice::from_ref(&current)
            };
            form.one_of(value, other)
        });
        Some(read(form, body, kind.as_ref().copied().unwrap_or(current), kind))
    })
}

fn read(form: &mut Form, body: &Object, of: u8, kind: Change<u8>) -> ChannelBody {
    let topic = if matches!(of, kind::GUILD_FORUM | kind::GUILD_MEDIA) { 4096 } else { 1024 };
    let stage = of == kind::GUILD_STAGE_VOICE;
    let slowmode = |form: &mut Form, value: &Value| form.uint(value, MAX_SLOWMODE);
    let name = form.present(body, "name", |form, value| {
        let name = form.trimmed(value, 1..=100)?;
        Some(if keeps_its_name(of) { name } else { text_channel_name(&name) })
    });
    ChannelBody {
        kind,
        name,
        position: form.field(body, "position", |form, value| form.uint(value, i32::MAX.unsigned_abs())),
        topic: form.field(body, "topic", |form, value| form.trimmed(value, 0..=topic)),
        bitrate: form.field(body, "bitrate", |form, value| {
            let most = if stage { 64_000 } else { 384_000 };
            form.int(value, 8000..=most).and_then(|rate| u32::try_from(rate).ok())
        }),
        user_limit: form
            .field(body, "user_limit", |form, value| form.uint(value, if stage { 10_000 } else { 99 })),
        nsfw: form.field(body, "nsfw", Form::boolean),
        rate_limit_per_user: form.field(body, "rate_limit_per_user", slowmode),
        parent_id: form.field(body, "parent_id", Form::snowflake),
        permission_overwrites: form
            .field(body, "permission_overwrites", |form, value| form.objects(value, 0..=100, overwrite_item)),
        rtc_region: form.field(body, "rtc_region", Form::any_text),
        video_quality_mode: form.field(body, "video_quality_mode", |form, value| form.one_of(value, &[1, 2])),
        default_auto_archive_duration: form.field(body, "default_auto_archive_duration", archive_minutes),
        default_thread_rate_limit_per_user: form.field(body, "default_thread_rate_limit_per_user", slowmode),
        flags: form.field(body, "flags", |form, value| form.uint(value, u32::MAX)),
        available_tags: form.field(body, "available_tags", forum::tags),
        default_reaction_emoji: form.field(body, "default_reaction_emoji", forum::emoji),
        default_sort_order: form.field(body, "default_sort_order", |form, value| form.one_of(value, &[0, 1])),
        default_tag_setting: form
            .field(body, "default_tag_setting", |form, value| form.word(value, &["match_all", "match_some"])),
        default_forum_layout: form
            .field(body, "default_forum_layout", |form, value| form.one_of(value, &[0, 1, 2])),
    }
}

/// Channel's new position, from the body of a reordering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The channel.
    pub id: Snowflake,
    /// Position in the list.
    pub position: Option<u32>,
    /// Category.
    pub parent_id: Change<Snowflake>,
    /// Whether it takes the overwrites of its new category.
    pub lock_permissions: bool,
}

/// Reads the body of a reordering.
pub fn positions(body: &Value) -> ApiResult<Vec<Position>> {
    super::role::placed(body, |form, item, id, position| {
        let parent_id = form.field(item, "parent_id", Form::snowflake);
        let lock_permissions = form.optional(item, "lock_permissions", Form::boolean).unwrap_or(false);
        Some(Position { id: id?, position, parent_id, lock_permissions })
    })
}

/// Returns whether channels of this type keep exactly the name that they are given: voice channels, stages, categories,
/// threads.
pub fn keeps_its_name(kind: u8) -> bool {
    !matches!(kind, kind::GUILD_TEXT | kind::GUILD_ANNOUNCEMENT | kind::GUILD_FORUM | kind::GUILD_MEDIA)
}

/// Returns the form that Discord gives the name of a text channel: lower case, hyphens for white space, no ASCII
/// punctuation.
pub fn text_channel_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            c if c.is_whitespace() || c == '-' => {
                if !out.ends_with('-') {
                    out.push('-');
                }
            }
            '_' => out.push('_'),
            c if c.is_ascii_punctuation() => {}
            c => out.push(c),
        }
    }
    if out.is_empty() { "-".to_owned() } else { out }
}

fn archive_minutes(form: &mut Form, value: &Value) -> Option<u16> {
    let minutes = form.int(value, i64::MIN..=i64::MAX)?;
    let found = ARCHIVE_MINUTES.iter().copied().find(|allowed| i64::from(*allowed) == minutes);
    if found.is_none() {
        form.complain(FieldError::choices(ARCHIVE_MINUTES));
    }
    found
}

fn overwrite_item(form: &mut Form, body: &Object) -> Option<Overwrite> {
    let id = form.required(body, "id", Form::snowflake);
    let (kind, allow, deny) = overwrite_fields(form, body);
    Some(Overwrite { id: id?, kind, allow, deny })
}

fn overwrite_fields(form: &mut Form, body: &Object) -> (OverwriteKind, Permissions, Permissions) {
    let kind = form.optional(body, "type", |form, value| form.one_of(value, &[0, 1]));
    let kind = if kind == Some(1) { OverwriteKind::Member } else { OverwriteKind::Role };
    let allow = form.optional(body, "allow", Form::permissions).unwrap_or_default();
    let deny = form.optional(body, "deny", Form::permissions).unwrap_or_default();
    (kind, allow, deny)
}

/// Reads the body of `PUT /channels/{id}/permissions/{overwrite}`.
pub fn overwrite(body: &Value, id: Snowflake) -> ApiResult<Overwrite> {
    Form::read_object(body, |form, body| {
        let (kind, allow, deny) = overwrite_fields(form, body);
        Some(Overwrite { id, kind, allow, deny })
    })
}

/// Fields of a thread, in a creation or a modification.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThreadBody {
    /// Name.
    pub name: Option<String>,
    /// Minutes after which it is archived.
    pub auto_archive_duration: Change<u16>,
    /// Slowmode, in seconds.
    pub rate_limit_per_user: Change<u32>,
    /// Kind of a thread without a message.
    pub kind: Change<u8>,
    /// Whether users who are not moderators may invite others.
    pub invitable: Change<bool>,
    /// Whether it is archived.
    pub archived: Change<bool>,
    /// Whether only moderators can unarchive it.
    pub locked: Change<bool>,
    /// Flags.
    pub flags: Change<u32>,
    /// Tags, in a forum.
    pub applied_tags: Change<Vec<Snowflake>>,
}

/// Reads the body of a thread's creation. In a forum, its `message` is a body of its own.
pub fn thread_create(body: &Value) -> ApiResult<ThreadBody> {
    Form::read_object(body, |form, body| {
        form.skip(body, &["message"]);
        if !body.contains_key("name") {
            form.complain_at("name", FieldError::required());
        }
        Some(thread(form, body))
    })
}

/// Reads the body of a thread's modification.
pub fn thread_modify(body: &Value) -> ApiResult<ThreadBody> {
    Form::read_object(body, |form, body| Some(thread(form, body)))
}

/// Reads the body of a voice channel's status. An empty one counts as none.
pub fn voice_status(body: &Value) -> ApiResult<Change<String>> {
    Form::read_object(body, |form, body| {
        Some(match form.field(body, "status", |form, value| form.text(value, 0..=MAX_VOICE_STATUS)) {
            Change::Set(status) if status.is_empty() => Change::Clear,
            change => change,
        })
    })
}

fn thread(form: &mut Form, body: &Object) -> ThreadBody {
    let name = form.present(body, "name", |form, value| form.trimmed(value, 1..=100));
    ThreadBody {
        name,
        auto_archive_duration: form.field(body, "auto_archive_duration", archive_minutes),
        rate_limit_per_user: form
            .field(body, "rate_limit_per_user", |form, value| form.uint(value, MAX_SLOWMODE)),
        kind: form.field(body, "type", |form, value| form.one_of(value, &[10, 11, 12])),
        invitable: form.field(body, "invitable", Form::boolean),
        archived: form.field(body, "archived", Form::boolean),
        locked: form.field(body, "locked", Form::boolean),
        flags: form.field(body, "flags", |form, value| form.uint(value, u32::MAX)),
        applied_tags: form.field(body, "applied_tags", |form, value| form.id_set(value, 0..=5)),
    }
}

/// Reads the body of a group's modification: its name, and whether there is an icon, or none any more.
pub fn group(body: &Value) -> ApiResult<(Option<String>, Change<()>)> {
    Form::read_object(body, |form, body| {
        let name = form.optional(body, "name", |form, value| form.trimmed(value, 1..=100));
        let picture =
            |form: &mut Form, value: &Value| crate::media::data_uri::picture(form, value).map(|_| ());
        Some((name, form.field(body, "icon", picture)))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_hold_at_their_edges() {
        let name = |n: usize| json!({ "name": "n".repeat(n) });
        for good in [
            name(1),
            name(100),
            json!({ "name": "n", "topic": "t".repeat(1024), "rate_limit_per_user": 21_600, "nsfw": true }),
            json!({ "name": "n", "type": 15, "topic": "t".repeat(4096) }),
            json!({ "name": "n", "type": 2, "bitrate": 8000, "user_limit": 99, "position": 0 }),
            json!({ "name": "n", "default_auto_archive_duration": 1440 }),
        ] {
            assert!(create(&good).is_ok(), "{good}");
        }
        for bad in [
            json!({}),
            name(0),
            name(101),
            json!({ "name": null }),
            json!({ "name": "n", "topic": "t".repeat(1025) }),
            json!({ "name": "n", "rate_limit_per_user": 21_601 }),
            json!({ "name": "n", "type": 1 }),
            json!({ "name": "n", "type": 2, "bitrate": 7999 }),
            json!({ "name": "n", "type": 2, "user_limit": 100 }),
            json!({ "name": "n", "default_auto_archive_duration": 61 }),
            json!({ "name": "n", "permission_overwrites": [{}] }),
        ] {
            assert_eq!(create(&bad).unwrap_err().code(), 50035, "{bad}");
        }
    }

    #[test]
    fn text_channels_are_named_in_lower_case_and_voice_channels_as_they_are() {
        assert_eq!(create(&json!({ "name": "Grosse  Halle!" })).unwrap().name.unwrap(), "grosse-halle");
        assert_eq!(create(&json!({ "name": "Halle 1", "type": 2 })).unwrap().name.unwrap(), "Halle 1");
        assert_eq!(text_channel_name("🐸-Frösche_2"), "🐸-frösche_2");
    }

    #[test]
    fn a_voice_status_has_up_to_500_characters_and_an_empty_one_is_none() {
        let status = |n: usize| json!({ "status": "é".repeat(n) });
        assert_eq!(voice_status(&status(500)).unwrap(), Change::Set("é".repeat(500)));
        for bad in [status(501), json!({ "status": {} }), json!("a")] {
            assert_eq!(voice_status(&bad).unwrap_err().code(), 50035, "{bad}");
        }
        for none in [json!({ "status": null }), json!({ "status": "" })] {
            assert_eq!(voice_status(&none).unwrap(), Change::Clear, "{none}");
        }
        assert_eq!(voice_status(&json!({})).unwrap(), Change::Keep);
    }

    #[test]
    fn a_modification_tells_null_from_absence() {
        let body = modify(&json!({ "topic": null, "parent_id": "5" }), kind::GUILD_TEXT).unwrap();
        assert_eq!((body.topic, body.nsfw, body.name), (Change::Clear, Change::Keep, None));
        assert_eq!(body.parent_id, Change::Set(Snowflake(5)));
    }

    #[test]
    fn only_text_and_announcement_channels_change_into_one_another() {
        assert!(modify(&json!({ "type": 5 }), kind::GUILD_TEXT).is_ok());
        assert!(modify(&json!({ "type": 2 }), kind::GUILD_TEXT).is_err());
        assert!(modify(&json!({ "type": 0 }), kind::GUILD_VOICE).is_err());
    }

    #[test]
    fn overwrites_are_read_from_text_and_default_to_roles() {
        let body = json!({ "permission_overwrites": [{ "id": "1", "allow": "1024" }, { "id": "2", "type": 1, "deny": 2048 }] });
        let read = modify(&body, kind::GUILD_TEXT).unwrap().permission_overwrites.value().unwrap();
        assert_eq!((read[0].kind, read[0].allow), (OverwriteKind::Role, Permissions::VIEW_CHANNEL));
        assert_eq!((read[1].kind, read[1].deny), (OverwriteKind::Member, Permissions::SEND_MESSAGES));
        assert_eq!(overwrite(&json!({ "type": 1 }), Snowflake(9)).unwrap().id, Snowflake(9));
    }

    #[test]
    fn a_thread_has_a_name_and_rests_after_a_documented_time() {
        let body = thread_create(&json!({ "name": "T", "auto_archive_duration": 60, "type": 11 })).unwrap();
        assert_eq!((body.auto_archive_duration, body.kind), (Change::Set(60), Change::Set(11)));
        assert!(thread_create(&json!({})).is_err());
        assert!(thread_create(&json!({ "name": "T", "type": 0 })).is_err());
        assert!(thread_modify(&json!({ "archived": true, "locked": null })).is_ok());
    }
}
