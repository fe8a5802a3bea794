//! A decoder that keeps its form: broken packets become silence, panics become errors, and audio of another form is
//! converted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rubato::{FftFixedOut, Resampler as _};
use symphonia::core::audio::{
    AsAudioBufferRef as _, AudioBuffer, AudioBufferRef, Channels, Signal as _, SignalSpec,
};
use symphonia::core::codecs::{
    CODEC_TYPE_NULL, CODEC_TYPE_OPUS, CodecDescriptor, CodecParameters, Decoder, DecoderOptions,
    FinalizeResult,
};
use symphonia::core::errors::{Error, Result, decode_error, unsupported_error};
use symphonia::core::formats::Packet;

use super::conform::Conform;
use super::prefetch::Shared;
use super::probe::Form;

/// Broken packets in a row after which a track ends. For mp3 they are 5 seconds.
const BROKEN: u32 = 200;

/// Samples per second that songbird mixes.
const MIXED: u32 = 48_000;
/// Samples of 20 ms at that rate.
const FRAME: usize = 960;

/// A decoder that keeps its form.
pub(super) struct ResilientDecoder {
    inner: Box<dyn Decoder>,
    params: CodecParameters,
    /// The same without a codec, for Opus that is to be decoded.
    uncoded: CodecParameters,
    shared: Arc<Shared>,
    /// The form of the first audio, after [`mixable`]. songbird's mixer relies on the rest having the same form.
    spec: Option<SignalSpec>,
    /// Converts audio of another form.
    conform: Option<Conform>,
    /// Returned in place of the decoder's audio.
    instead: AudioBuffer<f32>,
    is_instead: bool,
    /// Samples per second, as the file states them.
    rate: u32,
    broken: u32,
    is_dead: bool,
}

impl ResilientDecoder {
    pub(super) fn new(inner: Box<dyn Decoder>, form: &Form, shared: Arc<Shared>) -> Self {
        let mut params = inner.codec_params().clone();
        params.with_time_base(form.base).with_sample_rate(form.rate);
        let mut uncoded = params.clone();
        uncoded.for_codec(CODEC_TYPE_NULL);
        let channels = params.channels.unwrap_or(Channels::FRONT_LEFT | Channels::FRONT_RIGHT);
        let spec = mixable(SignalSpec::new(form.rate, channels));
        Self {
            inner,
            params,
            uncoded,
            shared,
            spec: None,
            conform: None,
            instead: buffer(spec, FRAME),
            is_instead: true,
            rate: form.rate,
            broken: 0,
            is_dead: false,
        }
    }

    /// Sets the decoded audio to `frames` of silence, counted at the file's rate.
    fn silence(&mut self, frames: usize) {
        let spec = match frames {
            // The mixer does not check the form of an empty buffer.
            0 => self.spec.unwrap_or(*self.instead.spec()),
            _ => *self.spec.get_or_insert(*self.instead.spec()),
        };
        let scaled = u64::try_from(frames).unwrap_or(0) * u64::from(spec.rate) / u64::from(self.rate.max(1));
        let frames = usize::try_from(scaled).unwrap_or(0);
        if self.instead.capacity() < frames || *self.instead.spec() != spec {
            self.instead = buffer(spec, frames);
        }
        self.instead.clear();
        self.instead.render_silence(Some(frames));
        self.is_instead = true;
    }

    /// Sets the decoded audio to audio that is not the decoder's last, in the form used so far.
    fn give(&mut self, sound: AudioBuffer<f32>) {
        let spec = *sound.spec();
        let first = *self.spec.get_or_insert_with(|| mixable(spec));
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

    /// Decodes a packet. Returns whether there is audio.
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
                let first = *self.spec.get_or_insert_with(|| mixable(spec));
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

/// Returns the form in which audio is passed to the mixer: its own, or else stereo, or 48,000 samples per second.
///
/// songbird 0.6.1 resamples into a buffer of two channels and 960 samples. Audio that needs more makes it panic, on the
/// thread that plays in every guild: with more channels, and with rates such as 192,000 or 44,101.
fn mixable(spec: SignalSpec) -> SignalSpec {
    let channels = match spec.channels.count() {
        1 | 2 => spec.channels,
        _ => Channels::FRONT_LEFT | Channels::FRONT_RIGHT,
    };
    SignalSpec::new(if is_resampled(spec.rate) { spec.rate } else { MIXED }, channels)
}

/// Returns whether songbird's mixer supports this rate, computed with its own resampler.
fn is_resampled(rate: u32) -> bool {
    let resampler = |rate| FftFixedOut::<f32>::new(rate, 48_000, FRAME / 2, 4, 1);
    let needed = usize::try_from(rate).ok().and_then(|rate| resampler(rate).ok());
    rate == MIXED || needed.is_some_and(|resampler| resampler.input_frames_max() <= FRAME)
}

/// Returns whether the mixer takes audio of one form for that of the other.
fn is_like(one: SignalSpec, other: SignalSpec) -> bool {
    one.rate == other.rate && one.channels.count() == other.channels.count()
}

/// Returns a copy of decoded audio as `f32` samples.
pub(super) fn plain(sound: &AudioBufferRef<'_>) -> AudioBuffer<f32> {
    let mut copy = sound.make_equivalent::<f32>();
    sound.convert(&mut copy);
    copy
}

fn buffer(spec: SignalSpec, frames: usize) -> AudioBuffer<f32> {
    AudioBuffer::new(u64::try_from(frames).unwrap_or(960), spec)
}

impl Decoder for ResilientDecoder {
    fn try_new(_: &CodecParameters, _: &DecoderOptions) -> Result<Self> {
        unsupported_error("a resilient decoder is made around another one")
    }

    fn supported_codecs() -> &'static [CodecDescriptor] {
        &[]
    }

    fn reset(&mut self) {
        if !self.is_dead {
            self.inner.reset();
        }
        // The samples that wait in it are from before a seek.
        self.conform = None;
        self.broken = 0;
    }

    /// Returns the codec parameters. songbird's mixer asks for them at the beginning of each frame, and if they are of
    /// Opus it sends the next packet as it is, even one that is empty or of another length.
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
                None => self.silence(usize::try_from(self.rate / 50).unwrap_or(0)),
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

#[cfg(test)]
mod tests {
    use symphonia::core::units::TimeBase;
    use tokio::sync::watch;

    use super::*;
    use crate::source::Bounds;

    /// Decodes every packet to 20 ms of mono, except broken ones.
    struct Mono {
        params: CodecParameters,
        sound: AudioBuffer<f32>,
    }

    impl Decoder for Mono {
        fn try_new(_: &CodecParameters, _: &DecoderOptions) -> Result<Self> {
            unsupported_error("it is made by the test")
        }

        fn supported_codecs() -> &'static [CodecDescriptor] {
            &[]
        }

        fn reset(&mut self) {}

        fn codec_params(&self) -> &CodecParameters {
            &self.params
        }

        fn decode(&mut self, packet: &Packet) -> Result<AudioBufferRef<'_>> {
            if packet.buf() == b"broken" { decode_error("broken") } else { Ok(self.last_decoded()) }
        }

        fn finalize(&mut self) -> FinalizeResult {
            FinalizeResult::default()
        }

        fn last_decoded(&self) -> AudioBufferRef<'_> {
            self.sound.as_audio_buffer_ref()
        }
    }

    #[test]
    fn sound_keeps_the_form_of_the_silence_before_it() {
        // A mono file that claims to be stereo, as many AAC files do, and whose first packet is broken.
        let mut params = CodecParameters::new();
        params.with_channels(Channels::FRONT_LEFT | Channels::FRONT_RIGHT).with_sample_rate(16_000);
        let mut sound = AudioBuffer::new(320, SignalSpec::new(16_000, Channels::FRONT_LEFT));
        sound.render_reserved(Some(320));
        sound.chan_mut(0).fill(0.5);
        let base = TimeBase::new(1, 16_000);
        let form = Form {
            track: 0,
            params: params.clone(),
            base,
            rate: 16_000,
            is_live: false,
            info: super::super::MediaInfo::default(),
        };
        let shared = Arc::new(Shared::new(
            &Bounds::default(),
            Arc::new(watch::Sender::new(super::super::TrackUpdate::default())),
        ));
        let mut decoder = ResilientDecoder::new(Box::new(Mono { params, sound }), &form, shared);
        for (packet, expected) in [(&b"broken"[..], 0.0), (b"sound", 0.5), (b"broken", 0.0), (b"sound", 0.5)]
        {
            let packet = Packet::new_from_slice(0, 0, 320, packet);
            let sound = plain(&decoder.decode(&packet).unwrap());
            assert_eq!((sound.spec().rate, sound.spec().channels.count(), sound.frames()), (16_000, 2, 320));
            assert!(
                [0, 1].iter().all(|channel| sound
                    .chan(*channel)
                    .iter()
                    .all(|at| (at - expected).abs() < f32::EPSILON))
            );
        }
    }
}
