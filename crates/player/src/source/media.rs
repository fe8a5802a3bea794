//! From bytes to what songbird plays, without the mixer ever waiting for a disk or a server.
//!
//! # Theory of operation
//!
//! songbird's mixer asks a track for its next packet on the thread that keeps the 20 ms clock of up to 16 calls; a track
//! that waits for its server there silences them all. So each track has a thread of its own, the [`feeder`], which
//! finds out the format, checks that what is in it decodes, and then reads packets ahead into a bounded queue. What
//! songbird gets is the queue's other end, [`prefetch`], which always has an answer: the next packet; silence, while the
//! feeder is behind; or the end. The decoder is wrapped too ([`resilient`]): a broken packet is heard as silence, and what
//! panics ends that track alone, and a chain's later links are brought into the form of the first ([`conform`]).
//!
//! songbird sends Opus to listeners without decoding it, where no other track plays and the volume is 1; it does so up to three
//! times with what is no frame of 20 ms too, and then decodes all of the track. So the decoder tells it before each frame
//! whether the next packet is one: sound that has been decoded already, and packets of other lengths, are mixed.
//!
//! A seek goes to a packet some way before the place, so that the decoder has swung in by then, and drops what is before
//! it: what is heard begins at the sample that was asked for.
//!
//! A server can keep a reader waiting without ever being silent, a byte a second, or send for ever what is no sound. So the feeder
//! has a [`budget`] of time for its reads, which the sound that they bring makes up for: it is in force while the track is heard,
//! while it is paused, and while it waits for its turn.
//!
//! Nothing reaches songbird before its first sound is there, so everything that can be wrong with a source is told as a
//! [`SourceError`] beforehand. What goes wrong later is in the track's [`TrackUpdate`].

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

/// What happens to a track while it plays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackUpdate {
    /// What a radio station says it plays.
    pub title: Option<String>,
    /// Why the track ends before its time.
    pub failure: Option<SourceError>,
}

impl TrackUpdate {
    /// Notes what a station plays.
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
    /// Reads and decodes its packets.
    pub sound: Parsed,
    /// What happens to it meanwhile.
    pub updates: watch::Receiver<TrackUpdate>,
    /// Milliseconds of silence that were heard in place of sound, because that came too late.
    pub silence: Arc<AtomicU64>,
    /// Whether there is no place in it to go to.
    pub is_live: bool,
    /// What it says of itself.
    pub(super) info: MediaInfo,
}

/// Where the bytes of a track come from; they are read on a thread that may wait.
pub(super) trait Origin: Send + 'static {
    /// Gives the bytes from their beginning.
    fn open(&mut self) -> Result<Box<dyn MediaSource>, SourceError>;

    /// Says whether it has no beginning to go back to.
    fn is_live(&self) -> bool;

    /// Returns whether it costs little to read all of it.
    fn is_near(&self) -> bool {
        false
    }
}

/// Sends updates of a track, and knows when nobody plays it any more.
#[derive(Clone)]
pub(super) struct TrackEventSender {
    pub(super) updates: Arc<watch::Sender<TrackUpdate>>,
    pub(super) stop: watch::Receiver<()>,
    /// Until when reads may wait for a server; the track's thread sets it before each.
    until: Arc<Mutex<Option<Instant>>>,
}

/// Receives updates of a track; dropping it stops what reads.
pub(super) struct TrackEventReceiver {
    updates: watch::Receiver<TrackUpdate>,
    stop: watch::Sender<()>,
}

/// Makes the two ends of what a track's reader tells its player.
pub(super) fn track_events() -> (TrackEventSender, TrackEventReceiver) {
    let (updates, told) = watch::channel(TrackUpdate::default());
    let (stop, stopped) = watch::channel(());
    (
        TrackEventSender { updates: Arc::new(updates), stop: stopped, until: Arc::default() },
        TrackEventReceiver { updates: told, stop },
    )
}

impl TrackEventSender {
    /// Notes why the track ends; the first reason counts.
    pub(super) fn fail(&self, error: SourceError) {
        self.updates.send_if_modified(|updates| {
            let is_first = updates.failure.is_none();
            updates.failure.get_or_insert(error);
            is_first
        });
    }

    /// Has all reads from now on end after a time, however often a server sends something in it.
    fn allow(&self, time: Duration) {
        *self.until.lock() = Some(Instant::now() + time);
    }

    /// Waits for what a server sends, on the track's thread; `None` when nobody plays it any more.
    ///
    /// # Errors
    /// [`SourceError::Stalled`] when the time for reads is over.
    pub(super) fn wait<T>(
        &self,
        runtime: &Handle,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Option<Result<T, SourceError>> {
        let (until, mut stop) = (*self.until.lock(), self.stop.clone());
        // A server may send without a pause what is no sound.
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

    /// Notes what a station plays.
    pub(super) fn title(&self, title: String) {
        TrackUpdate::title(&self.updates, title);
    }

    /// Gives the reason why the track ends, if it has one.
    fn failure(&self) -> Option<SourceError> {
        self.updates.borrow().failure.clone()
    }
}

/// Makes a track ready to play.
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
            // A reader of formats that met what its author did not expect.
            events.fail(SourceError::Broken);
        }
    });
    spawned.map_err(|error| {
        tracing::error!(%error, "no thread for a track");
        SourceError::Busy
    })?;
    let ready = timeout(within, is_ready).await.map_err(|_| SourceError::TimedOut)?;
    // The thread has panicked when there is no answer at all.
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

/// Finds out what the bytes are, and reads ahead until the track is dropped.
fn feed(mut origin: Box<dyn Origin>, events: &TrackEventSender, bounds: &Bounds, ready: Ready) {
    events.allow(bounds.open);
    let opened = origin.open().and_then(|source| probe::probe(source, origin.is_live(), origin.is_near()));
    // What is wrong with the connection says more than what a reader of formats makes of it.
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
        // The time for reads is that of opening here, and `open` may see its end later than this thread.
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
    /// Gives the length that the media itself tells; `None` for a live stream.
    pub fn duration(&self) -> Option<Duration> {
        self.info.duration
    }

    /// Returns whether the length is an estimate, which may be half or twice what it is.
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
        // The track's thread is the only one with a clock here.
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
