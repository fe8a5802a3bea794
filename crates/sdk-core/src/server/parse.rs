//! Values of settings as users enter them.

use std::time::Duration;

use serenity::all::{ChannelId, ChannelType, Guild, RoleId, UserId};

use super::{SettingKind, SettingValue};
use crate::text;

/// Most words of a choice that a sentence lists.
const LISTED: usize = 10;

/// Parses what a user has entered for a setting: a mention, an id or a name of a channel, role or member, `yes` or
/// `off`, `90s` or `1h 30m`. Without `guild`, only ids are channels, roles and users.
///
/// A user that is entered by id need not be among the members that are cached.
///
/// # Errors
/// What the value has to be, as the end of a sentence: "has to be a whole number from 1 to 5".
pub fn parse(kind: &SettingKind, entered: &str, guild: Option<&Guild>) -> Result<SettingValue, String> {
    let entered = entered.trim();
    let found = match *kind {
        SettingKind::Boolean { .. } => match entered.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(SettingValue::Boolean(true)),
            "false" | "no" | "off" => Some(SettingValue::Boolean(false)),
            _ => None,
        },
        SettingKind::Integer { .. } => entered.parse().ok().map(SettingValue::Integer),
        SettingKind::Text { .. } if entered.is_empty() => None,
        SettingKind::Text { .. } => Some(SettingValue::Text(entered.to_owned())),
        SettingKind::Choice { choices, .. } => {
            let is_it = |choice: &&str| choice.to_lowercase() == entered.to_lowercase();
            choices.iter().copied().find(is_it).map(SettingValue::Choice)
        }
        SettingKind::Channel { types } => channel(entered, types, guild)?.map(SettingValue::Channel),
        SettingKind::Role => role(entered, guild)?.map(SettingValue::Role),
        SettingKind::User => user(entered, guild)?.map(SettingValue::User),
        SettingKind::Duration { .. } => duration(entered).map(SettingValue::Duration),
    };
    found.filter(|value| kind.allows(value)).ok_or_else(|| expected(kind, guild.is_some()))
}

/// Returns what a value has to be, as the end of a sentence.
fn expected(kind: &SettingKind, in_guild: bool) -> String {
    let id_of = |what: &str| format!("has to be the id of a {what}, such as 1120000000000000000");
    match *kind {
        SettingKind::Boolean { .. } => "has to be true or false".to_owned(),
        SettingKind::Integer { min: i64::MIN, max: i64::MAX, .. } => "has to be a whole number".to_owned(),
        SettingKind::Integer { min, max: i64::MAX, .. } => format!("has to be a whole number from {min}"),
        SettingKind::Integer { min, max, .. } => format!("has to be a whole number from {min} to {max}"),
        SettingKind::Text { max_length, .. } => format!("has to be a text of 1 to {max_length} characters"),
        SettingKind::Choice { choices, .. } => {
            let more = if choices.len() > LISTED { " ..." } else { "" };
            format!("has to be one of {}{more}", choices[..choices.len().min(LISTED)].join(", "))
        }
        SettingKind::Channel { .. } if !in_guild => id_of("channel"),
        SettingKind::Channel { types: [] } => "has to be a channel of this server".to_owned(),
        SettingKind::Channel { types } => {
            let names: Vec<_> = types.iter().copied().map(type_name).collect();
            format!("has to be a channel of this server, of the type {}", names.join(" or "))
        }
        SettingKind::Role if !in_guild => id_of("role"),
        SettingKind::Role => "has to be a role of this server".to_owned(),
        SettingKind::User if !in_guild => id_of("user"),
        SettingKind::User => "has to be a member of this server".to_owned(),
        SettingKind::Duration { min, max, .. } => {
            let shown = |time| SettingValue::Duration(time).to_string();
            format!("has to be a duration from {} to {}, such as 90s or 1h 30m", shown(min), shown(max))
        }
    }
}

/// Returns a type's name as Discord's client shows it.
fn type_name(kind: ChannelType) -> String {
    match kind {
        ChannelType::News => "announcement".to_owned(),
        other => other.name().to_owned(),
    }
}

fn channel(entered: &str, types: &[ChannelType], guild: Option<&Guild>) -> Result<Option<ChannelId>, String> {
    let id = id(entered, "<#").map(ChannelId::new);
    let Some(guild) = guild else { return Ok(id) };
    let fits = |kind: ChannelType| types.is_empty() || types.contains(&kind);
    if let Some(channel) = id.and_then(|id| guild.channels.get(&id)) {
        return Ok(Some(channel.id).filter(|_| fits(channel.kind)));
    }
    let name = entered.strip_prefix('#').unwrap_or(entered);
    let named = guild.channels.values().filter(|channel| is_same(&channel.name, name) && fits(channel.kind));
    only(named.map(|channel| channel.id), "channels")
}

fn role(entered: &str, guild: Option<&Guild>) -> Result<Option<RoleId>, String> {
    let id = id(entered, "<@&").map(RoleId::new);
    let Some(guild) = guild else { return Ok(id) };
    if let Some(role) = id.and_then(|id| guild.roles.get(&id)) {
        return Ok(Some(role.id));
    }
    let name = entered.strip_prefix('@').unwrap_or(entered);
    let named = guild.roles.values().filter(|role| is_same(&role.name, name) || is_same(&role.name, entered));
    only(named.map(|role| role.id), "roles")
}

fn user(entered: &str, guild: Option<&Guild>) -> Result<Option<UserId>, String> {
    if let Some(id) = id(entered, "<@!").or_else(|| id(entered, "<@")) {
        return Ok(Some(UserId::new(id)));
    }
    let Some(guild) = guild else { return Ok(None) };
    let name = entered.strip_prefix('@').unwrap_or(entered);
    // A user's name is unique, the others are not.
    if let Some(member) = guild.members.values().find(|member| is_same(&member.user.name, name)) {
        return Ok(Some(member.user.id));
    }
    let named = guild.members.values().filter(|member| {
        let names = [member.nick.as_deref(), member.user.global_name.as_deref()];
        names.into_iter().flatten().any(|shown| is_same(shown, name))
    });
    only(named.map(|member| member.user.id), "members")
}

/// Returns the id in a mention that begins with `opening`, or the id as entered.
fn id(entered: &str, opening: &str) -> Option<u64> {
    let inner = entered.strip_prefix(opening).and_then(|rest| rest.strip_suffix('>')).unwrap_or(entered);
    inner.parse().ok().filter(|id| *id != 0 && inner.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_same(name: &str, entered: &str) -> bool {
    name.to_lowercase() == entered.to_lowercase()
}

/// Returns the only one, or `None` if there is none.
fn only<T>(mut named: impl Iterator<Item = T>, noun: &str) -> Result<Option<T>, String> {
    let first = named.next();
    match named.next() {
        None => Ok(first),
        Some(_) => Err(format!("has to be a mention or an id, because several {noun} have this name")),
    }
}

/// Parses a duration: `90`, `90s`, `10 minutes`, `1h 30m`, `2d`. A number without a unit is in seconds.
pub fn duration(entered: &str) -> Option<Duration> {
    text::parse_duration(entered, &|unit| if unit.is_empty() { Some(1) } else { text::unit(unit) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn guild() -> Guild {
        let channel = |id: u64, kind: u8, name: &str| {
            let id = id.to_string();
            json!({"id": id, "guild_id": "1", "type": kind, "name": name, "position": 0})
        };
        let role = |id: u64, name: &str| {
            json!({"id": id.to_string(), "name": name, "color": 0, "colors": {"primary_color": 0}, "hoist": false,
                "managed": false, "mentionable": false, "permissions": "0", "position": 0})
        };
        let member = |id: u64, name: &str, nick: &str| {
            json!({"user": {"id": id.to_string(), "username": name, "discriminator": "0"}, "nick": nick,
                "roles": [], "joined_at": "2024-01-01T00:00:00Z", "deaf": false, "mute": false, "flags": 0})
        };
        serde_json::from_value(json!({
            "id": "1", "name": "Home", "owner_id": "2", "afk_timeout": 60, "verification_level": 0,
            "default_message_notifications": 0, "explicit_content_filter": 0, "emojis": [],
            "roles": [role(1, "@everyone"), role(30, "DJ Team"), role(31, "mods")],
            "features": [], "mfa_level": 0, "system_channel_flags": 0, "premium_tier": 0,
            "preferred_locale": "en-US", "nsfw_level": 0, "stickers": [], "premium_progress_bar_enabled": false,
            "joined_at": "2024-01-01T00:00:00Z", "large": false, "member_count": 5, "voice_states": [],
            "members": [member(20, "ann", "Annie"), member(21, "bob", "Twin"), member(22, "cid", "Twin")],
            "threads": [], "presences": [], "stage_instances": [], "guild_scheduled_events": [],
            "channels": [channel(10, 0, "general"), channel(11, 2, "General"), channel(12, 0, "twice"),
                channel(13, 0, "twice"), channel(14, 5, "news")],
        }))
        .unwrap()
    }

    fn read(kind: &SettingKind, entered: &str) -> Result<String, String> {
        parse(kind, entered, Some(&guild())).map(|value| value.to_string())
    }

    #[test]
    fn channels_roles_and_members_are_understood_as_mentions_ids_and_names() {
        let text = SettingKind::Channel { types: &[ChannelType::Text] };
        for entered in ["<#10>", "10", "#general", "General", " general "] {
            assert_eq!(read(&text, entered).as_deref(), Ok("10"), "{entered}");
        }
        for entered in ["<#11>", "11", "99", "#nothing", "", "<@10>", "news", "+10"] {
            let error = read(&text, entered).unwrap_err();
            assert_eq!(error, "has to be a channel of this server, of the type text", "{entered}");
        }
        assert!(read(&text, "twice").unwrap_err().contains("several channels"));
        let any = SettingKind::Channel { types: &[] };
        assert!(read(&any, "general").unwrap_err().contains("several channels"));
        assert_eq!(read(&any, "<#11>").as_deref(), Ok("11"));
        for entered in ["<@&30>", "30", "@DJ Team", "dj team"] {
            assert_eq!(read(&SettingKind::Role, entered).as_deref(), Ok("30"), "{entered}");
        }
        assert_eq!(read(&SettingKind::Role, "@everyone").as_deref(), Ok("1"));
        assert!(read(&SettingKind::Role, "<@30>").unwrap_err().contains("a role of this server"));
        for entered in ["<@20>", "<@!20>", "20", "@ann", "annie"] {
            assert_eq!(read(&SettingKind::User, entered).as_deref(), Ok("20"), "{entered}");
        }
        assert!(read(&SettingKind::User, "twin").unwrap_err().contains("several members"));
        assert!(read(&SettingKind::User, "nobody").unwrap_err().contains("a member of this server"));
    }

    #[test]
    fn a_variable_of_the_bot_knows_no_server_and_takes_ids_alone() {
        let kind = SettingKind::Channel { types: &[] };
        assert_eq!(parse(&kind, "42", None), Ok(SettingValue::Channel(ChannelId::new(42))));
        for wrong in ["#log", "0", "-1"] {
            let expected = "has to be the id of a channel, such as 1120000000000000000";
            assert_eq!(parse(&kind, wrong, None), Err(expected.to_owned()));
        }
    }

    #[test]
    fn plain_values_are_read_within_their_bounds() {
        let boolean = SettingKind::Boolean { default: false };
        assert_eq!(read(&boolean, "Yes").as_deref(), Ok("true"));
        assert_eq!(read(&boolean, "off").as_deref(), Ok("false"));
        assert_eq!(read(&boolean, "maybe").unwrap_err(), "has to be true or false");
        let number = SettingKind::Integer { min: -1, max: 5, default: 0 };
        assert_eq!(read(&number, "-1").as_deref(), Ok("-1"));
        for wrong in ["6", "1.5", "x", ""] {
            assert_eq!(read(&number, wrong).unwrap_err(), "has to be a whole number from -1 to 5");
        }
        let text = SettingKind::Text { max_length: 3, default: "" };
        assert_eq!(read(&text, " äöü ").as_deref(), Ok("äöü"));
        assert_eq!(read(&text, "äöüß").unwrap_err(), "has to be a text of 1 to 3 characters");
        assert!(read(&text, " ").is_err());
        let choice = SettingKind::Choice { choices: &["Short", "long"], default: "long" };
        assert_eq!(read(&choice, "short").as_deref(), Ok("Short"));
        assert_eq!(read(&choice, "middle").unwrap_err(), "has to be one of Short, long");
    }

    #[test]
    fn durations_are_read_as_people_write_them_and_never_overflow() {
        for (entered, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("10 minutes", 600),
            ("1h30m", 5_400),
            ("1h 30m 5s", 5_405),
            ("2d", 172_800),
            ("1 Week", 604_800),
            ("0", 0),
        ] {
            assert_eq!(duration(entered), Some(Duration::from_secs(seconds)), "{entered}");
        }
        for wrong in ["", "h", "1x", "-5m", "1:30", "99999999999999999999s", "18446744073709551615d", "1h,"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        let kind = SettingKind::Duration {
            min: Duration::from_secs(5),
            max: Duration::from_mins(90),
            default: Duration::from_secs(5),
        };
        assert_eq!(read(&kind, "1h 30m").as_deref(), Ok("1h 30m"));
        let expected = "has to be a duration from 5s to 1h 30m, such as 90s or 1h 30m";
        assert_eq!(read(&kind, "4").unwrap_err(), expected);
    }
}
