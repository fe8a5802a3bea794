//! Erases once a day what is kept about guilds that the bot has left for long.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sdk::database::DatabaseError;
use sdk::host::Host;
use sdk::serenity;
use sdk::serenity::all::{GuildId, GuildPagination, Http};
use sdk::tokio::time::sleep;
use sdk::tracing::{info, warn};

/// Time from one run to the next, and after a run that failed.
const EVERY: Duration = Duration::from_hours(24);
const AGAIN: Duration = Duration::from_hours(1);
/// Guilds in an answer of Discord's, which is the most
/// (<https://discord.com/developers/docs/resources/user#get-current-user-guilds>).
const PAGE: u64 = 200;

/// Erases what is kept about guilds that the bot left longer than `kept` ago, now and once a day. Without `kept` it only says to
/// other bots of the database in which guilds this one is. Ends with the task.
pub(crate) async fn run(host: Host, http: Arc<Http>, kept: Option<Duration>) {
    loop {
        let wait = match once(&host, &http, kept).await {
            Ok((0, _)) => EVERY,
            Ok((guilds, rows)) => {
                info!(guilds, rows, "what was kept about guilds that the bot has left is erased");
                EVERY
            }
            Err(error) => {
                warn!(%error, "what is kept about guilds that the bot has left cannot be erased yet");
                AGAIN
            }
        };
        sleep(wait).await;
    }
}

async fn once(host: &Host, http: &Http, kept: Option<Duration>) -> Result<(u64, u64), Problem> {
    let guilds = guilds(http).await.map_err(|error| Problem::Discord(Box::new(error)))?;
    host.erase_left_guilds(&guilds, kept).await.map_err(Problem::Database)
}

/// Requests all guilds that the bot is in, whether or not its shards are connected.
async fn guilds(http: &Http) -> serenity::Result<BTreeSet<GuildId>> {
    let mut all = BTreeSet::new();
    loop {
        let after = all.last().copied().map(GuildPagination::After);
        let page = http.get_guilds(after, Some(PAGE)).await?;
        let is_last = (page.len() as u64) < PAGE;
        all.extend(page.into_iter().map(|guild| guild.id));
        if is_last {
            return Ok(all);
        }
    }
}

/// Why nothing was erased.
enum Problem {
    Discord(Box<serenity::Error>),
    Database(DatabaseError),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discord(error) => write!(f, "the bot's guilds cannot be read: {error}"),
            Self::Database(error) => error.fmt(f),
        }
    }
}
