//! Players at a local Discord: the audio that is received, and the handling of a lost connection.
//!
//! songbird trusts the root certificates that `SSL_CERT_FILE` names. A variable can be set safely only while there is
//! one thread, so this program runs its tests itself: all of them, or those whose names contain an argument.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

mod ends;
mod log;
mod play;
mod rejoin;
mod restart;
mod rig;
mod sound;
mod stage;

/// Longest time for one test.
const WITHIN: Duration = Duration::from_mins(3);
/// Tests that run side by side.
const TOGETHER: usize = 6;

type Test = (&'static str, fn());

macro_rules! tests {
    ($($module:ident::$name:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($name)), || wait($module::$name()))),*]
    };
}

const TESTS: &[Test] = tests![
    play::a_file_is_heard_as_it_is,
    play::the_next_track_follows_at_once,
    play::a_seek_goes_there_and_one_that_fails_changes_nothing,
    play::a_seek_before_the_source_has_answered_begins_there,
    play::a_pause_holds_the_place,
    play::what_cannot_be_played_is_told_and_the_next_one_follows,
    play::the_queue_is_steered_while_it_plays,
    play::what_is_meant_is_skipped_and_removed_or_nothing,
    play::a_length_that_cannot_be_is_not_believed,
    play::a_radio_is_not_sought_and_plays_on,
    play::a_file_that_lies_of_its_sizes_is_told_and_the_next_one_follows,
    rejoin::what_can_be_resumed_is_resumed,
    rejoin::a_session_that_is_gone_is_replaced_and_the_song_goes_on,
    rejoin::what_is_final_is_final,
    rejoin::a_moderators_move_plays_on,
    rejoin::a_moderators_disconnect_ends_it,
    rejoin::a_disconnect_without_a_word_ends_it,
    rejoin::a_join_after_a_disconnect_without_a_word_joins_at_once,
    rejoin::a_disconnect_while_it_tries_again_ends_it,
    rejoin::a_move_to_where_it_cannot_be_heard_is_told,
    rejoin::a_join_that_fails_goes_back_to_where_it_played,
    rejoin::a_join_that_fails_leaves_nothing_open,
    rejoin::a_change_of_region_plays_on,
    rejoin::a_server_that_never_answers_is_told,
    rejoin::a_new_gateway_session_takes_the_call_along,
    ends::nobody_left_pauses_and_somebody_back_goes_on,
    ends::nobody_left_leaves_where_the_guild_wants_that,
    ends::an_idle_bot_leaves,
    ends::a_guild_that_is_left_is_forgotten,
    restart::a_restart_plays_on_where_it_was_once,
    restart::a_restart_to_an_empty_channel_stays_out,
    restart::a_return_that_fails_at_first_is_tried_again,
    stage::with_the_permission_it_becomes_a_speaker,
    stage::without_it_the_music_waits_until_a_moderator_lets_it_speak,
    stage::who_may_not_even_ask_is_told_so,
    stage::a_channel_in_which_it_may_not_speak_is_told,
];

fn main() -> ExitCode {
    let roots = tempfile::NamedTempFile::new().expect("a temporary file");
    trust(roots.path());
    rig::ROOTS.set(roots.path().to_owned()).expect("it is set once");
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let chosen: Vec<&Test> = TESTS
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())))
        .collect();
    if std::env::args().any(|argument| argument == "--list") {
        for (name, _) in chosen {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    println!("running {} tests", chosen.len());
    let (waiting, failed) = (Mutex::new(chosen.into_iter()), Mutex::new(Vec::new()));
    let take = || waiting.lock().expect("no test holds it").next();
    std::thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some((name, test)) = take() {
                    let began = Instant::now();
                    // In a thread of its own, so that a panic ends only this test.
                    let passed = std::thread::spawn(test).join().is_ok();
                    let word = if passed { "ok" } else { "FAILED" };
                    println!("test {name} ... {word} ({:.1} s)", began.elapsed().as_secs_f64());
                    if !passed {
                        failed.lock().expect("no test holds it").push(*name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no test holds it");
    println!("test result: {} failed {failed:?}", failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a test on threads of its own.
fn wait(test: impl Future<Output = ()>) {
    let log = log::Log::new();
    log.attach();
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    threads.on_thread_start(move || log.attach());
    let runtime = threads.worker_threads(2).enable_all().build().expect("threads can be started");
    let outcome = runtime.block_on(async { tokio::time::timeout(WITHIN, test).await });
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome.expect("it is done in time");
}

/// Sets the file of root certificates.
#[expect(unsafe_code, reason = "setting a variable is unsafe where other threads read variables")]
fn trust(roots: &std::path::Path) {
    // SAFETY: `main` calls this first, before anything has started a thread.
    unsafe { std::env::set_var("SSL_CERT_FILE", roots) };
}
