//! Polls: a question, up to ten answers, and how long they are open.

use serde_json::{Value, json};

use super::form::{Form, Object};
use super::reaction::emoji_object;

/// Poll to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Question.
    pub question: String,
    /// `poll_media` of each answer: text, and an emoji or none.
    pub answers: Vec<Value>,
    /// Hours until it closes.
    pub duration_hours: u32,
    /// Whether a user may choose more than one answer.
    pub allow_multiselect: bool,
}

/// Reads the field `poll` of a message.
pub(super) fn read(form: &mut Form, body: &Object) -> Option<Poll> {
    form.optional(body, "poll", |form, value| {
        let poll = form.object(value)?;
        let question = form.required(poll, "question", |form, value| {
            let question = form.object(value)?;
            // Only answers show an emoji (Poll, "Poll Media Object").
            form.check(question, "emoji", emoji_object);
            form.required(question, "text", |form, value| form.trimmed(value, 1..=300))
        });
        let answers = form.required(poll, "answers", |form, value| form.objects(value, 1..=10, answer));
        let duration = form.optional(poll, "duration", |form, value| {
            form.int(value, 1..=768).and_then(|hours| u32::try_from(hours).ok())
        });
        form.optional(poll, "layout_type", |form, value| form.one_of(value, &[1]));
        let allow_multiselect = form.optional(poll, "allow_multiselect", Form::boolean).unwrap_or(false);
        Some(Poll {
            question: question?,
            answers: answers?,
            duration_hours: duration.unwrap_or(24),
            allow_multiselect,
        })
    })
}

fn answer(form: &mut Form, answer: &Object) -> Option<Value> {
    form.required(answer, "poll_media", |form, value| {
        let media = form.object(value)?;
        let text = form.required(media, "text", |form, value| form.trimmed(value, 1..=55));
        let emoji = form.optional(media, "emoji", emoji_object);
        let mut out = json!({ "text": text? });
        if let Some(emoji) = emoji {
            out["emoji"] = emoji;
            if out["emoji"].get("id").is_none() {
                out["emoji"]["id"] = Value::Null;
            }
        }
        Some(out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiResult;

    fn poll(value: &Value) -> ApiResult<Option<Poll>> {
        Form::read_object(&json!({ "poll": value }), |form, body| Some(read(form, body)))
    }

    fn with_answers(n: usize, text: usize, duration: u32) -> Value {
        let answer = json!({ "poll_media": { "text": "a".repeat(text), "emoji": { "name": "🐸" } } });
        json!({ "question": { "text": "?" }, "answers": vec![answer; n], "duration": duration })
    }

    #[test]
    fn limits_hold_at_their_edges() {
        let read = poll(&with_answers(10, 55, 768)).unwrap().unwrap();
        assert_eq!((read.answers.len(), read.duration_hours, read.allow_multiselect), (10, 768, false));
        assert_eq!(read.answers[0]["emoji"]["name"], "🐸");
        for wrong in
            [with_answers(11, 1, 1), with_answers(0, 1, 1), with_answers(1, 56, 1), with_answers(1, 1, 769)]
        {
            assert!(poll(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_poll_is_open_for_a_day_unless_it_says_otherwise() {
        let value = json!({ "question": { "text": "?" }, "answers": [{ "poll_media": { "text": "a" } }] });
        assert_eq!(poll(&value).unwrap().unwrap().duration_hours, 24);
    }
}
