//! Tests of the order of tracks.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sdk_core::voice::{Playable, Requester};
use serenity::all::UserId;

use super::*;

fn track(name: &str) -> Arc<Track> {
    Arc::new(Track::new(name, Playable::Library { path: name.to_owned() }))
}

fn tracks(names: &str) -> Vec<Arc<Track>> {
    names.split_whitespace().map(track).collect()
}

fn names<'a>(tracks: impl IntoIterator<Item = &'a Arc<Track>>) -> String {
    tracks.into_iter().map(|track| track.title.as_str()).collect::<Vec<_>>().join(" ")
}

/// Returns a queue that plays `a` of `a b c d`.
fn playing() -> Queue {
    let mut queue = Queue::new(10);
    queue.enqueue(tracks("a b c d"), At::End).unwrap();
    queue.advance(Advance::Ended);
    queue
}

fn state(queue: &Queue) -> String {
    format!("{} | {} | {}", names(&queue.history), names(&queue.current), names(&queue.upcoming))
}

#[test]
fn tracks_go_where_they_are_put() {
    let mut queue = playing();
    queue.enqueue(tracks("x y"), At::Next).unwrap();
    queue.enqueue(tracks("z"), At::End).unwrap();
    assert_eq!(state(&queue), " | a | x y b c d z");
}

#[test]
fn nobody_has_more_than_a_share_waiting_and_others_have_theirs() {
    let of = |user: u64, count: usize| {
        let requester = Requester { id: UserId::new(user), name: String::new() };
        let track = Track { requester: Some(requester), ..Track::clone(&track("a")) };
        let track = Arc::new(track);
        vec![track; count]
    };
    let mut queue = Queue::new(10);
    assert_eq!(queue.enqueue_within(of(1, 2), At::End, Some(3)), Ok((2, 0)));
    assert_eq!(queue.enqueue_within(of(1, 1), At::Next, Some(3)), Ok((1, 0)));
    assert_eq!(queue.enqueue_within(of(1, 1), At::End, Some(3)), Err(VoiceError::ShareFull { max: 3 }));
    assert_eq!(queue.enqueue_within(of(2, 5), At::End, Some(3)), Ok((3, 2)));
    // The current track does not count as waiting, and a track without a requester counts for no share.
    queue.advance(Advance::Ended);
    assert_eq!(queue.enqueue_within(of(1, 2), At::End, Some(3)), Ok((1, 1)));
    assert_eq!(queue.enqueue_within(tracks("b"), At::End, Some(3)), Ok((1, 0)));
    assert_eq!(queue.enqueue_within(of(1, 1), At::End, None), Ok((1, 0)));
    assert_eq!(
        queue.enqueue_within(of(3, 4), At::End, Some(3)),
        Ok((2, 1)),
        "the queue is full before the share is"
    );
    assert_eq!(queue.enqueue_within(of(3, 1), At::End, Some(3)), Err(VoiceError::QueueFull { max: 10 }));
    assert_eq!(queue.enqueue_within(Vec::new(), At::End, Some(0)), Ok((0, 0)));
}

#[test]
fn lengths_that_cannot_be_are_forgotten_wherever_they_come_from() {
    let of = |length| {
        let mut track = Track::new("a", Playable::Library { path: String::new() });
        track.duration = length;
        Arc::new(track)
    };
    let mut queue = Queue::new(10);
    let lengths = [Some(Duration::MAX), Some(Duration::ZERO), Some(length::LONGEST), None];
    queue.enqueue(lengths.map(of).to_vec(), At::End).unwrap();
    let kept: Vec<_> = queue.upcoming().map(|track| track.duration).collect();
    assert_eq!(kept, [None, None, Some(length::LONGEST), None]);
    queue.advance(Advance::Ended);
    queue.learn_duration(Duration::MAX, false);
    assert_eq!(queue.current().unwrap().duration, None);
    queue.learn_duration(Duration::from_secs(5), false);
    assert_eq!(queue.current().unwrap().duration, Some(Duration::from_secs(5)));
    // The length of the media replaces that of a playlist.
    queue.learn_duration(Duration::from_secs(6), false);
    assert_eq!(queue.current().unwrap().duration, Some(Duration::from_secs(6)));
    // A length that was saved by a version without the check.
    let endless = of(Some(Duration::MAX));
    let (current, upcoming, history) = (Some(endless.clone()), vec![endless.clone()], vec![endless]);
    let kept = Queue::restored(SavedQueue { current, upcoming, history, repeat: Loop::Off });
    let all = kept.current.iter().chain(&kept.upcoming).chain(&kept.history);
    assert!(all.clone().count() == 3 && all.clone().all(|track| track.duration.is_none()));
}

#[test]
fn what_ends_is_remembered_and_the_next_one_follows() {
    let mut queue = playing();
    assert_eq!(queue.advance(Advance::Ended).unwrap().title, "b");
    assert_eq!(state(&queue), "a | b | c d");
    for _ in 0..3 {
        queue.advance(Advance::Ended);
    }
    assert_eq!(state(&queue), "a b c d |  | ");
    assert_eq!(queue.advance(Advance::Ended), None);
}

#[test]
fn a_repeated_track_begins_again_until_it_is_skipped_or_fails() {
    let mut queue = playing();
    queue.set_repeat(Loop::Track);
    assert_eq!(queue.next().unwrap().title, "a");
    queue.advance(Advance::Ended);
    assert_eq!(state(&queue), " | a | b c d");
    assert_eq!(names(&queue.skip(1).unwrap()), "a");
    assert_eq!(state(&queue), "a | b | c d");
    queue.advance(Advance::Failed);
    assert_eq!(state(&queue), "a b | c | d");
}

#[test]
fn a_repeated_queue_goes_round_without_what_failed() {
    let mut queue = playing();
    queue.set_repeat(Loop::Queue);
    queue.advance(Advance::Ended);
    queue.advance(Advance::Skipped);
    assert_eq!(state(&queue), " | c | d a b");
    queue.advance(Advance::Failed);
    assert_eq!(state(&queue), "c | d | a b");
    queue.previous().unwrap();
    assert_eq!(state(&queue), "c | b | d a");
    let mut alone = Queue::new(10);
    alone.enqueue(tracks("a"), At::End).unwrap();
    alone.set_repeat(Loop::Queue);
    alone.advance(Advance::Ended);
    assert_eq!(alone.next().unwrap().title, "a");
    alone.advance(Advance::Ended);
    assert_eq!(state(&alone), " | a | ");
}

#[test]
fn going_back_keeps_the_current_track() {
    let mut queue = playing();
    assert_eq!(queue.previous(), Err(VoiceError::NoHistory));
    queue.advance(Advance::Ended);
    assert_eq!(queue.previous().unwrap().title, "a");
    assert_eq!(state(&queue), " | a | b c d");
    queue.stop();
    assert_eq!(queue.previous().unwrap().title, "a");
}

#[test]
fn skipping_several_tracks_gives_them_and_ends_at_the_end() {
    let mut queue = playing();
    assert_eq!(names(&queue.skip(2).unwrap()), "a b");
    assert_eq!(state(&queue), "a b | c | d");
    assert_eq!(names(&queue.skip(9).unwrap()), "c d");
    assert_eq!(state(&queue), "a b c d |  | ");
    assert_eq!(queue.skip(1), Err(VoiceError::NothingPlaying));
}

#[test]
fn numbers_count_from_one_and_wrong_ones_are_named() {
    let mut queue = playing();
    assert_eq!(queue.jump(0), Err(VoiceError::BadPosition { position: 0, len: 3 }));
    assert_eq!(queue.jump(4), Err(VoiceError::BadPosition { position: 4, len: 3 }));
    assert_eq!(queue.move_track(3, 1).unwrap().title, "d");
    assert_eq!(state(&queue), " | a | d b c");
    assert_eq!(names(&queue.remove(2, 3).unwrap()), "b c");
    assert_eq!(names(&queue.remove(1, 1).unwrap()), "d");
    assert_eq!(queue.remove(1, 1), Err(VoiceError::BadPosition { position: 1, len: 0 }));
    let mut queue = playing();
    assert_eq!(queue.jump(2).unwrap().title, "c");
    assert_eq!(state(&queue), "a b | c | d");
}

#[test]
fn a_full_queue_takes_what_it_has_room_for() {
    let mut queue = Queue::new(3);
    assert_eq!(queue.enqueue(tracks("a b"), At::End), Ok(2));
    assert_eq!(queue.enqueue(tracks("c d"), At::Next), Ok(1));
    assert_eq!(state(&queue), " |  | c a b");
    assert_eq!(queue.enqueue(tracks("e"), At::End), Err(VoiceError::QueueFull { max: 3 }));
}

#[test]
fn a_queue_is_as_it_was_saved() {
    let mut queue = playing();
    queue.advance(Advance::Ended);
    queue.set_repeat(Loop::Queue);
    let saved = SavedQueue {
        current: queue.current().cloned(),
        upcoming: queue.upcoming().cloned().collect(),
        history: queue.history().cloned().collect(),
        repeat: queue.repeat(),
    };
    let back = Queue::restored(saved.clone());
    assert_eq!(state(&back), state(&queue));
    assert_eq!(back.repeat(), Loop::Queue);
    let upcoming = vec![track("a"); MAX_UPCOMING + 1];
    assert_eq!(Queue::restored(SavedQueue { upcoming, ..saved }).upcoming().len(), MAX_UPCOMING);
}

#[derive(Clone, Debug)]
enum Step {
    Enqueue(usize, At),
    Advance(Advance),
    Skip(usize),
    Jump(usize),
    Previous,
    Move(usize, usize),
    Shuffle(u64),
    Repeat(Loop),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = prop_oneof![Just(At::Now), Just(At::Next), Just(At::End)];
    let advance = prop_oneof![Just(Advance::Ended), Just(Advance::Skipped), Just(Advance::Failed)];
    let repeat = prop_oneof![Just(Loop::Off), Just(Loop::Track), Just(Loop::Queue)];
    let step = prop_oneof![
        (0..4_usize, at).prop_map(|(count, at)| Step::Enqueue(count, at)),
        advance.prop_map(Step::Advance),
        (0..4_usize).prop_map(Step::Skip),
        (0..6_usize).prop_map(Step::Jump),
        Just(Step::Previous),
        (0..6_usize, 0..6_usize).prop_map(|(from, to)| Step::Move(from, to)),
        any::<u64>().prop_map(Step::Shuffle),
        repeat.prop_map(Step::Repeat),
    ];
    // Fewer tracks than the history holds, since it drops older ones.
    prop::collection::vec(step, 0..12)
}

proptest! {
    #[test]
    fn no_track_is_lost_or_doubled(steps in steps()) {
        let mut queue = Queue::new(20);
        let mut taken = BTreeMap::<String, usize>::new();
        let mut made = 0;
        for step in steps {
            match step {
                Step::Enqueue(count, at) => {
                    let new: Vec<_> = (0..count).map(|index| track(&format!("t{}", made + index))).collect();
                    made += count;
                    if let Ok(added) = queue.enqueue(new.clone(), at) {
                        taken.extend(new[..added].iter().map(|track| (track.title.clone(), 1)));
                    }
                }
                Step::Advance(why) => drop(queue.advance(why).cloned()),
                Step::Skip(count) => drop(queue.skip(count)),
                Step::Jump(position) => {
                    let target = queue.jump(position);
                    if let Ok(target) = target {
                        prop_assert_eq!(queue.current(), Some(&target));
                    }
                }
                Step::Previous => drop(queue.previous()),
                Step::Move(from, to) => {
                    let moved = queue.move_track(from, to);
                    if let Ok(track) = moved {
                        prop_assert_eq!(&queue.upcoming[to - 1], &track);
                    }
                }
                Step::Shuffle(seed) => drop(queue.shuffle(&mut StdRng::seed_from_u64(seed))),
                Step::Repeat(repeat) => queue.set_repeat(repeat),
            }
            let mut there = BTreeMap::<String, usize>::new();
            for track in queue.history().chain(queue.current()).chain(queue.upcoming()) {
                *there.entry(track.title.clone()).or_default() += 1;
            }
            prop_assert_eq!(&there, &taken);
        }
    }
}
