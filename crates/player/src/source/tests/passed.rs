//! Opus that songbird's mixer sends without decoding it: whole frames, each of which a listener decodes.

use songbird::input::codecs::get_codec_registry;
use symphonia::core::audio::AudioBufferRef;
use symphonia::core::codecs::{CODEC_TYPE_OPUS, CodecParameters, Decoder, DecoderOptions};

use super::places::{go, library, likeness, open_file};
use super::*;

/// Samples of a step of the mixer, 20 ms.
const FRAME: usize = 960;
/// Bytes for Opus in a packet of songbird's.
const SLOT: usize = 1_400;

/// The output of a track that plays alone at full volume, as a listener receives it.
#[derive(Default)]
struct Sent {
    heard: Vec<f32>,
    /// Number of frames that were sent as they are, and of those that were mixed.
    passed: usize,
    mixed: usize,
}

/// Returns the samples of the first channel.
fn first_channel(sound: AudioBufferRef<'_>) -> Vec<f32> {
    let channels = sound.spec().channels.count();
    let mut samples = SampleBuffer::<f32>::new(sound.capacity() as u64, *sound.spec());
    samples.copy_interleaved_ref(sound);
    samples.samples().iter().step_by(channels).copied().collect()
}

/// Plays all of a track in the steps of `songbird::driver::tasks::mixer::mix_logic::mix_symph_indiv`, with a buffer
/// that Opus can be copied to.
fn sent(parsed: &mut Parsed) -> Sent {
    let params = CodecParameters::new().for_codec(CODEC_TYPE_OPUS).clone();
    let mut listener: Box<dyn Decoder> =
        get_codec_registry().make(&params, &DecoderOptions::default()).unwrap();
    let mut sent = Sent::default();
    let mut place = 0;
    let began = Instant::now();
    loop {
        let is_opus = parsed.decoder.codec_params().codec == CODEC_TYPE_OPUS;
        let mut mixed = Vec::new();
        while mixed.len() < FRAME {
            let sound = if place > 0 {
                parsed.decoder.last_decoded()
            } else {
                let Ok(packet) = parsed.format.next_packet() else {
                    sent.mixed += usize::from(!mixed.is_empty());
                    sent.heard.extend(mixed);
                    return sent;
                };
                if packet.buf() == [0xf8, 0xff, 0xfe] {
                    // The feeder is behind, because this takes all at once.
                    assert!(began.elapsed() < PATIENCE, "nothing more comes");
                    std::thread::sleep(Duration::from_millis(1));
                    break;
                }
                if is_opus {
                    // songbird sends it, whatever it is, and drops what it has mixed of this frame.
                    assert!(mixed.is_empty(), "{} samples are lost", mixed.len());
                    let bytes = packet.buf().len();
                    // A decoder takes an empty packet for a lost one; a listener never receives it.
                    assert!((1..SLOT).contains(&bytes), "{bytes} bytes are sent for packet {}", sent.passed);
                    let heard = first_channel(listener.decode(&packet).unwrap());
                    assert_eq!(heard.len(), FRAME, "packet {}", sent.passed);
                    sent.heard.extend(heard);
                    sent.passed += 1;
                    break;
                }
                parsed.decoder.decode(&packet).unwrap()
            };
            let sound = first_channel(sound);
            let more = (sound.len() - place).min(FRAME - mixed.len());
            mixed.extend_from_slice(&sound[place..][..more]);
            place = (place + more) % sound.len().max(1);
        }
        sent.mixed += usize::from(!mixed.is_empty());
        sent.heard.extend(mixed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_packet_of_opus_that_is_sent_as_it_is_is_a_frame_that_decodes() {
    let (folder, sources) = library();
    let link = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let chain = [link("first.opus"), link("second.opus"), link("first.opus")].concat();
    std::fs::write(folder.path().join("chain.opus"), chain).unwrap();
    // Number of frames that are mixed because a part of their packet is cut off: the first of each link.
    for (file, mixed) in [("melody.opus", 1), ("melody.webm", 1), ("first.opus", 1), ("chain.opus", 3)] {
        let whole = all(&mut parsed(open_file(&sources, file).await));
        let mut parsed = parsed(open_file(&sources, file).await);
        let sent = sent(&mut parsed);
        assert_eq!(
            (sent.mixed, sent.heard.len()),
            (mixed, whole.len()),
            "{file}: {} are passed on",
            sent.passed
        );
        // Nothing of the beginning is missing.
        assert_eq!(sent.heard[..FRAME], whole[..FRAME], "{file}");
        let likeness = likeness(&sent.heard, &whole);
        assert!(likeness > 0.99, "{file}: {likeness}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_within_a_packet_of_opus_is_heard_from_there_however_often_it_is_sought() {
    let (_folder, sources) = library();
    for file in ["melody.opus", "melody.webm"] {
        let mut parsed = parsed(open_file(&sources, file).await);
        // More often than songbird lets a track send packets that are no frame.
        for seconds in [2.1, 0.55, 1.234, 0.025, 1.7] {
            go(&mut parsed, seconds);
            let whole = all(&mut parsed);
            go(&mut parsed, seconds);
            let sent = sent(&mut parsed);
            assert_eq!((sent.mixed, sent.heard.len()), (1, whole.len()), "{file} at {seconds}");
            assert_eq!(sent.heard[..FRAME], whole[..FRAME], "{file} at {seconds}");
            // A decoder that starts in the middle has converged after 80 ms: RFC 7845, section 4.6.
            let likeness = likeness(&sent.heard[FRAME * 5..], &whole[FRAME * 5..]);
            assert!(likeness > 0.99, "{file} at {seconds}: {likeness}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_of_opus_that_are_no_frames_of_the_mixer_are_mixed() {
    let (_folder, sources) = library();
    // 60 ms each: of every one sent as it is, listeners would play 20 ms.
    let whole = all(&mut parsed(open_file(&sources, "long-frames.opus").await));
    let sent = sent(&mut parsed(open_file(&sources, "long-frames.opus").await));
    assert_eq!(sent.passed, 0);
    assert!(sent.heard == whole && whole.len() > FRAME * 150, "{} of {}", sent.heard.len(), whole.len());
}
