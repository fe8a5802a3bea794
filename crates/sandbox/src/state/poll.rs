//! Polls: the question of a message, and who voted for which answer.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::clock;
use crate::snowflake::Snowflake;
use crate::validate;

/// A poll (Poll Resource, "Poll Object").
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Poll {
    /// Its question.
    pub question: String,
    /// Its answers; the first has the id 1.
    pub answers: Vec<Answer>,
    /// When it closes.
    pub expiry: OffsetDateTime,
    /// Whether a user may vote for several answers.
    pub allow_multiselect: bool,
    /// Whether it has ended and its votes are counted.
    pub is_finalized: bool,
}

/// An answer of a poll.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Answer {
    /// Its `poll_media`: text, and perhaps an emoji.
    pub media: Value,
    /// Who voted for it.
    pub voters: BTreeSet<Snowflake>,
}

impl Poll {
    /// Creates a poll without votes, as part of a message that is created at this moment.
    pub fn new(body: validate::poll::Poll, created: OffsetDateTime) -> Self {
        let answer = |media| Answer { media, voters: BTreeSet::new() };
        Self {
            question: body.question,
            answers: body.answers.into_iter().map(answer).collect(),
            expiry: created + time::Duration::hours(i64::from(body.duration_hours)),
            allow_multiselect: body.allow_multiselect,
            is_finalized: false,
        }
    }

    /// Returns an answer by its id.
    pub fn answer(&self, id: u64) -> Option<&Answer> {
        self.answers.get(usize::try_from(id.checked_sub(1)?).ok()?)
    }

    /// Returns the ids of all answers, each with its answer.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, &Answer)> {
        (1..).zip(&self.answers)
    }

    /// Returns the poll object as `viewer` sees it. Answers without votes are left out of the counts.
    pub fn json(&self, viewer: Option<Snowflake>) -> Value {
        let voted = |answer: &Answer| viewer.is_some_and(|viewer| answer.voters.contains(&viewer));
        let counts = self
            .numbered()
            .filter(|(_, answer)| !answer.voters.is_empty())
            .map(|(id, answer)| json!({ "id": id, "count": answer.voters.len(), "me_voted": voted(answer) }));
        json!({
            "question": { "text": self.question },
            "answers": self
                .numbered()
                .map(|(id, answer)| json!({ "answer_id": id, "poll_media": answer.media }))
                .collect::<Vec<_>>(),
            "expiry": clock::iso(self.expiry),
            "allow_multiselect": self.allow_multiselect,
            "layout_type": 1,
            "results": { "is_finalized": self.is_finalized, "answer_counts": counts.collect::<Vec<_>>() },
        })
    }

    /// Returns the embed of the message that reports the result (Message Resource, "Poll Result Embed Fields"). It names
    /// an answer only if that has more votes than each other.
    pub fn result_embed(&self) -> Value {
        let votes = |answer: &Answer| answer.voters.len();
        let most = self.answers.iter().map(votes).max().unwrap_or(0);
        let total: usize = self.answers.iter().map(votes).sum();
        let mut fields = vec![
            ("poll_question_text", self.question.clone()),
            ("victor_answer_votes", most.to_string()),
            ("total_votes", total.to_string()),
        ];
        let mut first = self.numbered().filter(|(_, answer)| votes(answer) == most);
        if let (Some((id, victor)), None, true) = (first.next(), first.next(), most > 0) {
            fields.push(("victor_answer_id", id.to_string()));
            fields.extend(media_fields(&victor.media));
        }
        let field = |(name, value)| json!({ "name": name, "value": value, "inline": false });
        json!({ "type": "poll_result", "fields": fields.into_iter().map(field).collect::<Vec<_>>() })
    }
}

fn media_fields(media: &Value) -> impl Iterator<Item = (&'static str, String)> {
    let empty = Map::new();
    let emoji = media["emoji"].as_object().unwrap_or(&empty);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let is_custom = emoji.get("id").is_some_and(Value::is_string);
    let animated = emoji.get("animated").and_then(Value::as_bool).unwrap_or(false);
    [
        ("victor_answer_text", text(&media["text"])),
        ("victor_answer_emoji_id", emoji.get("id").and_then(text)),
        ("victor_answer_emoji_name", emoji.get("name").and_then(text)),
        ("victor_answer_emoji_animated", is_custom.then(|| animated.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embed(votes: &[&[u64]]) -> Vec<(String, String)> {
        let answer = |voters: &&[u64]| Answer {
            media: json!({ "text": "tea", "emoji": { "id": "7", "name": "cup", "animated": true } }),
            voters: voters.iter().map(|id| Snowflake(*id)).collect(),
        };
        let poll = Poll {
            question: "?".into(),
            answers: votes.iter().map(answer).collect(),
            expiry: OffsetDateTime::UNIX_EPOCH,
            allow_multiselect: true,
            is_finalized: true,
        };
        let embed = poll.result_embed();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let fields = embed["fields"].as_array().unwrap();
        fields.iter().map(|field| (text(&field["name"]), text(&field["value"]))).collect()
    }

    fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_result_names_the_answer_with_the_most_votes() {
        let expected = [
            ("poll_question_text", "?"),
            ("victor_answer_votes", "2"),
            ("total_votes", "3"),
            ("victor_answer_id", "2"),
            ("victor_answer_text", "tea"),
            ("victor_answer_emoji_id", "7"),
            ("victor_answer_emoji_name", "cup"),
            ("victor_answer_emoji_animated", "true"),
        ];
        assert_eq!(embed(&[&[1], &[1, 2], &[]]), pairs(&expected));
    }

    #[test]
    fn a_tie_and_a_poll_without_votes_have_no_victor() {
        let fields = |most, total| {
            pairs(&[("poll_question_text", "?"), ("victor_answer_votes", most), ("total_votes", total)])
        };
        assert_eq!(embed(&[&[1], &[2]]), fields("1", "2"));
        assert_eq!(embed(&[&[], &[]]), fields("0", "0"));
    }
}
