//! Emojis: in a path (`👍`, `name:id`), and as the objects that components and polls hold.

use serde_json::{Value, json};

use super::form::Form;
use crate::error::{ApiError, ApiResult, FieldError};
use crate::snowflake::Snowflake;

/// One emoji.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Emoji {
    /// Unicode emoji, by its characters.
    Unicode(String),
    /// Emoji of a guild or application.
    Custom {
        /// Id.
        id: Snowflake,
        /// Name by which it was called, which need not be its own.
        name: String,
        /// Whether it was called an animated one.
        animated: bool,
    },
}

impl Emoji {
    /// Reads an emoji from a path, already percent-decoded: `👍`, `name:id` or `a:name:id`.
    pub fn parse(text: &str) -> ApiResult<Self> {
        let text = text.trim_start_matches('<').trim_end_matches('>');
        let mut parts = text.rsplitn(2, ':');
        let (last, rest) = (parts.next().unwrap_or_default(), parts.next());
        if let Some(name) = rest {
            let id = last.parse().map_err(|_| ApiError::unknown_emoji())?;
            let (animated, name) = match name.strip_prefix("a:") {
                Some(name) => (true, name),
                None => (false, name.trim_start_matches(':')),
            };
            return Ok(Self::Custom { id, name: name.to_owned(), animated });
        }
        if is_unicode(text) { Ok(Self::Unicode(text.to_owned())) } else { Err(ApiError::unknown_emoji()) }
    }

    /// Returns the partial emoji of reactions and gateway events.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Unicode(name) => json!({ "id": null, "name": name }),
            Self::Custom { id, name, animated: false } => json!({ "id": id, "name": name }),
            Self::Custom { id, name, animated: true } => json!({ "id": id, "name": name, "animated": true }),
        }
    }

    /// Returns whether both are the same emoji: a custom one is identified by its id, and variation selectors make no
    /// difference.
    pub fn same(&self, other: &Self) -> bool {
        let plain = |text: &str| text.replace('\u{fe0f}', "");
        match (self, other) {
            (Self::Custom { id: one, .. }, Self::Custom { id: two, .. }) => one == two,
            (Self::Unicode(one), Self::Unicode(two)) => plain(one) == plain(two),
            _ => false,
        }
    }
}

/// Returns whether a text is one Unicode emoji. Checks the kinds of its characters, since the list of sequences changes
/// every year.
pub fn is_unicode(text: &str) -> bool {
    let mut pictures = 0;
    let mut keycap = false;
    for c in text.chars() {
        match c {
            // Joiners, variation selectors, skin tones and tags change a picture; they are not pictures themselves.
            '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' => {}
            '\u{20e3}' => keycap = true,
            '0'..='9' | '#' | '*' => pictures += 1,
            '\u{a9}'
            | '\u{ae}'
            | '\u{203c}'
            | '\u{2049}'
            | '\u{2122}'
            | '\u{2139}'
            | '\u{2194}'..='\u{21aa}'
            | '\u{231a}'..='\u{23ff}'
            | '\u{24c2}'
            | '\u{25aa}'..='\u{27bf}'
            | '\u{2934}'..='\u{2935}'
            | '\u{2b05}'..='\u{2b55}'
            | '\u{3030}'
            | '\u{303d}'
            | '\u{3297}'
            | '\u{3299}'
            | '\u{1f000}'..='\u{1faff}' => {
                pictures += 1;
            }
            _ => return false,
        }
    }
    let lone_tone =
        text.chars().count() == 1 && text.chars().all(|c| ('\u{1f3fb}'..='\u{1f3ff}').contains(&c));
    let digits = text.chars().any(|c| c.is_ascii());
    (pictures > 0 && pictures <= 8 && digits == keycap) || lone_tone
}

/// Reads the emoji of a button, choice or poll answer: an id, or the characters of a Unicode emoji as its name.
pub(super) fn emoji_object(form: &mut Form, value: &Value) -> Option<Value> {
    // Some libraries send the characters themselves; Discord refuses those too.
    let object = form.object(value)?;
    let invalid = || FieldError::new("BUTTON_COMPONENT_INVALID_EMOJI", "Invalid emoji");
    let id = form.optional(object, "id", Form::snowflake);
    // Nothing is asked of the name of a custom emoji, whose id decides (discord.js#11375).
    let longest = if object.get("id").is_none_or(Value::is_null) { 32 } else { usize::MAX };
    let name = form.optional(object, "name", |form, value| form.text(value, 0..=longest));
    let animated = form.optional(object, "animated", Form::boolean).unwrap_or(false);
    match (id, name) {
        (Some(id), name) => {
            let mut emoji = json!({ "id": id, "name": name.unwrap_or_default() });
            if animated {
                emoji["animated"] = json!(true);
            }
            Some(emoji)
        }
        (None, Some(name)) if is_unicode(&name) => Some(json!({ "name": name })),
        (None, Some(_)) => {
            form.complain_at("name", invalid());
            None
        }
        (None, None) => {
            // An error of one that is present but wrong has been reported.
            let missing = |key| object.get(key).is_none_or(Value::is_null);
            if missing("id") && missing("name") {
                form.complain_at("name", invalid());
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emojis_of_unicode_are_known_from_other_text() {
        for good in ["👍", "👍🏽", "❤️", "❤", "1️⃣", "#⃣", "🇩🇪", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "©️", "🏽", "™️"]
        {
            assert!(is_unicode(good), "{good}");
        }
        for bad in ["", "a", "1", "thumbsup", ":+1:", "👍a", "é", "\u{200d}", "中"] {
            assert!(!is_unicode(bad), "{bad}");
        }
    }

    #[test]
    fn a_path_holds_characters_or_name_and_id() {
        assert_eq!(Emoji::parse("👍").unwrap(), Emoji::Unicode("👍".into()));
        let custom = Emoji::Custom { id: Snowflake(5), name: "frog".into(), animated: false };
        assert_eq!(Emoji::parse("frog:5").unwrap(), custom);
        assert_eq!(Emoji::parse("<:frog:5>").unwrap(), custom);
        assert!(matches!(Emoji::parse("a:frog:5").unwrap(), Emoji::Custom { animated: true, .. }));
        for bad in ["frog", "frog:", "frog:x", ""] {
            assert_eq!(Emoji::parse(bad).unwrap_err().code(), 10014, "{bad}");
        }
    }

    #[test]
    fn custom_emojis_are_the_same_by_id_alone() {
        let one = Emoji::parse("frog:5").unwrap();
        assert!(one.same(&Emoji::parse("a:toad:5").unwrap()));
        assert!(!one.same(&Emoji::parse("frog:6").unwrap()));
        assert!(Emoji::parse("❤️").unwrap().same(&Emoji::parse("❤").unwrap()));
        assert_eq!(one.to_json(), json!({ "id": "5", "name": "frog" }));
    }
}
