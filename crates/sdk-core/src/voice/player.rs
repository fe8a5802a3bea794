//! The handle of a guild's player. Every call is a message to its task, answered within a bounded time.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serenity::all::{ChannelId, GuildId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::error::VoiceError;
use super::queue::{At, Enqueued, Loop};
use super::status::PlayerStatus;
use super::track::Track;

/// Longest wait for an answer of the player's task, except for calls that wait for Discord.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Longest wait for the answer to a join, which has shorter limits of its own.
const JOIN_WITHIN: Duration = Duration::from_mins(1);
/// Longest wait for the answer to a seek, which opens the source again.
const SEEK_WITHIN: Duration = Duration::from_secs(45);

/// The channel for the answer to a command.
pub type Answer<T> = oneshot::Sender<Result<T, VoiceError>>;

/// A command to a player's task. Each is the call of [`Player`] with that name.
#[derive(Debug)]
pub enum Command {
    /// [`Player::join`].
    Join(ChannelId, Answer<()>),
    /// [`Player::leave`].
    Leave(Answer<()>),
    /// [`Player::enqueue_within`].
    Enqueue(Vec<Track>, At, Option<usize>, Answer<Enqueued>),
    /// [`Player::skip_start`]; without a number, [`Player::skip`].
    Skip(Option<u64>, usize, Answer<Vec<Arc<Track>>>),
    /// [`Player::jump`].
    Jump(usize, Answer<Arc<Track>>),
    /// [`Player::previous`].
    Previous(Answer<Arc<Track>>),
    /// [`Player::seek`].
    Seek(Seek, Answer<Duration>),
    /// [`Player::pause`].
    Pause(Answer<()>),
    /// [`Player::resume`].
    Resume(Answer<()>),
    /// [`Player::stop`].
    Stop(Answer<usize>),
    /// [`Player::clear`].
    Clear(Answer<usize>),
    /// [`Player::shuffle`].
    Shuffle(Answer<usize>),
    /// [`Player::move_track`].
    Move(usize, usize, Answer<Arc<Track>>),
    /// [`Player::remove_those`]; without tracks, [`Player::remove`].
    Remove(RangeInclusive<usize>, Option<Vec<Arc<Track>>>, Answer<Vec<Arc<Track>>>),
    /// [`Player::set_loop`].
    SetLoop(Loop, Answer<()>),
    /// [`Player::set_volume`].
    SetVolume(u16, Answer<()>),
}

/// The position in the current track, as the mixer reports it.
pub trait Position: Send + Sync {
    /// Returns the time into the track of the start with that number; `None` if another start is current.
    fn position(&self, number: u64) -> Option<Duration>;
}

/// Target of a seek.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// To this time from its beginning.
    To(Duration),
    /// Forward by this time.
    Forward(Duration),
    /// Back by this time, at most to the beginning.
    Back(Duration),
}

/// A guild's player. Cheap to clone; all handles of a guild are of the same player.
///
/// Answers are futures that do not borrow the handle, so they may be kept, raced or dropped. The command takes effect
/// in any case.
#[derive(Clone)]
pub struct Player {
    guild: GuildId,
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Arc<PlayerStatus>>,
    clock: Arc<dyn Position>,
}

impl Player {
    /// Creates the handle of a task that receives these commands and publishes its status in `status`.
    pub fn new(
        guild: GuildId,
        commands: mpsc::Sender<Command>,
        status: watch::Receiver<Arc<PlayerStatus>>,
        clock: Arc<dyn Position>,
    ) -> Self {
        Self { guild, commands, status, clock }
    }

    /// Creates the handle of a player whose every answer is [`VoiceError::Closing`].
    pub(super) fn closed(guild: GuildId) -> Self {
        struct Nowhere;
        impl Position for Nowhere {
            fn position(&self, _: u64) -> Option<Duration> {
                None
            }
        }
        let (commands, _) = mpsc::channel(1);
        let (_, status) = watch::channel(Arc::new(PlayerStatus::of(guild)));
        Self { guild, commands, status, clock: Arc::new(Nowhere) }
    }

    /// Returns the player's guild.
    pub fn guild(&self) -> GuildId {
        self.guild
    }

    /// Joins a voice channel, or moves there and continues to play. Answers when the bot can be heard, or at once if it
    /// is there already.
    ///
    /// # Errors
    /// [`VoiceError::JoinFailed`], and [`VoiceError::Superseded`] if another join or a leave came in between.
    pub fn join(&self, channel: ChannelId) -> BoxFuture<'static, Result<(), VoiceError>> {
        self.ask(JOIN_WITHIN, |answer| Command::Join(channel, answer))
    }

    /// Leaves the channel and empties the queue.
    ///
    /// # Errors
    /// [`VoiceError::NotConnected`].
    pub fn leave(&self) -> BoxFuture<'static, Result<(), VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Leave)
    }

    /// Adds tracks, and starts to play if there is no current track. If there is not enough room, only the first ones
    /// are added.
    ///
    /// # Errors
    /// [`VoiceError::NotConnected`] and [`VoiceError::QueueFull`].
    pub fn enqueue(&self, tracks: Vec<Track>, at: At) -> BoxFuture<'static, Result<Enqueued, VoiceError>> {
        self.enqueue_within(tracks, at, None)
    }

    /// As [`enqueue`](Self::enqueue), with at most `share` waiting tracks of each requester, such as
    /// [`MAX_SHARE`](super::queue::MAX_SHARE); `None` sets no limit.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue), and [`VoiceError::ShareFull`].
    pub fn enqueue_within(
        &self,
        tracks: Vec<Track>,
        at: At,
        share: Option<usize>,
    ) -> BoxFuture<'static, Result<Enqueued, VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::Enqueue(tracks, at, share, answer))
    }

    /// Advances by `count` tracks, at least one, and returns the skipped ones, the current one first.
    ///
    /// # Errors
    /// [`VoiceError::NothingPlaying`].
    pub fn skip(&self, count: usize) -> BoxFuture<'static, Result<Vec<Arc<Track>>, VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::Skip(None, count, answer))
    }

    /// As [`skip`](Self::skip), if the start with that [`number`](super::Current::number) is then the current one.
    ///
    /// # Errors
    /// [`VoiceError::TrackOver`] and [`VoiceError::NothingPlaying`].
    pub fn skip_start(
        &self,
        number: u64,
        count: usize,
    ) -> BoxFuture<'static, Result<Vec<Arc<Track>>, VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::Skip(Some(number), count, answer))
    }

    /// Advances to the track with the number `position` in the queue, from 1, and returns it.
    ///
    /// # Errors
    /// [`VoiceError::BadPosition`].
    pub fn jump(&self, position: usize) -> BoxFuture<'static, Result<Arc<Track>, VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::Jump(position, answer))
    }

    /// Returns to the previous track, and returns it. The current one becomes the next.
    ///
    /// # Errors
    /// [`VoiceError::NoHistory`] and [`VoiceError::NotConnected`].
    pub fn previous(&self) -> BoxFuture<'static, Result<Arc<Track>, VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Previous)
    }

    /// Seeks to another time in the track, and returns the time that was reached.
    ///
    /// A seek that fails leaves the music as it was.
    ///
    /// # Errors
    /// [`VoiceError::NothingPlaying`], [`VoiceError::PastEnd`], [`VoiceError::CannotSeek`].
    pub fn seek(&self, to: Seek) -> BoxFuture<'static, Result<Duration, VoiceError>> {
        self.ask(SEEK_WITHIN, move |answer| Command::Seek(to, answer))
    }

    /// Pauses.
    ///
    /// # Errors
    /// [`VoiceError::NothingPlaying`] and [`VoiceError::AlreadyPaused`].
    pub fn pause(&self) -> BoxFuture<'static, Result<(), VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Pause)
    }

    /// Continues after a pause, including one because the bot was alone.
    ///
    /// # Errors
    /// [`VoiceError::NothingPlaying`] and [`VoiceError::NotPaused`].
    pub fn resume(&self) -> BoxFuture<'static, Result<(), VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Resume)
    }

    /// Ends the track, empties the queue and returns the number of waiting tracks. The bot stays in the channel.
    ///
    /// # Errors
    /// [`VoiceError::NothingPlaying`] if there was no current track and none waited.
    pub fn stop(&self) -> BoxFuture<'static, Result<usize, VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Stop)
    }

    /// Empties the queue and returns the number of waiting tracks. The current one continues.
    ///
    /// # Errors
    /// [`VoiceError::QueueEmpty`].
    pub fn clear(&self) -> BoxFuture<'static, Result<usize, VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Clear)
    }

    /// Shuffles the waiting tracks and returns their number.
    ///
    /// # Errors
    /// [`VoiceError::QueueEmpty`].
    pub fn shuffle(&self) -> BoxFuture<'static, Result<usize, VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Shuffle)
    }

    /// Moves a waiting track from one number to another, from 1, and returns it.
    ///
    /// # Errors
    /// [`VoiceError::BadPosition`].
    pub fn move_track(&self, from: usize, to: usize) -> BoxFuture<'static, Result<Arc<Track>, VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::Move(from, to, answer))
    }

    /// Removes these tracks, if they are the ones that wait from the number `first` on, and returns them.
    ///
    /// # Errors
    /// [`VoiceError::Superseded`] if others are there by then.
    pub fn remove_those(
        &self,
        first: usize,
        tracks: Vec<Arc<Track>>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Track>>, VoiceError>> {
        let positions = first..=first.saturating_add(tracks.len().saturating_sub(1));
        self.ask(ANSWER_WITHIN, move |answer| Command::Remove(positions, Some(tracks), answer))
    }

    /// Removes the waiting tracks with these numbers, from 1, and returns them.
    ///
    /// # Errors
    /// [`VoiceError::BadPosition`].
    pub fn remove(
        &self,
        positions: RangeInclusive<usize>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Track>>, VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::Remove(positions, None, answer))
    }

    /// Sets the repeat mode.
    ///
    /// # Errors
    /// Only if the task does not answer.
    pub fn set_loop(&self, repeat: Loop) -> BoxFuture<'static, Result<(), VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::SetLoop(repeat, answer))
    }

    /// Sets the volume, in per cent.
    ///
    /// # Errors
    /// [`VoiceError::TooLoud`].
    pub fn set_volume(&self, volume: u16) -> BoxFuture<'static, Result<(), VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::SetVolume(volume, answer))
    }

    /// Returns the current status, without waiting.
    pub fn status(&self) -> PlayerStatus {
        let mut status = PlayerStatus::clone(&self.status.borrow());
        if let Some(current) = &mut status.current {
            current.position = self.clock.position(current.number).unwrap_or(current.position);
        }
        status
    }

    /// Returns a receiver of every change of the status except the passing of time.
    pub fn updates(&self) -> Updates {
        Updates(self.clone())
    }

    fn ask<T: Send + 'static>(
        &self,
        within: Duration,
        command: impl FnOnce(Answer<T>) -> Command,
    ) -> BoxFuture<'static, Result<T, VoiceError>> {
        let (answer, answered) = oneshot::channel();
        let (commands, command) = (self.commands.clone(), command(answer));
        async move {
            let asked = async {
                commands.send(command).await.map_err(|_| VoiceError::Closing)?;
                answered.await.unwrap_or(Err(VoiceError::Closing))
            };
            timeout(within, asked).await.unwrap_or(Err(VoiceError::Busy))
        }
        .boxed()
    }
}

/// Receives changes of a player's status. Changes that are close together count as one.
pub struct Updates(Player);

impl Updates {
    /// Waits for a change since the last one that was received, and returns the status; `None` when the bot ends.
    #[expect(clippy::should_implement_trait, reason = "it is awaited, as a stream's `next` is")]
    pub fn next(&mut self) -> BoxFuture<'_, Option<PlayerStatus>> {
        async move {
            self.0.status.changed().await.ok()?;
            self.0.status.borrow_and_update();
            Some(self.0.status())
        }
        .boxed()
    }
}
