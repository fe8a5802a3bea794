//! `sandbox fault`: injects faults.

mod event;
mod voice;

use clap::{Args, Subcommand};
use sandbox::Client;
use sandbox::fault::{LimitScope, On, RequestEffect, RequestRule, Rule};
use sandbox::gateway::{Command, Target};
use sandbox::snowflake::Snowflake;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Fault {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Drop all gateway connections without a close frame, now.
    Drop,
    /// Close all gateway connections with a code, now.
    Close {
        /// Close code, as in 4000.
        code: u16,
    },
    /// Ask all gateway connections to reconnect (opcode 7), now.
    Reconnect,
    /// Tell all gateway connections that their session is invalid (opcode 9), now.
    Invalid {
        /// The session can be resumed.
        #[arg(long)]
        resumable: bool,
    },
    /// Answer requests with an error.
    Status {
        /// HTTP status, as in 503.
        status: u16,
        #[command(flatten)]
        which: Which,
    },
    /// Answer requests with 429.
    Limit {
        /// Seconds that the bot is told to wait.
        seconds: f64,
        #[command(flatten)]
        which: Which,
    },
    /// Hold requests back.
    Delay {
        /// Milliseconds.
        ms: u64,
        #[command(flatten)]
        which: Which,
    },
    /// Lose, delay, repeat, cut off or change dispatched events: sandbox fault event MESSAGE_CREATE drop
    Event(event::Event),
    /// Make things go wrong in voice.
    Voice(voice::Voice),
    /// Add a rule of any kind as JSON; docs/control-api.md lists them.
    Add {
        /// The rule.
        rule: String,
    },
    /// List the rules in force.
    List,
    /// End all rules, or one.
    Clear {
        /// Number of the rule.
        id: Option<u64>,
    },
}

/// Which requests are meant, and how many.
#[derive(Debug, Args)]
struct Which {
    /// Method; any unless given.
    #[arg(long)]
    method: Option<String>,
    /// Path without /api/v10, where * stands for one part and ** for any rest; any unless given.
    #[arg(long)]
    path: Option<String>,
    /// How often; always unless given.
    #[arg(long)]
    count: Option<u64>,
}

impl Which {
    fn rule(self, effect: RequestEffect) -> Rule {
        let mut rule = Rule::new(On::Request(RequestRule { method: self.method, path: self.path, effect }));
        rule.count = self.count;
        rule
    }
}

pub(super) async fn run(client: &Client, fault: Fault) -> Result<Outcome, Failure> {
    match fault.what {
        What::Drop => now(client, Command::Sever).await,
        What::Close { code } => now(client, Command::Close { code, reason: String::new() }).await,
        What::Reconnect => now(client, Command::Reconnect).await,
        What::Invalid { resumable } => now(client, Command::InvalidSession { resumable }).await,
        What::Status { status, which } => {
            let body = sandbox::fault::ErrorBody::default();
            add(client, &which.rule(RequestEffect::Respond { status, body })).await
        }
        What::Limit { seconds, which } => {
            let effect = RequestEffect::RateLimit { retry_after: seconds, scope: LimitScope::default() };
            add(client, &which.rule(effect)).await
        }
        What::Delay { ms, which } => add(client, &which.rule(RequestEffect::Pass).delayed(ms)).await,
        What::Event(what) => event::run(client, what).await,
        What::Voice(what) => voice::run(client, what).await,
        What::Add { rule } => {
            let rule =
                serde_json::from_str(&rule).map_err(|error| Failure(format!("this is no rule: {error}")))?;
            add(client, &rule).await
        }
        What::List => {
            terminal::json_line(&client.faults().await?)?;
            Ok(Outcome::Good)
        }
        What::Clear { id } => {
            client.remove_fault(id).await?;
            Ok(Outcome::Good)
        }
    }
}

/// Returns the id of an account by its name or id.
async fn find(client: &Client, name: &str) -> Result<Snowflake, Failure> {
    let all = client.overview().await?;
    let known = all["users"].as_array().into_iter().flatten().find(|user| {
        user["username"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name)) || user["id"] == name
    });
    let id = known.and_then(|user| user["id"].as_str()?.parse().ok());
    id.ok_or_else(|| Failure(format!("there is no user \"{name}\"; `sandbox users` lists them")))
}

async fn now(client: &Client, command: Command) -> Result<Outcome, Failure> {
    let sent = client.gateway(&Target::default(), &command).await?;
    terminal::json_line(&sent["connections"])?;
    Ok(Outcome::Good)
}

async fn add(client: &Client, rule: &Rule) -> Result<Outcome, Failure> {
    terminal::json_line(&client.add_fault(rule).await?["id"])?;
    Ok(Outcome::Good)
}
