//! A decoder that keeps its form: broken packets are silence, panics are errors, and sound of another form is brought into it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use symphonia::core::audio::{
    AsAudioBufferRef as _, AudioBuffer, AudioBufferRef, Channels, Signal as _, SignalSpec,
};
use symphonia::core::codecs::{
    CODEC_TYPE_NULL, CODEC_TYPE_OPUS, CodecDescriptor, CodecParameters, Decoder, DecoderOptions,
    FinalizeResult,
};
use symphonia::core::errors::{Error, Result, decode_error, unsupported_error};
use symphonia::core::formats::Packet;

use super::ahead::Shared;
use super::conform::Conform;
use super::demux::Form;

/// Broken packets in a row after which a track ends; of mp3 they are 5 seconds.
const BROKEN: u32 = 200;

/// A decoder that keeps its form.
pub(super) struct Steady {
    inner: Box<dyn Decoder>,
    params: CodecParameters,
    /// The same, of no codec; for Opus that is to be decoded.
    uncoded: CodecParameters,
    shared: Arc<Shared>,
    /// What the first sound was like, in at most two channels; songbird's mixer counts on the rest being so too.
    spec: Option<SignalSpec>,
    /// For what is of another form.
    conform: Option<Conform>,
    /// Given in place of what the decoder has.
    instead: AudioBuffer<f32>,
    is_instead: bool,
    /// Samples of 20 ms.
    frame: usize,
    broken: u32,
    is_dead: bool,
}

impl Steady {
    pub(super) fn new(inner: Box<dyn Decoder>, form: &Form, shared: Arc<Shared>) -> Self {
        let mut params = inner.codec_params().clone();
        params.with_time_base(form.base).with_sample_rate(form.rate);
        let mut uncoded = params.clone();
        uncoded.for_codec(CODEC_TYPE_NULL);
        let channels = params.channels.unwrap_or(Channels::FRONT_LEFT | Channels::FRONT_RIGHT);
        let frame = usize::try_from(form.rate / 50).unwrap_or(960);
        Self {
            inner,
            params,
            uncoded,
            shared,
            spec: None,
            conform: None,
            instead: buffer(mixable(SignalSpec::new(form.rate, channels)), frame),
            is_instead: true,
            frame,
            broken: 0,
            is_dead: false,
        }
    }

    /// Makes `frames` of silence the decoded sound.
    fn silence(&mut self, frames: usize) {
        let spec = match frames {
            // The mixer does not look at what is empty.
            0 => self.spec.unwrap_or(*self.instead.spec()),
            _ => *self.spec.get_or_insert(*self.instead.spec()),
        };
        if self.instead.capacity() < frames || *self.instead.spec() != spec {
            self.instead = buffer(spec, frames);
        }
        self.instead.clear();
        self.instead.render_silence(Some(frames));
        self.is_instead = true;
    }

    /// Returns sound that is not the decoder's last, in the form that was had so far.
    fn give(&mut self, sound: AudioBuffer<f32>) {
        let spec = *sound.spec();
        let first = *self.spec.get_or_insert(mixable(spec));
        self.is_instead = true;
        if is_like(spec, first) {
            self.instead = sound;
            return;
        }
        if self.conform.as_ref().is_none_or(|conform| !conform.is_for(spec)) {
            self.conform = Conform::new(spec, first);
        }
        match &mut self.conform {
            Some(conform) => self.instead = conform.bring(&sound),
            None => self.silence(sound.frames()),
        }
    }

    /// Decodes a packet; says whether there is sound.
    fn try_decode(&mut self, packet: &Packet) -> Result<bool> {
        let inner = &mut self.inner;
        let decoded = catch_unwind(AssertUnwindSafe(|| {
            inner.decode(packet).map(|sound| (*sound.spec(), sound.frames()))
        }));
        match decoded {
            Ok(Ok((_, 0))) => {
                self.silence(0);
                Ok(true)
            }
            Ok(Ok((spec, _))) => {
                let first = *self.spec.get_or_insert(mixable(spec));
                if is_like(spec, first) {
                    self.is_instead = false;
                } else {
                    let sound = plain(&self.inner.last_decoded());
                    self.give(sound);
                }
                Ok(true)
            }
            Ok(Err(Error::DecodeError(_) | Error::IoError(_))) => Ok(false),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                self.is_dead = true;
                decode_error("the decoder panicked")
            }
        }
    }
}

/// Returns the form in which sound is given to the mixer: its own, in stereo where it has more channels.
///
/// songbird resamples two channels; with more it panics, on the thread that plays in every guild.
fn mixable(spec: SignalSpec) -> SignalSpec {
    match spec.channels.count() {
        1 | 2 => spec,
        _ => SignalSpec::new(spec.rate, Channels::FRONT_LEFT | Channels::FRONT_RIGHT),
    }
}

/// Returns whether the mixer takes sound of one form for that of another.
fn is_like(one: SignalSpec, other: SignalSpec) -> bool {
    one.rate == other.rate && one.channels.count() == other.channels.count()
}

/// Returns a copy of decoded sound in samples of one kind.
pub(super) fn plain(sound: &AudioBufferRef<'_>) -> AudioBuffer<f32> {
    let mut copy = sound.make_equivalent::<f32>();
    sound.convert(&mut copy);
    copy
}

fn buffer(spec: SignalSpec, frames: usize) -> AudioBuffer<f32> {
    AudioBuffer::new(u64::try_from(frames).unwrap_or(960), spec)
}

impl Decoder for Steady {
    fn try_new(_: &CodecParameters, _: &DecoderOptions) -> Result<Self> {
        unsupported_error("a steady decoder is made around another one")
    }

    fn supported_codecs() -> &'static [CodecDescriptor] {
        &[]
    }

    fn reset(&mut self) {
        if !self.is_dead {
            self.inner.reset();
        }
        self.broken = 0;
    }

    /// Returns how the sound is coded. songbird's mixer asks at the beginning of each frame, and sends what it takes then as it
    /// is where that is Opus, even a packet that is empty or of another length.
    fn codec_params(&self) -> &CodecParameters {
        if self.params.codec == CODEC_TYPE_OPUS && !self.shared.pass_on() {
            &self.uncoded
        } else {
            &self.params
        }
    }

    fn decode(&mut self, packet: &Packet) -> Result<AudioBufferRef<'_>> {
        if let Some(next) = self.shared.decoder.lock().take() {
            self.inner = next;
        }
        if self.is_dead {
            return decode_error("the decoder panicked");
        }
        if packet.buf().is_empty() {
            let sound = self.shared.sound.lock().take();
            match sound {
                Some(sound) => self.give(sound),
                None => self.silence(self.frame),
            }
        } else if self.try_decode(packet)? {
            self.broken = 0;
        } else {
            self.broken += 1;
            if self.broken > BROKEN {
                return decode_error("too much of it is broken");
            }
            let time = self.params.time_base.map(|base| base.calc_time(packet.dur));
            let seconds =
                time.map_or(0.02, |time| f64::from(u32::try_from(time.seconds).unwrap_or(1)) + time.frac);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            // At most a second of samples.
            let frames =
                (seconds.clamp(0.001, 1.0) * f64::from(self.params.sample_rate.unwrap_or(48_000))) as usize;
            self.silence(frames);
        }
        Ok(self.last_decoded())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> AudioBufferRef<'_> {
        if self.is_instead { self.instead.as_audio_buffer_ref() } else { self.inner.last_decoded() }
    }
}
