//! Many servers that send very slowly, requested by many users at once: whether the bot still answers everyone.
//!
//! # Theory of operation
//!
//! Each server sends one byte per second forever, at a different place: the head of a response, a playlist, a chunk's
//! size, sound. As many users in a number of Discord servers `/play` one each, faster than requests time out, so that
//! soon as many requests are in progress as allowed. A user who is refused because of that tries again. Some songs
//! become slow only while they play. Meanwhile users run `/ping`. At the end the following has to hold: each `/play`
//! was answered once, in a sentence; each server was requested; and soon after the last answer no connection and no
//! call is left, and a good song is played.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::try_join_all;
use sandbox::client::Run;
use sandbox::{Answer, Client, Sandbox};
use serde_json::{Value, json};

use crate::bot::PATIENCE;
use crate::load::{Load, Tally};
use crate::playground::workspace;
use crate::soak::inside::Inside;
use crate::wait::until_registered;
use crate::{Bot, Playground};

mod server;

use server::Server;

/// Words of the command line.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Servers that drip
    #[arg(long, default_value_t = 200)]
    pub servers: usize,
    /// Discord servers whose users ask for them
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub guilds: u16,
    /// Users who begin to ask, a second
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub pace: u32,
    /// Runs of /ping a second
    #[arg(long, default_value_t = 20)]
    pub rate: u32,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Discord servers in which a song becomes slow while it plays.
const STALLING: usize = 4;
/// Time for which /ping is run before the servers are requested.
const BEFORE: Duration = Duration::from_secs(10);
/// Time after which a refused user tries again.
const AGAIN: Duration = Duration::from_secs(5);
/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_mins(2);
/// Longest time from the last answer until no connection and no call is left. A song that becomes slow is given up
/// after 20 seconds of silence.
const LEFT: Duration = Duration::from_secs(30);
/// Part of the message about a song that became slow.
const TOO_SLOW: &str = "does not send fast enough";
/// Beginnings of the messages that refuse another request.
const BUSY: [&str; 3] = ["You have ", "This server has ", "I am looking for too much at once"];
/// Channel in which commands are run.
const TEXT: &str = "bot-test";

/// The outcome.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Sentences that answered `/play`, with their number.
    pub sentences: BTreeMap<String, usize>,
    /// Number of refusals because of too many requests in progress.
    pub refused: u64,
    /// The longest time until an answer, in seconds.
    pub longest: f64,
    /// Number of addresses that were requested.
    pub asked: usize,
    /// Largest number of connections open at once.
    pub most: usize,
    /// Seconds from the last answer until no connection and no call was left, if they were.
    pub left: Option<f64>,
    /// The outcome of `/ping` before.
    pub before: Tally,
    /// The outcome of `/ping` during the requests.
    pub during: Tally,
    /// Problems found.
    pub wrong: Vec<String>,
}

impl Outcome {
    fn to_json(&self) -> Value {
        let ping = |tally: &Tally| {
            let ms = &tally.acknowledged;
            let mut object = tally.to_json();
            object["p50"] = tenth(ms.p50()).into();
            object["p99"] = tenth(ms.percentile(99.0)).into();
            object["max"] = tenth(ms.max()).into();
            object
        };
        json!({
            "sentences": self.sentences, "refused": self.refused, "longest_s": tenth(self.longest),
            "asked": self.asked, "connections": self.most, "left_s": self.left.map(tenth),
            "ping_before_ms": ping(&self.before), "ping_during_ms": ping(&self.during), "wrong": self.wrong,
        })
    }

    fn print(&self) {
        println!(
            "{} servers that drip were asked; {} requests were refused first, because too many were under way",
            self.asked, self.refused
        );
        for (sentence, times) in &self.sentences {
            println!("{times:>7} × {sentence}");
        }
        let left = self.left.map_or("never".to_owned(), |seconds| format!("{seconds:.1} s later"));
        println!(
            "the longest answer took {:.1} s; at most {} connections at once; none and no call is left: {left}\n",
            self.longest, self.most
        );
        println!("{:<8}{:>8}{:>8}{:>10}{:>10}{:>10}", "/ping", "sent", "lost", "p50 ms", "p99 ms", "max ms");
        for (when, tally) in [("before", &self.before), ("during", &self.during)] {
            let ms = &tally.acknowledged;
            println!(
                "{when:<8}{:>8}{:>8}{:>10.1}{:>10.1}{:>10.1}",
                tally.sent,
                tally.lost + tally.failed,
                ms.p50(),
                ms.percentile(99.0),
                ms.max()
            );
        }
        for wrong in &self.wrong {
            println!("FAILED {wrong}");
        }
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Lets users play addresses of slow servers and prints the outcome. Returns whether everything held.
///
/// # Errors
/// If something does not start.
pub async fn run(options: &Options) -> io::Result<bool> {
    let outcome = drip(options).await?;
    if options.json {
        println!("{}", outcome.to_json());
    } else {
        outcome.print();
    }
    Ok(outcome.wrong.is_empty())
}

/// A Discord server whose users are in a voice channel.
struct Guild {
    id: String,
    /// Channel in which they run commands.
    text: String,
    users: Vec<String>,
}

/// A user and the client that acts for them.
struct Asker {
    client: Client,
    guild: String,
    user: String,
    refused: Arc<AtomicU64>,
}

async fn drip(options: &Options) -> io::Result<Outcome> {
    let song = std::fs::read(workspace().join("crates/e2e/media/melody.mp3"))?;
    let server = Server::start(song).await?;
    let playground = Playground::new()?;
    let sandbox = Sandbox::builder().bot_name("Hotcord").start().await?;
    let guilds = usize::from(options.guilds);
    let guilds: Vec<_> = try_join_all((0..guilds).map(|number| {
        // One user more than there are servers, for a song that becomes slow.
        let users = (number..options.servers).step_by(guilds).count() + 1;
        Guild::open(&sandbox, number, users)
    }))
    .await?;
    let variables = [("COMMAND_SCOPE", "global"), ("MEDIA_ALLOW_HOSTS", "127.0.0.1")];
    let bot = Bot::start(&playground, &sandbox, &variables).await?;
    let client = sandbox.client();
    until_registered(&sandbox, |command| command["name"] == "voteskip").await?;

    let mut outcome = Outcome::default();
    let load = Load::start(&sandbox, "/ping", "Pong!", options.rate);
    tokio::time::sleep(BEFORE).await;
    outcome.before = load.stop().await;
    let load = Load::start(&sandbox, "/ping", "Pong!", options.rate);
    let refused = Arc::<AtomicU64>::default();
    let asker = |guild: &Guild, user: &str| Asker {
        client: client.clone(),
        guild: guild.id.clone(),
        user: user.to_owned(),
        refused: refused.clone(),
    };
    let dripping = (0..options.servers).map(|number| {
        let guild = &guilds[number % guilds.len()];
        let user = &guild.users[1 + number / guilds.len()];
        let asks = asker(guild, user).asks(server.dripping(number));
        let begins = Duration::from_secs(1) * u32::try_from(number).unwrap_or(u32::MAX) / options.pace;
        async move {
            tokio::time::sleep(begins).await;
            asks.await
        }
    });
    let stalling = guilds
        .iter()
        .zip(0..STALLING)
        .map(|(guild, number)| asker(guild, &guild.users[0]).asks(server.stalling(number)));
    let (answers, songs) =
        tokio::join!(futures_util::future::join_all(dripping), futures_util::future::join_all(stalling));
    outcome.left = left(&server, &playground).await?;
    outcome.during = load.stop().await;
    (outcome.asked, outcome.most) = (server.asked(), server.most());
    outcome.refused = refused.load(Ordering::Relaxed);
    judge(&mut outcome, answers, songs);
    if outcome.asked < options.servers + STALLING.min(guilds.len()) {
        outcome.wrong.push(format!("only {} addresses were asked for", outcome.asked));
    }
    for guild in guilds.iter().take(STALLING) {
        let messages = client.messages("alice", &guild.text, 50).await.map_err(io::Error::other)?;
        let is_told =
            |message: &Value| message["content"].as_str().is_some_and(|text| text.contains(TOO_SLOW));
        if !messages.iter().any(is_told) {
            outcome.wrong.push(format!("nobody is told why a song broke off: {messages:?}"));
        }
    }
    let guild = &guilds[0];
    let whole = asker(guild, &guild.users[0]).asks(server.song()).await;
    match whole {
        Ok((words, _)) if words.starts_with("Playing **") => {}
        other => outcome.wrong.push(format!("a good song is not played: {other:?}")),
    }
    bot.stop().await?;
    Ok(outcome)
}

/// Records the answers, and the problems with them.
fn judge(outcome: &mut Outcome, answers: Vec<Asked>, songs: Vec<Asked>) {
    for asked in answers {
        match asked {
            Ok((words, took)) => {
                outcome.longest = outcome.longest.max(took.as_secs_f64());
                if !words.ends_with('.') || words.contains('\n') || words.starts_with("Playing") {
                    outcome.wrong.push(format!("a server that drips is answered by {words:?}"));
                }
                *outcome.sentences.entry(words).or_default() += 1;
            }
            Err(wrong) => outcome.wrong.push(wrong),
        }
    }
    for song in songs {
        match song {
            Ok((words, _)) if words.starts_with("Playing **") => {
                *outcome.sentences.entry(words).or_default() += 1;
            }
            other => outcome.wrong.push(format!("a song that drips once it plays: {other:?}")),
        }
    }
    if outcome.left.is_none() {
        outcome.wrong.push(format!("connections or calls are left after {} seconds", LEFT.as_secs()));
    }
    for (when, tally) in [("before", &outcome.before), ("during", &outcome.during)] {
        if !tally.is_clean() {
            outcome.wrong.push(format!("/ping was not served {when}: {:?}", tally.samples));
        }
    }
}

/// Waits until no connection and no call except `/ping` is left. Returns how many seconds that took.
async fn left(server: &Server, playground: &Playground) -> io::Result<Option<f64>> {
    let began = Instant::now();
    while began.elapsed() < LEFT {
        if server.open() == 0 && Inside::of(playground).await?.music_calls == 0 {
            return Ok(Some(began.elapsed().as_secs_f64()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(None)
}

/// The sentence of the answer and the time until it came; or the problem.
type Asked = Result<(String, Duration), String>;

impl Asker {
    /// Plays an address, and tries again while too many requests are in progress. Returns the answer.
    async fn asks(self, url: String) -> Asked {
        let began = Instant::now();
        loop {
            let asked = Instant::now();
            let run = Run::typed(format!("/play what:{url}")).by(&self.user).at(TEXT).in_guild(&self.guild);
            let answer = self.client.run(run.deadline(ANSWER)).await;
            let answer = answer.map_err(|error| format!("/play {url}: {error}"))?;
            if answer.callbacks != 1 || answer.error.is_some() {
                return Err(format!("/play {url} was not answered once: {answer:?}"));
            }
            let words = words(&self.client, answer).await.map_err(|error| format!("/play {url}: {error}"))?;
            if !BUSY.iter().any(|busy| words.starts_with(busy)) {
                return Ok((words, asked.elapsed()));
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("/play {url} is refused for ever: {words}"));
            }
            self.refused.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Returns the text of an answer. If the bot was "thinking" first, that line is deleted and the sentence follows.
async fn words(client: &Client, mut answer: Answer) -> io::Result<String> {
    let began = Instant::now();
    loop {
        if let Some(message) = answer.followups.last() {
            return Ok(message["content"].as_str().unwrap_or_default().to_owned());
        }
        if !answer.content.is_empty() {
            return Ok(answer.content);
        }
        if began.elapsed() > ANSWER {
            return Err(io::Error::other("nothing follows"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = client.interaction(answer.interaction).await.map_err(io::Error::other)?;
    }
}

impl Guild {
    async fn open(sandbox: &Sandbox, number: usize, users: usize) -> io::Result<Self> {
        let of_sandbox = io::Error::other::<sandbox::client::Error>;
        let client = sandbox.client();
        let id = |object: &Value| object["id"].as_str().unwrap_or_default().to_owned();
        let guild = client.create_guild(&format!("Guild {number}"), "alice").await.map_err(of_sandbox)?;
        let guild = id(&guild);
        let text = client.create_channel(&guild, &json!({ "name": TEXT })).await.map_err(of_sandbox)?;
        let stage = json!({ "name": "stage", "type": 2 });
        let stage = client.create_channel(&guild, &stage).await.map_err(of_sandbox)?;
        let mut named = Vec::new();
        for user in 0..users {
            let name = format!("user{number}_{user}");
            client.create_user(&name).await.map_err(of_sandbox)?;
            client.join(&guild, &name).await.map_err(of_sandbox)?;
            client.enter_voice(&guild, &name, &id(&stage)).await.map_err(of_sandbox)?;
            named.push(name);
        }
        Ok(Self { id: guild, text: id(&text), users: named })
    }
}
