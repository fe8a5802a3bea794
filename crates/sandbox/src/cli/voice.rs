//! Voice: joining, leaving, moving, and recording a bot's audio.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sandbox::Client;
use sandbox::voice::Heard;
use serde_json::Value;

use super::{Failure, Outcome, terminal};

/// The guild that is meant.
#[derive(Debug, Args)]
struct Where {
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

#[derive(Debug, Args)]
pub(super) struct Enter {
    /// Voice channel by name or id.
    channel: String,
    /// User who enters.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    #[command(flatten)]
    place: Where,
}

pub(super) async fn enter(client: &Client, enter: Enter) -> Result<Outcome, Failure> {
    client.enter_voice(&enter.place.guild, &enter.user, &enter.channel).await?;
    terminal::line(&format!("{} is in {}.", enter.user, enter.channel))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Exit {
    /// User who leaves.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    #[command(flatten)]
    place: Where,
}

pub(super) async fn exit(client: &Client, exit: Exit) -> Result<Outcome, Failure> {
    client.leave_voice(&exit.place.guild, &exit.user).await?;
    terminal::line(&format!("{} is out of voice.", exit.user))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Move {
    /// Member, bot or not, by name or id.
    user: String,
    /// Voice channel by name or id; out of voice unless given.
    channel: Option<String>,
    #[command(flatten)]
    place: Where,
}

pub(super) async fn move_to(client: &Client, order: Move) -> Result<Outcome, Failure> {
    match &order.channel {
        Some(channel) => client.enter_voice(&order.place.guild, &order.user, channel).await?,
        None => client.leave_voice(&order.place.guild, &order.user).await?,
    }
    terminal::line(&format!(
        "{} is in {}.",
        order.user,
        order.channel.as_deref().unwrap_or("no voice channel")
    ))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Present {
    #[command(flatten)]
    place: Where,
    /// Print each voice state as a line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn present(client: &Client, present: Present) -> Result<Outcome, Failure> {
    let states = client.voice(&present.place.guild).await?;
    for state in &states {
        if present.json {
            terminal::json_line(state)?;
            continue;
        }
        let text = |value: &Value| terminal::inline(value.as_str().unwrap_or_default());
        let connection = &state["connection"];
        let note = match (state["bot"] == true, connection["connected"] == true, connection["mode"].as_str())
        {
            (false, ..) => String::new(),
            (true, true, Some(mode)) => format!("  bot, connected, {}", terminal::inline(mode)),
            (true, true, None) => "  bot, connecting".to_owned(),
            (true, false, _) => "  bot, not connected".to_owned(),
        };
        terminal::line(&format!("{}  {}{note}", text(&state["channel"]), text(&state["name"])))?;
    }
    if states.is_empty() && !present.json {
        terminal::line("Nobody is in voice.")?;
    }
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Hear {
    /// File to write: 16 bits, 48 kHz, stereo.
    #[arg(long)]
    wav: Option<PathBuf>,
    /// Listen for so many seconds from now; unless given, take what is kept.
    #[arg(long)]
    seconds: Option<f64>,
    /// Who plays, by name or id; the first bot in voice unless given.
    #[arg(long)]
    user: Option<String>,
    #[command(flatten)]
    place: Where,
    /// Print the counts as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn hear(client: &Client, hear: Hear) -> Result<Outcome, Failure> {
    let guild = &hear.place.guild;
    let user = match hear.user {
        Some(user) => user,
        None => first_bot(client, guild).await?,
    };
    let mut from = 0;
    if let Some(seconds) = hear.seconds {
        let wait = Duration::try_from_secs_f64(seconds)
            .map_err(|_| Failure(format!("{seconds} is no number of seconds to wait")))?;
        from = client.heard(guild, &user).await?.position;
        tokio::time::sleep(wait).await;
    }
    let heard = client.heard(guild, &user).await?;
    if let Some(path) = &hear.wav {
        let file = client.heard_wav(guild, &user, from).await?;
        std::fs::write(path, file)
            .map_err(|error| Failure(format!("can't write {}: {error}", path.display())))?;
    }
    if hear.json {
        terminal::json_line(&heard)?;
    } else {
        terminal::print(&summary(&terminal::inline(&user), &heard, from))?;
    }
    Ok(if heard.position > from.max(heard.oldest) { Outcome::Good } else { Outcome::NoAnswer })
}

async fn first_bot(client: &Client, guild: &str) -> Result<String, Failure> {
    let states = client.voice(guild).await?;
    let bot = states.iter().find(|state| state["bot"] == true).and_then(|state| state["user_id"].as_str());
    bot.map(str::to_owned)
        .ok_or_else(|| Failure("no bot is in voice; name one that was there with --user".to_owned()))
}

fn summary(user: &str, heard: &Heard, from: u64) -> String {
    let counts = &heard.counts;
    #[expect(clippy::cast_precision_loss, reason = "frames of minutes are far below 2^52")]
    let seconds = heard.position.saturating_sub(from.max(heard.oldest)) as f64 / 48_000.0;
    let mut text = format!("{seconds:.1} s of audio from {user}\n");
    text += &format!(
        "  {} packets, {} lost in {} gaps, {} out of order, {} repeated, {} timestamp gaps\n",
        counts.packets,
        counts.lost,
        counts.sequence_gaps,
        counts.reordered,
        counts.duplicates,
        counts.timestamp_gaps
    );
    if counts.encrypted > 0 {
        text += &format!("  {} of them encrypted end to end\n", counts.encrypted);
    }
    let between = &heard.between;
    text += &format!(
        "  between packets: {:.1} ms half of the time, {:.1} ms at 99 %, {:.1} ms at most\n",
        between.p50_ms, between.p99_ms, between.max_ms
    );
    for (count, what) in [
        (counts.undecryptable, "could not be decrypted"),
        (counts.unopened, "could not be decrypted end to end"),
        (counts.undecodable, "were no Opus"),
        (counts.muted, "came from a muted user"),
        (counts.unannounced, "came before the first SPEAKING"),
    ] {
        if count > 0 {
            text += &format!("  {count} packets {what}\n");
        }
    }
    text
}

#[derive(Debug, Args)]
pub(super) struct Region {
    /// Voice channel by name or id.
    channel: String,
    /// Id of the region; the next one unless given.
    region: Option<String>,
    #[command(flatten)]
    place: Where,
}

pub(super) async fn region(client: &Client, asked: Region) -> Result<Outcome, Failure> {
    let set = client.change_region(&asked.place.guild, &asked.channel, asked.region.as_deref()).await?;
    terminal::line(&format!(
        "{} is in the region {}.",
        asked.channel,
        terminal::inline(set["region"].as_str().unwrap_or_default())
    ))?;
    Ok(Outcome::Good)
}
