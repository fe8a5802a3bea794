//! A player's task: it alone changes the queue, the deck and the connection.

use std::sync::Arc;
use std::time::Duration;

use sdk_core::voice::player::Command;
use sdk_core::voice::{
    Current, EndReason, GuildSettings, PlayerStatus, Players as _, SavedPlayer, VoiceEvent, VoiceEventKind,
    WhenAlone,
};
use serenity::all::{ChannelId, GuildId};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::answers::Answers;
use super::clock::Clock;
use super::deck::Deck;
use super::engine::Engine;
use super::floor::{Floor, Place, Step};
use super::link::{Link, Turn};
use super::note::{Note, Notes};
use super::queue::Queue;
use super::rejoin::{Loss, Policy};

mod asked;
mod course;

/// Time for which nobody else may be in the channel before the bot leaves, where it is to leave.
const ALONE_FOR: Duration = Duration::from_secs(10);
/// Time from one look at the mixer to the next, and from one note of the position to the next.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Time for which a track is heard before it is taken not to be what the bot has died on.
const HARMLESS_AFTER: Duration = Duration::from_secs(30);

/// A player's task.
pub(super) struct Task {
    guild: GuildId,
    engine: Engine,
    commands: mpsc::Receiver<Command>,
    heard: mpsc::UnboundedReceiver<Note>,
    status: watch::Sender<Arc<PlayerStatus>>,
    settings: GuildSettings,
    queue: Queue,
    deck: Deck,
    link: Link,
    floor: Floor,
    /// Somebody has paused.
    paused: bool,
    /// Nobody listens, and the guild wants a pause then.
    paused_alone: bool,
    listeners: usize,
    /// Since when nobody else is in the channel.
    alone: Option<Instant>,
    /// Since when there is no music.
    idle: Option<Instant>,
    /// Number of the start that was told to have begun.
    told: Option<u64>,
    /// Time into the current track at which it begins after a restart.
    begin_at: Duration,
    look: Instant,
    closed: bool,
    answers: Answers,
}

impl Task {
    pub(super) fn new(
        guild: GuildId,
        engine: Engine,
        commands: mpsc::Receiver<Command>,
        (notes, heard): (Notes, mpsc::UnboundedReceiver<Note>),
        status: watch::Sender<Arc<PlayerStatus>>,
        clock: Arc<Clock>,
    ) -> Self {
        let settings = engine.settings(guild);
        let volume = settings.volume.min(settings.max_volume);
        let link = Link::new(guild, engine.clone(), notes.clone());
        Self {
            guild,
            commands,
            heard,
            status,
            queue: Queue::default(),
            deck: Deck::new(notes, clock, volume, engine.frame_account().clone()),
            link,
            floor: Floor::default(),
            settings,
            engine,
            paused: false,
            paused_alone: false,
            listeners: 0,
            alone: None,
            idle: None,
            told: None,
            begin_at: Duration::ZERO,
            look: Instant::now() + LOOK_EVERY,
            closed: false,
            answers: Answers::default(),
        }
    }

    /// Runs until nobody can ask any more.
    pub(super) async fn run(mut self) {
        loop {
            let deadline = self.deadline();
            tokio::select! {
                note = self.heard.recv() => match note {
                    Some(Note::Gone) => return self.tell(VoiceEventKind::GuildGone),
                    Some(note) => self.hear(note),
                    None => return,
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return self.end(),
                },
                () = sleep_until(deadline) => self.expire(),
            }
            if !self.closed {
                self.settle();
                self.publish();
            }
            self.answers.give();
            self.link.answers().give();
            self.deck.answers().give();
        }
    }

    /// Hears what was noted before the last that could ask was dropped.
    fn end(&mut self) {
        while let Ok(note) = self.heard.try_recv() {
            match note {
                Note::Gone => return self.tell(VoiceEventKind::GuildGone),
                note => self.hear(note),
            }
        }
    }

    fn deadline(&self) -> Instant {
        let prepare = self.deck.prepare_at(self.remaining(), self.queue.next());
        let parts = [self.link.deadline(), prepare, self.idle_deadline(), self.alone_deadline()];
        parts.into_iter().flatten().chain([self.look]).min().unwrap_or(self.look)
    }

    fn idle_deadline(&self) -> Option<Instant> {
        self.idle?.checked_add(self.settings.idle_timeout.filter(|_| !self.settings.stay)?)
    }

    fn alone_deadline(&self) -> Option<Instant> {
        let leaves = self.settings.when_alone == WhenAlone::Leave && !self.settings.stay;
        self.alone.filter(|_| leaves).map(|since| since + ALONE_FOR)
    }

    fn expire(&mut self) {
        if self.closed {
            self.look = Instant::now() + LOOK_EVERY;
            return;
        }
        let now = Instant::now();
        let due = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if due(self.link.deadline()) {
            let turn = self.link.expire();
            self.turn(turn);
        }
        if due(self.idle_deadline()) {
            self.depart("I left because nothing has been played for a while.".to_owned());
        } else if due(self.alone_deadline()) {
            self.depart("I left because nobody else was in the voice channel.".to_owned());
        }
        if self.look <= now {
            self.look = now + LOOK_EVERY;
            if self.deck.is_stalled(self.link.is_in()) {
                let turn = self.link.renew_driver();
                self.turn(turn);
                self.failed("Its source gave no audio any more.".to_owned());
            }
            if self.deck.is_on() {
                self.engine.changes().mark();
            }
            if self.deck.mixed() >= HARMLESS_AFTER {
                self.engine.survived(self.guild);
            }
        }
    }

    fn hear(&mut self, note: Note) {
        if self.closed {
            return;
        }
        match note {
            Note::State { session, channel, suppressed } => {
                let turn = self.link.heard_state(&session, channel);
                self.turn(turn);
                self.heard_floor(channel, suppressed);
            }
            Note::Asked { channel, outcome } => {
                if let Some(why) = outcome.words(channel).filter(|_| self.link.channel() == Some(channel)) {
                    self.tell(VoiceEventKind::Suppressed { why });
                }
            }
            Note::Server { endpoint, token } => self.link.heard_server(endpoint.as_deref(), &token),
            Note::Session => {
                let turn = self.link.heard_session();
                self.turn(turn);
            }
            Note::Listeners => self.count_listeners(),
            Note::Connected { driver, place } => {
                let turn = self.link.heard_connected(driver, &place);
                self.turn(turn);
            }
            Note::Failed { attempt, loss } => {
                let turn = self.link.heard_failed(attempt, loss);
                self.turn(turn);
            }
            Note::Disconnected { driver, loss } => {
                self.note_loss(loss);
                let turn = self.link.heard_disconnected(driver, loss);
                self.turn(turn);
            }
            Note::Opened { job, outcome } => {
                let outcome = self.deck.opened(job, outcome, self.link.driver());
                self.prepared(outcome);
            }
            Note::Ended { job, how } if self.deck.is_of(job) => self.ended(how),
            Note::Ended { .. } | Note::News | Note::Gone => {}
            #[cfg(test)]
            Note::Break => panic!("broken by a test"),
            Note::Settings => self.adopt(),
            Note::Restore { kept, rejoin, culprit } => {
                if let Some(track) = culprit {
                    self.tell_failed(track, "The bot has ended several times while it was on.".to_owned());
                }
                self.restore(*kept, rejoin);
            }
            Note::Close(done) => {
                self.closed = true;
                self.deck.hold(true);
                self.link.close();
                let _ = done.send(());
            }
        }
    }

    /// Notes that the connection is gone, which a moderator's move and the end of a call bring with them: what follows
    /// tells whether it is lost.
    fn note_loss(&self, loss: Loss) {
        if loss.policy() == Policy::Await {
            tracing::debug!(guild = %self.guild, ?loss, "the voice connection is closed, maybe for a move");
        } else {
            tracing::warn!(guild = %self.guild, ?loss, "the voice connection is gone");
        }
    }

    fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Nothing => {}
            Turn::Joined => self.tell(VoiceEventKind::Joined),
            Turn::Moved { from } => {
                tracing::info!(guild = %self.guild, %from, to = ?self.link.channel(), "moved to another voice channel");
                self.tell(VoiceEventKind::Moved { from });
            }
            Turn::Lost(why) => self.tell(VoiceEventKind::Lost { why }),
            Turn::Restored { after } => self.tell(VoiceEventKind::Restored { after }),
            Turn::GaveUp(why) => {
                tracing::warn!(guild = %self.guild, why, "the voice connection is given up");
                self.set_aside();
                self.tell(VoiceEventKind::GaveUp { why });
            }
            Turn::NotJoined => self.set_aside(),
            Turn::Left { channel, why } => self.left(channel, why),
        }
        self.count_listeners();
    }

    /// Keeps the queue, and the place in it, for whoever has the bot join again.
    fn set_aside(&mut self) {
        self.over(EndReason::Stopped);
        if !self.deck.is_empty() {
            self.begin_at = self.deck.position();
        }
        self.deck.stop(self.link.driver());
        self.floor = Floor::default();
    }

    /// Hears whether the bot may be heard where it is.
    fn heard_floor(&mut self, channel: Option<ChannelId>, suppressed: bool) {
        let channel = channel.filter(|_| !self.link.is_out());
        let place =
            channel.map(|channel| Place { channel, is_stage: self.engine.is_stage(self.guild, channel) });
        match self.floor.heard(place, suppressed) {
            Step::Nothing => {}
            Step::Ask(channel) => self.link.ask_to_speak(channel),
            Step::Tell(why) => self.tell(VoiceEventKind::Suppressed { why }),
        }
    }

    /// Leaves the channel by itself.
    fn depart(&mut self, why: String) {
        let channel = self.link.channel();
        self.link.leave();
        self.left(channel, why);
    }

    /// Ends the music, because the bot is in no channel any more.
    fn left(&mut self, channel: Option<ChannelId>, why: String) {
        self.over(EndReason::Stopped);
        self.queue.stop();
        self.deck.stop(self.link.driver());
        (self.paused, self.begin_at) = (false, Duration::ZERO);
        self.floor = Floor::default();
        self.engine.tell(VoiceEvent { guild: self.guild, channel, kind: VoiceEventKind::Left { why } });
        self.count_listeners();
    }

    fn count_listeners(&mut self) {
        let Some(channel) = self.link.channel().filter(|_| !self.link.is_out()) else {
            (self.listeners, self.alone, self.paused_alone) = (0, None, false);
            return;
        };
        if !self.link.is_in() {
            return;
        }
        // After a new session guilds come anew; until then nothing is known of theirs.
        let Some(listeners) = self.engine.listeners(self.guild, channel) else { return };
        self.listeners = listeners;
        match (self.listeners, self.alone) {
            (0, None) => {
                self.alone = Some(Instant::now());
                self.paused_alone = self.settings.when_alone == WhenAlone::Pause;
                self.tell(VoiceEventKind::Alone);
            }
            (1.., Some(_)) => {
                (self.alone, self.paused_alone) = (None, false);
                self.tell(VoiceEventKind::Company);
            }
            _ => {}
        }
    }

    fn adopt(&mut self) {
        self.settings = self.engine.settings(self.guild);
        self.paused_alone = self.alone.is_some() && self.settings.when_alone == WhenAlone::Pause;
        self.deck.set_volume(self.settings.volume);
    }

    fn restore(&mut self, kept: SavedPlayer, rejoin: bool) {
        // Whoever was quicker than the restart has the word.
        if !self.link.is_out() || self.queue.current().is_some() {
            return;
        }
        self.queue = Queue::restored(kept.queue);
        self.begin_at = kept.position;
        self.paused = kept.paused;
        self.deck.set_volume(kept.volume.min(self.settings.max_volume));
        if let Some(channel) = kept.channel.filter(|_| rejoin) {
            let turn = self.link.rejoin(channel);
            self.turn(turn);
        }
    }

    /// Brings about what follows from how things stand now.
    fn settle(&mut self) {
        if !self.link.is_out() && self.deck.is_empty() && self.queue.current().is_some() {
            self.begin(self.begin_at);
        }
        self.deck.hold(self.paused || self.paused_alone || self.floor.waits());
        self.deck.set_running(self.link.is_in());
        if self.link.is_in()
            && !self.floor.waits()
            && let Some(number) = self.deck.put_on(self.link.driver())
            && let Some(track) = self.queue.current().cloned()
        {
            self.told = Some(number);
            self.tell(VoiceEventKind::TrackStarted { track, number });
        }
        let remaining = self.remaining();
        self.deck.prepare(remaining, self.queue.next(), &self.engine.sources());
        let is_held = self.paused || self.paused_alone || self.floor.waits();
        let plays = self.queue.current().is_some() && !is_held;
        self.idle = match self.idle {
            _ if plays || !self.link.is_in() => None,
            None => Some(Instant::now()),
            since => since,
        };
    }

    fn remaining(&self) -> Option<Duration> {
        Some(self.queue.current()?.duration?.saturating_sub(self.deck.position()))
    }

    fn tell(&self, kind: VoiceEventKind) {
        self.engine.tell(VoiceEvent { guild: self.guild, channel: self.link.channel(), kind });
    }

    /// Shows how things stand, if that has changed.
    fn publish(&self) {
        let current = self.queue.current().map(|track| Current {
            track: track.clone(),
            title: self.deck.title(),
            is_core_only: self.deck.is_core_only(),
            number: self.deck.number().unwrap_or_default(),
            position: if self.deck.is_empty() { self.begin_at } else { self.deck.position() },
            opening: self.deck.is_opening(),
            paused: self.paused || self.paused_alone,
            paused_alone: self.paused_alone && !self.paused,
        });
        let status = PlayerStatus {
            guild: self.guild,
            channel: self.link.channel(),
            connection: self.link.state(),
            current,
            upcoming: self.queue.upcoming().cloned().collect(),
            history: self.queue.history().cloned().collect(),
            repeat: self.queue.repeat(),
            waits_to_speak: self.floor.waits(),
            volume: self.deck.volume(),
            listeners: self.listeners,
        };
        let changed = self.status.send_if_modified(|shown| {
            let changed = !status.is_like(shown);
            if changed {
                *shown = Arc::new(status);
            }
            changed
        });
        if changed {
            self.engine.changes().mark();
        }
    }
}
