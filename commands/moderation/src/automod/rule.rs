//! Rules as Discord takes them. Source: "Auto Moderation" in Discord's documentation.

use std::fmt;

use sdk::prelude::*;
use sdk::text;
use serde::Deserialize;
use serde_json::{Value, json};
use serenity::http::{LightMethod, Request, Route};
use serenity::{ChannelId, CreateEmbed, GuildId, Http, RuleId};

use crate::{duration, log};

/// Event type of rules about messages.
pub(super) const MESSAGE_SEND: u8 = 1;

/// Name of the rule about invitations.
const INVITES: &str = "Invitations";

/// Limits of keywords: number, allowed exceptions, and characters of each.
const KEYWORDS: usize = 1000;
const ALLOWED: usize = 100;
const KEYWORD: usize = 60;

/// What makes a rule act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(into = "u8")]
pub(super) enum Trigger {
    Keyword,
    Spam,
    Preset,
    Mentions,
}

impl From<Trigger> for u8 {
    fn from(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Keyword => 1,
            Trigger::Spam => 3,
            Trigger::Preset => 4,
            Trigger::Mentions => 5,
        }
    }
}

/// What a rule does.
pub(super) struct Actions(Vec<Value>);

impl Actions {
    /// Creates actions that block the message, report it in a channel, and time its author out.
    pub(super) fn new(alert: Option<ChannelId>, timeout: Option<&str>) -> Result<Self, Refusal> {
        let mut actions = vec![json!({ "type": 1 })];
        if let Some(channel) = alert {
            actions.push(json!({ "type": 2, "metadata": { "channel_id": channel } }));
        }
        if let Some(text) = timeout {
            let seconds = duration::within(text, duration::TIMEOUT, "A timeout")?.as_secs();
            actions.push(json!({ "type": 3, "metadata": { "duration_seconds": seconds } }));
        }
        Ok(Self(actions))
    }
}

/// A rule to set up.
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) trigger: Trigger,
    metadata: Option<Value>,
    actions: Actions,
}

impl Rule {
    pub(super) fn spam(actions: Actions) -> Self {
        Self { name: "Spam".to_owned(), trigger: Trigger::Spam, metadata: None, actions }
    }

    pub(super) fn mentions(limit: u32, raids: bool, actions: Actions) -> Self {
        let metadata =
            Some(json!({ "mention_total_limit": limit, "mention_raid_protection_enabled": raids }));
        Self { name: "Mentions".to_owned(), trigger: Trigger::Mentions, metadata, actions }
    }

    pub(super) fn invites(allow: Option<&str>, actions: Actions) -> Result<Self, Refusal> {
        let filter = ["*discord.gg/*", "*discord.com/invite/*", "*discordapp.com/invite/*"];
        let metadata = Some(json!({ "keyword_filter": filter, "allow_list": invitations(allow)? }));
        Ok(Self { name: INVITES.to_owned(), trigger: Trigger::Keyword, metadata, actions })
    }

    pub(super) fn words(
        name: &str,
        words: &str,
        allow: Option<&str>,
        actions: Actions,
    ) -> Result<Self, Refusal> {
        let filter = keywords(words, KEYWORDS)?;
        if filter.is_empty() {
            return Err(Refusal::new("The list needs a word or more."));
        }
        let name = format!("Words: {}", foreign(name, Surface::Label, 50));
        let metadata = Some(json!({ "keyword_filter": filter, "allow_list": allowed(allow)? }));
        Ok(Self { name, trigger: Trigger::Keyword, metadata, actions })
    }

    /// Creates the rule with Discord's lists: swearing, sexual content, insults.
    pub(super) fn presets(chosen: [bool; 3], actions: Actions) -> Result<Self, Refusal> {
        let presets: Vec<_> =
            (1..=3).zip(chosen).filter(|(_, chosen)| *chosen).map(|(kind, _)| kind).collect();
        if presets.is_empty() {
            return Err(Refusal::new("Choose one of the lists: profanity, sexual or slurs."));
        }
        let metadata = Some(json!({ "presets": presets }));
        Ok(Self { name: "Discord's lists".to_owned(), trigger: Trigger::Preset, metadata, actions })
    }

    pub(super) fn times_out(&self) -> bool {
        self.actions.0.iter().any(|action| action["type"] == 3)
    }

    /// Returns whether an existing rule is to be updated: Discord allows one of a trigger, and several with keywords,
    /// which are told apart by their names.
    pub(super) fn replaces(&self, existing: &Existing) -> bool {
        existing.trigger_type == u8::from(self.trigger)
            && (self.trigger != Trigger::Keyword || existing.is_called(&self.name))
    }

    /// Returns what is the same in a new rule and in an update.
    pub(super) fn change(&self) -> Value {
        let mut body = json!({ "actions": self.actions.0, "enabled": true });
        if let Some(metadata) = &self.metadata {
            body["trigger_metadata"] = metadata.clone();
        }
        body
    }
}

fn allowed(list: Option<&str>) -> Result<Vec<String>, Refusal> {
    keywords(list.unwrap_or_default(), ALLOWED)
}

/// Returns invitations as ends of words, because a keyword without `*` does not match a link with its scheme.
fn invitations(list: Option<&str>) -> Result<Vec<String>, Refusal> {
    let ends = list.unwrap_or_default().split([',', '\n']).map(|word| {
        let word = word.trim();
        let link = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
        link.unwrap_or(word).trim_start_matches('*')
    });
    let ends: Vec<_> = ends.filter(|end| !end.is_empty()).map(|end| format!("*{end}")).collect();
    keywords(&ends.join(","), ALLOWED)
}

/// Splits a list at its commas.
fn keywords(list: &str, most: usize) -> Result<Vec<String>, Refusal> {
    let mut words: Vec<String> = Vec::new();
    for word in list.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty()) {
        if word.chars().count() > KEYWORD {
            let shown = foreign(word, Surface::Code, 80);
            let words =
                format!("`{shown}` is too long; Discord takes at most {KEYWORD} characters for each.");
            return Err(Refusal::new(words));
        }
        if !words.iter().any(|other| other == word) {
            words.push(word.to_owned());
        }
    }
    if words.len() > most {
        return Err(Refusal::new(format!("Discord takes at most {most} of these in one list.")));
    }
    Ok(words)
}

/// A rule of a server.
#[derive(Deserialize)]
pub(super) struct Existing {
    pub(super) id: RuleId,
    pub(super) name: String,
    trigger_type: u8,
    enabled: bool,
    actions: Vec<Value>,
}

impl Existing {
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name.trim().to_lowercase() == name.trim().to_lowercase()
    }
}

impl fmt::Display for Existing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trigger = match self.trigger_type {
            1 => "words",
            3 => "spam",
            4 => "Discord's lists",
            5 => "mentions",
            6 => "words in profiles",
            _ => "something else",
        };
        write!(f, "**{}**: {trigger}", foreign(&self.name, Surface::Line, 200))?;
        for action in &self.actions {
            let seconds = action["metadata"]["duration_seconds"].as_u64().unwrap_or_default();
            match action["type"].as_u64() {
                Some(1) => f.write_str(", blocks")?,
                Some(2) => {
                    let channel = action["metadata"]["channel_id"].as_str().unwrap_or_default();
                    write!(f, ", reports in <#{channel}>")?;
                }
                Some(3) => {
                    let lasts = text::duration(std::time::Duration::from_secs(seconds));
                    write!(f, ", times out for {lasts}")?;
                }
                _ => {}
            }
        }
        if self.enabled { Ok(()) } else { f.write_str(" (off)") }
    }
}

/// Returns all rules of a server. serenity's own type leaves out what it does not know.
pub(super) async fn all(http: &Http, guild: GuildId) -> Result<Vec<Existing>, serenity::Error> {
    http.fire(Request::new(Route::GuildAutomodRules { guild_id: guild }, LightMethod::Get)).await
}

/// Lists rules.
pub(super) fn listed(rules: &[Existing]) -> CreateEmbed {
    let lines: Vec<_> = rules.iter().map(ToString::to_string).collect();
    let lines = if lines.is_empty() { "This server has no rules.".to_owned() } else { lines.join("\n") };
    let lines = text::cut(lines, text::EMBED_DESCRIPTION);
    CreateEmbed::new().title("Auto moderation").color(log::COLOR).description(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions() -> Actions {
        Actions::new(None, None).unwrap()
    }

    #[test]
    fn a_list_is_split_at_commas_and_bounded() {
        assert_eq!(keywords(" cat* , the mat,, cat*\n*dog", 9).unwrap(), ["cat*", "the mat", "*dog"]);
        assert!(keywords(&"x".repeat(61), 9).unwrap_err().to_string().contains("at most 60 characters"));
        assert!(keywords("a,b,c", 2).unwrap_err().to_string().contains("at most 2"));
        assert!(Rule::words("a", " , ", None, actions()).is_err());
        assert!(Rule::presets([false; 3], actions()).is_err());
    }

    #[test]
    fn invitations_are_ends_of_words() {
        let list = "https://discord.gg/a, http://discord.gg/b,discord.gg/a , *discord.gg/c, https://, *";
        assert_eq!(invitations(Some(list)).unwrap(), ["*discord.gg/a", "*discord.gg/b", "*discord.gg/c"]);
        assert!(invitations(Some(&"x".repeat(60))).is_err(), "the sign in front counts");
        assert!(invitations(None).unwrap().is_empty());
    }

    #[test]
    fn a_list_of_words_replaces_its_namesake_and_other_triggers_the_only_one() {
        let existing = |trigger: u8, name: &str| {
            let rule =
                json!({"id": "1", "name": name, "trigger_type": trigger, "enabled": true, "actions": []});
            serde_json::from_value::<Existing>(rule).unwrap()
        };
        let words = Rule::words("pets", "cat", None, actions()).unwrap();
        assert!(words.replaces(&existing(1, "words: PETS")));
        assert!(!words.replaces(&existing(1, "Words: food")) && !words.replaces(&existing(3, "Words: pets")));
        assert!(Rule::spam(actions()).replaces(&existing(3, "Whatever")));
    }

    #[test]
    fn a_rule_is_described_with_what_it_does() {
        let rule = json!({"id": "1", "name": "*Raids*", "trigger_type": 5, "enabled": false, "actions": [
            {"type": 1}, {"type": 2, "metadata": {"channel_id": "7"}},
            {"type": 3, "metadata": {"duration_seconds": 600}}]});
        let rule: Existing = serde_json::from_value(rule).unwrap();
        assert_eq!(
            rule.to_string(),
            r"**\*Raids\***: mentions, blocks, reports in <#7>, times out for 10 minutes (off)"
        );
    }
}
