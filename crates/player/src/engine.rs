//! The host's voice: all guilds' players, their settings, and the sources of audio.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use sdk_core::changes::Changes;
use sdk_core::panics::panic_text;
use sdk_core::voice::{
    GuildSettings, Player, PlayerStatus, Players as _, SavedPlayer, VoiceEvent, VoiceEventKind,
};
use serenity::all::{Cache, ChannelId, ChannelType, GuildId, Http, VoiceState};
use songbird::driver::Driver;
use tokio::sync::{broadcast, mpsc, watch};

use super::clock::Clock;
use super::drivers::{Drivers, drivers};
use super::message::{TaskMessage, TaskSender};
use super::pace::Frames;
use super::shards::Shards;
use super::source::Sources;
use super::task::Task;

mod players;
#[cfg(test)]
mod tests;

/// Commands that may wait for a player.
const COMMANDS: usize = 64;

/// All guilds' players. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    players: Mutex<BTreeMap<GuildId, Served>>,
    settings: Mutex<BTreeMap<GuildId, GuildSettings>>,
    /// Players from before a restart whose guilds are not available yet.
    pending: Mutex<BTreeMap<GuildId, SavedPlayer>>,
    /// How often the bot has died during the current track of each player, until that track proves harmless.
    deaths: Mutex<BTreeMap<GuildId, u32>>,
    closed: AtomicBool,
    sources: ArcSwap<Sources>,
    events: broadcast::Sender<VoiceEvent>,
    shards: Arc<Shards>,
    cache: ArcSwapOption<Cache>,
    http: ArcSwapOption<Http>,
    changes: Changes,
    /// Number of players created.
    served: AtomicU64,
    drivers: Box<dyn Drivers>,
    frames: Arc<Frames>,
}

struct Served {
    /// Which of the guild's players it is.
    number: u64,
    player: Player,
    sender: TaskSender,
}

impl Engine {
    /// Creates an engine that marks changes and publishes its events; it plays nothing yet, and has no library.
    pub fn new(changes: Changes, events: broadcast::Sender<VoiceEvent>) -> Self {
        Self(Arc::new(Inner {
            players: Mutex::default(),
            settings: Mutex::default(),
            pending: Mutex::default(),
            deaths: Mutex::default(),
            closed: AtomicBool::new(false),
            sources: ArcSwap::default(),
            events,
            shards: Arc::default(),
            cache: ArcSwapOption::empty(),
            http: ArcSwapOption::empty(),
            served: AtomicU64::new(0),
            changes,
            drivers: drivers(),
            frames: Arc::default(),
        }))
    }

    fn serve(&self, guild: GuildId) -> Served {
        let (commands, asked) = mpsc::channel(COMMANDS);
        let (sender, messages) = mpsc::unbounded_channel();
        let volume = self.settings(guild).volume;
        let (shown, status) = watch::channel(Arc::new(PlayerStatus { volume, ..PlayerStatus::of(guild) }));
        let clock = Arc::<Clock>::default();
        let task = Task::new(guild, self.clone(), asked, (sender.clone(), messages), shown, clock.clone());
        let number = self.0.served.fetch_add(1, Ordering::Relaxed);
        let engine = self.clone();
        tokio::spawn(async move {
            if let Err(panic) = AssertUnwindSafe(task.run()).catch_unwind().await {
                engine.broke_down(guild, number, panic_text(&*panic));
            }
        });
        Served { number, player: Player::new(guild, commands, status, clock), sender }
    }

    /// Removes a player whose task has panicked, with its queue, which may contain the cause. The next use creates
    /// another one.
    fn broke_down(&self, guild: GuildId, number: u64, panic: &str) {
        tracing::error!(%guild, panic, "a player broke down; its queue is dropped");
        let channel = {
            let mut players = self.0.players.lock();
            let Some(served) = players.get(&guild).filter(|served| served.number == number) else { return };
            let channel = served.player.status().channel;
            players.remove(&guild);
            channel
        };
        // Without a session the bot is in no channel anyway.
        let _ = self.0.shards.move_to(guild, None);
        self.0.changes.mark();
        let why = "I left because my player broke down; its queue is gone, and /play begins anew.".to_owned();
        self.tell(VoiceEvent { guild, channel, kind: VoiceEventKind::Left { why } });
    }

    /// Returns the sources of audio.
    pub fn sources(&self) -> Arc<Sources> {
        self.0.sources.load_full()
    }

    /// Replaces the sources of audio. The current tracks continue.
    pub fn set_sources(&self, sources: Sources) {
        self.0.sources.store(Arc::new(sources));
    }

    pub(super) fn frame_account(&self) -> &Arc<Frames> {
        &self.0.frames
    }

    /// Records that the current track of a guild's player does not kill the bot.
    pub(super) fn survived(&self, guild: GuildId) {
        self.0.deaths.lock().remove(&guild);
    }

    /// Handles the bot's own voice state.
    pub(super) fn own_state(&self, guild: GuildId, state: &VoiceState) {
        if self.0.shards.user() == Some(state.user_id) {
            let (session, channel) = (state.session_id.clone(), state.channel_id);
            self.send(guild, TaskMessage::State { session, channel, suppressed: state.suppress });
        }
    }

    pub(super) fn server(&self, guild: GuildId, endpoint: Option<&str>, token: &str) {
        self.send(
            guild,
            TaskMessage::Server { endpoint: endpoint.map(str::to_owned), token: token.to_owned() },
        );
    }

    /// Handles a new session of a shard.
    pub(super) fn session(&self, shard: u32) {
        let players = self.0.players.lock();
        for (_, served) in players.iter().filter(|(guild, _)| self.0.shards.of(**guild) == Some(shard)) {
            let _ = served.sender.send(TaskMessage::Session);
        }
    }

    /// Returns the client of Discord's REST API, once there was a session.
    pub(super) fn http(&self) -> Option<Arc<Http>> {
        self.0.http.load_full()
    }

    /// Returns whether a channel is a stage.
    pub(super) fn is_stage(&self, guild: GuildId, channel: ChannelId) -> bool {
        let cache = self.0.cache.load();
        let guild = cache.as_ref().and_then(|cache| cache.guild(guild));
        let channel = guild.as_ref().and_then(|guild| guild.channels.get(&channel));
        channel.is_some_and(|channel| channel.kind == ChannelType::Stage)
    }

    /// Saves the volume that was set, which the guild's next player starts with.
    pub(super) fn keep_volume(&self, guild: GuildId, volume: u16) {
        self.0.settings.lock().entry(guild).or_default().volume = volume;
        self.0.changes.mark();
    }

    /// Returns the number of users in a channel that are no bots; `None` while the guild is not known.
    pub(super) fn listeners(&self, guild: GuildId, channel: ChannelId) -> Option<usize> {
        let cache = self.0.cache.load();
        let guild = cache.as_ref().and_then(|cache| cache.guild(guild))?;
        let is_bot = |state: &VoiceState| match guild.members.get(&state.user_id).or(state.member.as_ref()) {
            Some(member) => member.user.bot,
            None => self.0.shards.user() == Some(state.user_id),
        };
        let here = guild.voice_states.values().filter(|state| state.channel_id == Some(channel));
        Some(here.filter(|state| !is_bot(state)).count())
    }

    pub(super) fn shards(&self) -> &Arc<Shards> {
        &self.0.shards
    }

    pub(super) fn changes(&self) -> &Changes {
        &self.0.changes
    }

    pub(super) fn tell(&self, event: VoiceEvent) {
        tracing::info!(guild = %event.guild, what = %event.kind, "voice");
        // An event may have no receiver.
        let _ = self.0.events.send(event);
    }

    fn send(&self, guild: GuildId, message: TaskMessage) {
        if let Some(served) = self.0.players.lock().get(&guild) {
            // The task ends only with the process.
            let _ = served.sender.send(message);
        }
    }

    /// Creates a driver that is not connected.
    pub(super) fn driver(&self) -> Driver {
        self.0.drivers.make()
    }
}
