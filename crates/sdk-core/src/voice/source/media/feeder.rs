//! The thread that reads a track's packets ahead of the mixer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::{FormatReader, Packet, SeekMode, SeekTo, SeekedTo};
use symphonia::core::units::Time;

use super::ahead::{Item, Shared, Work};
use super::demux::{Form, decoder, demux, of};
use super::{Line, Origin};
use crate::voice::source::{Bounds, SourceError};

/// Packets that are looked at to find out whether they decode.
const TRIED: usize = 40;
/// Packets that have to decode; what only looks like sound has not as many in a row.
const SOUND: usize = 3;
/// Length of packets that do not tell it.
const UNTOLD: Duration = Duration::from_millis(20);

/// Reads a track's packets ahead.
pub(super) struct Feeder {
    form: Form,
    format: Box<dyn FormatReader>,
    is_seekable: bool,
    origin: Box<dyn Origin>,
    line: Line,
    shared: Arc<Shared>,
    /// Place after the last packet.
    at: u64,
}

impl Feeder {
    pub(super) fn new(
        form: Form,
        format: Box<dyn FormatReader>,
        is_seekable: bool,
        origin: Box<dyn Origin>,
        line: Line,
        bounds: &Bounds,
    ) -> Self {
        Self { form, format, is_seekable, origin, line, shared: Arc::new(Shared::new(bounds)), at: 0 }
    }

    pub(super) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Reads until there is enough to begin with.
    ///
    /// # Errors
    /// When what is read does not decode.
    pub(super) fn begin(&mut self) -> std::result::Result<(), SourceError> {
        let mut decoder = decoder(&self.form.params)?;
        let (mut tried, mut decoded) = (0, 0);
        while decoded < SOUND && tried < TRIED {
            let packet = match self.next() {
                Ok(packet) => packet,
                // What is shorter than that has to decode in whole.
                Err(_) if decoded > 0 && decoded == tried => {
                    self.shared.end();
                    break;
                }
                Err(error) => return Err(of(&error)),
            };
            tried += 1;
            decoded += usize::from(decoder.decode(&packet).is_ok());
            self.push(packet);
        }
        if decoded < SOUND.min(tried) {
            return Err(SourceError::NoSound);
        }
        while !self.shared.is_filled() {
            self.read();
        }
        Ok(())
    }

    /// Reads ahead until the track is dropped.
    pub(super) fn run(mut self) {
        loop {
            match self.shared.work() {
                Work::Read => self.read(),
                Work::Seek(time) => {
                    self.shared.clear();
                    let sought = self.seek(time);
                    self.shared.answer(sought);
                }
                Work::Close => return,
            }
        }
    }

    /// Reads one packet into the queue, or ends it.
    fn read(&mut self) {
        match self.next() {
            Ok(packet) => self.push(packet),
            Err(Error::ResetRequired) => match self.follow() {
                Ok(decoder) => self.shared.push(decoder),
                Err(error) => self.end(&error),
            },
            Err(error) => self.end(&error),
        }
    }

    fn end(&mut self, error: &Error) {
        let is_end = matches!(error, Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof);
        if !is_end && self.line.stop.has_changed().is_ok() {
            let why = of(error);
            tracing::debug!(%error, "a track breaks off");
            self.line.fail(if why == SourceError::NoSound { SourceError::Broken } else { why });
        }
        self.shared.end();
    }

    fn push(&mut self, packet: Packet) {
        let length = Duration::from(self.form.base.calc_time(packet.block_dur()));
        let length = if length.is_zero() { UNTOLD } else { length };
        self.shared.push(Item::Packet(packet, length));
    }

    /// Gives the next packet of the track that is played.
    fn next(&mut self) -> Result<Packet> {
        loop {
            let packet = self.format.next_packet()?;
            if packet.track_id() == self.form.track {
                self.at = packet.ts.saturating_add(packet.dur);
                return Ok(packet);
            }
        }
    }

    /// Goes on with the next stream of a chain, as a station begins one with each song.
    fn follow(&mut self) -> Result<Item> {
        let tracks = self.format.tracks();
        let codec = self.form.params.codec;
        let same = tracks.iter().find(|track| track.codec_params.codec == codec);
        let track = same.ok_or(Error::Unsupported("the chain goes on with another codec"))?.clone();
        let decoder = decoder(&track.codec_params)
            .map_err(|_| Error::Unsupported("the chain goes on with what cannot be decoded"))?;
        self.form.track = track.id;
        Ok(Item::Decoder(decoder))
    }

    /// Goes to `time`, by the shortest way that the source has.
    fn seek(&mut self, time: Time) -> Result<SeekedTo> {
        let required_ts = self.form.base.calc_timestamp(time);
        let track_id = self.form.track;
        if self.is_seekable {
            let to = SeekTo::Time { time, track_id: Some(track_id) };
            match self.format.seek(SeekMode::Accurate, to) {
                Ok(_) => {}
                Err(Error::SeekError(SeekErrorKind::OutOfRange)) => {
                    self.shared.end();
                    return Ok(SeekedTo { track_id, required_ts, actual_ts: required_ts });
                }
                // A format that cannot go back is begun anew.
                Err(_) => self.again()?,
            }
        } else if required_ts < self.at {
            self.again()?;
        }
        loop {
            match self.next() {
                Ok(packet) if packet.ts.saturating_add(packet.block_dur().max(1)) <= required_ts => {}
                Ok(packet) => {
                    let actual_ts = packet.ts;
                    self.push(packet);
                    return Ok(SeekedTo { track_id, required_ts, actual_ts });
                }
                Err(error) => {
                    self.end(&error);
                    return Ok(SeekedTo { track_id, required_ts, actual_ts: required_ts });
                }
            }
        }
    }

    /// Begins anew.
    fn again(&mut self) -> Result<()> {
        let opened = self.origin.open().and_then(|source| demux(source, self.origin.is_live()));
        let opened = opened.map_err(|error| {
            self.line.fail(error.clone());
            self.shared.end();
            Error::IoError(io::Error::other(error))
        })?;
        self.format = opened.format;
        self.at = 0;
        Ok(())
    }
}
