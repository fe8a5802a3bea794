//! Polls: voting.

use clap::Args;
use sandbox::Client;
use sandbox::snowflake::Snowflake;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Vote {
    /// Message with the poll.
    message: Snowflake,
    /// All answers to vote for, by text or number; without any, the vote is withdrawn.
    answers: Vec<String>,
    /// User who votes.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
}

pub(super) async fn vote(client: &Client, vote: Vote) -> Result<Outcome, Failure> {
    let answers: Vec<&str> = vote.answers.iter().map(String::as_str).collect();
    let message = client.vote(&vote.user, vote.message, &answers).await?;
    let poll = &message["poll"];
    for answer in poll["answers"].as_array().into_iter().flatten() {
        let counts = poll["results"]["answer_counts"].as_array();
        let count = counts.and_then(|counts| counts.iter().find(|count| count["id"] == answer["answer_id"]));
        let votes = count.and_then(|count| count["count"].as_u64()).unwrap_or(0);
        let text = terminal::inline(answer["poll_media"]["text"].as_str().unwrap_or_default());
        terminal::line(&format!("{votes} {text}"))?;
    }
    Ok(Outcome::Good)
}
