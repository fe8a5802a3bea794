//! The host's voice: all guilds' players, their settings, and where audio comes from.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use serenity::all::{Cache, ChannelId, ChannelType, GuildId, Http, VoiceState};
use songbird::driver::Driver;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::checkpoint::Changes;
use crate::dispatch::panic_text;

use super::clock::Clock;
use super::drivers::{Drivers, drivers};
use super::event::{VoiceEvent, VoiceEventKind};
use super::kept::{Kept, KeptPlayer, now};
use super::note::{Note, Notes};
use super::pace::{FrameCounts, Frames};
use super::player::Player;
use super::settings::{GuildSettings, MAX_VOLUME};
use super::shards::Shards;
use super::source::Sources;
use super::status::PlayerStatus;
use super::task::Task;

/// Events that a slow listener may be behind.
const BEHIND: usize = 256;
/// Commands that may wait for a player.
const COMMANDS: usize = 64;
/// Longest wait for players to stand still.
const CLOSED_WITHIN: Duration = Duration::from_millis(300);

/// The host's voice; cheap to clone.
#[derive(Clone)]
pub struct Voice(Arc<Inner>);

struct Inner {
    players: Mutex<BTreeMap<GuildId, Served>>,
    settings: Mutex<BTreeMap<GuildId, GuildSettings>>,
    /// Players of before a restart whose guilds have not come yet.
    pending: Mutex<BTreeMap<GuildId, KeptPlayer>>,
    /// How often the bot has died on what each player has on, until that proves harmless.
    deaths: Mutex<BTreeMap<GuildId, u32>>,
    closed: AtomicBool,
    sources: ArcSwap<Sources>,
    events: broadcast::Sender<VoiceEvent>,
    shards: Arc<Shards>,
    cache: ArcSwapOption<Cache>,
    http: ArcSwapOption<Http>,
    changes: Changes,
    /// Counts players.
    served: AtomicU64,
    drivers: Box<dyn Drivers>,
    frames: Arc<Frames>,
}

struct Served {
    /// Which of the guild's players it is.
    number: u64,
    player: Player,
    notes: Notes,
}

impl Voice {
    pub(crate) fn new(changes: Changes) -> Self {
        Self(Arc::new(Inner {
            players: Mutex::default(),
            settings: Mutex::default(),
            pending: Mutex::default(),
            deaths: Mutex::default(),
            closed: AtomicBool::new(false),
            sources: ArcSwap::default(),
            events: broadcast::Sender::new(BEHIND),
            shards: Arc::default(),
            cache: ArcSwapOption::empty(),
            http: ArcSwapOption::empty(),
            served: AtomicU64::new(0),
            changes,
            drivers: drivers(),
            frames: Arc::default(),
        }))
    }

    /// Gives a guild's player, making it on first use.
    pub fn player(&self, guild: GuildId) -> Player {
        let mut players = self.0.players.lock();
        players.entry(guild).or_insert_with(|| self.serve(guild)).player.clone()
    }

    fn serve(&self, guild: GuildId) -> Served {
        let (commands, asked) = mpsc::channel(COMMANDS);
        let (notes, heard) = mpsc::unbounded_channel();
        let volume = self.settings(guild).volume;
        let (shown, status) = watch::channel(Arc::new(PlayerStatus { volume, ..PlayerStatus::of(guild) }));
        let clock = Arc::<Clock>::default();
        let task = Task::new(guild, self.clone(), asked, (notes.clone(), heard), shown, clock.clone());
        let number = self.0.served.fetch_add(1, Ordering::Relaxed);
        let voice = self.clone();
        tokio::spawn(async move {
            if let Err(panic) = AssertUnwindSafe(task.run()).catch_unwind().await {
                voice.broke_down(guild, number, panic_text(&*panic));
            }
        });
        Served { number, player: Player { guild, commands, status, clock }, notes }
    }

    /// Forgets a player whose task has panicked, with its queue, in which the cause may be: the next use makes another one.
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

    /// Gives a guild's player, if it was ever used.
    pub fn existing(&self, guild: GuildId) -> Option<Player> {
        self.0.players.lock().get(&guild).map(|served| served.player.clone())
    }

    /// Gives all players that were ever used.
    pub fn players(&self) -> Vec<Player> {
        self.0.players.lock().values().map(|served| served.player.clone()).collect()
    }

    /// Gives how a guild wants its player to behave.
    pub fn settings(&self, guild: GuildId) -> GuildSettings {
        self.0.settings.lock().get(&guild).cloned().unwrap_or_default()
    }

    /// Sets how a guild wants its player to behave; it takes effect at once. Volumes and shares are cut to what may be.
    pub fn set_settings(&self, guild: GuildId, mut settings: GuildSettings) {
        settings.max_volume = settings.max_volume.min(MAX_VOLUME);
        settings.volume = settings.volume.min(settings.max_volume);
        settings.vote_ratio = settings.vote_ratio.min(100);
        self.0.settings.lock().insert(guild, settings);
        self.0.changes.mark();
        self.note(guild, Note::Settings);
    }

    /// Gives where audio comes from.
    pub fn sources(&self) -> Arc<Sources> {
        self.0.sources.load_full()
    }

    /// Replaces where audio comes from; what plays goes on.
    pub fn set_sources(&self, sources: Sources) {
        self.0.sources.store(Arc::new(sources));
    }

    /// Counts the frames of all tracks since the host began, and those that were late.
    pub fn frames(&self) -> FrameCounts {
        self.0.frames.counts()
    }

    pub(super) fn frame_account(&self) -> &Arc<Frames> {
        &self.0.frames
    }

    /// Gives the longest time that one of songbird's mixers took for its last 20 ms: to send, mix, encode and encrypt.
    ///
    /// `None` while nothing plays, or when songbird does not answer.
    pub async fn mixing_time(&self) -> Option<Duration> {
        self.0.drivers.mixing_time().await
    }

    /// Hears everything that happens to players from now on.
    pub fn listen(&self) -> broadcast::Receiver<VoiceEvent> {
        self.0.events.subscribe()
    }

    /// Has all players stand still where they are, because the bot ends; what is kept from then on is exact.
    pub async fn close(&self) {
        let closing: Vec<_> = {
            let players = self.0.players.lock();
            players
                .values()
                .map(|served| {
                    let (done, closed) = oneshot::channel();
                    let _ = served.notes.send(Note::Close(done));
                    closed
                })
                .collect()
        };
        let _ = timeout(CLOSED_WITHIN, futures_util::future::join_all(closing)).await;
        self.0.closed.store(true, Ordering::Release);
    }

    /// Gives all that is to be kept over a restart.
    pub(crate) fn kept(&self) -> Kept {
        let mut players = self.0.pending.lock().clone();
        players.retain(|_, player| player.is_recent());
        for player in self.players() {
            let status = player.status();
            if let Some(mut kept) = KeptPlayer::of(&status, now()) {
                kept.deaths = self.0.deaths.lock().get(&status.guild).copied().unwrap_or_default();
                players.insert(status.guild, kept);
            }
        }
        let closed = self.0.closed.load(Ordering::Acquire);
        Kept { settings: self.0.settings.lock().clone(), players, closed }
    }

    /// Takes over what was kept; each player goes on when its guild comes.
    ///
    /// Says whether the bot has died, which is to be written down before anything is opened: it may be why.
    pub(crate) fn restore(&self, mut kept: Kept) -> bool {
        let mut has_died = false;
        if !kept.closed {
            for player in kept.players.values_mut() {
                has_died |= player.count_death();
            }
        }
        *self.0.settings.lock() = kept.settings;
        *self.0.pending.lock() = kept.players;
        has_died
    }

    /// Hears that what a guild's player has on is nothing to die of.
    pub(super) fn survived(&self, guild: GuildId) {
        self.0.deaths.lock().remove(&guild);
    }

    /// Hears that a guild and its voice states are in the cache.
    pub(crate) fn guild_came(&self, guild: GuildId) {
        let kept = self.0.pending.lock().remove(&guild);
        let Some(mut kept) = kept else { return self.listeners_changed(guild) };
        let culprit = kept.take_culprit();
        self.0.deaths.lock().insert(guild, kept.deaths);
        let listeners = kept.channel.and_then(|channel| self.listeners(guild, channel));
        let heard = listeners.is_some_and(|listeners| listeners > 0);
        let stays = self.settings(guild).stay;
        let rejoin = kept.is_recent() && (heard || stays);
        tracing::info!(%guild, rejoin, "a player is as it was before the restart");
        self.player(guild);
        self.note(guild, Note::Restore { kept: Box::new(kept), rejoin, culprit });
    }

    /// Hears that the bot is in a guild no more, and forgets all that belongs to it, settings included.
    pub(crate) fn guild_gone(&self, guild: GuildId) {
        self.0.pending.lock().remove(&guild);
        self.0.settings.lock().remove(&guild);
        self.0.changes.mark();
        match self.0.players.lock().remove(&guild) {
            // Its task tells, after all else that it has to tell.
            Some(served) => drop(served.notes.send(Note::Gone)),
            None => self.tell(VoiceEvent { guild, channel: None, kind: VoiceEventKind::GuildGone }),
        }
    }

    /// Hears that somebody may have joined or left a voice channel.
    pub(crate) fn listeners_changed(&self, guild: GuildId) {
        self.note(guild, Note::Listeners);
    }

    /// Hears of the bot's own place in voice.
    pub(super) fn own_state(&self, guild: GuildId, state: &VoiceState) {
        if self.0.shards.user() == Some(state.user_id) {
            let (session, channel) = (state.session_id.clone(), state.channel_id);
            self.note(guild, Note::State { session, channel, suppressed: state.suppress });
        }
    }

    pub(super) fn server(&self, guild: GuildId, endpoint: Option<&str>, token: &str) {
        self.note(guild, Note::Server { endpoint: endpoint.map(str::to_owned), token: token.to_owned() });
    }

    /// Hears that a shard has a session.
    pub(super) fn session(&self, shard: u32) {
        let players = self.0.players.lock();
        for (_, served) in players.iter().filter(|(guild, _)| self.0.shards.of(**guild) == Some(shard)) {
            let _ = served.notes.send(Note::Session);
        }
    }

    pub(crate) fn set_context(&self, context: &serenity::all::Context) {
        self.0.cache.store(Some(context.cache.clone()));
        self.0.http.store(Some(context.http.clone()));
    }

    /// Gives the way to Discord's REST API, once there was a session.
    pub(super) fn http(&self) -> Option<Arc<Http>> {
        self.0.http.load_full()
    }

    /// Says whether a channel is a stage.
    pub(super) fn is_stage(&self, guild: GuildId, channel: ChannelId) -> bool {
        let cache = self.0.cache.load();
        let guild = cache.as_ref().and_then(|cache| cache.guild(guild));
        let channel = guild.as_ref().and_then(|guild| guild.channels.get(&channel));
        channel.is_some_and(|channel| channel.kind == ChannelType::Stage)
    }

    /// Notes the volume that was set, with which the guild's next player begins.
    pub(super) fn keep_volume(&self, guild: GuildId, volume: u16) {
        self.0.settings.lock().entry(guild).or_default().volume = volume;
        self.0.changes.mark();
    }

    /// Counts the users in a channel that are no bots; `None` while the guild is not known.
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
        // It is nothing to nobody.
        let _ = self.0.events.send(event);
    }

    fn note(&self, guild: GuildId, note: Note) {
        if let Some(served) = self.0.players.lock().get(&guild) {
            // A task ends with the process only.
            let _ = served.notes.send(note);
        }
    }

    /// Makes a driver, which is connected to nothing.
    pub(super) fn driver(&self) -> Driver {
        self.0.drivers.make()
    }
}

#[cfg(test)]
mod tests;
