//! The handle of a guild's player: every call is a message to its task, answered within a bounded time.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serenity::all::{ChannelId, GuildId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::clock::Clock;
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

pub(super) type Answer<T> = oneshot::Sender<Result<T, VoiceError>>;

/// Answers that are given once the status shows what they tell of.
#[derive(Default)]
pub(super) struct Answers(Vec<Box<dyn FnOnce() + Send>>);

impl Answers {
    pub(super) fn add<T: Send + 'static>(&mut self, to: Answer<T>, outcome: Result<T, VoiceError>) {
        // Whoever has stopped waiting wants no answer.
        self.0.push(Box::new(move || drop(to.send(outcome))));
    }

    pub(super) fn give(&mut self) {
        self.0.drain(..).for_each(|answer| answer());
    }
}

/// What a player can be asked for.
pub(super) enum Command {
    Join(ChannelId, Answer<()>),
    Leave(Answer<()>),
    Enqueue(Vec<Track>, At, Option<usize>, Answer<Enqueued>),
    Skip(Option<u64>, usize, Answer<Vec<Arc<Track>>>),
    Jump(usize, Answer<Arc<Track>>),
    Previous(Answer<Arc<Track>>),
    Seek(Seek, Answer<Duration>),
    Pause(Answer<()>),
    Resume(Answer<()>),
    Stop(Answer<usize>),
    Clear(Answer<usize>),
    Shuffle(Answer<usize>),
    Move(usize, usize, Answer<Arc<Track>>),
    Remove(RangeInclusive<usize>, Option<Vec<Arc<Track>>>, Answer<Vec<Arc<Track>>>),
    SetLoop(Loop, Answer<()>),
    SetVolume(u16, Answer<()>),
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
    pub(super) guild: GuildId,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) status: watch::Receiver<Arc<PlayerStatus>>,
    pub(super) clock: Arc<Clock>,
}

impl Player {
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
