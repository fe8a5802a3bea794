//! From bytes to the input of songbird, so that the mixer never waits for a disk or a server.
//!
//! # Theory of operation
//!
//! songbird's mixer asks a track for its next packet on the thread that keeps the 20 ms clock of up to 16 calls. A
//! track that waited for its server there would silence them all. So each track has a thread of its own, the
//! [`feeder`], which finds out the format, checks that its content decodes, and then reads packets ahead into a bounded
//! queue. songbird gets the queue's other end, [`prefetch`], which always has an answer: the next packet; silence,
//! while the feeder is behind; or the end. The decoder is wrapped too ([`resilient`]): a broken packet becomes silence,
//! a panic ends that track alone, and a chain's later links are converted into the form of the first ([`conform`]).
//!
//! songbird sends Opus to listeners without decoding it, if no other track plays and the volume is 1. It also does so
//! up to three times with packets that are not one frame of 20 ms, and then decodes all of the track. So the decoder
//! reports before each frame whether the next packet is one. Decoded audio, and packets of other lengths, are mixed.
//!
//! A seek goes to a packet some way before the position, so that the decoder has converged by then, and drops the audio
//! before it: playback begins at the requested sample.
//!
//! A server can keep a reader waiting without ever being silent, with a byte a second, or send bytes for ever that are
//! no audio. So the feeder has a [`budget`] of time for its reads, which grows with the audio that they return. It
//! applies while the track plays, while it is paused, and while it waits for its turn.
//!
//! Nothing reaches songbird before its first audio is there, so every problem with a source is reported as a
//! [`SourceError`] beforehand. Later problems are in the track's [`TrackUpdate`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use parking_lot::Mutex;
use songbird::input::Parsed;
use symphonia::core::io::MediaSource;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};

use super::{Bounds, SourceError};
use feeder::Feeder;
use prefetch::{PrefetchReader, Shared};
use resilient::ResilientDecoder;
use underrun::Underrun;

mod budget;
mod conform;
mod feeder;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzing;
mod prefetch;
mod probe;
mod resilient;
mod tags;
mod underrun;
mod unprobed;

pub(super) use tags::{MediaInfo, of_file};

/// The changing state of a track while it plays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackUpdate {
    /// The title that a radio station sends.
    pub title: Option<String>,
    /// Why the track ends early.
    pub failure: Option<SourceError>,
}

impl TrackUpdate {
    /// Sets a station's title.
    fn title(updates: &watch::Sender<Self>, title: String) {
        updates.send_if_modified(|updates| {
            let is_new = updates.title.as_ref() != Some(&title);
            updates.title = Some(title);
            is_new
        });
    }
}

/// A track that is ready to play.
pub struct Opened {
    /// Reader and decoder of its packets.
    pub sound: Parsed,
    /// Updates of the track while it plays.
    pub updates: watch::Receiver<TrackUpdate>,
    /// Milliseconds of silence that were played in place of audio, because that arrived too late.
    pub silence: Arc<AtomicU64>,
    /// Whether seeking is not possible.
    pub is_live: bool,
    /// Metadata of the media.
    pub(super) info: MediaInfo,
}

/// The source of a track's bytes. They are read on a thread that may wait.
pub(super) trait Origin: Send + 'static {
    /// Returns the bytes from their beginning.
    fn open(&mut self) -> Result<Box<dyn MediaSource>, SourceError>;

    /// Returns whether it has no beginning to return to.
    fn is_live(&self) -> bool;

    /// Returns whether it costs little to read all of it.
    fn is_near(&self) -> bool {
        false
    }
}

/// Sends updates of a track, and knows when it is not played any more.
#[derive(Clone)]
pub(super) struct TrackEventSender {
    pub(super) updates: Arc<watch::Sender<TrackUpdate>>,
    pub(super) stop: watch::Receiver<()>,
    /// Until when reads may wait for a server. The track's thread sets it before each.
    until: Arc<Mutex<Option<Instant>>>,
}

/// Receives updates of a track. Dropping it stops the reader.
pub(super) struct TrackEventReceiver {
    updates: watch::Receiver<TrackUpdate>,
    stop: watch::Sender<()>,
}

/// Creates the channel from a track's reader to its player.
pub(super) fn track_events() -> (TrackEventSender, TrackEventReceiver) {
    let (updates, told) = watch::channel(TrackUpdate::default());
    let (stop, stopped) = watch::channel(());
    (
        TrackEventSender { updates: Arc::new(updates), stop: stopped, until: Arc::default() },
        TrackEventReceiver { updates: told, stop },
    )
}

impl TrackEventSender {
    /// Sets why the track ends. The first reason counts.
    pub(super) fn fail(&self, error: SourceError) {
        self.updates.send_if_modified(|updates| {
            let is_first = updates.failure.is_none();
            updates.failure.get_or_insert(error);
            is_first
        });
    }

    /// Makes all reads from now on end after a time, however often a server sends something in it.
    fn allow(&self, time: Duration) {
        *self.until.lock() = Some(Instant::now() + time);
    }

    /// Waits for a server, on the track's thread. Returns `None` if the track is not played any more.
    ///
    /// # Errors
    /// [`SourceError::Stalled`] if the time for reads is over.
    pub(super) fn wait<T>(
        &self,
        runtime: &Handle,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Option<Result<T, SourceError>> {
        let (until, mut stop) = (*self.until.lock(), self.stop.clone());
        // A server may send bytes without a pause that are no audio.
        if until.is_some_and(|until| until <= Instant::now()) {
            return Some(Err(SourceError::Stalled));
        }
        let over = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = stop.changed() => None,
                () = over => Some(Err(SourceError::Stalled)),
                done = work => Some(done),
            }
        })
    }

    /// Sets a station's title.
    pub(super) fn title(&self, title: String) {
        TrackUpdate::title(&self.updates, title);
    }

    /// Returns the reason why the track ends, if it has one.
    fn failure(&self) -> Option<SourceError> {
        self.updates.borrow().failure.clone()
    }
}

/// Opens a track, ready to play.
pub(super) async fn open(
    origin: impl Origin,
    events: TrackEventSender,
    receiver: TrackEventReceiver,
    bounds: Arc<Bounds>,
) -> Result<Opened, SourceError> {
    let (ready, is_ready) = oneshot::channel();
    let (within, stall, updates) = (bounds.open, bounds.stall, events.updates.clone());
    let thread = std::thread::Builder::new().name("media".to_owned());
    let spawned = thread.spawn(move || {
        if catch_unwind(AssertUnwindSafe(|| feed(Box::new(origin), &events, &bounds, ready))).is_err() {
            // A format reader met an input that its author did not expect.
            events.fail(SourceError::Broken);
        }
    });
    spawned.map_err(|error| {
        tracing::error!(%error, "no thread for a track");
        SourceError::Busy
    })?;
    let ready = timeout(within, is_ready).await.map_err(|_| SourceError::TimedOut)?;
    // Without any answer, the thread has panicked.
    let (shared, form) = ready.unwrap_or(Err(SourceError::Broken))?;
    let decoder = probe::decoder(&form.params)?;
    let meta = unprobed::metadata().map_err(|_| SourceError::NoSound)?;
    let silence = Arc::<AtomicU64>::default();
    let ahead = PrefetchReader::new(
        shared.clone(),
        &form,
        within,
        receiver.stop,
        Underrun::new(updates, silence.clone(), stall),
    );
    let sound = Parsed {
        decoder: Box::new(ResilientDecoder::new(decoder, &form, shared)),
        track_id: form.track,
        supports_backseek: true,
        meta,
        format: Box::new(ahead),
    };
    Ok(Opened { sound, updates: receiver.updates, silence, is_live: form.is_live, info: form.info })
}

type Ready = oneshot::Sender<Result<(Arc<Shared>, probe::Form), SourceError>>;

/// Finds out the format of the bytes, and reads ahead until the track is dropped.
fn feed(mut origin: Box<dyn Origin>, events: &TrackEventSender, bounds: &Bounds, ready: Ready) {
    events.allow(bounds.open);
    let opened = origin.open().and_then(|source| probe::probe(source, origin.is_live(), origin.is_near()));
    // An error of the connection is more precise than what a format reader makes of it.
    let opened = opened.map_err(|error| events.failure().unwrap_or(error));
    let opened = opened.and_then(|probed| {
        let probe::Probed { form, format, is_seekable } = probed;
        let mut feeder = Feeder::new(form, format, is_seekable, origin, events.clone(), bounds);
        feeder.begin().map_err(|error| events.failure().unwrap_or(error))?;
        Ok(feeder)
    });
    match opened {
        Ok(feeder) => {
            if ready.send(Ok((feeder.shared(), feeder.form()))).is_ok() {
                feeder.run();
            }
        }
        // The time for reads is that of opening here, and `open` may notice its end later than this thread.
        Err(SourceError::Stalled) => drop(ready.send(Err(SourceError::TimedOut))),
        Err(error) => drop(ready.send(Err(error))),
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("updates", &self.updates)
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

impl Opened {
    /// Returns the length that the media itself states; `None` for a live stream.
    pub fn duration(&self) -> Option<Duration> {
        self.info.duration
    }

    /// Returns whether the length is an estimate, which may be half or twice the real one.
    pub fn is_about(&self) -> bool {
        self.info.is_about
    }

    /// Returns whether it is HE-AAC, of which only the lower half of the spectrum is played.
    pub fn is_core_only(&self) -> bool {
        self.info.is_core_only
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Seek, SeekFrom};

    use super::*;

    /// A server that sends nothing.
    struct Silent(TrackEventSender, Handle);

    impl Origin for Silent {
        fn open(&mut self) -> Result<Box<dyn MediaSource>, SourceError> {
            Ok(Box::new(Self(self.0.clone(), self.1.clone())))
        }

        fn is_live(&self) -> bool {
            false
        }
    }

    impl Read for Silent {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            let nothing = std::future::pending::<Result<usize, SourceError>>();
            let waited = self.0.wait(&self.1, nothing).ok_or(io::ErrorKind::ConnectionAborted)?;
            waited.map_err(|error| {
                self.0.fail(error.clone());
                io::Error::other(error)
            })
        }
    }

    impl Seek for Silent {
        fn seek(&mut self, _to: SeekFrom) -> io::Result<u64> {
            Err(io::ErrorKind::NotSeekable.into())
        }
    }

    impl MediaSource for Silent {
        fn is_seekable(&self) -> bool {
            false
        }

        fn byte_len(&self) -> Option<u64> {
            None
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn opening_times_out_alike_whichever_of_its_two_clocks_is_first() {
        let (events, receiver) = track_events();
        let bounds = Arc::new(Bounds { open: Duration::from_millis(20), ..Bounds::default() });
        // Here only the track's thread has a deadline.
        let (ready, is_ready) = oneshot::channel();
        let silent = Silent(events.clone(), Handle::current());
        std::thread::spawn({
            let bounds = bounds.clone();
            move || feed(Box::new(silent), &events, &bounds, ready)
        });
        assert_eq!(is_ready.await.unwrap().err(), Some(SourceError::TimedOut));
        drop(receiver);
        // Both have one.
        let (events, receiver) = super::track_events();
        let silent = Silent(events.clone(), Handle::current());
        assert_eq!(open(silent, events, receiver, bounds).await.unwrap_err(), SourceError::TimedOut);
    }
}
