//! Joining, leaving and committing.

use super::room::{ALICE, BOB, BOT, OTHER, Room, Sent, THIRD};
use crate::dave::Group;

#[test]
fn a_client_alone_gets_the_external_sender_and_waits() {
    let mut room = Room::new();
    room.join(BOT);
    let bot = room.client(BOT);
    assert_eq!(bot.got, [25]);
    assert!(!bot.session().is_ready());
    assert_eq!(room.call.deadline(), None);
}

#[test]
fn two_clients_make_a_group_and_each_gets_its_side_of_the_commit() {
    let mut room = Room::new();
    room.join(BOT);
    room.join(OTHER);
    assert_eq!(room.assert_group(&[BOT, OTHER], &[]), 1);
    let welcomed = [BOT, OTHER].into_iter().filter(|user| room.clients[user].got.contains(&30)).count();
    let committed = [BOT, OTHER].into_iter().filter(|user| room.clients[user].got.contains(&29)).count();
    assert_eq!((committed, welcomed), (1, 1));
}

#[test]
fn a_third_client_is_welcomed_and_all_execute_the_same_transition() {
    let mut room = Room::new();
    room.join(BOT);
    room.join(OTHER);
    room.join(THIRD);
    assert_eq!(room.assert_group(&[BOT, OTHER, THIRD], &[]), 2);
    assert_eq!(room.client(BOT).executed, [1, 2]);
    assert_eq!(room.client(OTHER).executed, [1, 2]);
    assert_eq!(room.client(THIRD).executed, [2]);
    assert_eq!(room.client(THIRD).got, [25, 30, 22], "a newcomer to a group gets no proposals");
}

#[test]
fn a_member_who_leaves_is_removed_and_cannot_hear_what_follows() {
    let mut room = Room::of(&[BOT, OTHER, THIRD]);
    let mut gone = room.leave(THIRD);
    assert_eq!(room.assert_group(&[BOT, OTHER], &[]), 3);
    let frame = room.client(BOT).frame(&super::room::OPUS);
    assert!(gone.session().decrypt(BOT.0, davey::MediaType::AUDIO, &frame).is_err());
}

#[test]
fn the_place_of_one_who_left_is_given_to_the_next() {
    let mut room = Room::of(&[BOT, OTHER, THIRD]);
    room.leave(BOT);
    room.join(BOT);
    room.leave(OTHER);
    room.join(OTHER);
    assert_eq!(room.assert_group(&[BOT, OTHER, THIRD], &[]), 6);
}

#[test]
fn a_sole_member_starts_anew_at_once_and_the_next_makes_a_new_group() {
    let mut room = Room::new();
    room.join(BOT);
    room.join(OTHER);
    room.client(BOT).got.clear();
    room.leave(OTHER);
    let bot = room.client(BOT);
    assert_eq!(bot.got, [24, 21]);
    assert_eq!((bot.version, bot.session().is_ready()), (1, false));
    assert_eq!(room.call.deadline(), None, "transition 0 waits for nobody");
    room.join(OTHER);
    assert_eq!(room.assert_group(&[BOT, OTHER], &[]), 1);
}

#[test]
fn a_client_that_connects_again_without_having_left_is_taken_in_with_its_new_keys() {
    let mut room = Room::of(&[BOT, OTHER, THIRD]);
    room.join(THIRD);
    room.assert_group(&[BOT, OTHER, THIRD], &[]);
}

#[test]
fn clients_that_come_at_the_same_time_end_up_in_one_group() {
    let mut room = Room::new();
    for user in [BOT, OTHER, THIRD] {
        room.connect(user, 1);
    }
    room.run();
    room.assert_group(&[BOT, OTHER, THIRD], &[]);
}

#[test]
fn of_two_commits_for_one_epoch_the_first_wins_and_the_second_is_dropped() {
    let mut room = Room::new();
    room.connect(BOT, 1);
    room.connect(OTHER, 1);
    room.read();
    while room.upstream.iter().any(|(_, sent)| matches!(sent, Sent::Binary(26, _))) {
        room.step();
    }
    room.read();
    let commits = room.upstream.iter().filter(|(_, sent)| matches!(sent, Sent::Binary(28, _))).count();
    assert_eq!(commits, 2, "both have committed");
    room.upstream.make_contiguous().reverse();
    room.run();
    assert_eq!(room.assert_group(&[BOT, OTHER], &[]), 1);
    assert!(room.client(OTHER).got.contains(&29), "the commit that came first won");
    assert!(room.client(BOT).got.contains(&30));
}

#[test]
fn one_who_leaves_before_it_was_added_is_not_added() {
    let mut room = Room::new();
    room.join(BOT);
    room.join(OTHER);
    room.connect(THIRD, 1);
    room.read();
    room.step();
    room.read();
    assert_eq!(room.client(BOT).got.last(), Some(&27), "its add is proposed");
    room.leave(THIRD);
    assert_eq!(room.assert_group(&[BOT, OTHER], &[]), 1);
    room.join(THIRD);
    assert_eq!(room.assert_group(&[BOT, OTHER, THIRD], &[]), 2);
}

#[test]
fn one_who_leaves_while_another_is_being_added_goes_in_the_same_epoch() {
    let mut room = Room::of(&[BOT, OTHER, THIRD]);
    room.propose(ALICE);
    assert_eq!(room.client(BOT).got.last(), Some(&27), "its add is proposed");
    let before = room.client(BOT).executed.len();
    room.leave(THIRD);
    room.assert_group(&[BOT, OTHER, ALICE], &[]);
    assert_eq!(room.client(BOT).executed.len(), before + 1);
}

#[test]
fn a_transition_waits_for_those_who_are_not_ready_but_not_for_ever() {
    let mut room = Room::new();
    room.join(BOT);
    room.connect(OTHER, 1);
    room.client(OTHER).deaf_to.extend([29, 30]);
    room.run_at_once();
    assert!(room.client(BOT).executed.is_empty());
    let deadline = room.call.deadline().expect("the transition has a deadline");
    room.pass(deadline);
    room.read();
    assert_eq!(room.client(BOT).executed, [1]);
}

#[test]
fn people_of_the_sandbox_are_members_of_the_group() {
    let mut room = Room::new();
    room.enter(ALICE);
    room.enter(BOB);
    room.join(BOT);
    room.assert_group(&[BOT], &[ALICE, BOB]);
    room.exit(ALICE);
    room.assert_group(&[BOT], &[BOB]);
    room.exit(BOB);
    assert!(!room.client(BOT).session().is_ready());
    room.enter(ALICE);
    room.assert_group(&[BOT], &[ALICE]);
    room.join(OTHER);
    room.assert_group(&[BOT, OTHER], &[ALICE]);
}

#[test]
fn a_clients_own_commit_wins_over_a_listeners() {
    let mut room = Room::new();
    room.join(BOT);
    room.enter(ALICE);
    room.assert_group(&[BOT], &[ALICE]);
    assert!(room.client(BOT).got.contains(&29) && !room.client(BOT).got.contains(&30));
}

#[test]
fn a_listener_commits_for_a_client_that_never_does() {
    let mut room = Room::new();
    room.connect(BOT, 1);
    room.client(BOT).deaf_to.insert(27);
    room.enter(ALICE);
    assert!(room.client(BOT).got.contains(&30) && !room.client(BOT).got.contains(&29));
    room.assert_group(&[BOT], &[ALICE]);
}
