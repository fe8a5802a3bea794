//! What is kept: settings and volume over a restart; and how long the bot stays.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::band::Band;
use crate::bot::{PATIENCE, words};

#[tokio::test]
async fn settings_and_volume_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let mut band = Band::with(vec![("STATE_FILE", file.display().to_string())]).await;
    let changed =
        band.bot.say("alice", "/settings dj_role:@Moderator vote_ratio:75 stay:true max_volume:150").await;
    assert!(changed.is_ok(), "{changed:?}");
    band.enters("bob", "Lounge").await;
    band.told("bob", "/join").await;
    assert_eq!(band.told("bob", "/volume percent:130").await, "The volume is 130 % now.");
    // With nothing to play, no player comes back.
    band.told("bob", "/leave").await;
    band.bot.restart().await;
    let shown = words(&band.bot.say("alice", "/settings").await.embeds[0]);
    for line in
        ["75 % of the listeners", "around the clock:** on", "**Loudest volume:** 150 %", "managers, and who"]
    {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
    assert_eq!(band.told("bob", "/volume").await, "The volume is 130 %.");
    // A reset also applies to the player.
    band.bot.say("alice", "/settings reset:everything").await;
    assert_eq!(band.told("bob", "/volume").await, "The volume is 100 %.");
}

#[tokio::test]
async fn where_it_stays_it_plays_to_nobody_and_where_it_does_not_it_leaves() {
    let band = Band::of(&["carol"]).await;
    band.bot.say("alice", "/settings stay:true when_alone:leave").await;
    band.told("carol", "/play what:Alpha").await;
    band.is_heard().await;
    let guild = band.bot.guild();
    band.bot.people.leave_voice(&guild, "carol").await.unwrap();
    // For longer than it would stay without its own sound.
    for _ in 0..15 {
        band.is_heard().await;
    }
    band.bot.say("alice", "/settings stay:false").await;
    band.bot
        .message("carol", "bot-test", |message| {
            let content = message["content"].as_str().unwrap_or_default();
            content.contains("I left because nobody else was in the voice channel.")
        })
        .await;
}

#[tokio::test]
async fn it_pauses_for_nobody_plays_on_for_somebody_and_leaves_when_idle() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let mut band = Band::with(vec![("STATE_FILE", file.display().to_string())]).await;
    band.enters("carol", "Lounge").await;
    band.bot.say("alice", "/settings idle_minutes:1").await;
    band.told("carol", "/play what:Alpha").await;
    let card = band.bot.say("carol", "/nowplaying").await.message.unwrap();
    band.is_heard().await;
    let guild = band.bot.guild();
    band.bot.people.leave_voice(&guild, "carol").await.unwrap();
    band.shows(&card, &["Paused until somebody listens"]).await;
    band.enters("bob", "Lounge").await;
    band.shows(&card, &["Now playing\nAlpha"]).await;
    band.is_heard().await;
    // The shortest time that can be set is a minute. The state that is kept can hold a shorter one.
    band.bot
        .restart_after(|| {
            let mut state: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            let timeout = &mut state["voice"]["settings"][&guild]["idle_timeout"];
            assert_eq!(*timeout, json!({ "secs": 60, "nanos": 0 }));
            timeout["secs"] = 3.into();
            fs::write(&file, state.to_string()).unwrap();
        })
        .await;
    band.is_heard().await;
    band.told("bob", "/stop").await;
    band.bot
        .message("carol", "bot-test", |message| {
            let content = message["content"].as_str().unwrap_or_default();
            content.contains("I left because nothing has been played for a while.")
        })
        .await;
}

#[tokio::test]
async fn a_server_that_the_bot_is_put_out_of_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let band = Band::with(vec![("STATE_FILE", file.display().to_string())]).await;
    band.enters("carol", "Lounge").await;
    band.bot.say("alice", "/settings vote_ratio:75").await;
    band.told("carol", "/play what:Alpha").await;
    band.told("carol", "/play what:Beta").await;
    band.bot.say("carol", "/nowplaying").await;
    band.is_heard().await;
    let (guild, bot) = (band.bot.guild(), band.bot.id());
    band.bot.people.leave(&guild, &bot).await.unwrap();
    let is_forgotten = || {
        let kept = fs::read_to_string(&file).unwrap_or_default();
        let Ok(state) = serde_json::from_str::<Value>(&kept) else { return false };
        let voice = &state["voice"];
        let is_kept = [&voice["settings"], &voice["players"]].iter().any(|kept| kept.get(&guild).is_some());
        let music = state["plugins"]["commands/music"].to_string();
        !is_kept && !music.contains(&format!("\"{guild}\""))
    };
    // Only the file itself shows that it was written.
    let began = Instant::now();
    while !is_forgotten() {
        assert!(began.elapsed() < PATIENCE, "it is kept: {:?}", fs::read_to_string(&file));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    band.bot.people.join(&guild, &bot).await.unwrap();
    band.bot
        .until("it plays again", async || {
            let answer =
                band.bot.people.run(sandbox::client::Run::typed("/play what:Gamma").by("carol")).await;
            answer.is_ok_and(|answer| answer.content == "Playing **Gamma**.").then_some(())
        })
        .await;
    band.is_heard().await;
}
