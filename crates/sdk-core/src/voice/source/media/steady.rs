//! A decoder that keeps its form: broken packets are silence, and panics are errors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use symphonia::core::audio::{
    AsAudioBufferRef as _, AudioBuffer, AudioBufferRef, Channels, Signal as _, SignalSpec,
};
use symphonia::core::codecs::{CodecDescriptor, CodecParameters, Decoder, DecoderOptions, FinalizeResult};
use symphonia::core::errors::{Error, Result, decode_error, unsupported_error};
use symphonia::core::formats::Packet;

use super::ahead::Shared;
use super::demux::Form;

/// Broken packets in a row after which a track ends; of mp3 they are 5 seconds.
const BROKEN: u32 = 200;

/// A decoder that keeps its form.
pub(super) struct Steady {
    inner: Box<dyn Decoder>,
    params: CodecParameters,
    shared: Arc<Shared>,
    /// What the first sound was like; songbird's mixer counts on the rest being so too.
    spec: Option<SignalSpec>,
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
        let channels = params.channels.unwrap_or(Channels::FRONT_LEFT | Channels::FRONT_RIGHT);
        let frame = usize::try_from(form.rate / 50).unwrap_or(960);
        Self {
            inner,
            params,
            shared,
            spec: None,
            instead: buffer(SignalSpec::new(form.rate, channels), frame),
            is_instead: true,
            frame,
            broken: 0,
            is_dead: false,
        }
    }

    /// Makes `frames` of silence the decoded sound.
    fn silence(&mut self, frames: usize) {
        let spec = self.spec.unwrap_or(*self.instead.spec());
        if self.instead.capacity() < frames || *self.instead.spec() != spec {
            self.instead = buffer(spec, frames);
        }
        self.instead.clear();
        self.instead.render_silence(Some(frames));
        self.is_instead = true;
    }

    /// Decodes a packet; says whether there is sound of the form that was had so far.
    fn try_decode(&mut self, packet: &Packet) -> Result<bool> {
        let inner = &mut self.inner;
        let decoded = catch_unwind(AssertUnwindSafe(|| {
            inner.decode(packet).map(|sound| (*sound.spec(), sound.frames()))
        }));
        match decoded {
            Ok(Ok((_, 0))) => Ok(true),
            Ok(Ok((spec, _))) => {
                let first = *self.spec.get_or_insert(spec);
                Ok(spec.rate == first.rate && spec.channels.count() == first.channels.count())
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

    fn codec_params(&self) -> &CodecParameters {
        &self.params
    }

    fn decode(&mut self, packet: &Packet) -> Result<AudioBufferRef<'_>> {
        if let Some(next) = self.shared.decoder.lock().take() {
            self.inner = next;
        }
        if self.is_dead {
            return decode_error("the decoder panicked");
        }
        if packet.buf().is_empty() {
            self.silence(self.frame);
        } else if self.try_decode(packet)? {
            self.is_instead = false;
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
