//! Audio of more than two channels is passed to the mixer in stereo, including its first silence, and audio of rates
//! that the mixer does not support at 48,000 samples per second.

use symphonia::core::audio::Channels;

use super::places::open_file;
use super::*;

/// Returns a WAV file of a tone in one of six channels, at 44,100 samples per second.
fn six_channels(sounding: usize) -> Vec<u8> {
    let (frames, rate) = (44_100_u32, 44_100_u32);
    let mut wav = b"RIFF\xff\xff\xff\xffWAVEfmt \x28\0\0\0".to_vec();
    // WAVE_FORMAT_EXTENSIBLE, whose channel mask contains the position of each: 5.1.
    wav.extend([0xfe, 0xff, 6, 0]);
    wav.extend(rate.to_le_bytes());
    wav.extend((rate * 12).to_le_bytes());
    wav.extend([12, 0, 16, 0, 22, 0, 16, 0, 0x3f, 0, 0, 0]);
    wav.extend(b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
    wav.extend(b"data");
    wav.extend((frames * 12).to_le_bytes());
    for frame in 0..frames {
        let sample: i16 = if frame % 100 < 50 { 16_000 } else { -16_000 };
        for channel in 0..6 {
            wav.extend(if channel == sounding { sample } else { 0 }.to_le_bytes());
        }
    }
    let length = u32::try_from(wav.len()).unwrap() - 8;
    wav[4..8].copy_from_slice(&length.to_le_bytes());
    wav
}

#[tokio::test(flavor = "multi_thread")]
async fn six_channels_reach_the_mixer_as_two_of_which_the_centre_is_in_both() {
    let folder = tempfile::tempdir().unwrap();
    let config = SourceConfig { music: Some(folder.path().to_owned()), ..SourceConfig::default() };
    let sources = Sources::new(config);
    for (sounding, expected) in
        [(0, [true, false]), (1, [false, true]), (2, [true, true]), (3, [false, false])]
    {
        let name = format!("{sounding}.wav");
        std::fs::write(folder.path().join(&name), six_channels(sounding)).unwrap();
        let mut parsed = parsed(open_file(&sources, &name).await);
        let (mut loudest, mut frames) = ([0.0_f32; 2], 0);
        while let Ok(packet) = parsed.format.next_packet() {
            let sound = parsed.decoder.decode(&packet).unwrap();
            if sound.frames() == 0 {
                continue;
            }
            let spec = *sound.spec();
            assert_eq!(spec.channels, Channels::FRONT_LEFT | Channels::FRONT_RIGHT, "also of silence");
            frames += sound.frames();
            let mut samples = SampleBuffer::<f32>::new(sound.capacity() as u64, spec);
            samples.copy_interleaved_ref(sound);
            if packet.buf().is_empty() && samples.samples().iter().all(|sample| *sample == 0.0) {
                super::until_next_frame();
            }
            for pair in samples.samples().chunks_exact(2) {
                for (loudest, sample) in loudest.iter_mut().zip(pair) {
                    *loudest = loudest.max(sample.abs());
                }
            }
        }
        assert!(frames >= 44_100, "{frames} frames");
        assert_eq!(loudest.map(|loudest| loudest > 0.05), expected, "channel {sounding}: {loudest:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_the_mixer_does_not_take_reaches_it_as_48_000() {
    let folder = tempfile::tempdir().unwrap();
    let config = SourceConfig { music: Some(folder.path().to_owned()), ..SourceConfig::default() };
    let sources = Sources::new(config);
    for (rate, expected) in [
        (8_000, 8_000),
        (22_050, 22_050),
        (44_100, 44_100),
        (96_000, 96_000),
        (7_999, 48_000),
        (44_101, 48_000),
        (176_400, 48_000),
        (192_000, 48_000),
    ] {
        let name = format!("{rate}.wav");
        std::fs::write(folder.path().join(&name), tone(rate)).unwrap();
        let mut parsed = parsed(open_file(&sources, &name).await);
        let (mut frames, mut crossings, mut last) = (0, 0, 0.0);
        while let Ok(packet) = parsed.format.next_packet() {
            let sound = parsed.decoder.decode(&packet).unwrap();
            if sound.frames() == 0 {
                continue;
            }
            let spec = *sound.spec();
            assert_eq!((spec.rate, spec.channels.count()), (expected, 1), "{rate}");
            let mut samples = SampleBuffer::<f32>::new(sound.capacity() as u64, spec);
            samples.copy_interleaved_ref(sound);
            if packet.buf().is_empty() && samples.samples().iter().all(|sample| *sample == 0.0) {
                super::until_next_frame();
                continue;
            }
            frames += samples.len();
            // Above a tenth on either side, so that ringing before the tone does not count.
            for sample in samples.samples().iter().filter(|sample| sample.abs() > 0.1) {
                crossings += i32::from(last < 0.0 && *sample > 0.0);
                last = *sample;
            }
        }
        let missing = usize::try_from(expected).unwrap().abs_diff(frames);
        assert!(missing < 4_000, "{rate}: {frames} frames of a second at {expected}");
        assert!((430..=441).contains(&crossings), "{rate}: {crossings} Hz");
    }
}

/// Returns a WAV file of a second of 440 Hz, mono.
fn tone(rate: u32) -> Vec<u8> {
    let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    wav.extend(rate.to_le_bytes());
    wav.extend((rate * 2).to_le_bytes());
    wav.extend([2, 0, 16, 0]);
    wav.extend(b"data");
    wav.extend((rate * 2).to_le_bytes());
    for frame in 0..rate {
        let turn = f64::from(frame) * 440.0 / f64::from(rate) * std::f64::consts::TAU;
        #[expect(clippy::cast_possible_truncation)] // Within 16 bits.
        wav.extend(((turn.sin() * 12_000.0) as i16).to_le_bytes());
    }
    let length = u32::try_from(wav.len()).unwrap() - 8;
    wav[4..8].copy_from_slice(&length.to_le_bytes());
    wav
}
