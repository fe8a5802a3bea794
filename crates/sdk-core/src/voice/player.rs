//! The handle of a guild's player: every call is a message to its task, answered within a bounded time.

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

/// Longest wait for an answer of the player's task, except to what waits for Discord.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Longest wait for the answer to a join, which has shorter limits of its own.
const JOIN_WITHIN: Duration = Duration::from_mins(1);
/// Longest wait for the answer to a seek, which opens the source again.
const SEEK_WITHIN: Duration = Duration::from_secs(45);

/// Takes the answer to a command.
pub type Answer<T> = oneshot::Sender<Result<T, VoiceError>>;

/// What a player's task is asked for; each is the call of [`Player`] with that name.
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

/// How far the current track has come, as the mixer knows.
pub trait Position: Send + Sync {
    /// Returns the time into the track of the start with that number; `None` when another one is on.
    fn position(&self, number: u64) -> Option<Duration>;
}

/// Where to go in a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// To this time from its beginning.
    To(Duration),
    /// Forward by this much.
    Forward(Duration),
    /// Back by this much, to the beginning at most.
    Back(Duration),
}

/// A guild's player; cheap to clone, and the same player each time.
///
/// Answers are futures that hold nothing of the handle, so they may be kept, raced or dropped; what was asked for
/// happens all the same.
#[derive(Clone)]
pub struct Player {
    guild: GuildId,
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Arc<PlayerStatus>>,
    clock: Arc<dyn Position>,
}

impl Player {
    /// Makes the handle of a task that receives these commands and shows its status there.
    pub fn new(
        guild: GuildId,
        commands: mpsc::Sender<Command>,
        status: watch::Receiver<Arc<PlayerStatus>>,
        clock: Arc<dyn Position>,
    ) -> Self {
        Self { guild, commands, status, clock }
    }

    /// Makes the handle of a player that answers nothing but [`VoiceError::Closing`].
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

    /// Gives the player's guild.
    pub fn guild(&self) -> GuildId {
        self.guild
    }

    /// Joins a voice channel, or moves there and plays on; answers when the bot can be heard, and at once when it is there.
    ///
    /// # Errors
    /// [`VoiceError::JoinFailed`], and [`VoiceError::Superseded`] when another join or a leave came in between.
    pub fn join(&self, channel: ChannelId) -> BoxFuture<'static, Result<(), VoiceError>> {
        self.ask(JOIN_WITHIN, |answer| Command::Join(channel, answer))
    }

    /// Leaves the channel; the queue is emptied.
    ///
    /// # Errors
    /// [`VoiceError::NotConnected`].
    pub fn leave(&self) -> BoxFuture<'static, Result<(), VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Leave)
    }

    /// Adds tracks, and begins to play when nothing is on; of more tracks than there is room for, the first are taken.
    ///
    /// # Errors
    /// [`VoiceError::NotConnected`] and [`VoiceError::QueueFull`].
    pub fn enqueue(&self, tracks: Vec<Track>, at: At) -> BoxFuture<'static, Result<Enqueued, VoiceError>> {
        self.enqueue_within(tracks, at, None)
    }

    /// As [`enqueue`](Self::enqueue), and of each requester at most `share` tracks wait then, such as
    /// [`MAX_SHARE`](super::queue::MAX_SHARE); `None` sets no share.
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

    /// Goes on by `count` tracks, at least one, and gives those that were passed over, the current one first.
    ///
    /// # Errors
    /// [`VoiceError::NothingPlaying`].
    pub fn skip(&self, count: usize) -> BoxFuture<'static, Result<Vec<Arc<Track>>, VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::Skip(None, count, answer))
    }

    /// As [`skip`](Self::skip), if the start with that [`number`](super::Current::number) is what is on then.
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

    /// Goes to the track with the number `position` in the queue, from 1, and gives it.
    ///
    /// # Errors
    /// [`VoiceError::BadPosition`].
    pub fn jump(&self, position: usize) -> BoxFuture<'static, Result<Arc<Track>, VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::Jump(position, answer))
    }

    /// Goes back to the track before, and gives it; the current one comes next.
    ///
    /// # Errors
    /// [`VoiceError::NoHistory`] and [`VoiceError::NotConnected`].
    pub fn previous(&self) -> BoxFuture<'static, Result<Arc<Track>, VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Previous)
    }

    /// Goes to another time in the track, and gives the time that it really went to.
    ///
    /// What cannot be done leaves the music as it was.
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

    /// Plays on after a pause, also one that began because nobody listened.
    ///
    /// # Errors
    /// [`VoiceError::NothingPlaying`] and [`VoiceError::NotPaused`].
    pub fn resume(&self) -> BoxFuture<'static, Result<(), VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Resume)
    }

    /// Ends the track, empties the queue and says how many tracks waited; the bot stays in the channel.
    ///
    /// # Errors
    /// [`VoiceError::NothingPlaying`] when nothing was on and nothing waited.
    pub fn stop(&self) -> BoxFuture<'static, Result<usize, VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Stop)
    }

    /// Empties the queue and says how many tracks waited; the current one plays on.
    ///
    /// # Errors
    /// [`VoiceError::QueueEmpty`].
    pub fn clear(&self) -> BoxFuture<'static, Result<usize, VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Clear)
    }

    /// Puts what waits into a random order and says how many tracks those are.
    ///
    /// # Errors
    /// [`VoiceError::QueueEmpty`].
    pub fn shuffle(&self) -> BoxFuture<'static, Result<usize, VoiceError>> {
        self.ask(ANSWER_WITHIN, Command::Shuffle)
    }

    /// Moves a waiting track from one number to another, from 1, and gives it.
    ///
    /// # Errors
    /// [`VoiceError::BadPosition`].
    pub fn move_track(&self, from: usize, to: usize) -> BoxFuture<'static, Result<Arc<Track>, VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::Move(from, to, answer))
    }

    /// Removes these tracks, if they are what waits from the number `first` on, and gives them.
    ///
    /// # Errors
    /// [`VoiceError::Superseded`] when others are there by then.
    pub fn remove_those(
        &self,
        first: usize,
        tracks: Vec<Arc<Track>>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Track>>, VoiceError>> {
        let positions = first..=first.saturating_add(tracks.len().saturating_sub(1));
        self.ask(ANSWER_WITHIN, move |answer| Command::Remove(positions, Some(tracks), answer))
    }

    /// Removes the waiting tracks with these numbers, from 1, and gives them.
    ///
    /// # Errors
    /// [`VoiceError::BadPosition`].
    pub fn remove(
        &self,
        positions: RangeInclusive<usize>,
    ) -> BoxFuture<'static, Result<Vec<Arc<Track>>, VoiceError>> {
        self.ask(ANSWER_WITHIN, move |answer| Command::Remove(positions, None, answer))
    }

    /// Sets what repeats.
    ///
    /// # Errors
    /// Only when the task does not answer.
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

    /// Gives how the player stands now; waits for nothing.
    pub fn status(&self) -> PlayerStatus {
        let mut status = PlayerStatus::clone(&self.status.borrow());
        if let Some(current) = &mut status.current {
            current.position = self.clock.position(current.number).unwrap_or(current.position);
        }
        status
    }

    /// Gives what tells of every change of the status but the passing of time.
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

/// Tells of changes of a player's status; changes that come close together are told once.
pub struct Updates(Player);

impl Updates {
    /// Waits for a change since the last one that was told, and gives how the player stands then; `None` when the bot ends.
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
