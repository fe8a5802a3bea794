//! Messages that no honest client sends.

use std::cell::RefCell;
use std::time::Instant;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::room::{ALICE, BOT, CHANNEL, OPUS, OTHER, Room, Sent, THIRD};
use crate::dave::plain::GRACE;
use crate::dave::{Frame, Group, Message, Out};

fn close_code(outs: &[Out]) -> Option<u16> {
    outs.iter().find_map(|out| match out.message {
        Message::Close { code, .. } => Some(code),
        _ => None,
    })
}

/// Returns a session's key package, as it would send it.
fn package(user: u64) -> Vec<u8> {
    let version = std::num::NonZeroU16::MIN;
    let mut session = davey::DaveSession::new(version, user, CHANNEL.0, None).expect("session");
    session.create_key_package().expect("key package")
}

#[test]
fn a_key_package_must_name_the_client_that_sends_it() {
    let mut room = Room::new();
    room.join(BOT);
    assert_eq!(close_code(&room.call.binary(BOT, 26, &package(OTHER.0))), Some(4020));
    assert_eq!(close_code(&room.call.binary(BOT, 26, &package(BOT.0))), None);
}

#[test]
fn a_key_package_must_be_signed_and_of_the_one_ciphersuite() {
    let mut room = Room::new();
    room.join(BOT);
    let good = package(BOT.0);
    let mut unsigned = good.clone();
    *unsigned.last_mut().expect("bytes") ^= 1;
    assert_eq!(close_code(&room.call.binary(BOT, 26, &unsigned)), Some(4020));
    let mut other_suite = good.clone();
    other_suite[3] = 1;
    assert_eq!(close_code(&room.call.binary(BOT, 26, &other_suite)), Some(4020));
    let cut = &good[..good.len() - 1];
    assert_eq!(close_code(&room.call.binary(BOT, 26, cut)), Some(4002));
}

#[test]
fn a_key_package_may_come_in_an_mls_message_as_the_whitepaper_has_it() {
    let mut room = Room::new();
    room.join(OTHER);
    room.connect(BOT, 1);
    let wrapped = [&[0, 1, 0, 5][..], &package(BOT.0)].concat();
    assert_eq!(close_code(&room.call.binary(BOT, 26, &wrapped)), None);
}

#[test]
fn a_client_that_offered_no_version_may_not_send_keys() {
    let mut room = Room::new();
    room.connect(BOT, 0);
    assert_eq!(close_code(&room.call.binary(BOT, 26, &package(BOT.0))), Some(4020));
}

#[test]
fn opcodes_that_clients_do_not_send_close_with_4001() {
    let mut room = Room::new();
    room.join(BOT);
    for op in [21, 22, 24, 25, 26, 27, 28, 29, 30] {
        assert_eq!(close_code(&room.call.json(BOT, op, &json!({ "transition_id": 1 }))), Some(4001), "{op}");
    }
    for op in [21, 22, 23, 24, 25, 27, 29, 30, 31] {
        assert_eq!(close_code(&room.call.binary(BOT, op, &[0; 8])), Some(4001), "{op}");
    }
}

#[test]
fn a_transition_id_that_is_none_closes_with_4002() {
    let mut room = Room::new();
    room.join(BOT);
    for data in [json!({}), json!(null), json!({ "transition_id": 65_536 }), json!({ "transition_id": -1 })] {
        for op in [23, 31] {
            assert_eq!(close_code(&room.call.json(BOT, op, &data)), Some(4002), "{op} {data}");
        }
    }
    assert_eq!(close_code(&room.call.json(BOT, 23, &json!({ "transition_id": 9 }))), None);
}

/// Creates a group of three and a fourth whose add is proposed; returns it with the valid commit that one of them made.
fn at_a_commit() -> (Room, Vec<u8>) {
    let mut room = Room::of(&[BOT, OTHER, THIRD]);
    room.propose(ALICE);
    let commit = room
        .upstream
        .iter()
        .find_map(|(user, sent)| match sent {
            Sent::Binary(28, commit) if *user == BOT => Some(commit.clone()),
            _ => None,
        })
        .expect("the bot commits");
    room.upstream.clear();
    (room, commit)
}

#[test]
fn a_commit_is_dropped_from_one_who_did_not_make_it_and_taken_from_one_who_did() {
    let (mut room, commit) = at_a_commit();
    assert_eq!(room.call.binary(OTHER, 28, &commit), []);
    assert_eq!(room.call.binary(ALICE, 28, &commit), []);
    let outs = room.call.binary(BOT, 28, &commit);
    let mut told: Vec<_> = outs.iter().map(|out| out.to).collect();
    told.sort_unstable();
    assert_eq!(told, [BOT, OTHER, THIRD, ALICE]);
    assert_eq!(room.call.binary(BOT, 28, &commit), [], "its epoch is over");
}

#[test]
fn a_commit_cut_anywhere_is_refused_and_the_whole_is_taken_then() {
    let (mut room, commit) = at_a_commit();
    let mut dropped = 0;
    for end in 0..commit.len() {
        let outs = room.call.binary(BOT, 28, &commit[..end]);
        assert!(outs.is_empty() || close_code(&outs) == Some(4002), "cut at {end}");
        dropped += usize::from(outs.is_empty());
    }
    assert_eq!(dropped, 1, "a commit without its welcome can be read and is dropped");
    assert_eq!(room.call.binary(BOT, 28, &commit).len(), 4);
}

#[test]
fn a_key_package_cut_anywhere_is_refused() {
    let mut room = Room::new();
    room.connect(BOT, 1);
    let package = package(BOT.0);
    for end in 0..package.len() {
        assert_eq!(close_code(&room.call.binary(BOT, 26, &package[..end])), Some(4002), "cut at {end}");
    }
}

#[test]
fn any_frame_with_the_marker_is_opened_or_not() {
    let mut room = Room::new();
    room.enter(ALICE);
    room.join(BOT);
    let late = Instant::now() + GRACE * 2;
    let room = RefCell::new(room);
    let endings = prop_oneof![Just(vec![]), (11_u8..32).prop_map(|size| vec![size, 0xFA, 0xFA])];
    let frames = (proptest::collection::vec(any::<u8>(), 0..120), endings);
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    let result = runner.run(&frames, |(mut frame, ending)| {
        frame.extend(ending);
        prop_assert!(room.borrow_mut().call.open_at(BOT, &frame, late).is_err());
        Ok(())
    });
    result.expect("no frame that nobody encrypted is heard");
    let frame = room.borrow_mut().client(BOT).frame(&OPUS);
    assert_eq!(room.borrow_mut().call.open_at(BOT, &frame, late), Ok(Frame::decrypted(OPUS.to_vec())));
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u64..4).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    prop_oneof![
        leaf.clone(),
        leaf.clone().prop_map(|value| json!({ "transition_id": value })),
        proptest::collection::vec(leaf, 0..4).prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered_by_a_close_or_nothing(op in any::<u8>(), payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut room = Room::new();
        room.connect(BOT, 1);
        let outs = room.call.binary(BOT, op, &payload);
        let expected = if matches!(op, 26 | 28) { [None, Some(4002), Some(4020)] } else { [Some(4001); 3] };
        prop_assert!(expected.contains(&close_code(&outs)), "{outs:?}");
        prop_assert!(outs.len() <= 1);
    }

    #[test]
    fn any_json_is_answered_by_a_close_or_nothing(op in 20_u8..34, data in arbitrary_json()) {
        let mut room = Room::new();
        room.connect(BOT, 1);
        let code = close_code(&room.call.json(BOT, op, &data));
        let expected = match op {
            23 | 31 if data["transition_id"].as_u64().is_some_and(|id| id <= 65_535) => None,
            23 | 31 => Some(4002),
            _ => Some(4001),
        };
        prop_assert_eq!(code, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_key_package_with_any_byte_changed_is_refused(place in any::<Index>(), bit in 0_u8..8) {
        let mut room = Room::new();
        room.connect(BOT, 1);
        let mut changed = package(BOT.0);
        let place = place.index(changed.len());
        changed[place] ^= 1 << bit;
        let code = close_code(&room.call.binary(BOT, 26, &changed));
        prop_assert!(matches!(code, Some(4002 | 4020)), "byte {place}: {code:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_commit_with_any_byte_changed_ends_in_a_group_all_the_same(place in any::<Index>(), bit in 0_u8..8) {
        let (mut room, commit) = at_a_commit();
        let mut changed = commit.clone();
        let place = place.index(commit.len());
        changed[place] ^= 1 << bit;
        let outs = room.call.binary(BOT, 28, &changed);
        let closed = outs.iter().filter(|out| matches!(out.message, Message::Close { .. }));
        prop_assert!(closed.map(|out| out.to).all(|user| user == BOT));
        room.deliver(outs);
        room.send(BOT, vec![Sent::Binary(28, commit)]);
        room.run();
        room.client(BOT).closed = None;
        room.assert_group(&[BOT, OTHER, THIRD, ALICE], &[]);
    }
}
