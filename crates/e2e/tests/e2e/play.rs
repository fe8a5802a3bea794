//! Music keeps playing: through reloads without a lost frame, and after restarts and crashes of the host from its
//! position.

use e2e::music_host::{MusicOptions, MusicTestHost, Room};
use e2e::play::{Options, Outcome, play};
use e2e::wait::until;

/// Maximum difference in seconds between the positions before and after a restart: the delay of a busy machine.
const NEAR: f64 = 40.0;

#[tokio::test(flavor = "multi_thread")]
async fn reloads_of_music_lose_no_frame_of_what_plays() {
    let mut outcome = Outcome::default();
    play(&Options { reloads: 5, guilds: 2, json: true }, &mut outcome).await.unwrap();
    assert_eq!(outcome.reloads.len(), 5);
    let wrong = outcome.wrong();
    assert!(wrong.is_empty(), "{wrong:?}: {outcome:#?}");
}

/// Waits until a host has come back. Returns its line about it.
async fn back(host: &mut MusicTestHost, from: usize) -> String {
    host.bot.wait_for_line(from, "silent_ms=").await.unwrap()
}

/// Returns the position in the song. Checks that the bot has begun one voice session since there were `joins`.
async fn goes_on(host: &MusicTestHost, room: &Room, from: u64, joins: u64, before: f64) -> f64 {
    let moment = host.hear(room, from, before - NEAR..before + NEAR).await.unwrap();
    assert_eq!(host.joins(), joins + 1, "it joins once");
    moment.song.seconds()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_plays_on_where_it_was_while_somebody_listens() {
    let mut host = MusicTestHost::new(MusicOptions::default()).await.unwrap();
    let room = host.rooms.remove(0);
    let before = host.play(&room).await.unwrap().song.seconds();

    // By hand.
    let (lines, joins, from) = (host.bot.line_count(), host.joins(), host.position(&room));
    let answer = host.sandbox.client().say("/dev restart").await.unwrap();
    assert!(answer.content.starts_with("The bot restarts"), "{answer:?}");
    let line = back(&mut host, lines).await;
    assert!(line.contains("because=\"a request\""), "{line}");
    let again = goes_on(&host, &room, from, joins, before).await;
    assert!(again > before, "{before} {again}");

    // By a crash.
    let (lines, joins, from) = (host.bot.line_count(), host.joins(), host.position(&room));
    host.bot.kill_host().unwrap();
    let line = back(&mut host, lines).await;
    assert!(line.contains("after a crash"), "{line}");
    let crashed = goes_on(&host, &room, from, joins, again).await;
    // The saved position is a few seconds old at most.
    assert!(crashed > again - 10.0, "{again} {crashed}");

    // Commands work as before.
    let answer = host.say(&room, "/stop").await.unwrap();
    assert!(answer.is_ok(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_to_an_empty_channel_stays_out_and_remembers_the_place() {
    let mut host = MusicTestHost::new(MusicOptions::default()).await.unwrap();
    let room = host.rooms.remove(0);
    let before = host.play(&room).await.unwrap().song.seconds();
    let client = host.sandbox.client();
    let guild = room.guild.to_string();
    client.leave_voice(&guild, &room.listener).await.unwrap();
    host.bot.wait_for_line(0, "alone in the channel").await.unwrap();

    for (number, is_crash) in [(1, false), (2, true)] {
        let (lines, joins) = (host.bot.line_count(), host.joins());
        if is_crash {
            host.bot.kill_host().unwrap();
        } else {
            let answer = client.say("/dev restart").await.unwrap();
            assert!(answer.content.starts_with("The bot restarts"), "{answer:?}");
        }
        back(&mut host, lines).await;
        host.bot.wait_for_line(lines, "a player is as it was before the restart").await.unwrap();
        until("the bot is out", async || (!host.is_in(&room).await.ok()?).then_some(())).await.unwrap();
        assert_eq!(host.joins(), joins, "restart {number}");
    }

    // A user who makes it join hears the song continue.
    let (from, joins) = (host.position(&room), host.joins());
    client.enter_voice(&guild, &room.listener, &room.channel.to_string()).await.unwrap();
    let answer = until("/join is there again", async || host.say(&room, "/join").await.ok()).await.unwrap();
    assert!(answer.is_ok() && answer.content.ends_with("> now."), "{answer:?}");
    let after = goes_on(&host, &room, from, joins, before).await;
    assert!(after > before - 10.0, "{before} {after}");
}
