//! What users do is counted.

use super::bot::{Bot, discord};
use super::openmetrics::Scrape;
use sandbox::client::Run;
use sandbox::fault::{ErrorBody, On, RequestEffect, RequestRule, Rule};

/// Length of the song in seconds.
const SECONDS: u32 = 3;

fn commands(scrape: &Scrape, command: &str, outcome: &str) -> f64 {
    let sample =
        format!("hotcord_commands_total{{command=\"{command}\",kind=\"slash\",outcome=\"{outcome}\"}}");
    scrape.value(&sample).unwrap_or_default()
}

#[tokio::test]
async fn commands_and_presses_are_counted_by_name_and_outcome() {
    let discord = discord().await;
    let people = discord.client();
    let mut bot = Bot::start(&discord, &[]).await;
    bot.serves().await;

    for _ in 0..3 {
        assert!(people.say("/ping").await.unwrap().is_ok());
    }
    // One is not allowed; one cannot be done; one fails during execution.
    assert!(people.run(Run::typed("/dev plugins").by("bob")).await.unwrap().ephemeral);
    assert!(people.say("/skip").await.unwrap().ephemeral);
    let effect = RequestEffect::Respond { status: 403, body: ErrorBody::Discord };
    let path = Some("/interactions/*/*/callback".to_owned());
    discord.faults().add(Rule::new(On::Request(RequestRule { path, effect, method: None })).times(1));
    people.say("/about").await.unwrap();
    let poll = people.say("/poll question:Lunch? option1:Soup option2:Salad minutes:60").await.unwrap();
    let message = poll.message.unwrap();
    let button = message["components"][0]["components"][0]["custom_id"].as_str().unwrap();
    let id = message["id"].as_str().unwrap().parse().unwrap();
    people.press("bob", id, button).await.unwrap();
    let complete = Run::named("help", serde_json::json!({"command": "pi"})).focused("command");
    people.complete(complete).await.unwrap();

    bot.counts("hotcord_autocompletes_total{command=\"help\",outcome=\"ok\"}", 1.0).await;
    let pressed = "hotcord_interactions_total{kind=\"component\",handler=\"poll:\",outcome=\"ok\"}";
    bot.counts(pressed, 1.0).await;
    // The poll is shown before its command has ended.
    let polls = "hotcord_commands_total{command=\"poll\",kind=\"slash\",outcome=\"ok\"}";
    let scrape = bot.counts(polls, 1.0).await;
    for (command, outcome, count) in [
        ("ping", "ok", 3.0),
        ("dev plugins", "refused", 1.0),
        ("dev plugins", "ok", 0.0),
        ("skip", "refused", 1.0),
        ("about", "error", 1.0),
        ("about", "ok", 0.0),
        ("poll", "ok", 1.0),
    ] {
        let counted = commands(&scrape, command, outcome);
        assert!((counted - count).abs() < 1e-9, "{command} {outcome}: {counted}\n{scrape:#?}");
    }
    let durations = scrape.sample("hotcord_command_duration_seconds_count{command=\"ping\",kind=\"slash\"}");
    assert!((durations - 3.0).abs() < 1e-9);
    assert!(scrape.sample("hotcord_command_duration_seconds_sum{command=\"ping\",kind=\"slash\"}") > 0.0);
    // Six commands, a press, and autocompletions.
    let events = scrape.sample("hotcord_events_total{type=\"InteractionCreate\"}");
    assert!((events - 9.0).abs() < 1e-9, "{events}");
    assert!(scrape.sample("hotcord_events_total{type=\"GuildCreate\"}") >= 1.0);
}

#[tokio::test]
async fn each_frame_of_a_song_is_counted_once() {
    let discord = discord().await;
    let people = discord.client();
    let mut bot = Bot::start(&discord, &[]).await;
    bot.serves().await;
    people.enter_voice(&discord.guild_id().to_string(), "alice", "Lounge").await.unwrap();
    let played = Run::typed("/play file:Song.wav");
    let answer = people.run(played.file("Song.wav", &silence(SECONDS))).await.unwrap();
    assert!(answer.is_ok(), "{answer:?}");
    bot.counts("hotcord_voice_tracks_playing", 1.0).await;
    let scrape = bot.counts("hotcord_voice_tracks_playing", 0.0).await;
    assert!((scrape.sample("hotcord_voice_calls") - 1.0).abs() < 1e-9);
    assert!((scrape.sample("hotcord_voice_tracks_started_total") - 1.0).abs() < 1e-9);
    assert!((scrape.sample("hotcord_voice_tracks_failed_total")).abs() < 1e-9);
    let (frames, late) =
        (scrape.sample("hotcord_voice_frames_total"), scrape.sample("hotcord_voice_frames_late_total"));
    // The mixer checks once more for a track after the last one.
    let expected = f64::from(SECONDS * 50);
    assert!((expected..=expected + 3.0).contains(&frames), "{frames} frames in {SECONDS} s");
    assert!(late <= frames, "{late} of {frames}");

    assert!(people.say("/leave").await.unwrap().is_ok());
    bot.counts("hotcord_voice_calls", 0.0).await;
}

/// Creates a WAV file of silence: 16 bits, one channel, 48 kHz.
fn silence(seconds: u32) -> Vec<u8> {
    let bytes = seconds * 48_000 * 2;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(48_000_u32.to_le_bytes());
    wav.extend(96_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(bytes.to_le_bytes());
    wav.resize(wav.len() + bytes as usize, 0);
    wav
}
