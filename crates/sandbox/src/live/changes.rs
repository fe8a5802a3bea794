//! The `changes` of an audit log entry, from an object before and after.

use serde_json::{Value, json};

/// Fields of a guild whose changes the audit log has, each with its name there.
pub const GUILD: &[(&str, &str)] = &[
    ("name", "name"),
    ("description", "description"),
    ("icon", "icon_hash"),
    ("splash", "splash_hash"),
    ("discovery_splash", "discovery_splash_hash"),
    ("banner", "banner_hash"),
    ("owner_id", "owner_id"),
    ("features", "features"),
    ("preferred_locale", "preferred_locale"),
    ("afk_channel_id", "afk_channel_id"),
    ("afk_timeout", "afk_timeout"),
    ("system_channel_id", "system_channel_id"),
    ("system_channel_flags", "system_channel_flags"),
    ("rules_channel_id", "rules_channel_id"),
    ("public_updates_channel_id", "public_updates_channel_id"),
    ("safety_alerts_channel_id", "safety_alerts_channel_id"),
    ("verification_level", "verification_level"),
    ("explicit_content_filter", "explicit_content_filter"),
    ("default_message_notifications", "default_message_notifications"),
    ("vanity_url_code", "vanity_url_code"),
    ("widget_enabled", "widget_enabled"),
    ("widget_channel_id", "widget_channel_id"),
    ("premium_progress_bar_enabled", "premium_progress_bar_enabled"),
    ("incidents_data", "incidents_data"),
];

/// Fields of a role whose changes the audit log has.
pub const ROLE: &[(&str, &str)] = &[
    ("name", "name"),
    ("permissions", "permissions"),
    ("color", "color"),
    ("colors", "colors"),
    ("hoist", "hoist"),
    ("mentionable", "mentionable"),
    ("icon", "icon_hash"),
    ("unicode_emoji", "unicode_emoji"),
];

/// Fields of a channel whose changes the audit log has.
pub const CHANNEL: &[(&str, &str)] = &[
    ("name", "name"),
    ("type", "type"),
    ("topic", "topic"),
    ("nsfw", "nsfw"),
    ("bitrate", "bitrate"),
    ("user_limit", "user_limit"),
    ("rate_limit_per_user", "rate_limit_per_user"),
    ("rtc_region", "rtc_region"),
    ("video_quality_mode", "video_quality_mode"),
    ("permission_overwrites", "permission_overwrites"),
    ("default_auto_archive_duration", "default_auto_archive_duration"),
    ("default_thread_rate_limit_per_user", "default_thread_rate_limit_per_user"),
    ("available_tags", "available_tags"),
    ("default_reaction_emoji", "default_reaction_emoji"),
    ("default_sort_order", "default_sort_order"),
    ("default_forum_layout", "default_forum_layout"),
    ("applied_tags", "applied_tags"),
    ("flags", "flags"),
];

/// Fields of a thread whose changes the audit log has.
pub const THREAD: &[(&str, &str)] = &[
    ("name", "name"),
    ("type", "type"),
    ("archived", "archived"),
    ("locked", "locked"),
    ("invitable", "invitable"),
    ("auto_archive_duration", "auto_archive_duration"),
    ("rate_limit_per_user", "rate_limit_per_user"),
    ("applied_tags", "applied_tags"),
    ("flags", "flags"),
];

/// Fields of a member whose changes the audit log has.
pub const MEMBER: &[(&str, &str)] = &[
    ("nick", "nick"),
    ("mute", "mute"),
    ("deaf", "deaf"),
    ("communication_disabled_until", "communication_disabled_until"),
    ("flags", "flags"),
];

/// Returns the changes between two states of an object, whose fields have other names in the audit log. An old or new
/// value that is null is left out, as at Discord.
pub fn renamed(before: &Value, after: &Value, fields: &[(&str, &str)]) -> Vec<Value> {
    fields.iter().filter_map(|(field, key)| change(key, &before[*field], &after[*field])).collect()
}

/// Returns a channel object with the fields of a thread's metadata beside its own.
pub fn flat(channel: &Value) -> Value {
    let mut flat = channel.clone();
    for (key, value) in channel["thread_metadata"].as_object().into_iter().flatten() {
        flat[key] = value.clone();
    }
    flat
}

/// Returns the changes between two states of an object in these fields, which have the same names in the audit log.
pub fn between(before: &Value, after: &Value, fields: &[&str]) -> Vec<Value> {
    let named: Vec<(&str, &str)> = fields.iter().map(|field| (*field, *field)).collect();
    renamed(before, after, &named)
}

/// Returns the changes of all fields but those in `skip`, between two objects that may be null (Audit Log Resource, "Audit
/// Log Change Structure").
pub fn changes(before: &Value, after: &Value, skip: &[&str]) -> Vec<Value> {
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
    };
    let mut all = keys(before);
    all.extend(keys(after).into_iter().filter(|key| before.get(key).is_none()));
    let named = all.iter().map(String::as_str).filter(|key| !skip.contains(key));
    named.filter_map(|key| change(key, &before[key], &after[key])).collect()
}

fn change(key: &str, old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    let mut change = json!({ "key": key });
    for (name, value) in [("old_value", old), ("new_value", new)] {
        if !value.is_null() {
            change[name] = value.clone();
        }
    }
    Some(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_names_what_was_and_what_is() {
        let before = json!({ "id": "1", "name": "a", "topic": "t", "same": 1 });
        let after = json!({ "id": "1", "name": "b", "topic": null, "same": 1, "new": true });
        let expected = json!([
            { "key": "name", "old_value": "a", "new_value": "b" },
            { "key": "topic", "old_value": "t" },
            { "key": "new", "new_value": true },
        ]);
        assert_eq!(json!(changes(&before, &after, &["id"])), expected);
        let created = changes(&Value::Null, &json!({ "id": "1", "name": "a" }), &["id"]);
        assert_eq!(json!(created), json!([{ "key": "name", "new_value": "a" }]));
        assert_eq!(
            json!(changes(&json!({ "name": "a" }), &Value::Null, &[])),
            json!([{ "key": "name", "old_value": "a" }])
        );
    }

    #[test]
    fn only_what_differs_is_a_change_and_null_is_left_out() {
        let before = json!({ "name": "a", "icon": null, "afk_timeout": 60, "nsfw": true });
        let after = json!({ "name": "b", "icon": "1f", "afk_timeout": 60, "nsfw": false });
        assert_eq!(
            renamed(&before, &after, GUILD),
            [
                json!({ "key": "name", "old_value": "a", "new_value": "b" }),
                json!({ "key": "icon_hash", "new_value": "1f" }),
            ]
        );
        assert_eq!(between(&after, &Value::Null, &["name"]), [json!({ "key": "name", "old_value": "b" })]);
    }
}
