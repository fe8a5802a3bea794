//! Which of a client's frames are heard.

use std::time::{Duration, Instant};

use super::room::{ALICE, BOB, BOT, OPUS, OTHER, Room};
use crate::dave::plain::GRACE;
use crate::dave::{Frame, Group, Unopened};

const SILENCE: [u8; 3] = [0xF8, 0xFF, 0xFE];

fn playing() -> Room {
    let mut room = Room::new();
    room.enter(ALICE);
    room.join(BOT);
    room
}

#[test]
fn a_frame_is_heard_once_and_not_again() {
    let mut room = playing();
    let frame = room.client(BOT).frame(&OPUS);
    assert_eq!(room.call.open(BOT, &frame), Ok(Frame::decrypted(OPUS.to_vec())));
    assert_eq!(room.call.open(BOT, &frame), Err(Unopened::Undecryptable), "the same nonce again");
}

#[test]
fn a_frame_that_was_tampered_with_is_not_heard() {
    let mut room = playing();
    let frame = room.client(BOT).frame(&OPUS);
    for place in 0..OPUS.len() + 8 {
        let mut tampered = frame.clone();
        tampered[place] ^= 1;
        assert_eq!(room.call.open(BOT, &tampered), Err(Unopened::Undecryptable), "byte {place}");
    }
    assert_eq!(room.call.open(BOT, &frame), Ok(Frame::decrypted(OPUS.to_vec())));
}

#[test]
fn a_frame_under_anothers_name_is_not_heard() {
    let mut room = playing();
    room.join(OTHER);
    let frame = room.client(BOT).frame(&OPUS);
    assert_eq!(room.call.open(OTHER, &frame), Err(Unopened::Undecryptable));
    assert_eq!(room.call.open(BOT, &frame), Ok(Frame::decrypted(OPUS.to_vec())));
}

#[test]
fn silence_passes_in_plain_always() {
    let mut room = playing();
    assert_eq!(room.client(BOT).frame(&SILENCE), SILENCE);
    let late = Instant::now() + GRACE * 2;
    assert_eq!(room.call.open_at(BOT, &SILENCE, late), Ok(Frame::plain(&SILENCE)));
}

#[test]
fn plain_frames_are_heard_while_a_group_is_made_and_not_for_long_after() {
    let mut room = playing();
    let now = Instant::now();
    assert_eq!(room.call.open_at(BOT, &OPUS, now), Ok(Frame::plain(&OPUS)));
    assert_eq!(room.call.open_at(BOT, &OPUS, now + GRACE * 2), Err(Unopened::Plain));
}

#[test]
fn a_client_alone_is_heard_in_plain_for_as_long_as_it_is_alone() {
    let mut room = Room::new();
    room.join(BOT);
    let late = Instant::now() + Duration::from_hours(1);
    assert_eq!(room.call.open_at(BOT, &OPUS, late), Ok(Frame::plain(&OPUS)));
    room.enter(ALICE);
    assert_eq!(room.call.open_at(BOT, &OPUS, late), Err(Unopened::Plain));
}

#[test]
fn frames_on_their_way_when_the_last_listener_leaves_are_heard() {
    let mut room = playing();
    let (first, second) = (room.client(BOT).frame(&OPUS), room.client(BOT).frame(&OPUS));
    room.exit(ALICE);
    let now = Instant::now();
    assert_eq!(room.call.open_at(BOT, &first, now), Ok(Frame::decrypted(OPUS.to_vec())));
    assert_eq!(room.call.open_at(BOT, &second, now + GRACE * 2), Err(Unopened::Unheard));
}

#[test]
fn nobody_in_the_sandbox_hears_what_two_clients_tell_each_other() {
    let mut room = Room::new();
    room.join(BOT);
    room.join(OTHER);
    let frame = room.client(BOT).frame(&OPUS);
    assert_eq!(room.call.open(BOT, &frame), Err(Unopened::Unheard));
}

#[test]
fn no_frame_is_lost_while_people_come_and_go() {
    let mut room = playing();
    let mut heard = 0;
    let mut play = |room: &mut Room| {
        for _ in 0..20 {
            let frame = room.client(BOT).frame(&OPUS);
            let opened = room.call.open(BOT, &frame).expect("every frame is heard");
            assert_eq!((&*opened.opus, opened.encrypted), (&OPUS[..], frame != OPUS), "frame {heard}");
            heard += 1;
        }
    };
    play(&mut room);
    room.enter(BOB);
    play(&mut room);
    room.exit(ALICE);
    play(&mut room);
    room.exit(BOB);
    play(&mut room);
    room.enter(ALICE);
    play(&mut room);
    room.join(OTHER);
    play(&mut room);
    assert_eq!(heard, 120);
}
