//! Why Discord did not accept a command, as text.

use std::time::Duration;

use sdk::definition::CommandKey;
use sdk::serenity::http::{DiscordJsonError, HttpError};
use sdk::{serenity, text};
use serde_json::Value;

use super::Scope;
use super::budget::LIMIT;
use crate::api::cause;

/// Discord's error codes with a sentence of their own. Source: "JSON Error Codes" in Discord's documentation.
const UNKNOWN_GUILD: isize = 10004;
const UNKNOWN_COMMAND: isize = 10063;
const DAILY_CREATIONS: isize = 30034;
const MISSING_ACCESS: isize = 50001;

/// The message when a token that has worked is refused.
const UNAUTHORIZED: &str = "it does not know this bot's token any more (401); was it reset? Set DISCORD_TOKEN to the new \
                            one and restart the bot";

/// Why a request did not succeed although the same request may succeed later.
#[derive(Debug, thiserror::Error)]
pub(super) enum Passing {
    #[error("Discord cannot be reached: {}", cause(.0))]
    Unreachable(#[source] reqwest::Error),
    #[error("the answer was {status}: {}", words.as_deref().unwrap_or("no explanation"))]
    Answer { status: u16, words: Option<String> },
}

/// Why a request did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Discord cannot be reached or fails.
    Passing(Passing),
    /// The command does not exist any more.
    Gone,
    /// The day's creations are used up. Holds the time until the next is possible, as far as known.
    NoMoreToday(Option<Duration>),
    /// The bot may not register commands there.
    NoAccess,
    /// Discord does not know the bot's token.
    Unauthorized,
    /// Discord refuses it as it is.
    Refused(String),
}

impl Failure {
    /// Converts an error. `body` is the definition that was sent, for the names of its options.
    pub(super) fn new(error: serenity::Error, body: Option<&Value>) -> Self {
        let serenity::Error::Http(error) = error else { return Self::Refused(error.to_string()) };
        match error {
            HttpError::Request(error) => Self::unreachable(error),
            HttpError::UnsuccessfulRequest(answer) => {
                Self::of_answer(answer.status_code.as_u16(), Some(&answer.error), None, body)
            }
            other => Self::Refused(other.to_string()),
        }
    }

    /// Creates a failure of a request without a response.
    pub(super) fn unreachable(error: reqwest::Error) -> Self {
        Self::Passing(Passing::Unreachable(error))
    }

    /// Converts a response. `error` is Discord's JSON, `retry_after` the wait that it requires.
    pub(super) fn of_answer(
        status: u16,
        error: Option<&DiscordJsonError>,
        retry_after: Option<Duration>,
        body: Option<&Value>,
    ) -> Self {
        if status == 401 {
            return Self::Unauthorized;
        }
        let Some(error) = error else {
            return if status >= 500 || status == 429 {
                Self::Passing(Passing::Answer { status, words: None })
            } else {
                Self::Refused(format!("no explanation ({status})"))
            };
        };
        match error.code {
            UNKNOWN_COMMAND => Self::Gone,
            DAILY_CREATIONS => Self::NoMoreToday(retry_after),
            MISSING_ACCESS | UNKNOWN_GUILD => Self::NoAccess,
            code if status >= 500 || status == 429 => {
                // Without JSON from Discord, serenity's message is about decoding.
                let words = (code >= 0).then(|| error.message.clone());
                Self::Passing(Passing::Answer { status, words })
            }
            code => {
                let details: Vec<_> = error
                    .errors
                    .iter()
                    .map(|one| format!("{}: {}", place(&one.path, body), one.message))
                    .collect();
                let why = if details.is_empty() { error.message.clone() } else { details.join("; ") };
                Self::Refused(if code > 0 {
                    format!("{why} (code {code})")
                } else {
                    format!("{why} ({status})")
                })
            }
        }
    }

    /// Returns a message that a command was not registered or removed, with the reason.
    pub(super) fn of_command(&self, key: &CommandKey) -> String {
        match self {
            Self::NoMoreToday(wait) => format!(
                "Discord takes {LIMIT} new commands a day, and today's are used up: {key} is live in the bot but not \
                 shown to users until it is registered, which is possible again {}; redefining commands still works.",
                wait.map_or_else(
                    || "within 24 hours".to_owned(),
                    |wait| format!("in {}", text::duration(wait))
                )
            ),
            Self::NoAccess => format!("Discord does not let this bot register {key} there (Missing Access)."),
            Self::Gone => format!("{key} is not registered any more."),
            Self::Unauthorized => format!("Discord does not take {key}: {UNAUTHORIZED}."),
            Self::Passing(why) => not_taken(key, &why.to_string()),
            Self::Refused(why) => not_taken(key, why),
        }
    }

    /// Returns a message that the commands of a whole scope could not be read, with the reason.
    pub(super) fn of_scope(&self, scope: &Scope) -> String {
        match (self, scope) {
            (Self::NoAccess | Self::Gone, Scope::Guild(guild)) => format!(
                "Commands cannot be registered in guild {guild}: the bot is not a member of it, or was invited \
                 without the scope applications.commands; invite it, or correct TEST_GUILD_ID."
            ),
            (Self::Unauthorized, _) => format!("Commands cannot be registered ({scope}): {UNAUTHORIZED}."),
            (Self::Passing(why), _) => not_registered(scope, &why.to_string()),
            (Self::Refused(why), _) => not_registered(scope, why),
            _ => format!("Commands cannot be registered ({scope}): Discord does not let this bot."),
        }
    }
}

fn not_taken(key: &CommandKey, why: &str) -> String {
    format!("Discord does not take {key}: {}.", why.trim_end_matches('.'))
}

fn not_registered(scope: &Scope, why: &str) -> String {
    format!("Commands cannot be registered ({scope}): {}.", why.trim_end_matches('.'))
}

/// Returns the place of a path in words: "option 'colour', choice 'red', name" for `options.0.choices.2.name`.
fn place(path: &str, body: Option<&Value>) -> String {
    let mut at = body;
    let mut words: Vec<String> = Vec::new();
    let mut list = None;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let index = part.parse::<usize>().ok();
        at = at.and_then(|value| index.map_or_else(|| value.get(part), |index| value.get(index)));
        match (list.take(), index) {
            (Some(word), Some(index)) => {
                let name = at.and_then(|value| value["name"].as_str());
                words.push(
                    name.map_or_else(|| format!("{word} {}", index + 1), |name| format!("{word} '{name}'")),
                );
            }
            _ => match part {
                "options" => list = Some("option"),
                "choices" => list = Some("choice"),
                field => words.push(field.replace('_', " ")),
            },
        }
    }
    // An error about a whole list ends at its name.
    words.extend(list.map(|word| format!("{word}s")));
    if words.is_empty() { "the command".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use sdk::definition::CommandKind;
    use sdk::serenity::all::GuildId;
    use serde_json::json;

    use super::*;

    fn failure(status: u16, error: Value, body: &Value) -> Failure {
        let wait = error["retry_after"].as_f64().map(Duration::from_secs_f64);
        Failure::of_answer(status, serde_json::from_value(error).ok().as_ref(), wait, Some(body))
    }

    fn key() -> CommandKey {
        CommandKey { kind: CommandKind::Slash, name: "poll".to_owned() }
    }

    #[test]
    fn nested_errors_name_command_option_and_reason() {
        let wrong = |message: &str| json!({"_errors": [{"code": "X", "message": message}]});
        let body = json!({"name": "poll", "options": [
            {"name": "first"}, {"name": "colour", "choices": [{"name": "red"}, {"name": "blue"}]}]});
        let error = json!({"code": 50035, "message": "Invalid Form Body", "errors": {
            "name_localizations": {"xx": wrong("Not a locale.")},
            "options": {"1": {"choices": {"1": {"value": wrong("Too long.")}}, "description": wrong("Required.")}},
        }});
        let sentence = failure(400, error, &body).of_command(&key());
        assert!(sentence.starts_with("Discord does not take /poll: "), "{sentence}");
        assert!(sentence.contains("option 'colour', choice 'blue', value: Too long."), "{sentence}");
        assert!(sentence.contains("option 'colour', description: Required."), "{sentence}");
        assert!(sentence.contains("name localizations, xx: Not a locale."), "{sentence}");
        assert!(sentence.ends_with("(code 50035)."), "{sentence}");
        assert_eq!(place("options", Some(&body)), "options");
        assert_eq!(place("options.7.name", Some(&body)), "option 8, name");
    }

    #[test]
    fn a_used_up_day_has_its_own_sentence() {
        let error = json!({"code": 30034, "message": "Max number of daily application command creates has been reached (200)"});
        let sentence = failure(400, error, &json!({})).of_command(&key());
        assert!(sentence.contains("200 new commands a day") && sentence.contains("/poll"), "{sentence}");
        assert!(sentence.contains("possible again within 24 hours"), "{sentence}");
        let error = json!({"code": 30034, "message": "x", "retry_after": 11_100.5});
        let sentence = failure(429, error, &json!({})).of_command(&key());
        assert!(sentence.contains("possible again in 3 hours 5 minutes"), "{sentence}");
    }

    #[test]
    fn a_guild_without_the_bot_is_told_with_the_variable() {
        let error = json!({"code": 50001, "message": "Missing Access"});
        let sentence = failure(403, error, &json!({})).of_scope(&Scope::Guild(GuildId::new(5)));
        assert!(sentence.contains("guild 5") && sentence.contains("TEST_GUILD_ID"), "{sentence}");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let error = |code: i32| json!({"code": code, "message": "x"});
        assert!(matches!(failure(500, error(0), &json!({})), Failure::Passing(_)));
        assert!(matches!(failure(502, error(-1), &json!({})), Failure::Passing(_)));
        assert!(matches!(failure(503, Value::Null, &json!({})), Failure::Passing(_)));
        assert!(matches!(failure(404, Value::Null, &json!({})), Failure::Refused(_)));
        assert!(matches!(failure(400, error(50035), &json!({})), Failure::Refused(_)));
        assert!(matches!(failure(401, error(0), &json!({})), Failure::Unauthorized));
        assert!(matches!(failure(404, error(10063), &json!({})), Failure::Gone));
    }
}
