//! Voice: joining, leaving, moving, and recording a bot's audio.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use sandbox::Client;
use sandbox::voice::Heard;
use serde_json::{Value, json};

use super::{Failure, Outcome, terminal};

/// The guild that is meant.
#[derive(Debug, Args)]
struct Where {
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Voice {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List who is in which voice channel; the same as without a word.
    List(List),
    /// Join a voice channel as a user.
    Join(Join),
    /// Leave voice as a user.
    Leave(Leave),
    /// Play a sound of the soundboard, or show an emoji, as a user who is in voice.
    Effect(Effect),
    /// Record what a bot plays, with counts of losses and times.
    Record(Record),
}

pub(super) async fn voice(client: &Client, voice: Voice) -> Result<Outcome, Failure> {
    match voice.action.unwrap_or(Action::List(voice.list)) {
        Action::List(options) => list(client, options).await,
        Action::Join(options) => join(client, options).await,
        Action::Leave(options) => leave(client, options).await,
        Action::Effect(options) => effect(client, options).await,
        Action::Record(options) => record(client, options).await,
    }
}

#[derive(Debug, Args)]
pub(super) struct Join {
    /// Voice channel by name or id.
    channel: String,
    /// User who joins.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    #[command(flatten)]
    place: Where,
}

pub(super) async fn join(client: &Client, join: Join) -> Result<Outcome, Failure> {
    client.enter_voice(&join.place.guild, &join.user, &join.channel).await?;
    terminal::line(&format!("{} is in {}.", join.user, join.channel))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
struct Effect {
    /// Id of a sound, or an emoji.
    effect: String,
    /// User who sends it.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    #[command(flatten)]
    place: Where,
}

async fn effect(client: &Client, asked: Effect) -> Result<Outcome, Failure> {
    let sound = asked.effect.bytes().all(|byte| byte.is_ascii_digit());
    let effect = json!({ (if sound { "sound" } else { "emoji" }): asked.effect });
    client.send_effect(&asked.place.guild, &asked.user, &effect).await?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Leave {
    /// User who leaves.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    #[command(flatten)]
    place: Where,
}

pub(super) async fn leave(client: &Client, leave: Leave) -> Result<Outcome, Failure> {
    client.leave_voice(&leave.place.guild, &leave.user).await?;
    terminal::line(&format!("{} is out of voice.", leave.user))?;
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
struct List {
    #[command(flatten)]
    place: Where,
    /// Print each voice state as a line of JSON.
    #[arg(long)]
    json: bool,
}

async fn list(client: &Client, list: List) -> Result<Outcome, Failure> {
    let states = client.voice(&list.place.guild).await?;
    for state in &states {
        if list.json {
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
    if states.is_empty() && !list.json {
        terminal::line("Nobody is in voice.")?;
    }
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Record {
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

pub(super) async fn record(client: &Client, record: Record) -> Result<Outcome, Failure> {
    let guild = &record.place.guild;
    let user = match record.user {
        Some(user) => user,
        None => first_bot(client, guild).await?,
    };
    let mut from = 0;
    if let Some(seconds) = record.seconds {
        let wait = Duration::try_from_secs_f64(seconds)
            .map_err(|_| Failure(format!("{seconds} is no number of seconds to wait")))?;
        from = client.heard(guild, &user).await?.position;
        tokio::time::sleep(wait).await;
    }
    let heard = client.heard(guild, &user).await?;
    if let Some(path) = &record.wav {
        let file = client.heard_wav(guild, &user, from).await?;
        std::fs::write(path, file)
            .map_err(|error| Failure(format!("can't write {}: {error}", path.display())))?;
    }
    if record.json {
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
