//! Clients without DAVE in a call that does not require it.

use super::room::{ALICE, BOT, OPUS, OTHER, Room, THIRD};
use crate::dave::{Dave, Frame, Group, group};

#[test]
fn a_client_without_dave_downgrades_the_call_and_its_leaving_upgrades_it() {
    let mut room = Room::new();
    room.join(BOT);
    room.join(OTHER);
    room.client(BOT).got.clear();
    room.connect(THIRD, 0);
    room.run();
    assert_eq!(room.client(BOT).got, [21, 22]);
    assert_eq!((room.client(BOT).version, room.client(OTHER).version), (0, 0));
    assert_eq!(room.client(BOT).frame(&OPUS), OPUS);

    room.client(BOT).got.clear();
    room.leave(THIRD);
    assert_eq!(room.client(BOT).got[..2], [24, 25]);
    assert_eq!(room.client(BOT).got.last(), Some(&22));
    assert_eq!(room.assert_group(&[BOT, OTHER], &[]), 1);
}

#[test]
fn a_client_that_joined_a_plain_call_takes_part_after_the_upgrade() {
    let mut room = Room::new();
    room.connect(THIRD, 0);
    room.run();
    room.join(BOT);
    room.join(OTHER);
    assert_eq!(room.call.version(BOT), 0);
    assert!(room.client(BOT).got.is_empty() && room.client(BOT).session.is_none());
    room.leave(THIRD);
    assert_eq!(room.assert_group(&[BOT, OTHER], &[]), 1);
}

#[test]
fn a_client_left_alone_by_one_without_dave_is_upgraded_at_once() {
    let mut room = Room::new();
    room.join(BOT);
    room.connect(OTHER, 0);
    room.run();
    room.client(BOT).got.clear();
    room.leave(OTHER);
    assert_eq!(room.client(BOT).got, [24, 25, 21]);
    assert_eq!(room.client(BOT).version, 1);
    room.join(OTHER);
    assert_eq!(room.assert_group(&[BOT, OTHER], &[]), 1);
}

#[test]
fn listeners_hear_on_through_downgrade_and_upgrade() {
    let mut room = Room::new();
    room.enter(ALICE);
    room.join(BOT);
    let sealed = room.client(BOT).frame(&OPUS);
    room.connect(OTHER, 0);
    assert_eq!(
        room.call.open(BOT, &sealed),
        Ok(Frame::decrypted(OPUS.to_vec())),
        "a frame from before the downgrade"
    );
    room.run();
    let plain = room.client(BOT).frame(&OPUS);
    assert_eq!(plain, OPUS);
    assert_eq!(room.call.open(BOT, &plain), Ok(Frame::plain(&OPUS)));
    room.leave(OTHER);
    room.assert_group(&[BOT], &[ALICE]);
}

#[test]
fn a_downgrade_that_nobody_is_ready_for_is_executed_after_a_while() {
    let mut room = Room::new();
    room.join(BOT);
    room.client(BOT).deaf_to.insert(21);
    room.connect(OTHER, 0);
    room.run_at_once();
    assert_eq!(room.client(BOT).got.last(), Some(&21));
    let outs = {
        let deadline = room.call.deadline().expect("a deadline");
        room.call.tick(deadline)
    };
    assert_eq!(outs.len(), 1);
    assert_eq!(outs[0].to, BOT);
}

#[test]
fn a_call_without_encryption_has_no_group() {
    assert!(group(super::room::CHANNEL, super::room::CHANNEL, Dave::Off).is_none());
    assert!(group(super::room::CHANNEL, super::room::CHANNEL, Dave::Optional).is_some());
    assert!(group(super::room::CHANNEL, super::room::CHANNEL, Dave::Required).is_some());
}
