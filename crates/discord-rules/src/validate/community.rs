//! Pages for new members: welcome screen, onboarding, and the review of a request to join.

use serde_json::Value;

use super::form::{Change, Form, Object};
use crate::emoji::EmojiRef;
use crate::error::ApiResult;
use crate::snowflake::Snowflake;

/// A channel of the welcome screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WelcomeChannelBody {
    /// The channel.
    pub channel_id: Snowflake,
    /// What it is for.
    pub description: String,
    /// Emoji beside it.
    pub emoji: EmojiRef,
}

/// Fields of the welcome screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WelcomeBody {
    /// Whether new members see it.
    pub enabled: Option<bool>,
    /// Description of the guild.
    pub description: Change<String>,
    /// Its channels.
    pub channels: Change<Vec<WelcomeChannelBody>>,
}

fn emoji(form: &mut Form, body: &Object) -> EmojiRef {
    EmojiRef {
        id: form.optional(body, "emoji_id", Form::snowflake),
        name: form.optional(body, "emoji_name", |form, value| form.text(value, 0..=100)),
    }
}

/// Reads the body of the welcome screen.
pub fn welcome_screen(body: &Value) -> ApiResult<WelcomeBody> {
    Form::read_object(body, |form, body| {
        Some(WelcomeBody {
            enabled: form.optional(body, "enabled", Form::boolean),
            description: form.field(body, "description", |form, value| form.trimmed(value, 0..=140)),
            channels: form.field(body, "welcome_channels", |form, value| {
                form.list(value, 0..=5, |form, item| {
                    let item = form.object(item)?;
                    let channel_id = form.required(item, "channel_id", Form::snowflake);
                    let text = |form: &mut Form, value: &Value| form.trimmed(value, 1..=50);
                    let description = form.required(item, "description", text);
                    let emoji = emoji(form, item);
                    Some(WelcomeChannelBody { channel_id: channel_id?, description: description?, emoji })
                })
            }),
        })
    })
}

/// An option of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionBody {
    /// Its id, if it is not new.
    pub id: Option<Snowflake>,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: Option<String>,
    /// Its emoji, and whether that is animated.
    pub emoji: (EmojiRef, bool),
    /// Roles that a member gets.
    pub role_ids: Vec<Snowflake>,
    /// Channels that a member opts into.
    pub channel_ids: Vec<Snowflake>,
}

/// A prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptBody {
    /// Its id; any id if it is new.
    pub id: Snowflake,
    /// The question.
    pub title: String,
    /// Its options.
    pub options: Vec<OptionBody>,
    /// Whether only one option can be chosen.
    pub single_select: bool,
    /// Whether onboarding cannot be completed without an answer.
    pub required: bool,
    /// Whether it is part of onboarding.
    pub in_onboarding: bool,
    /// 0 for a list, 1 for a menu.
    pub kind: u8,
}

/// Fields of the onboarding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnboardingBody {
    /// All questions.
    pub prompts: Option<Vec<PromptBody>>,
    /// Channels that every member opts into.
    pub default_channel_ids: Option<Vec<Snowflake>>,
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// What counts towards the requirements.
    pub mode: Option<u8>,
}

/// Reads the body of the onboarding.
pub fn onboarding(body: &Value) -> ApiResult<OnboardingBody> {
    Form::read_object(body, |form, body| {
        Some(OnboardingBody {
            prompts: form.optional(body, "prompts", |form, value| form.list(value, 0..=15, prompt)),
            default_channel_ids: form
                .optional(body, "default_channel_ids", |form, value| form.id_set(value, 0..=500)),
            enabled: form.optional(body, "enabled", Form::boolean),
            mode: form.optional(body, "mode", |form, value| form.one_of(value, &[0, 1])),
        })
    })
}

fn prompt(form: &mut Form, body: &Value) -> Option<PromptBody> {
    let body = form.object(body)?;
    let id = form.required(body, "id", Form::snowflake);
    let title = form.required(body, "title", |form, value| form.trimmed(value, 1..=100));
    let options = form.required(body, "options", |form, value| form.list(value, 1..=50, option));
    let single_select = form.optional(body, "single_select", Form::boolean);
    let required = form.optional(body, "required", Form::boolean);
    let in_onboarding = form.optional(body, "in_onboarding", Form::boolean);
    let kind = form.optional(body, "type", |form, value| form.one_of(value, &[0, 1]));
    Some(PromptBody {
        id: id?,
        title: title?,
        options: options?,
        single_select: single_select.unwrap_or(false),
        required: required.unwrap_or(false),
        in_onboarding: in_onboarding.unwrap_or(false),
        kind: kind.unwrap_or(0),
    })
}

fn option(form: &mut Form, body: &Value) -> Option<OptionBody> {
    let body = form.object(body)?;
    let id = form.optional(body, "id", Form::snowflake);
    let title = form.required(body, "title", |form, value| form.trimmed(value, 1..=50));
    let description = form.optional(body, "description", |form, value| form.trimmed(value, 0..=100));
    let emoji = emoji(form, body);
    let animated = form.optional(body, "emoji_animated", Form::boolean).unwrap_or(false);
    let role_ids = form.optional(body, "role_ids", |form, value| form.id_set(value, 0..=50));
    let channel_ids = form.optional(body, "channel_ids", |form, value| form.id_set(value, 0..=50));
    Some(OptionBody {
        id,
        title: title?,
        description,
        emoji: (emoji, animated),
        role_ids: role_ids.unwrap_or_default(),
        channel_ids: channel_ids.unwrap_or_default(),
    })
}

/// Reads the review of a request to join: whether it is approved, and why not.
pub fn review(body: &Value) -> ApiResult<(bool, Option<String>)> {
    Form::read_object(body, |form, body| {
        let action = form.required(body, "action", |form, value| form.word(value, &["APPROVED", "REJECTED"]));
        let reason = form.optional(body, "rejection_reason", |form, value| form.text(value, 0..=160));
        Some((action? == "APPROVED", reason))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_welcome_screens_limits_hold_at_their_edges() {
        let channel = |text: &str| json!({ "channel_id": "1", "description": text, "emoji_name": "a" });
        let good = json!({ "enabled": true, "description": "d".repeat(140), "welcome_channels": vec![channel("c"); 5] });
        assert!(welcome_screen(&good).is_ok());
        assert_eq!(welcome_screen(&json!({ "welcome_channels": null })).unwrap().channels, Change::Clear);
        for bad in [
            json!({ "description": "d".repeat(141) }),
            json!({ "welcome_channels": vec![channel("c"); 6] }),
            json!({ "welcome_channels": [channel("")] }),
            json!({ "welcome_channels": [channel(&"c".repeat(51))] }),
            json!({ "welcome_channels": [{ "description": "c" }] }),
        ] {
            assert_eq!(welcome_screen(&bad).unwrap_err().code(), 50035, "{bad}");
        }
    }

    #[test]
    fn an_onboardings_limits_hold_at_their_edges() {
        let option = json!({ "title": "t".repeat(50), "description": "d".repeat(100) });
        let prompt = json!({ "id": "1", "title": "t".repeat(100), "options": vec![option; 50] });
        assert!(onboarding(&json!({ "prompts": vec![prompt; 15], "mode": 1 })).is_ok());
        let wrong = |prompt: Value, path: &[&str]| {
            let error = onboarding(&json!({ "prompts": [prompt] })).unwrap_err();
            assert_eq!(error.errors().unwrap().at(path).len(), 1, "{error:?}");
        };
        let options = |option: Value| json!({ "id": "1", "title": "t", "options": [option] });
        wrong(json!({ "title": "t", "options": [{ "title": "a" }] }), &["prompts", "0", "id"]);
        wrong(json!({ "id": "1", "title": "t", "options": [] }), &["prompts", "0", "options"]);
        wrong(options(json!({})), &["prompts", "0", "options", "0", "title"]);
        wrong(
            options(json!({ "title": "t", "role_ids": ["1", "1"] })),
            &["prompts", "0", "options", "0", "role_ids", "1"],
        );
        assert!(onboarding(&json!({ "mode": 2 })).is_err());
    }

    #[test]
    fn a_request_is_approved_or_rejected() {
        assert_eq!(review(&json!({ "action": "APPROVED" })).unwrap(), (true, None));
        assert!(review(&json!({ "action": "STARTED" })).is_err());
        assert!(review(&json!({ "action": "REJECTED", "rejection_reason": "r".repeat(161) })).is_err());
    }
}
