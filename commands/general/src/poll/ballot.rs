//! A poll's question, votes and appearance, independent of Discord.

use std::error::Error;
use std::fmt;

use sdk::prelude::serenity::{ButtonStyle, CreateActionRow, CreateButton, CreateEmbed, GuildId, UserId};
use sdk::prelude::{Surface, foreign};
use sdk::text;
use serde::{Deserialize, Serialize};

/// Message for a user who presses a button too late.
pub(super) const OVER: &str = "This poll is over.";

/// Maximum number of characters of an answer, which is that of a button's label.
const ANSWER: usize = 80;

/// Returns an answer for a line of text, with at most as many escapes as characters.
fn bare(words: &str) -> String {
    foreign(words, Surface::Line, 2 * ANSWER)
}

/// Returns an upper bound for the size in bytes of a text as JSON.
fn json_text(text: &str) -> usize {
    let byte = |byte| match byte {
        b'"' | b'\\' => 2,
        0..=0x1f => r"\u0000".len(),
        _ => 1,
    };
    2 + text.bytes().map(byte).sum::<usize>()
}

/// Returns whether nothing of a text would be visible.
fn is_blank(words: &str) -> bool {
    words.chars().all(|character| character.is_whitespace() || text::is_control(character))
}

/// A poll as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ballot {
    question: String,
    answers: Vec<Answer>,
    creator: UserId,
    #[serde(default)]
    guild: Option<GuildId>,
    /// Seconds since 1970.
    closes_at: i64,
    pub(super) closed: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    words: String,
    voters: Vec<UserId>,
}

/// A button under a poll.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Button {
    Answer(usize),
    Close,
}

/// Parses a custom id, `poll:ID:1` or `poll:ID:close`.
pub(super) fn pressed(custom_id: &str) -> Option<(&str, Button)> {
    let (id, button) = custom_id.strip_prefix("poll:")?.split_once(':')?;
    let button = if button == "close" { Button::Close } else { Button::Answer(button.parse().ok()?) };
    Some((id, button))
}

/// Why a poll cannot be created, as a sentence for its author.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BallotError {
    /// The question is empty.
    NoQuestion,
    /// An answer is empty.
    NoAnswer,
    /// An answer is there twice.
    Twice(String),
}

impl fmt::Display for BallotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoQuestion => f.write_str("A poll needs a question."),
            Self::NoAnswer => f.write_str("An answer needs a letter or more to press on."),
            Self::Twice(answer) => write!(f, "The answer '{answer}' is there twice."),
        }
    }
}

impl Error for BallotError {}

impl Ballot {
    /// Maximum size in bytes of a vote as JSON: a number of 20 digits, quotes and a comma.
    pub(super) const VOTE: usize = 23;

    /// Creates an open poll.
    ///
    /// # Errors
    /// If the question or an answer is empty, or an answer is there twice.
    pub(super) fn new<'a>(
        question: &str,
        answers: impl Iterator<Item = &'a String>,
        creator: UserId,
        guild: Option<GuildId>,
        closes_at: i64,
    ) -> Result<Self, BallotError> {
        let question = question.trim().to_owned();
        let mut ballot = Self { question, answers: Vec::new(), creator, guild, closes_at, closed: false };
        if is_blank(&ballot.question) {
            return Err(BallotError::NoQuestion);
        }
        // Cleaned before the comparison, so that texts that look the same are the same.
        for words in answers {
            if is_blank(words) {
                return Err(BallotError::NoAnswer);
            }
            let words = foreign(words, Surface::Label, ANSWER);
            if ballot.answers.iter().any(|answer| answer.words == words) {
                return Err(BallotError::Twice(bare(&words)));
            }
            ballot.answers.push(Answer { words, voters: Vec::new() });
        }
        Ok(ballot)
    }

    /// Performs a button's action: adds, moves or removes the user's only vote, or closes the poll.
    pub(super) fn press(
        &mut self,
        user: UserId,
        may_manage: bool,
        button: Button,
    ) -> Result<(), &'static str> {
        if self.closed {
            return Err(OVER);
        }
        match button {
            Button::Close if user == self.creator || may_manage => self.closed = true,
            Button::Close => {
                return Err("Only who asked, or a member who may manage messages, can close this poll.");
            }
            Button::Answer(chosen) => {
                for (index, answer) in self.answers.iter_mut().enumerate() {
                    match answer.voters.iter().position(|voter| *voter == user) {
                        Some(place) => {
                            answer.voters.remove(place);
                        }
                        None if index == chosen => answer.voters.push(user),
                        None => {}
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn creator(&self) -> UserId {
        self.creator
    }

    pub(super) fn guild(&self) -> Option<GuildId> {
        self.guild
    }

    pub(super) fn votes(&self) -> usize {
        self.answers.iter().map(|answer| answer.voters.len()).sum()
    }

    pub(super) fn has_voted(&self, user: UserId) -> bool {
        self.answers.iter().any(|answer| answer.voters.contains(&user))
    }

    /// Returns an upper bound for its size in bytes as JSON.
    pub(super) fn bytes(&self) -> usize {
        /// Names, numbers and brackets of everything else.
        const FRAME: usize = 200;
        let answer = |answer: &Answer| json_text(&answer.words) + answer.voters.len() * Self::VOTE + 30;
        FRAME + json_text(&self.question) + self.answers.iter().map(answer).sum::<usize>()
    }

    pub(super) fn embed(&self) -> CreateEmbed {
        CreateEmbed::new()
            .title(foreign(&self.question, Surface::Line, text::EMBED_TITLE))
            .description(self.counts())
            .color(0x58_65_f2)
    }

    /// Creates a row of answers and a row with the closing button. They are disabled once the poll is closed.
    pub(super) fn buttons(&self, id: &str) -> Vec<CreateActionRow> {
        let answers = self.answers.iter().enumerate().map(|(index, answer)| {
            CreateButton::new(format!("poll:{id}:{index}"))
                .label(foreign(&answer.words, Surface::Label, ANSWER))
                .disabled(self.closed)
        });
        let close = CreateButton::new(format!("poll:{id}:close"))
            .label("Close poll")
            .style(ButtonStyle::Secondary)
            .disabled(self.closed);
        vec![CreateActionRow::Buttons(answers.collect()), CreateActionRow::Buttons(vec![close])]
    }

    fn counts(&self) -> String {
        let total = self.votes();
        let mut lines = String::new();
        for answer in &self.answers {
            let votes = answer.voters.len();
            let percent = (votes * 100 + total / 2).checked_div(total).unwrap_or_default();
            let filled = percent.div_ceil(10);
            lines += &format!(
                "**{}**\n`{}{}` {}, {percent} %\n",
                bare(&answer.words),
                "█".repeat(filled),
                "░".repeat(10 - filled),
                text::count(votes, "vote"),
            );
        }
        lines.push('\n');
        lines += &if self.closed { self.result() } else { format!("Closes <t:{}:R>", self.closes_at) };
        lines
    }

    fn result(&self) -> String {
        let most = self.answers.iter().map(|answer| answer.voters.len()).max().unwrap_or_default();
        if most == 0 {
            return "Closed. Nobody voted.".to_owned();
        }
        let winners: Vec<_> = self
            .answers
            .iter()
            .filter(|answer| answer.voters.len() == most)
            .map(|answer| format!("**{}**", bare(&answer.words)))
            .collect();
        let (names, of_all) = (winners.join(" and "), text::count(self.votes(), "vote"));
        if winners.len() == 1 {
            format!("Closed. {names} won with {most} of {of_all}.")
        } else {
            format!("Closed. A tie between {names}, with {most} of {of_all} each.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKER: UserId = UserId::new(1);

    fn ballot(answers: &[&str]) -> Ballot {
        let answers: Vec<_> = answers.iter().map(|&words| words.to_owned()).collect();
        Ballot::new("Lunch?", answers.iter(), ASKER, None, 1_700_000_000).unwrap()
    }

    fn vote(ballot: &mut Ballot, user: u64, answer: usize) {
        ballot.press(UserId::new(user), false, Button::Answer(answer)).unwrap();
    }

    fn votes(ballot: &Ballot) -> Vec<usize> {
        ballot.answers.iter().map(|answer| answer.voters.len()).collect()
    }

    #[test]
    fn a_question_and_answers_mark_nothing_up() {
        let answers = ["[Soup](https://evil.example)", "# Salad"].map(str::to_owned);
        let mut ballot = Ballot::new("||Lunch||\u{202e}", answers.iter(), ASKER, None, 0).unwrap();
        let embed = serde_json::to_value(ballot.embed()).unwrap();
        assert_eq!(embed["title"], r"\|\|Lunch\|\|");
        assert!(ballot.counts().starts_with(r"**\[Soup\](https\://evil.example)**"), "{}", ballot.counts());
        vote(&mut ballot, 7, 0);
        ballot.closed = true;
        assert!(ballot.result().contains(r"**\[Soup\](https\://evil.example)** won"), "{}", ballot.result());
        let rows = serde_json::to_value(ballot.buttons("42")).unwrap();
        assert_eq!(rows[0]["components"][1]["label"], "# Salad");
    }

    #[test]
    fn a_user_has_one_vote_that_moves_and_can_be_taken_back() {
        let mut ballot = ballot(&["Soup", "Salad"]);
        vote(&mut ballot, 7, 0);
        vote(&mut ballot, 8, 0);
        assert_eq!(votes(&ballot), [2, 0]);
        vote(&mut ballot, 7, 1);
        assert_eq!(votes(&ballot), [1, 1]);
        vote(&mut ballot, 7, 1);
        assert_eq!(votes(&ballot), [1, 0]);
    }

    #[test]
    fn the_asker_or_a_manager_closes_and_nobody_votes_after() {
        let mut open = ballot(&["Soup", "Salad"]);
        let refused = open.press(UserId::new(2), false, Button::Close).unwrap_err();
        assert!(refused.contains("manage messages"), "{refused}");
        for (user, may_manage) in [(ASKER, false), (UserId::new(2), true)] {
            let mut ballot = open.clone();
            ballot.press(user, may_manage, Button::Close).unwrap();
            assert!(ballot.closed);
            assert_eq!(ballot.press(UserId::new(3), true, Button::Answer(0)), Err(OVER));
            assert_eq!(votes(&ballot), [0, 0]);
        }
    }

    #[test]
    fn counts_are_shown_in_votes_and_percent() {
        let mut ballot = ballot(&["Soup", "Salad"]);
        assert!(ballot.counts().contains("`░░░░░░░░░░` 0 votes, 0 %"), "{}", ballot.counts());
        vote(&mut ballot, 7, 0);
        vote(&mut ballot, 8, 0);
        vote(&mut ballot, 9, 1);
        let counts = ballot.counts();
        assert!(counts.contains("**Soup**\n`███████░░░` 2 votes, 67 %"), "{counts}");
        assert!(counts.contains("**Salad**\n`████░░░░░░` 1 vote, 33 %"), "{counts}");
        assert!(counts.ends_with("Closes <t:1700000000:R>"), "{counts}");
    }

    #[test]
    fn the_result_names_the_winner_or_the_tie() {
        let mut ballot = ballot(&["Soup", "Salad", "Bread"]);
        ballot.closed = true;
        assert_eq!(ballot.result(), "Closed. Nobody voted.");
        ballot.closed = false;
        vote(&mut ballot, 7, 0);
        assert_eq!(ballot.result(), "Closed. **Soup** won with 1 of 1 vote.");
        vote(&mut ballot, 8, 2);
        assert_eq!(ballot.result(), "Closed. A tie between **Soup** and **Bread**, with 1 of 2 votes each.");
    }

    #[test]
    fn blank_texts_and_answers_that_could_not_be_told_apart_are_refused() {
        let make = |question: &str, answers: [&str; 2]| {
            let answers = answers.map(str::to_owned);
            Ballot::new(question, answers.iter(), ASKER, None, 0).err().map(|error| error.to_string())
        };
        assert!(make("Lunch?", ["Soup", " Soup "]).unwrap().contains("'Soup'"));
        assert!(make("Lunch?", ["Soup", "So\u{202e}up"]).unwrap().contains("'Soup'"));
        assert!(make("Lunch?", ["Soup", " "]).unwrap().contains("answer"));
        assert!(make("Lunch?", ["Soup", "\u{200f}"]).unwrap().contains("answer"));
        assert!(make(" ", ["Soup", "Salad"]).unwrap().contains("question"));
        assert_eq!(make("Lunch?", ["Soup", "soup"]), None);
    }

    #[test]
    fn every_button_reads_back_and_is_disabled_after_the_end() {
        let mut ballot = ballot(&["Soup", "Salad"]);
        for closed in [false, true] {
            ballot.closed = closed;
            let rows = serde_json::to_value(ballot.buttons("42")).unwrap();
            let buttons: Vec<_> = rows
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|row| row["components"].as_array().unwrap())
                .collect();
            let read: Vec<_> = buttons
                .iter()
                .map(|button| pressed(button["custom_id"].as_str().unwrap()).unwrap())
                .collect();
            assert_eq!(read, [("42", Button::Answer(0)), ("42", Button::Answer(1)), ("42", Button::Close)]);
            assert!(buttons.iter().all(|button| button["disabled"] == closed), "{buttons:?}");
        }
        assert_eq!(pressed("poll:42"), None);
        assert_eq!(pressed("poll:42:last"), None);
    }

    #[test]
    fn a_ballot_survives_the_store() {
        let mut ballot = ballot(&["Soup", "Salad"]);
        vote(&mut ballot, 7, 1);
        let kept = serde_json::to_value(&ballot).unwrap();
        assert!(serde_json::from_value::<Ballot>(kept).unwrap() == ballot);
    }
}
