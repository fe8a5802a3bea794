//! Reloads while music plays: nothing of it is lost, and what is received is the music.
//!
//! # Theory of operation
//!
//! Each guild hears a song of its own. Meanwhile plugins are edited, each edit a real save, build and swap with
//! transfer of state. A second run is as long and has no edits. For every guild the sandbox counts packets, gaps and
//! the times between packets, and every received second is compared, frame by frame, with the following part of the
//! song: a frame that was left out, doubled or invented would shift everything after it.

use std::io;
use std::time::{Duration, Instant};

use clap::Args;
use sandbox::voice::{Counts, Heard};
use serde_json::{Value, json};

use crate::kept::{self, Kept, Shown};
use crate::music_host::{ALIKE, MusicOptions, MusicTestHost};
use crate::numbers::Numbers;
use crate::playground::workspace;
use crate::song::{self, RATE};
use crate::wait::until;

/// Words of the command line.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Reloads of commands/music; half as many of an events plugin come on top
    #[arg(long, default_value_t = 50)]
    pub reloads: usize,
    /// Guilds that listen, up to 4
    #[arg(long, default_value_t = 4)]
    pub guilds: usize,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// A plugin that is edited: its id, one of its sources, and the text in it that changes.
struct Edited {
    plugin: &'static str,
    file: &'static str,
    words: &'static str,
}

const MUSIC: Edited =
    Edited { plugin: "commands/music", file: "commands/music/src/join.rs", words: "already." };
const WELCOME: Edited =
    Edited { plugin: "events/welcome", file: "events/welcome/src/lib.rs", words: "Welcome to" };

/// Seconds of song for each reload, for both runs and a slow machine.
const SECONDS_PER_RELOAD: u32 = 30;

/// What one guild received in one run.
#[derive(Clone, Debug)]
pub struct Ear {
    /// Title of its song.
    pub title: &'static str,
    /// Statistics of the sound.
    pub heard: Heard,
    /// Seconds that were compared with the song.
    pub seconds: u64,
    /// Lowest similarity of any second to the song.
    pub worst: f64,
}

impl Ear {
    /// Returns what was lost, or is not the song.
    pub fn wrong(&self) -> Vec<String> {
        let Counts { packets, silence, lost, sequence_gaps, reordered, duplicates, timestamp_gaps, .. } =
            self.heard.counts;
        let Counts { undecryptable, unopened, undecodable, .. } = self.heard.counts;
        let counts = [
            ("lost packets", lost),
            ("sequence gaps", sequence_gaps),
            ("timestamp gaps", timestamp_gaps),
            ("packets out of order", reordered),
            ("packets sent twice", duplicates),
            ("packets of silence", silence),
            ("packets that cannot be read", undecryptable + unopened + undecodable),
        ];
        let counted = counts.iter().filter(|(_, count)| *count > 0);
        let mut wrong: Vec<_> =
            counted.map(|(what, count)| format!("{}: {count} {what}", self.title)).collect();
        if packets == 0 || self.seconds == 0 {
            wrong.push(format!("{}: nothing was heard", self.title));
        } else if self.worst < ALIKE {
            wrong.push(format!("{}: a second is not the song ({:.3})", self.title, self.worst));
        }
        wrong
    }
}

/// The results of a run.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// What each guild received.
    pub ears: Vec<Ear>,
    /// Duration of the run.
    pub lasted: Duration,
}

/// Both runs, and the durations of the reloads.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The run with reloads.
    pub reloaded: Run,
    /// The run without reloads.
    pub quiet: Run,
    /// Milliseconds from a save of commands/music until a user saw the new answer.
    pub reloads: Numbers,
    /// Number of times that the bot joined voice.
    pub joins: u64,
}

impl Outcome {
    /// Returns what was lost, or is not the music.
    pub fn wrong(&self) -> Vec<String> {
        let ears = self.reloaded.ears.iter().chain(&self.quiet.ears);
        let mut wrong: Vec<_> = ears.flat_map(Ear::wrong).collect();
        if self.joins != self.reloaded.ears.len() as u64 {
            wrong.push(format!("the bot has joined voice {} times", self.joins));
        }
        wrong
    }
}

impl kept::Outcome for Outcome {
    fn to_json(&self) -> Value {
        let run = |run: &Run| {
            let ears = run.ears.iter().map(|ear| {
                json!({
                    "song": ear.title, "counts": ear.heard.counts, "between_ms": ear.heard.between,
                    "seconds": ear.seconds, "least_correlation": ear.worst,
                })
            });
            json!({ "seconds": run.lasted.as_secs(), "guilds": ears.collect::<Vec<_>>() })
        };
        json!({
            "reloads": self.reloads.len(), "reload_ms": self.reloads.to_json(), "joins": self.joins,
            "with_reloads": run(&self.reloaded), "without": run(&self.quiet), "wrong": self.wrong(),
        })
    }

    fn print(&self, is_whole: bool) {
        if !is_whole {
            println!("\nIt ended before its time; this was heard until then.");
        }
        println!(
            "{} reloads of commands/music, p50 {:.0} ms, max {:.0} ms, while {} guilds listened",
            self.reloads.len(),
            self.reloads.p50(),
            self.reloads.max(),
            self.reloaded.ears.len()
        );
        println!(
            "{:<12}{:<16}{:>9}{:>7}{:>7}{:>9}{:>9}{:>10}{:>10}{:>10}{:>13}",
            "song",
            "",
            "packets",
            "lost",
            "gaps",
            "ts gaps",
            "silence",
            "p50 ms",
            "p99 ms",
            "max ms",
            "correlation"
        );
        for (name, run) in [("with reloads", &self.reloaded), ("without", &self.quiet)] {
            for ear in &run.ears {
                let Heard { counts, between, .. } = &ear.heard;
                println!(
                    "{:<12}{name:<16}{:>9}{:>7}{:>7}{:>9}{:>9}{:>10.1}{:>10.1}{:>10.1}{:>13.4}",
                    ear.title,
                    counts.packets,
                    counts.lost,
                    counts.sequence_gaps,
                    counts.timestamp_gaps,
                    counts.silence,
                    between.p50_ms,
                    between.p99_ms,
                    between.max_ms,
                    ear.worst
                );
            }
        }
        let wrong =
            if is_whole { self.wrong() } else { self.reloaded.ears.iter().flat_map(Ear::wrong).collect() };
        for wrong in wrong {
            println!("FAILED {wrong}");
        }
    }
}

/// Plays with reloads and without, and prints both side by side. Returns whether nothing was lost.
///
/// # Errors
/// If something does not work at all. What was received until then is printed.
pub async fn run(options: &Options) -> io::Result<bool> {
    let mut shown = Kept::new(Shown { json: options.json, ..Shown::default() });
    play(options, &mut shown.outcome).await?;
    Ok(shown.finish().outcome.wrong().is_empty())
}

/// Plays with reloads, and as long without. `outcome` is kept up to date all the time.
///
/// # Errors
/// If a song cannot be heard, or a reload does not go live.
pub async fn play(options: &Options, outcome: &mut Outcome) -> io::Result<()> {
    let reloads = u32::try_from(options.reloads).map_err(io::Error::other)?;
    let program = MusicOptions {
        rooms: options.guilds,
        seconds: 120 + SECONDS_PER_RELOAD * reloads,
        ..MusicOptions::default()
    };
    let mut host = MusicTestHost::new(program).await?;

    let mut listening = Listening::begin(&host).await?;
    let room = &host.rooms[0];
    let card = host.say(room, "/nowplaying").await?;
    for round in 1..=options.reloads {
        let took = reload_music(&mut host, round).await?;
        outcome.reloads.push(took);
        if round % 2 == 0 {
            WELCOME.says(&format!("Welcome {round} to"), &mut host).await?;
        }
        listening.compare(&host);
        outcome.reloaded = listening.so_far(&host);
        outcome.joins = host.joins();
        if !options.json && (round % 10 == 0 || round == options.reloads) {
            let worst = outcome.reloaded.ears.iter().map(|ear| ear.worst).fold(1.0, f64::min);
            println!(
                "  {round} reloads in {} s, p50 {:.0} ms, least correlation {worst:.4}",
                listening.began.elapsed().as_secs(),
                outcome.reloads.p50()
            );
        }
    }
    outcome.reloaded = listening.end(&host).await?;
    state_has_crossed(&host, &card).await?;

    let mut listening = Listening::begin(&host).await?;
    while listening.began.elapsed() < outcome.reloaded.lasted {
        tokio::time::sleep(Duration::from_secs(1)).await;
        listening.compare(&host);
        outcome.quiet = listening.so_far(&host);
    }
    outcome.quiet = listening.end(&host).await?;
    outcome.joins = host.joins();
    host.bot.stop().await.map(drop)
}

/// Changes an answer of commands/music. Returns the milliseconds until a listener reads it.
async fn reload_music(host: &mut MusicTestHost, round: usize) -> io::Result<f64> {
    let began = Instant::now();
    let words = format!("already (round {round}).");
    MUSIC.says(&words, host).await?;
    let room = &host.rooms[round % host.rooms.len()];
    let answer = host.say(room, "/join").await?;
    if !answer.content.ends_with(&words) || answer.callbacks != 1 {
        return Err(io::Error::other(format!("after reload {round}: {answer:?}")));
    }
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

impl Edited {
    /// Saves the source with another text, and waits until it is live.
    async fn says(&self, words: &str, host: &mut MusicTestHost) -> io::Result<()> {
        // The playground is a copy of this workspace, where nothing has been edited yet.
        let original = std::fs::read_to_string(workspace().join(self.file))?;
        if !original.contains(self.words) {
            return Err(io::Error::other(format!("{} does not hold {:?}", self.file, self.words)));
        }
        let lines = host.bot.line_count();
        host.playground.save(self.file, &original.replace(self.words, words))?;
        host.bot.went_live(lines, self.plugin).await.map(drop)
    }
}

/// Waits until the card of the current track, which the plugin knows from its state, shows a listener's change.
async fn state_has_crossed(host: &MusicTestHost, card: &sandbox::Answer) -> io::Result<()> {
    let room = &host.rooms[0];
    let message = card.message.as_ref().map(|message| message["id"].clone());
    host.say(room, "/volume percent:90").await?;
    until("the card made before the reloads shows the new volume", async || {
        let messages = host.sandbox.client().messages("alice", "bot-test", 100).await.ok()?;
        let shown = messages.iter().find(|other| Some(&other["id"]) == message.as_ref())?;
        shown["embeds"].to_string().contains("volume 90 %").then_some(())
    })
    .await
}

/// A run in progress: every song from its beginning, with statistics reset.
struct Listening {
    began: Instant,
    places: Vec<Follower>,
}

/// What one guild receives, compared with its song.
struct Follower {
    /// Next frame of the received sound to compare.
    heard: u64,
    /// The song's frame that it has to equal.
    song: u64,
    seconds: u64,
    worst: f64,
}

impl Listening {
    async fn begin(host: &MusicTestHost) -> io::Result<Self> {
        let mut moments = Vec::new();
        for room in &host.rooms {
            moments.push(host.play(room).await?);
        }
        let mut places = Vec::new();
        for (room, moment) in host.rooms.iter().zip(moments) {
            host.sandbox.voice().forget(room.guild, host.sandbox.bot_id());
            let heard = host.position(room);
            let song = moment.song.frame + (heard - moment.heard);
            places.push(Follower { heard, song, seconds: 0, worst: 1.0 });
        }
        Ok(Self { began: Instant::now(), places })
    }

    /// Compares every second received since the last time.
    fn compare(&mut self, host: &MusicTestHost) {
        let second = u64::from(RATE);
        for (room, place) in host.rooms.iter().zip(&mut self.places) {
            while host.position(room) >= place.heard + second {
                let heard = song::left(&host.samples(room, place.heard, second));
                place.worst = place.worst.min(room.song.likeness(&heard, place.song));
                place.heard += second;
                place.song += second;
                place.seconds += 1;
            }
        }
    }

    /// Returns what each guild has received so far.
    fn so_far(&self, host: &MusicTestHost) -> Run {
        let heard = host.rooms.iter().zip(&self.places).filter_map(|(room, place)| {
            let Follower { seconds, worst, .. } = *place;
            Some(Ear { title: room.title, heard: host.heard(room)?, seconds, worst })
        });
        Run { ears: heard.collect(), lasted: self.began.elapsed() }
    }

    async fn end(mut self, host: &MusicTestHost) -> io::Result<Run> {
        let lasted = self.began.elapsed();
        for (room, place) in host.rooms.iter().zip(&self.places) {
            host.until_heard(room, place.heard + u64::from(RATE)).await?;
        }
        self.compare(host);
        let run = Run { lasted, ..self.so_far(host) };
        if run.ears.len() < self.places.len() {
            return Err(io::Error::other("nothing was heard"));
        }
        Ok(run)
    }
}
