//! Commits and welcomes that a member cannot process.

use serde_json::json;

use super::room::{ALICE, BOB, BOT, OTHER, Room, Sent, THIRD};

#[test]
fn a_member_who_could_not_follow_is_removed_and_added_again() {
    let mut room = Room::of(&[BOT, OTHER, THIRD]);
    let mut flagged = vec![Sent::Json(31, json!({ "transition_id": 2 }))];
    flagged.extend(room.client(THIRD).start_anew());
    room.send(THIRD, flagged);
    room.run();
    room.assert_group(&[BOT, OTHER, THIRD], &[]);
    let welcomes: Vec<_> = room.client(THIRD).got.iter().filter(|op| **op == 30).collect();
    assert_eq!(welcomes.len(), 2);
}

#[test]
fn of_two_members_the_other_starts_anew_with_the_one_who_could_not_follow() {
    let mut room = Room::new();
    room.join(BOT);
    room.join(OTHER);
    room.client(BOT).got.clear();
    let mut flagged = vec![Sent::Json(31, json!({ "transition_id": 1 }))];
    flagged.extend(room.client(OTHER).start_anew());
    room.send(OTHER, flagged);
    room.run();
    assert_eq!(room.client(BOT).got[..2], [24, 21]);
    assert_eq!(room.assert_group(&[BOT, OTHER], &[]), 1);
}

#[test]
fn a_commit_that_only_members_can_see_is_spoilt_ends_in_a_group_again() {
    let mut room = Room::of(&[BOT, OTHER, THIRD]);
    room.client(BOT).spoils_commit = true;
    room.connect(ALICE, 1);
    room.run();
    room.assert_group(&[BOT, OTHER, THIRD, ALICE], &[]);
}

#[test]
fn a_spoilt_commit_of_a_client_that_plays_to_listeners_ends_in_a_group_again() {
    let mut room = Room::new();
    room.join(BOT);
    room.enter(ALICE);
    room.client(BOT).spoils_commit = true;
    room.enter(BOB);
    room.assert_group(&[BOT], &[ALICE, BOB]);
}

#[test]
fn a_member_who_sends_new_keys_unasked_is_added_again_with_them() {
    let mut room = Room::of(&[BOT, OTHER, THIRD]);
    let sent = room.client(THIRD).start_anew();
    room.send(THIRD, sent);
    room.run();
    assert_eq!(room.assert_group(&[BOT, OTHER, THIRD], &[]), 3, "removed and added in one epoch");
}

#[test]
fn a_complaint_about_no_known_transition_still_has_the_member_added_again() {
    let mut room = Room::of(&[BOT, OTHER, THIRD]);
    let mut flagged = vec![Sent::Json(31, json!({ "transition_id": 40_000 }))];
    flagged.extend(room.client(OTHER).start_anew());
    room.send(OTHER, flagged);
    room.run();
    room.assert_group(&[BOT, OTHER, THIRD], &[]);
}
