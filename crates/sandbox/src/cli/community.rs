//! New members: onboarding, membership screening, requests to join.

use clap::Args;
use sandbox::Client;
use serde_json::{Map, Value, json};

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Onboard {
    /// Unique name or id of the member.
    user: String,
    /// Answers as PROMPT=OPTION, by title or id; a prompt can be named again for another option.
    answers: Vec<String>,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

pub(super) async fn onboard(client: &Client, onboard: Onboard) -> Result<Outcome, Failure> {
    let mut answers: Map<String, Value> = Map::new();
    for (prompt, option) in pairs(&onboard.answers)? {
        if let Some(chosen) = answers.entry(prompt).or_insert_with(|| json!([])).as_array_mut() {
            chosen.push(option.into());
        }
    }
    let answer = client.answer_onboarding(&onboard.guild, &onboard.user, &answers.into()).await?;
    let roles = answer["member"]["roles"].as_array().map_or(0, Vec::len);
    terminal::line(&format!("{} has completed onboarding, and has {roles} roles.", onboard.user))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Screening {
    /// Unique name or id of the member.
    user: String,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

pub(super) async fn screening(client: &Client, screening: Screening) -> Result<Outcome, Failure> {
    client.pass_screening(&screening.guild, &screening.user).await?;
    terminal::line(&format!("{} has accepted the rules of {}.", screening.user, screening.guild))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Apply {
    /// Unique name or id of the user.
    user: String,
    /// Answers to the form as LABEL=ANSWER; an answer that is a number or true is read as such.
    answers: Vec<String>,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
    /// Withdraw the request instead.
    #[arg(long, conflicts_with = "answers")]
    withdraw: bool,
}

pub(super) async fn apply(client: &Client, apply: Apply) -> Result<Outcome, Failure> {
    if apply.withdraw {
        client.withdraw_request(&apply.guild, &apply.user).await?;
        terminal::line(&format!("{} does not want to join {} any more.", apply.user, apply.guild))?;
        return Ok(Outcome::Good);
    }
    let read = |text: String| match serde_json::from_str::<Value>(&text) {
        Ok(value) if value.is_number() || value.is_boolean() => value,
        _ => text.into(),
    };
    let responses: Map<String, Value> =
        pairs(&apply.answers)?.into_iter().map(|(label, text)| (label, read(text))).collect();
    let shown = client.request_join(&apply.guild, &apply.user, &json!({ "responses": responses })).await?;
    terminal::line(&terminal::inline(shown["id"].as_str().unwrap_or_default()))?;
    Ok(Outcome::Good)
}

/// Returns the two sides of each NAME=VALUE.
fn pairs(texts: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let pair = |text: &String| {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| Failure(format!("\"{text}\" is no answer; write it as NAME=VALUE")))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    texts.iter().map(pair).collect()
}
