//! A player's task: it alone changes the queue, the playback and the connection.

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
use super::connection::{Connection, ConnectionEvent};
use super::engine::Engine;
use super::message::{TaskMessage, TaskSender};
use super::playback::Playback;
use super::queue::Queue;
use super::rejoin::{Loss, Policy};
use super::stage_speaker::{Action, Place, StageSpeaker};

mod commands;
mod course;

/// Time for which the bot must be alone in the channel before it leaves, if it is configured to.
const ALONE_FOR: Duration = Duration::from_secs(10);
/// Time between two checks of the mixer, and between two saves of the position.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Time for which a track must play before it counts as not being what the bot has died on.
const HARMLESS_AFTER: Duration = Duration::from_secs(30);

/// A player's task.
pub(super) struct Task {
    guild: GuildId,
    engine: Engine,
    commands: mpsc::Receiver<Command>,
    messages: mpsc::UnboundedReceiver<TaskMessage>,
    status: watch::Sender<Arc<PlayerStatus>>,
    settings: GuildSettings,
    queue: Queue,
    playback: Playback,
    connection: Connection,
    speaker: StageSpeaker,
    /// Whether a user has paused.
    paused: bool,
    /// Whether the bot is alone and the guild's settings pause it then.
    paused_alone: bool,
    listeners: usize,
    /// Since when the bot is alone in the channel.
    alone: Option<Instant>,
    /// Since when there is no music.
    idle: Option<Instant>,
    /// Number of the start that was announced.
    announced: Option<u64>,
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
        (sender, messages): (TaskSender, mpsc::UnboundedReceiver<TaskMessage>),
        status: watch::Sender<Arc<PlayerStatus>>,
        clock: Arc<Clock>,
    ) -> Self {
        let settings = engine.settings(guild);
        let volume = settings.volume.min(settings.max_volume);
        let connection = Connection::new(guild, engine.clone(), sender.clone());
        Self {
            guild,
            commands,
            messages,
            status,
            queue: Queue::default(),
            playback: Playback::new(sender, clock, volume, engine.frame_account().clone()),
            connection,
            speaker: StageSpeaker::default(),
            settings,
            engine,
            paused: false,
            paused_alone: false,
            listeners: 0,
            alone: None,
            idle: None,
            announced: None,
            begin_at: Duration::ZERO,
            look: Instant::now() + LOOK_EVERY,
            closed: false,
            answers: Answers::default(),
        }
    }

    /// Runs until no handle is left.
    pub(super) async fn run(mut self) {
        loop {
            let deadline = self.deadline();
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(TaskMessage::Gone) => return self.tell(VoiceEventKind::GuildGone),
                    Some(message) => self.handle_message(message),
                    None => return,
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.handle_command(command),
                    None => return self.end(),
                },
                () = sleep_until(deadline) => self.expire(),
            }
            if !self.closed {
                self.reconcile();
                self.publish();
            }
            self.answers.give();
            self.connection.answers().give();
            self.playback.answers().give();
        }
    }

    /// Handles what was sent before the last handle was dropped.
    fn end(&mut self) {
        while let Ok(message) = self.messages.try_recv() {
            match message {
                TaskMessage::Gone => return self.tell(VoiceEventKind::GuildGone),
                message => self.handle_message(message),
            }
        }
    }

    fn deadline(&self) -> Instant {
        let prepare = self.playback.prepare_at(self.remaining(), self.queue.next());
        let parts = [self.connection.deadline(), prepare, self.idle_deadline(), self.alone_deadline()];
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
        if due(self.connection.deadline()) {
            let event = self.connection.expire();
            self.handle_connection_event(event);
        }
        if due(self.idle_deadline()) {
            self.depart("I left because nothing has been played for a while.".to_owned());
        } else if due(self.alone_deadline()) {
            self.depart("I left because nobody else was in the voice channel.".to_owned());
        }
        if self.look <= now {
            self.look = now + LOOK_EVERY;
            if self.playback.is_stalled(self.connection.is_in()) {
                let event = self.connection.renew_driver();
                self.handle_connection_event(event);
                self.failed("Its source gave no audio any more.".to_owned());
            }
            if self.playback.is_on() {
                self.engine.changes().mark();
            }
            if self.playback.mixed() >= HARMLESS_AFTER {
                self.engine.survived(self.guild);
            }
        }
    }

    fn handle_message(&mut self, message: TaskMessage) {
        if self.closed {
            return;
        }
        match message {
            TaskMessage::State { session, channel, suppressed } => {
                let event = self.connection.handle_state(&session, channel);
                self.handle_connection_event(event);
                self.handle_suppression(channel, suppressed);
            }
            TaskMessage::Asked { channel, outcome } => {
                if let Some(why) =
                    outcome.words(channel).filter(|_| self.connection.channel() == Some(channel))
                {
                    self.tell(VoiceEventKind::Suppressed { why });
                }
            }
            TaskMessage::Server { endpoint, token } => {
                self.connection.handle_server(endpoint.as_deref(), &token);
            }
            TaskMessage::Session => {
                let event = self.connection.handle_session();
                self.handle_connection_event(event);
            }
            TaskMessage::Listeners => self.count_listeners(),
            TaskMessage::Connected { driver, place } => {
                let event = self.connection.handle_connected(driver, &place);
                self.handle_connection_event(event);
            }
            TaskMessage::Failed { attempt, loss } => {
                let event = self.connection.handle_failed(attempt, loss);
                self.handle_connection_event(event);
            }
            TaskMessage::Disconnected { driver, loss } => {
                self.note_loss(loss);
                let event = self.connection.handle_disconnected(driver, loss);
                self.handle_connection_event(event);
            }
            TaskMessage::Opened { job, outcome } => {
                let outcome = self.playback.opened(job, outcome, self.connection.driver());
                self.prepared(outcome);
            }
            TaskMessage::Ended { job, how } if self.playback.is_of(job) => self.ended(how),
            TaskMessage::Ended { .. } | TaskMessage::TrackUpdate | TaskMessage::Gone => {}
            #[cfg(test)]
            TaskMessage::Break => panic!("broken by a test"),
            TaskMessage::Settings => self.apply_settings(),
            TaskMessage::Restore { kept, rejoin, culprit } => {
                if let Some(track) = culprit {
                    self.tell_failed(track, "The bot has ended several times while it was on.".to_owned());
                }
                self.restore(*kept, rejoin);
            }
            TaskMessage::Close(done) => {
                self.closed = true;
                self.playback.hold(true);
                self.connection.close();
                let _ = done.send(());
            }
        }
    }

    /// Logs that the connection is gone. A moderator's move and the end of a call cause this too: later events show
    /// whether it is lost.
    fn note_loss(&self, loss: Loss) {
        if loss.policy() == Policy::Await {
            tracing::debug!(guild = %self.guild, ?loss, "the voice connection is closed, maybe for a move");
        } else {
            tracing::warn!(guild = %self.guild, ?loss, "the voice connection is gone");
        }
    }

    fn handle_connection_event(&mut self, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Nothing => {}
            ConnectionEvent::Joined => self.tell(VoiceEventKind::Joined),
            ConnectionEvent::Moved { from } => {
                tracing::info!(guild = %self.guild, %from, to = ?self.connection.channel(), "moved to another voice channel");
                self.tell(VoiceEventKind::Moved { from });
            }
            ConnectionEvent::Lost(why) => self.tell(VoiceEventKind::Lost { why }),
            ConnectionEvent::Restored { after } => self.tell(VoiceEventKind::Restored { after }),
            ConnectionEvent::GaveUp(why) => {
                tracing::warn!(guild = %self.guild, why, "the voice connection is given up");
                self.set_aside();
                self.tell(VoiceEventKind::GaveUp { why });
            }
            ConnectionEvent::NotJoined => self.set_aside(),
            ConnectionEvent::Left { channel, why } => self.left(channel, why),
        }
        self.count_listeners();
    }

    /// Stops playing but keeps the queue and the position, for when the bot joins again.
    fn set_aside(&mut self) {
        self.over(EndReason::Stopped);
        if !self.playback.is_empty() {
            self.begin_at = self.playback.position();
        }
        self.playback.stop(self.connection.driver());
        self.speaker = StageSpeaker::default();
    }

    /// Handles whether the bot can be heard in its channel.
    fn handle_suppression(&mut self, channel: Option<ChannelId>, suppressed: bool) {
        let channel = channel.filter(|_| !self.connection.is_out());
        let place =
            channel.map(|channel| Place { channel, is_stage: self.engine.is_stage(self.guild, channel) });
        match self.speaker.handle_state(place, suppressed) {
            Action::Nothing => {}
            Action::Ask(channel) => self.connection.ask_to_speak(channel),
            Action::Tell(why) => self.tell(VoiceEventKind::Suppressed { why }),
        }
    }

    /// Leaves the channel by the player's own decision.
    fn depart(&mut self, why: String) {
        let channel = self.connection.channel();
        self.connection.leave();
        self.left(channel, why);
    }

    /// Ends the music, because the bot is in no channel any more.
    fn left(&mut self, channel: Option<ChannelId>, why: String) {
        self.over(EndReason::Stopped);
        self.queue.stop();
        self.playback.stop(self.connection.driver());
        (self.paused, self.begin_at) = (false, Duration::ZERO);
        self.speaker = StageSpeaker::default();
        self.engine.tell(VoiceEvent { guild: self.guild, channel, kind: VoiceEventKind::Left { why } });
        self.count_listeners();
    }

    fn count_listeners(&mut self) {
        let Some(channel) = self.connection.channel().filter(|_| !self.connection.is_out()) else {
            (self.listeners, self.alone, self.paused_alone) = (0, None, false);
            return;
        };
        if !self.connection.is_in() {
            return;
        }
        // After a new session guilds are sent again. Until then nothing is known of theirs.
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

    fn apply_settings(&mut self) {
        self.settings = self.engine.settings(self.guild);
        self.paused_alone = self.alone.is_some() && self.settings.when_alone == WhenAlone::Pause;
        self.playback.set_volume(self.settings.volume);
    }

    fn restore(&mut self, kept: SavedPlayer, rejoin: bool) {
        // A command that came before the restored state has precedence.
        if !self.connection.is_out() || self.queue.current().is_some() {
            return;
        }
        self.queue = Queue::restored(kept.queue);
        self.begin_at = kept.position;
        self.paused = kept.paused;
        self.playback.set_volume(kept.volume.min(self.settings.max_volume));
        if let Some(channel) = kept.channel.filter(|_| rejoin) {
            let event = self.connection.rejoin(channel);
            self.handle_connection_event(event);
        }
    }

    /// Makes playback and announcements follow the current state.
    fn reconcile(&mut self) {
        if !self.connection.is_out() && self.playback.is_empty() && self.queue.current().is_some() {
            self.begin(self.begin_at);
        }
        self.playback.hold(self.paused || self.paused_alone || self.speaker.waits());
        self.playback.set_running(self.connection.is_in());
        if self.connection.is_in()
            && !self.speaker.waits()
            && let Some(number) = self.playback.put_on(self.connection.driver())
            && let Some(track) = self.queue.current().cloned()
        {
            self.announced = Some(number);
            self.tell(VoiceEventKind::TrackStarted { track, number });
        }
        let remaining = self.remaining();
        self.playback.prepare(remaining, self.queue.next(), &self.engine.sources());
        let is_held = self.paused || self.paused_alone || self.speaker.waits();
        let plays = self.queue.current().is_some() && !is_held;
        self.idle = match self.idle {
            _ if plays || !self.connection.is_in() => None,
            None => Some(Instant::now()),
            since => since,
        };
    }

    fn remaining(&self) -> Option<Duration> {
        Some(self.queue.current()?.duration?.saturating_sub(self.playback.position()))
    }

    fn tell(&self, kind: VoiceEventKind) {
        self.engine.tell(VoiceEvent { guild: self.guild, channel: self.connection.channel(), kind });
    }

    /// Publishes the status, if it has changed.
    fn publish(&self) {
        let current = self.queue.current().map(|track| Current {
            track: track.clone(),
            title: self.playback.title(),
            is_core_only: self.playback.is_core_only(),
            number: self.playback.number().unwrap_or_default(),
            position: if self.playback.is_empty() { self.begin_at } else { self.playback.position() },
            opening: self.playback.is_opening(),
            paused: self.paused || self.paused_alone,
            paused_alone: self.paused_alone && !self.paused,
        });
        let status = PlayerStatus {
            guild: self.guild,
            channel: self.connection.channel(),
            connection: self.connection.state(),
            current,
            upcoming: self.queue.upcoming().cloned().collect(),
            history: self.queue.history().cloned().collect(),
            repeat: self.queue.repeat(),
            waits_to_speak: self.speaker.waits(),
            volume: self.playback.volume(),
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
