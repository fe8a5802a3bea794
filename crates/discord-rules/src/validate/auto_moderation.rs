//! Auto moderation: bodies of rules (Auto Moderation, "Create Auto Moderation Rule").

use serde_json::{Value, json};

use super::form::{Form, Object};
use crate::auto_moderation::pattern;
use crate::error::{ApiResult, FieldError};
use crate::snowflake::Snowflake;

/// Discord's numbers of trigger types.
pub mod trigger {
    /// Keywords and regular expressions of the guild's own.
    pub const KEYWORD: u8 = 1;
    /// Generic spam.
    pub const SPAM: u8 = 3;
    /// Discord's own wordsets.
    pub const KEYWORD_PRESET: u8 = 4;
    /// More different mentions than allowed.
    pub const MENTION_SPAM: u8 = 5;
    /// Keywords in the names of a member.
    pub const MEMBER_PROFILE: u8 = 6;
}

/// Event type of rules about messages.
pub const MESSAGE_SEND: u8 = 1;
/// Event type of rules about members.
pub const MEMBER_UPDATE: u8 = 2;

/// What triggers a rule: its `trigger_type` and `trigger_metadata`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Trigger {
    /// KEYWORD.
    Keyword(Words),
    /// SPAM.
    Spam,
    /// KEYWORD_PRESET.
    KeywordPreset {
        /// Wordsets: 1 profanity, 2 sexual content, 3 slurs.
        presets: Vec<u8>,
        /// What is allowed nevertheless.
        allow_list: Vec<String>,
    },
    /// MENTION_SPAM.
    MentionSpam {
        /// Most different mentions of users and roles in one message.
        mention_total_limit: u32,
        /// Whether raids by mentions are detected.
        mention_raid_protection_enabled: bool,
    },
    /// MEMBER_PROFILE.
    MemberProfile(Words),
}

/// Words that trigger a rule, and words that do not.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Words {
    /// Keywords with their wildcards.
    pub keyword_filter: Vec<String>,
    /// Regular expressions in Rust's dialect.
    pub regex_patterns: Vec<String>,
    /// What is allowed nevertheless.
    pub allow_list: Vec<String>,
}

impl Trigger {
    /// Returns its number, see [`trigger`].
    pub fn kind(&self) -> u8 {
        match self {
            Self::Keyword(_) => trigger::KEYWORD,
            Self::Spam => trigger::SPAM,
            Self::KeywordPreset { .. } => trigger::KEYWORD_PRESET,
            Self::MentionSpam { .. } => trigger::MENTION_SPAM,
            Self::MemberProfile(_) => trigger::MEMBER_PROFILE,
        }
    }

    /// Returns `trigger_metadata`.
    pub fn metadata(&self) -> Value {
        match self {
            Self::Keyword(words) | Self::MemberProfile(words) => json!({
                "keyword_filter": words.keyword_filter,
                "regex_patterns": words.regex_patterns,
                "allow_list": words.allow_list,
            }),
            Self::Spam => json!({}),
            Self::KeywordPreset { presets, allow_list } => {
                json!({ "presets": presets, "allow_list": allow_list })
            }
            Self::MentionSpam { mention_total_limit, mention_raid_protection_enabled } => json!({
                "mention_total_limit": mention_total_limit,
                "mention_raid_protection_enabled": mention_raid_protection_enabled,
            }),
        }
    }
}

/// What a triggered rule does.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Action {
    /// BLOCK_MESSAGE: the message is not posted.
    BlockMessage {
        /// Explanation for its author.
        custom_message: Option<String>,
    },
    /// SEND_ALERT_MESSAGE: the content is reported.
    Alert {
        /// Channel of the report.
        channel_id: Snowflake,
    },
    /// TIMEOUT.
    Timeout {
        /// Seconds.
        duration_seconds: u32,
    },
    /// BLOCK_MEMBER_INTERACTION: the member is quarantined.
    BlockMember,
}

impl Action {
    /// Returns the action object.
    pub fn json(&self) -> Value {
        let (kind, metadata) = match self {
            Self::BlockMessage { custom_message: None } => (1, json!({})),
            Self::BlockMessage { custom_message: Some(text) } => (1, json!({ "custom_message": text })),
            Self::Alert { channel_id } => (2, json!({ "channel_id": channel_id })),
            Self::Timeout { duration_seconds } => (3, json!({ "duration_seconds": duration_seconds })),
            Self::BlockMember => (4, json!({})),
        };
        json!({ "type": kind, "metadata": metadata })
    }
}

/// Fields of a rule in a creation or modification; those that are absent from a modification are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleBody {
    /// Name.
    pub name: Option<String>,
    /// What it triggers on.
    pub trigger: Option<Trigger>,
    /// What it does.
    pub actions: Option<Vec<Action>>,
    /// Whether it is carried out.
    pub enabled: Option<bool>,
    /// Roles whose members it does not affect.
    pub exempt_roles: Option<Vec<Snowflake>>,
    /// Channels that it does not affect.
    pub exempt_channels: Option<Vec<Snowflake>>,
}

/// Reads the body of a creation. `name`, `trigger` and `actions` are there.
pub fn create(body: &Value) -> ApiResult<RuleBody> {
    const KINDS: &[u8] = &[1, 3, 4, 5, 6];
    Form::read_object(body, |form, body| {
        let kind = form.required(body, "trigger_type", |form, value| form.one_of(value, KINDS));
        let event = form.required(body, "event_type", |form, value| form.one_of(value, &[1, 2]));
        if let (Some(kind), Some(event)) = (kind, event) {
            check_event(form, kind, event);
        }
        let name = form.required(body, "name", name);
        let kind = kind?;
        let empty = Value::Object(Object::new());
        let needs_metadata = matches!(kind, trigger::KEYWORD_PRESET | trigger::MEMBER_PROFILE);
        let trigger = if needs_metadata {
            form.required(body, "trigger_metadata", |form, value| metadata(form, value, kind))
        } else {
            let given = form.field(body, "trigger_metadata", |form, value| metadata(form, value, kind));
            given.value().or_else(|| metadata(form, &empty, kind))
        };
        let mut read = rest(form, body, kind);
        read.actions.get_or_insert_with(|| vec![default_action(kind)]);
        Some(RuleBody { name: Some(name?), trigger: Some(trigger?), ..read })
    })
}

/// Reads the body of a modification of a rule with this trigger type, which stays.
pub fn modify(body: &Value, kind: u8) -> ApiResult<RuleBody> {
    Form::read_object(body, |form, body| {
        form.present(body, "trigger_type", |form, value| form.one_of(value, &[kind]));
        if let Some(event) = form.present(body, "event_type", |form, value| form.one_of(value, &[1, 2])) {
            check_event(form, kind, event);
        }
        Some(RuleBody {
            name: form.present(body, "name", name),
            trigger: form.present(body, "trigger_metadata", |form, value| metadata(form, value, kind)),
            ..rest(form, body, kind)
        })
    })
}

/// Returns the event type that goes with a trigger type.
pub fn event_of(kind: u8) -> u8 {
    if kind == trigger::MEMBER_PROFILE { MEMBER_UPDATE } else { MESSAGE_SEND }
}

fn check_event(form: &mut Form, kind: u8, event: u8) {
    if event != event_of(kind) {
        form.complain_at("event_type", FieldError::choices([event_of(kind)]));
    }
}

fn default_action(kind: u8) -> Action {
    match kind {
        trigger::MEMBER_PROFILE => Action::BlockMember,
        _ => Action::BlockMessage { custom_message: None },
    }
}

fn name(form: &mut Form, value: &Value) -> Option<String> {
    form.trimmed(value, 1..=100)
}

fn rest(form: &mut Form, body: &Object, kind: u8) -> RuleBody {
    RuleBody {
        name: None,
        trigger: None,
        actions: form.optional(body, "actions", |form, value| {
            form.list(value, 1..=5, |form, value| action(form, value, kind))
        }),
        enabled: form.optional(body, "enabled", Form::boolean),
        exempt_roles: form.optional(body, "exempt_roles", |form, value| form.id_set(value, 0..=20)),
        exempt_channels: form.optional(body, "exempt_channels", |form, value| form.id_set(value, 0..=50)),
    }
}

fn metadata(form: &mut Form, value: &Value, kind: u8) -> Option<Trigger> {
    let object = form.object(value)?;
    let texts = |form: &mut Form, key, most, longest| {
        let list = form.optional(object, key, |form, value| {
            form.list(value, 0..=most, |form, value| form.text(value, 1..=longest))
        });
        list.unwrap_or_default()
    };
    Some(match kind {
        trigger::KEYWORD | trigger::MEMBER_PROFILE => {
            let words = Words {
                keyword_filter: texts(form, "keyword_filter", 1000, 60),
                regex_patterns: form
                    .optional(object, "regex_patterns", |form, value| form.list(value, 0..=10, regex))
                    .unwrap_or_default(),
                allow_list: texts(form, "allow_list", 100, 60),
            };
            if kind == trigger::KEYWORD { Trigger::Keyword(words) } else { Trigger::MemberProfile(words) }
        }
        trigger::KEYWORD_PRESET => Trigger::KeywordPreset {
            presets: form.optional(object, "presets", presets).unwrap_or_default(),
            allow_list: texts(form, "allow_list", 1000, 60),
        },
        trigger::MENTION_SPAM => Trigger::MentionSpam {
            mention_total_limit: form
                .optional(object, "mention_total_limit", |form, value| form.uint(value, 50))
                .unwrap_or(20),
            mention_raid_protection_enabled: form
                .optional(object, "mention_raid_protection_enabled", Form::boolean)
                .unwrap_or(false),
        },
        _ => Trigger::Spam,
    })
}

fn regex(form: &mut Form, value: &Value) -> Option<String> {
    let text = form.text(value, 1..=260)?;
    if let Err(error) = pattern(&text) {
        form.complain(FieldError::new("AUTO_MODERATION_INVALID_REGEX", format!("Invalid regex: {error}")));
        return None;
    }
    Some(text)
}

fn presets(form: &mut Form, value: &Value) -> Option<Vec<u8>> {
    let mut seen = Vec::new();
    form.list(value, 0..=3, |form, value| {
        let preset = form.one_of(value, &[1, 2, 3])?;
        if seen.contains(&preset) {
            form.complain(FieldError::repeated());
            return None;
        }
        seen.push(preset);
        Some(preset)
    })
}

fn action(form: &mut Form, value: &Value, kind: u8) -> Option<Action> {
    // A timeout is for keywords and mentions, a quarantine for profiles (Auto Moderation, "Action Types").
    let allowed: &[u8] = match kind {
        trigger::KEYWORD | trigger::MENTION_SPAM => &[1, 2, 3],
        trigger::MEMBER_PROFILE => &[2, 4],
        _ => &[1, 2],
    };
    let action = form.object(value)?;
    let number = form.required(action, "type", |form, value| form.one_of(value, allowed))?;
    let read = |form: &mut Form, value: &Value| {
        let metadata = form.object(value)?;
        detail(form, metadata, number)
    };
    match number {
        2 | 3 => form.required(action, "metadata", read),
        _ => {
            let given = form.field(action, "metadata", read);
            given.value().or_else(|| detail(form, &Object::new(), number))
        }
    }
}

/// Reads the metadata of an action.
fn detail(form: &mut Form, metadata: &Object, number: u8) -> Option<Action> {
    match number {
        2 => {
            let channel_id = form.required(metadata, "channel_id", Form::snowflake)?;
            Some(Action::Alert { channel_id })
        }
        3 => {
            let seconds = |form: &mut Form, value: &Value| form.uint(value, 2_419_200);
            let duration_seconds = form.required(metadata, "duration_seconds", seconds)?;
            Some(Action::Timeout { duration_seconds })
        }
        4 => Some(Action::BlockMember),
        _ => {
            let text = form.optional(metadata, "custom_message", |form, value| form.trimmed(value, 0..=150));
            Some(Action::BlockMessage { custom_message: text.filter(|text| !text.is_empty()) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(kind: u8, event: u8, metadata: &Value, actions: &Value) -> Value {
        json!({ "name": "r", "trigger_type": kind, "event_type": event, "trigger_metadata": metadata,
            "actions": actions })
    }

    fn code_at(body: &Value, path: &[&str]) -> String {
        let error = create(body).unwrap_err();
        error.errors().unwrap().at(path).first().unwrap_or_else(|| panic!("{error:?}")).code.to_string()
    }

    #[test]
    fn what_a_rule_may_do_depends_on_what_triggers_it() {
        let timeout = json!([{ "type": 3, "metadata": { "duration_seconds": 60 } }]);
        let block = json!([{ "type": 1 }]);
        let quarantine = json!([{ "type": 4 }]);
        for (kind, event, actions, fits) in [
            (1, 1, &timeout, true),
            (5, 1, &timeout, true),
            (3, 1, &timeout, false),
            (4, 1, &timeout, false),
            (6, 2, &timeout, false),
            (6, 2, &quarantine, true),
            (1, 1, &quarantine, false),
            (6, 2, &block, false),
            (3, 1, &block, true),
        ] {
            assert_eq!(create(&rule(kind, event, &json!({}), actions)).is_ok(), fits, "{kind} {actions}");
        }
        assert_eq!(code_at(&rule(6, 1, &json!({}), &quarantine), &["event_type"]), "BASE_TYPE_CHOICES");
        assert_eq!(code_at(&rule(2, 1, &json!({}), &block), &["trigger_type"]), "BASE_TYPE_CHOICES");
    }

    #[test]
    fn limits_hold_at_their_edges() {
        let block = json!([{ "type": 1, "metadata": { "custom_message": "m".repeat(150) } }]);
        let words =
            |keywords: usize, length: usize| json!({ "keyword_filter": vec!["k".repeat(length); keywords] });
        assert!(create(&rule(1, 1, &words(1000, 60), &block)).is_ok());
        for metadata in [
            words(1001, 1),
            words(1, 61),
            json!({ "regex_patterns": vec!["a"; 11] }),
            json!({ "regex_patterns": ["a".repeat(261)] }),
            json!({ "regex_patterns": ["(unclosed"] }),
            json!({ "regex_patterns": ["(?=look)ahead"] }),
            json!({ "allow_list": vec!["a"; 101] }),
        ] {
            assert!(create(&rule(1, 1, &metadata, &block)).is_err(), "{metadata}");
        }
        assert!(
            create(&rule(4, 1, &json!({ "presets": [1], "allow_list": vec!["a"; 1000] }), &block)).is_ok()
        );
        assert!(create(&rule(4, 1, &json!({ "presets": [1, 1] }), &block)).is_err());
        assert!(create(&rule(5, 1, &json!({ "mention_total_limit": 50 }), &block)).is_ok());
        assert!(create(&rule(5, 1, &json!({ "mention_total_limit": 51 }), &block)).is_err());
        let action =
            |action: Value| code_at(&rule(1, 1, &json!({}), &json!([action])), &["actions", "0", "metadata"]);
        assert_eq!(action(json!({ "type": 2 })), "BASE_TYPE_REQUIRED");
        let long = json!([{ "type": 1, "metadata": { "custom_message": "m".repeat(151) } }]);
        let at = ["actions", "0", "metadata", "custom_message"];
        assert_eq!(code_at(&rule(1, 1, &json!({}), &long), &at), "BASE_TYPE_MAX_LENGTH");
    }

    #[test]
    fn a_modification_names_only_what_changes() {
        assert_eq!(modify(&json!({}), trigger::SPAM).unwrap(), RuleBody::default());
        let change = modify(&json!({ "enabled": true, "exempt_roles": ["1"] }), trigger::SPAM).unwrap();
        assert_eq!((change.enabled, change.exempt_roles), (Some(true), Some(vec![Snowflake(1)])));
        assert!(modify(&json!({ "trigger_type": 1 }), trigger::SPAM).is_err());
        assert!(modify(&json!({ "name": "" }), trigger::SPAM).is_err());
    }
}
