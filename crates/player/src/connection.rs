//! A player's voice connection: asking Discord, connecting the driver, and rejoining after a loss.
//!
//! It owns songbird's driver and is owned by the player's task. No function here waits: each stage has a deadline, and
//! the task calls [`Connection::expire`] when it has passed.

use std::time::Duration;

use sdk_core::voice::player::Answer;
use sdk_core::voice::{ConnectionState, VoiceError};
use serenity::all::{ChannelId, GuildId};
use songbird::ConnectionInfo;
use songbird::driver::Driver;
use songbird::events::{CoreEvent, Event};
use tokio::time::{Instant, timeout};

use super::answers::Answers;
use super::connection_info::{ConnectionInfoBuilder, Place};
use super::engine::Engine;
use super::leave_echo::LeaveTracker;
use super::message::{Connections, TaskMessage, TaskSender};
use super::rejoin::{ATTEMPTS, Attempts, Loss, Policy, STEADY_AFTER};
use super::stage_speaker;

/// Longest wait for Discord's gateway to send where to connect.
const ASKED_WITHIN: Duration = Duration::from_secs(10);
/// Longest wait for the driver, which tries twice with 10 s each.
const CONNECTED_WITHIN: Duration = Duration::from_secs(25);
/// Wait for an event about a move or another server after close codes 4014 and 4022.
///
/// A moderator's disconnect causes an event at once. Without any event, the gateway session may be gone, which serenity
/// reports after some seconds.
const MOVED_WITHIN: Duration = Duration::from_secs(10);
/// Wait for the gateway's own session, which is restored by itself.
const SESSION_WITHIN: Duration = Duration::from_secs(2);
/// Longest time without a gateway session before the bot gives up.
const SESSION_AT_ALL: Duration = Duration::from_mins(5);
/// Attempts while a caller waits for an answer.
const FIRST_ATTEMPTS: u32 = 2;

/// What has happened to the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ConnectionEvent {
    /// Nothing to report.
    Nothing,
    Joined,
    Moved {
        from: ChannelId,
    },
    Lost(String),
    Restored {
        after: Duration,
    },
    GaveUp(String),
    /// The bot is in no channel. The caller that asked for one has the answer.
    NotJoined,
    Left {
        channel: Option<ChannelId>,
        why: String,
    },
}

#[derive(Debug)]
enum Stage {
    Out,
    /// Discord was asked, or has announced a move, and will send where to connect.
    Asked {
        until: Instant,
    },
    Connecting {
        until: Instant,
    },
    In {
        since: Instant,
    },
    /// The next attempt is made then.
    Waiting {
        until: Instant,
    },
    /// Close code 4014 or 4022: Discord may report a move, or the new server.
    Moving {
        until: Instant,
    },
}

/// A player's voice connection.
pub(super) struct Connection {
    guild: GuildId,
    engine: Engine,
    sender: TaskSender,
    driver: Driver,
    driver_number: u64,
    info: ConnectionInfoBuilder,
    stage: Stage,
    attempts: Attempts,
    attempt: u64,
    /// When and why the connection was lost that the bot is restoring.
    lost: Option<(Instant, Loss)>,
    moved_from: Option<ChannelId>,
    /// Channel to return to if the one that a command asks for cannot be joined.
    home: Option<ChannelId>,
    leave_echo: LeaveTracker,
    waiting: Vec<Answer<()>>,
    answers: Answers,
}

impl Connection {
    pub(super) fn new(guild: GuildId, engine: Engine, sender: TaskSender) -> Self {
        let driver = driver(&engine, &sender, 0);
        Self {
            guild,
            engine,
            sender,
            driver,
            driver_number: 0,
            info: ConnectionInfoBuilder::new(guild),
            stage: Stage::Out,
            attempts: Attempts::default(),
            attempt: 0,
            lost: None,
            moved_from: None,
            home: None,
            leave_echo: LeaveTracker::default(),
            waiting: Vec::new(),
            answers: Answers::default(),
        }
    }

    /// Returns the answers that are due.
    pub(super) fn answers(&mut self) -> &mut Answers {
        &mut self.answers
    }

    pub(super) fn driver(&mut self) -> &mut Driver {
        &mut self.driver
    }

    /// Returns the channel that the bot is in or is joining.
    pub(super) fn channel(&self) -> Option<ChannelId> {
        self.info.channel()
    }

    /// Returns whether audio can be sent.
    pub(super) fn is_in(&self) -> bool {
        matches!(self.stage, Stage::In { .. })
    }

    pub(super) fn is_out(&self) -> bool {
        matches!(self.stage, Stage::Out)
    }

    pub(super) fn state(&self) -> ConnectionState {
        match self.stage {
            Stage::Out => ConnectionState::Disconnected,
            Stage::In { .. } => ConnectionState::Connected,
            _ if self.lost.is_some() => ConnectionState::Rejoining { attempt: self.attempts.made().max(1) },
            _ => ConnectionState::Connecting,
        }
    }

    /// Returns when [`expire`](Self::expire) is to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Asked { until }
            | Stage::Connecting { until }
            | Stage::Waiting { until }
            | Stage::Moving { until } => Some(until),
            Stage::Out | Stage::In { .. } => None,
        }
    }

    /// Joins a channel. The answer is sent when the bot can be heard, or has failed.
    pub(super) fn join(&mut self, channel: ChannelId, answer: Answer<()>) {
        if self.channel() == Some(channel) && !self.is_out() {
            match self.stage {
                Stage::In { .. } => self.answers.add(answer, Ok(())),
                Stage::Moving { .. } => self.join_again(channel, answer),
                _ => self.waiting.push(answer),
            }
            return;
        }
        if self.engine.shards().move_to(self.guild, Some(channel)).is_err() {
            let words = "the bot has no session at Discord's gateway at this moment".to_owned();
            self.answers.add(answer, Err(VoiceError::JoinFailed(words)));
            return;
        }
        self.answer(&Err(VoiceError::Superseded));
        self.waiting.push(answer);
        if self.is_in() {
            (self.moved_from, self.home) = (self.channel(), self.channel());
        } else if self.home.is_none() {
            self.lost = None;
        }
        self.attempts.reset();
        self.info.ask(channel);
        self.stage = Stage::Asked { until: Instant::now() + ASKED_WITHIN };
    }

    /// Joins the channel of which Discord has closed the connection: whoever asks for it need not wait for what
    /// Discord may still report. The bot may be in the channel or not, so it leaves it first.
    fn join_again(&mut self, channel: ChannelId, answer: Answer<()>) {
        self.answer(&Err(VoiceError::Superseded));
        self.waiting.push(answer);
        self.attempts.reset();
        // Without a session this waits for the next one.
        let _ = self.ask(channel);
    }

    /// Rejoins the channel that the bot was in before a restart, as after a loss.
    pub(super) fn rejoin(&mut self, channel: ChannelId) -> ConnectionEvent {
        self.lost = Some((Instant::now(), Loss::NoAnswer));
        self.attempts.reset();
        // The process before this one may have died without leaving the channel.
        self.leave_echo.taken();
        self.ask(channel)
    }

    /// Leaves the channel, on a command or by the player's own decision.
    pub(super) fn leave(&mut self) {
        self.answer(&Err(VoiceError::Superseded));
        self.out("the bot has left");
    }

    /// Handles the bot's own voice state.
    pub(super) fn handle_state(&mut self, session: &str, channel: Option<ChannelId>) -> ConnectionEvent {
        let before = self.channel();
        let Some(channel) = channel else {
            let by_others = self.leave_echo.emptied();
            return if by_others && !self.is_out() { self.removed() } else { ConnectionEvent::Nothing };
        };
        self.leave_echo.taken();
        if !self.is_out() {
            self.info.state(channel, session);
            if before != Some(channel) {
                self.moved_from = self.moved_from.or(before);
                self.stage = Stage::Asked { until: Instant::now() + ASKED_WITHIN };
            }
            self.connect_if_complete();
        }
        ConnectionEvent::Nothing
    }

    /// Handles the guild's voice server.
    pub(super) fn handle_server(&mut self, endpoint: Option<&str>, token: &str) {
        if !self.is_out() {
            self.info.server(endpoint, token);
            self.connect_if_complete();
        }
    }

    /// Handles a new gateway session. The bot's membership of the channel depends on the session.
    pub(super) fn handle_session(&mut self) -> ConnectionEvent {
        self.leave_echo.vacate();
        let Some(channel) = self.channel().filter(|_| !self.is_out()) else {
            return ConnectionEvent::Nothing;
        };
        // The old connection continues to play until the new one is established.
        self.lost.get_or_insert((Instant::now(), Loss::Network));
        self.ask(channel)
    }

    /// Handles that the driver is connected.
    pub(super) fn handle_connected(&mut self, driver: u64, place: &Place) -> ConnectionEvent {
        let is_awaited = driver == self.driver_number && self.info.is_used(place);
        if !is_awaited || !matches!(self.stage, Stage::Connecting { .. }) {
            return ConnectionEvent::Nothing;
        }
        self.stage = Stage::In { since: Instant::now() };
        self.leave_echo.settle();
        self.home = None;
        self.answer(&Ok(()));
        match (self.lost.take(), self.moved_from.take()) {
            (_, Some(from)) if Some(from) != self.channel() => ConnectionEvent::Moved { from },
            (Some((since, _)), _) => ConnectionEvent::Restored { after: since.elapsed() },
            (None, _) => ConnectionEvent::Joined,
        }
    }

    /// Handles that an attempt of the driver has failed.
    pub(super) fn handle_failed(&mut self, attempt: u64, loss: Loss) -> ConnectionEvent {
        if attempt != self.attempt || !matches!(self.stage, Stage::Connecting { .. }) {
            return ConnectionEvent::Nothing;
        }
        self.failed(loss)
    }

    /// Handles that the driver's connection is gone.
    pub(super) fn handle_disconnected(&mut self, driver: u64, loss: Loss) -> ConnectionEvent {
        let Stage::In { since } = self.stage else { return ConnectionEvent::Nothing };
        if driver != self.driver_number {
            return ConnectionEvent::Nothing;
        }
        if since.elapsed() >= STEADY_AFTER {
            self.attempts.reset();
        }
        self.lost = Some((Instant::now(), loss));
        match self.failed(loss) {
            // A move is no loss, and it is not known yet whether this is one.
            ConnectionEvent::Nothing if loss.policy() != Policy::Await => ConnectionEvent::Lost(loss.words()),
            turn => turn,
        }
    }

    /// Handles a deadline that has passed.
    pub(super) fn expire(&mut self) -> ConnectionEvent {
        match self.stage {
            Stage::Out | Stage::In { .. } => ConnectionEvent::Nothing,
            Stage::Asked { .. } => self.failed(Loss::NoAnswer),
            Stage::Connecting { .. } => self.failed(Loss::Network),
            // Without a session, the bot is not in the channel any more.
            Stage::Moving { .. } if !self.engine.shards().has_session(self.guild) => {
                self.stage = Stage::Waiting { until: Instant::now() };
                ConnectionEvent::Lost("the session at Discord's gateway is gone".to_owned())
            }
            Stage::Moving { .. } => match self.lost {
                Some((_, loss @ Loss::Closed(4022))) => self.give_up(&loss.words()),
                _ => self.removed(),
            },
            Stage::Waiting { .. } => match self.channel() {
                Some(channel) => self.ask(channel),
                None => ConnectionEvent::Nothing,
            },
        }
    }

    /// Starts a task that makes the bot a speaker on the stage that it is on.
    pub(super) fn ask_to_speak(&self, channel: ChannelId) {
        let Some(http) = self.engine.http() else { return };
        let (sender, asking) = (self.sender.clone(), stage_speaker::ask(http, self.guild, channel));
        tokio::spawn(async move {
            let outcome = asking.await;
            let _ = sender.send(TaskMessage::Asked { channel, outcome });
        });
    }

    /// Replaces the driver, because the mixer of the old one blocks in a source, and connects the new one.
    pub(super) fn renew_driver(&mut self) -> ConnectionEvent {
        self.driver_number += 1;
        self.driver = driver(&self.engine, &self.sender, self.driver_number);
        let Some(channel) = self.channel().filter(|_| !self.is_out()) else {
            return ConnectionEvent::Nothing;
        };
        self.lost.get_or_insert((Instant::now(), Loss::Network));
        self.ask(channel)
    }

    /// Answers waiting callers, because the bot ends.
    pub(super) fn close(&mut self) {
        self.answer(&Err(VoiceError::Closing));
    }

    /// Asks for the channel again: leaves it, so that Discord creates a new session, and joins it.
    fn ask(&mut self, channel: ChannelId) -> ConnectionEvent {
        self.info.ask(channel);
        let left = self.engine.shards().move_to(self.guild, None);
        if left.is_ok() {
            self.leave_echo.leave();
        }
        if left.and_then(|()| self.engine.shards().move_to(self.guild, Some(channel))).is_ok() {
            self.stage = Stage::Asked { until: Instant::now() + ASKED_WITHIN };
            return ConnectionEvent::Nothing;
        }
        match self.lost {
            Some((since, _)) if since.elapsed() >= SESSION_AT_ALL => {
                self.give_up("the bot has no session at Discord's gateway")
            }
            _ => {
                self.stage = Stage::Waiting { until: Instant::now() + SESSION_WITHIN };
                ConnectionEvent::Nothing
            }
        }
    }

    fn connect_if_complete(&mut self) {
        let Some(user) = self.engine.shards().user() else { return };
        if let Some(info) = self.info.complete(user) {
            if self.is_in() {
                // Another server for the same channel.
                self.lost.get_or_insert((Instant::now(), Loss::Network));
            }
            self.connect(info);
        }
    }

    fn connect(&mut self, info: ConnectionInfo) {
        self.attempt += 1;
        self.stage = Stage::Connecting { until: Instant::now() + CONNECTED_WITHIN };
        let (sender, attempt, connecting) = (self.sender.clone(), self.attempt, self.driver.connect(info));
        tokio::spawn(async move {
            // A successful connection is reported as an event, in order with its loss.
            let loss = match timeout(CONNECTED_WITHIN, connecting).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => Loss::of_attempt(&error).unwrap_or(Loss::Network),
                Err(_) => Loss::Network,
            };
            let _ = sender.send(TaskMessage::Failed { attempt, loss });
        });
    }

    /// Handles a loss by its policy.
    fn failed(&mut self, loss: Loss) -> ConnectionEvent {
        let enough = match loss {
            _ if self.home.is_none() && (self.lost.is_some() || self.moved_from.is_some()) => ATTEMPTS,
            // A waiting caller gets an answer soon.
            Loss::NoAnswer => 0,
            _ => FIRST_ATTEMPTS - 1,
        };
        match loss.policy() {
            Policy::Await => {
                self.stage = Stage::Moving { until: Instant::now() + MOVED_WITHIN };
                ConnectionEvent::Nothing
            }
            Policy::Final => self.give_up(&loss.words()),
            Policy::Resumes | Policy::Rejoin if self.attempts.made() >= enough => self.give_up(&loss.words()),
            Policy::Resumes | Policy::Rejoin => match self.attempts.another() {
                Some(wait) => {
                    self.stage = Stage::Waiting { until: Instant::now() + wait };
                    ConnectionEvent::Nothing
                }
                None => self.give_up(&loss.words()),
            },
        }
    }

    /// Leaves, because the bot was removed from the channel.
    fn removed(&mut self) -> ConnectionEvent {
        let channel = self.channel();
        self.out("the bot was disconnected from the channel");
        ConnectionEvent::Left { channel, why: "I was disconnected from the voice channel.".to_owned() }
    }

    fn give_up(&mut self, words: &str) -> ConnectionEvent {
        if let Some(home) = self.home.take() {
            return self.go_back(home, words);
        }
        let was_in = self.lost.is_some() || self.moved_from.is_some();
        self.out(words);
        if was_in {
            ConnectionEvent::GaveUp(format!("The voice connection is lost: {words}."))
        } else {
            ConnectionEvent::NotJoined
        }
    }

    /// Returns to the channel that the bot was in before a command moved it.
    fn go_back(&mut self, home: ChannelId, words: &str) -> ConnectionEvent {
        self.answer(&Err(VoiceError::JoinFailed(words.to_owned())));
        self.attempt += 1;
        self.attempts.reset();
        self.moved_from = None;
        self.lost = Some((Instant::now(), Loss::NoAnswer));
        match self.ask(home) {
            ConnectionEvent::Nothing => ConnectionEvent::Lost(words.to_owned()),
            turn => turn,
        }
    }

    /// Leaves every channel, and answers waiting callers with the reason.
    fn out(&mut self, words: &str) {
        self.answer(&Err(VoiceError::JoinFailed(words.to_owned())));
        self.driver.leave();
        // Without a session the bot is in no channel anyway.
        let _ = self.engine.shards().move_to(self.guild, None);
        self.leave_echo.leave();
        self.info.leave();
        self.attempt += 1;
        self.attempts.reset();
        self.lost = None;
        (self.moved_from, self.home) = (None, None);
        self.stage = Stage::Out;
    }

    fn answer(&mut self, outcome: &Result<(), VoiceError>) {
        for answer in self.waiting.drain(..) {
            self.answers.add(answer, outcome.clone());
        }
    }
}

fn driver(engine: &Engine, sender: &TaskSender, number: u64) -> Driver {
    let mut driver = engine.driver();
    for event in [CoreEvent::DriverConnect, CoreEvent::DriverDisconnect] {
        let connections = Connections { sender: sender.clone(), driver: number };
        driver.add_global_event(Event::Core(event), connections);
    }
    driver
}
