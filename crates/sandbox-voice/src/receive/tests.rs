use std::time::{Duration, Instant};

use discord_rules::snowflake::Snowflake;
use opus2::{Application, Channels, Encoder};

use super::{Counts, Packet, Receiver};
use crate::rtp::SILENCE;

const SSRC: u32 = 7;

struct Talk {
    receiver: Receiver,
    began: Instant,
    encoder: Encoder,
}

impl Talk {
    fn new() -> Self {
        let mut receiver = Receiver::new(Duration::from_secs(10));
        receiver.begin(SSRC, Snowflake(1));
        let encoder = Encoder::new(48_000, Channels::Stereo, Application::Audio).unwrap();
        Self { receiver, began: Instant::now(), encoder }
    }

    fn frame(&mut self) -> Vec<u8> {
        self.encoder.encode_vec(&[1000; 1920], 400).unwrap()
    }

    /// Receives a packet of this number and timestamp, this many milliseconds after the beginning.
    fn say(&mut self, sequence: u16, timestamp: u32, ms: u64, frame: Option<&[u8]>) {
        let at = self.began + Duration::from_millis(ms);
        self.receiver.receive(SSRC, &Packet { at, sequence, timestamp, bytes: 50, frame });
    }

    fn counts(&self) -> Counts {
        self.receiver.report(Snowflake(1), Snowflake(2)).counts
    }
}

#[test]
fn a_stream_without_faults_has_none() {
    let mut talk = Talk::new();
    for number in 0..50_u16 {
        let frame = talk.frame();
        let n = u32::from(number);
        talk.say(
            number.wrapping_sub(20),
            n.wrapping_mul(960).wrapping_sub(9_600),
            u64::from(n) * 20,
            Some(&frame),
        );
    }
    let heard = talk.receiver.report(Snowflake(1), Snowflake(2));
    assert_eq!(heard.counts, Counts { packets: 50, bytes: 2500, ..Counts::default() });
    assert_eq!((heard.oldest, heard.position), (0, 48_000));
    assert_eq!(heard.between.count, 49);
    assert!((heard.between.max_ms - 20.0).abs() < 1e-9);
}

#[test]
fn losses_repetitions_and_late_packets_are_told_apart() {
    let mut talk = Talk::new();
    let frame = talk.frame();
    for (number, ms) in [(0, 0), (1, 20), (4, 80), (5, 100), (3, 101), (5, 102), (6, 170)] {
        talk.say(number, u32::from(number) * 960, ms, Some(&frame));
    }
    let heard = talk.receiver.report(Snowflake(1), Snowflake(2));
    let expected = Counts {
        packets: 6,
        bytes: 350,
        lost: 1,
        sequence_gaps: 1,
        reordered: 1,
        duplicates: 1,
        ..Counts::default()
    };
    assert_eq!(heard.counts, expected);
    assert!((heard.between.max_ms - 70.0).abs() < 1e-9);
    // The two packets that did not come in time are silence, so the audio is as long as the time was.
    assert_eq!(heard.position, 7 * 960);
}

#[test]
fn a_timestamp_that_does_not_follow_is_a_gap_but_not_after_silence() {
    let mut talk = Talk::new();
    let frame = talk.frame();
    talk.say(0, 0, 0, Some(&frame));
    talk.say(1, 960, 20, Some(&frame));
    talk.say(2, 2880, 60, Some(&frame));
    assert_eq!(talk.counts().timestamp_gaps, 1);
    for number in 3..8 {
        talk.say(number, 2880 + 960 * u32::from(number - 2), 60, Some(&SILENCE));
    }
    talk.say(8, 500_000, 9_000, Some(&frame));
    let counts = talk.counts();
    assert_eq!((counts.timestamp_gaps, counts.silence, counts.sequence_gaps), (1, 5, 0));
    assert!(talk.receiver.report(Snowflake(1), Snowflake(2)).between.max_ms < 100.0);
    talk.say(9, 500_000, 9_020, Some(&frame));
    assert_eq!(talk.counts().timestamp_gaps, 2);
}

#[test]
fn what_can_not_be_opened_or_decoded_is_counted_and_loses_no_number() {
    let mut talk = Talk::new();
    let frame = talk.frame();
    talk.say(0, 0, 0, Some(&frame));
    talk.say(1, 960, 20, None);
    talk.say(2, 1920, 40, Some(&[]));
    talk.say(3, 2880, 60, Some(&frame));
    let counts = talk.counts();
    assert_eq!((counts.packets, counts.unopened, counts.undecodable), (4, 1, 1));
    assert_eq!((counts.lost, counts.timestamp_gaps), (0, 0));
}

#[test]
fn a_reset_makes_no_gap() {
    let mut talk = Talk::new();
    let frame = talk.frame();
    talk.say(0, 0, 0, Some(&frame));
    talk.say(1, 960, 20, Some(&frame));
    talk.receiver.reset();
    talk.say(2, 1920, 5_000, Some(&frame));
    talk.say(3, 2880, 5_020, Some(&frame));
    let heard = talk.receiver.report(Snowflake(1), Snowflake(2));
    assert_eq!(heard.counts, Counts { packets: 2, bytes: 100, ..Counts::default() });
    assert_eq!(heard.between.count, 1);
    assert!((heard.between.max_ms - 20.0).abs() < 1e-9);
    assert_eq!((heard.oldest, heard.position), (1920, 3840));
}
