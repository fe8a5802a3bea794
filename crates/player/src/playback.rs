//! The current track from opening to its end, a seek in it, and the preloaded next track.
//!
//! The mixer holds at most one track, and only one whose audio is ready.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sdk_core::voice::player::Answer;
use sdk_core::voice::{SourceKind, Track, VoiceError};
use songbird::driver::Driver;
use songbird::events::{Event, EventData, TrackEvent};
use songbird::input::{Input, LiveInput, Parsed};
use songbird::tracks::{Track as Mixed, TrackHandle};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::answers::Answers;
use super::clock::{Clock, Hand};
use super::message::{Ends, TaskMessage, TaskSender, Ticks};
use super::open::{self, OpenError, Opened};
use super::pace::{Frames, Pace, Timed};
use super::saved::now;
use super::source::{Sources, TrackUpdate};

/// Time before a track's end at which the next one is opened.
const READY_BEFORE: Duration = Duration::from_secs(15);
/// The same for a track that yt-dlp must find first, which takes up to a minute.
const FOUND_BEFORE: Duration = Duration::from_secs(75);
/// Time without audio after which a track is given up.
const STALLED_AFTER: Duration = Duration::from_secs(20);

/// Numbers starts and jobs. It begins at the time of day, so that a restart does not use a number again.
static NUMBERS: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(now() * 1000));

fn number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// A job that opens a source. Dropping it ends the job.
struct Job {
    number: u64,
    task: AbortHandle,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.task.abort();
    }
}

enum Stage {
    Empty,
    Opening {
        number: u64,
        at: Duration,
        job: Job,
    },
    /// It waits for a connection.
    Ready {
        number: u64,
        opened: Opened,
    },
    On(On),
}

struct On {
    number: u64,
    job: u64,
    handle: TrackHandle,
    hand: Arc<Hand>,
    is_live: bool,
    is_core_only: bool,
    pace: Arc<Pace>,
    updates: watch::Receiver<TrackUpdate>,
    _teller: Teller,
    /// How much was mixed when that last changed, and when.
    moved: (Duration, Instant),
}

/// A task that forwards a source's updates. Dropping it ends the task.
struct Teller(AbortHandle);

impl Teller {
    fn of(mut updates: watch::Receiver<TrackUpdate>, sender: TaskSender) -> Self {
        let task = tokio::spawn(async move {
            while updates.changed().await.is_ok() {
                let _ = sender.send(TaskMessage::TrackUpdate);
            }
        });
        Self(task.abort_handle())
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Seeking {
    job: Job,
    answer: Answer<Duration>,
}

struct Preload {
    track: Arc<Track>,
    job: Job,
    outcome: Option<Result<Opened, OpenError>>,
}

/// The effect of a job that has ended.
pub(super) enum Outcome {
    /// The job was superseded, or its audio is for later.
    Nothing,
    /// The current track can be played. Contains its length, if its format states it.
    Ready { duration: Option<Duration>, is_about: bool },
    /// The current track cannot be played.
    Failed(OpenError),
}

/// The current track of a guild.
pub(super) struct Playback {
    sender: TaskSender,
    clock: Arc<Clock>,
    stage: Stage,
    seeking: Option<Seeking>,
    preload: Option<Preload>,
    volume: u16,
    held: bool,
    /// Whether the mixer has a connection.
    runs: bool,
    frames: Arc<Frames>,
    answers: Answers,
}

impl Playback {
    pub(super) fn new(sender: TaskSender, clock: Arc<Clock>, volume: u16, frames: Arc<Frames>) -> Self {
        Self {
            sender,
            clock,
            stage: Stage::Empty,
            seeking: None,
            preload: None,
            volume,
            held: false,
            runs: false,
            frames,
            answers: Answers::default(),
        }
    }

    /// Returns the answers that are due.
    pub(super) fn answers(&mut self) -> &mut Answers {
        &mut self.answers
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.stage, Stage::Empty)
    }

    pub(super) fn is_on(&self) -> bool {
        matches!(self.stage, Stage::On(_))
    }

    /// Returns whether users wait for audio: of a new track, or of another position.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.stage, Stage::Opening { .. } | Stage::Ready { .. }) || self.seeking.is_some()
    }

    pub(super) fn volume(&self) -> u16 {
        self.volume
    }

    /// Returns the number of the current start.
    pub(super) fn number(&self) -> Option<u64> {
        match &self.stage {
            Stage::Empty => None,
            Stage::Opening { number, .. } | Stage::Ready { number, .. } => Some(*number),
            Stage::On(on) => Some(on.number),
        }
    }

    fn is_live(&self) -> bool {
        match &self.stage {
            Stage::Ready { opened, .. } => opened.is_live,
            Stage::On(on) => on.is_live,
            _ => false,
        }
    }

    /// Returns the title that a radio station sends.
    pub(super) fn title(&self) -> Option<String> {
        match &self.stage {
            Stage::On(on) => on.updates.borrow().title.clone(),
            _ => None,
        }
    }

    /// Returns whether the current track is HE-AAC, of which only the lower half of the spectrum is played.
    pub(super) fn is_core_only(&self) -> bool {
        match &self.stage {
            Stage::Ready { opened, .. } => opened.is_core_only,
            Stage::On(on) => on.is_core_only,
            _ => false,
        }
    }

    /// Returns the time into the current track.
    pub(super) fn position(&self) -> Duration {
        match &self.stage {
            Stage::Empty => Duration::ZERO,
            Stage::Opening { at, .. } => *at,
            Stage::Ready { opened, .. } => opened.start,
            Stage::On(on) => on.hand.position(),
        }
    }

    /// Returns how much of the current track has been mixed since its start.
    pub(super) fn mixed(&self) -> Duration {
        match &self.stage {
            Stage::On(on) => on.hand.mixed(),
            _ => Duration::ZERO,
        }
    }

    /// Begins to open a track, or takes it from the preload. The track before plays until it is replaced.
    pub(super) fn start(&mut self, track: &Arc<Track>, at: Duration, sources: Arc<Sources>) -> Outcome {
        self.abandon_seek();
        let number = number();
        let ready = self.preload.take().filter(|preload| at.is_zero() && Arc::ptr_eq(&preload.track, track));
        match ready {
            Some(Preload { job, outcome: None, .. }) => {
                self.stage = Stage::Opening { number, at, job };
                Outcome::Nothing
            }
            Some(Preload { outcome: Some(outcome), .. }) => self.take(number, outcome),
            None => {
                let job = self.job(track, at, sources);
                self.stage = Stage::Opening { number, at, job };
                Outcome::Nothing
            }
        }
    }

    /// Seeks to another position: opens the source again there, while it continues to play or to be opened here.
    pub(super) fn seek(
        &mut self,
        track: &Arc<Track>,
        to: Duration,
        sources: Arc<Sources>,
        answer: Answer<Duration>,
    ) {
        self.abandon_seek();
        if self.is_live() {
            return self.answers.add(answer, Err(is_live_stream()));
        }
        let job = self.job(track, to, sources);
        self.seeking = Some(Seeking { job, answer });
    }

    /// Handles the end of a job.
    pub(super) fn opened(
        &mut self,
        job: u64,
        outcome: Result<Opened, OpenError>,
        driver: &mut Driver,
    ) -> Outcome {
        if let Some(preload) = self.preload.as_mut().filter(|preload| preload.job.number == job) {
            preload.outcome = Some(outcome);
            return Outcome::Nothing;
        }
        if let Some(seeking) = self.seeking.take_if(|seeking| seeking.job.number == job) {
            let (answer, outcome) = match outcome {
                Ok(opened) => self.sought(opened, driver),
                Err(error) => (Err(VoiceError::CannotSeek(error.to_string())), Outcome::Nothing),
            };
            self.answers.add(seeking.answer, answer);
            return outcome;
        }
        match &self.stage {
            Stage::Opening { number, job: opening, .. } if opening.number == job => {
                let number = *number;
                self.take(number, outcome)
            }
            _ => Outcome::Nothing,
        }
    }

    /// Continues at the position that was sought. Returns the answer, and the effect on the current track.
    fn sought(&mut self, opened: Opened, driver: &mut Driver) -> (Result<Duration, VoiceError>, Outcome) {
        let reached = opened.start;
        match self.stage {
            Stage::Empty => (Err(VoiceError::NothingPlaying), Outcome::Nothing),
            // Whether a stream is live is known only when it is open.
            Stage::Opening { .. } if opened.is_live => (Err(is_live_stream()), Outcome::Nothing),
            Stage::Opening { number, .. } | Stage::Ready { number, .. } => {
                (Ok(reached), self.take(number, Ok(opened)))
            }
            Stage::On(On { number, .. }) => {
                self.put(number, opened, driver);
                (Ok(reached), Outcome::Nothing)
            }
        }
    }

    fn take(&mut self, number: u64, outcome: Result<Opened, OpenError>) -> Outcome {
        match outcome {
            Ok(opened) => {
                let (duration, is_about) = (opened.duration, opened.is_about);
                if opened.is_core_only {
                    tracing::info!(
                        "a track is HE-AAC, of which only the lower half of the spectrum is played"
                    );
                }
                self.stage = Stage::Ready { number, opened };
                Outcome::Ready { duration, is_about }
            }
            Err(error) => {
                self.stage = Stage::Empty;
                Outcome::Failed(error)
            }
        }
    }

    /// Starts to play the opened track, and returns the number of its start; `None` if no track is ready.
    pub(super) fn put_on(&mut self, driver: &mut Driver) -> Option<u64> {
        match std::mem::replace(&mut self.stage, Stage::Empty) {
            Stage::Ready { number, opened } => {
                self.put(number, opened, driver);
                Some(number)
            }
            stage => {
                self.stage = stage;
                None
            }
        }
    }

    fn put(&mut self, number_: u64, opened: Opened, driver: &mut Driver) {
        let job = number();
        let hand = Arc::new(Hand::new(opened.start, opened.silence));
        let pace = Arc::new(Pace::new(self.frames.clone()));
        pace.set_resting(self.is_resting());
        let mut mixed = Mixed::new(timed(opened.sound, &pace)).volume(factor(self.volume));
        if self.held {
            mixed = mixed.pause();
        }
        let ends = Ends { sender: self.sender.clone(), job, updates: opened.updates.clone() };
        let teller = Teller::of(opened.updates.clone(), self.sender.clone());
        mixed.events.add_event(EventData::new(Event::Track(TrackEvent::End), ends), Duration::ZERO);
        let ticks = EventData::new(Event::Periodic(Ticks::PERIOD, None), Ticks(hand.clone()));
        mixed.events.add_event(ticks, Duration::ZERO);
        self.clock.follow(number_, hand.clone());
        let handle = driver.play_only(mixed);
        self.stage = Stage::On(On {
            number: number_,
            job,
            handle,
            hand,
            is_live: opened.is_live,
            is_core_only: opened.is_core_only,
            pace,
            updates: opened.updates,
            _teller: teller,
            moved: (Duration::ZERO, Instant::now()),
        });
    }

    /// Returns whether the end of a job, as reported by the mixer, is that of the current track.
    pub(super) fn is_of(&self, job: u64) -> bool {
        matches!(&self.stage, Stage::On(on) if on.job == job)
    }

    /// Stops the current track, and cancels all that is being opened.
    pub(super) fn stop(&mut self, driver: &mut Driver) {
        self.abandon_seek();
        self.preload = None;
        self.empty(driver);
    }

    /// As [`stop`](Self::stop), but keeps the preload.
    pub(super) fn empty(&mut self, driver: &mut Driver) {
        self.abandon_seek();
        if self.is_on() {
            driver.stop();
        }
        self.stage = Stage::Empty;
        self.clock.clear();
    }

    /// Pauses or resumes.
    pub(super) fn hold(&mut self, held: bool) {
        if self.held == held {
            return;
        }
        self.held = held;
        self.follow_pace();
        if let Stage::On(on) = &mut self.stage {
            // Fails only when the track has ended, which is reported anyway.
            let _ = if held { on.handle.pause() } else { on.handle.play() };
            on.moved.1 = Instant::now();
        }
    }

    /// Sets whether the mixer has a connection.
    pub(super) fn set_running(&mut self, runs: bool) {
        if self.runs != runs {
            self.runs = runs;
            self.follow_pace();
        }
    }

    /// Returns whether the mixer need not keep its pace.
    fn is_resting(&self) -> bool {
        self.held || !self.runs
    }

    fn follow_pace(&self) {
        if let Stage::On(on) = &self.stage {
            on.pace.set_resting(self.is_resting());
        }
    }

    /// Sets the volume, in per cent.
    pub(super) fn set_volume(&mut self, volume: u16) {
        self.volume = volume;
        if let Stage::On(on) = &self.stage {
            let _ = on.handle.set_volume(factor(volume));
        }
    }

    /// Opens the next track if the current one is near its end.
    pub(super) fn prepare(
        &mut self,
        remaining: Option<Duration>,
        next: Option<&Arc<Track>>,
        sources: &Arc<Sources>,
    ) {
        if self
            .preload
            .as_ref()
            .is_some_and(|preload| next.is_none_or(|next| !Arc::ptr_eq(next, &preload.track)))
        {
            self.preload = None;
        }
        let due = |next: &Track| remaining.is_some_and(|remaining| remaining <= ready_before(next));
        if let Some(next) = next.filter(|next| self.is_on() && due(next) && self.preload.is_none()) {
            let job = self.job(next, Duration::ZERO, sources.clone());
            self.preload = Some(Preload { track: next.clone(), job, outcome: None });
        }
    }

    /// Returns when [`prepare`](Self::prepare) is to be called.
    pub(super) fn prepare_at(
        &self,
        remaining: Option<Duration>,
        next: Option<&Arc<Track>>,
    ) -> Option<Instant> {
        let wait = remaining?.checked_sub(ready_before(next?))?;
        let due = self.is_on() && !self.held && self.preload.is_none();
        due.then(|| Instant::now().checked_add(wait)).flatten()
    }

    /// Returns whether the mixer, if it is `running`, has mixed nothing of the track for too long.
    pub(super) fn is_stalled(&mut self, running: bool) -> bool {
        let held = self.held;
        let Stage::On(on) = &mut self.stage else { return false };
        let mixed = on.hand.mixed();
        if held || !running || mixed != on.moved.0 {
            on.moved = (mixed, Instant::now());
        }
        on.moved.1.elapsed() >= STALLED_AFTER
    }

    fn job(&self, track: &Arc<Track>, at: Duration, sources: Arc<Sources>) -> Job {
        let (number, sender, playable) = (number(), self.sender.clone(), track.playable.clone());
        let task = tokio::spawn(async move {
            let outcome = open::open(sources, playable, at).await;
            let _ = sender.send(TaskMessage::Opened { job: number, outcome });
        });
        Job { number, task: task.abort_handle() }
    }

    fn abandon_seek(&mut self) {
        if let Some(seeking) = self.seeking.take() {
            self.answers.add(seeking.answer, Err(VoiceError::Superseded));
        }
    }
}

fn is_live_stream() -> VoiceError {
    VoiceError::CannotSeek("it is a live stream".to_owned())
}

fn ready_before(next: &Track) -> Duration {
    if next.source() == SourceKind::YtDlp { FOUND_BEFORE } else { READY_BEFORE }
}

/// Creates the mixer's input from audio, with its frames counted.
fn timed(sound: Parsed, pace: &Arc<Pace>) -> Input {
    let decoder = Box::new(Timed { inner: sound.decoder, pace: pace.clone() });
    Input::Live(LiveInput::Parsed(Parsed { decoder, ..sound }), None)
}

fn factor(volume: u16) -> f32 {
    f32::from(volume) / 100.0
}
