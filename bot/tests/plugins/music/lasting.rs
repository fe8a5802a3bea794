//! What is kept: settings and volume over a restart; and how long the bot stays.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::band::Band;
use crate::bot::{PATIENCE, words};

/// Opens a bot's database beside the bot.
async fn open(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).connect().await.unwrap()
}

#[tokio::test]
async fn settings_and_volume_outlive_a_restart() {
    let mut band = Band::silent().await;
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
    let mut band = Band::silent().await;
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
    let file = band.bot.database();
    band.bot
        .restart_after(async || {
            let mut database = open(&file).await;
            let body: String =
                sqlx::query_scalar("SELECT body FROM hotcord_state WHERE area = 'player_settings'")
                    .fetch_one(&mut database)
                    .await
                    .unwrap();
            let mut settings: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(settings["idle_timeout"], json!({ "secs": 60, "nanos": 0 }));
            settings["idle_timeout"]["secs"] = 3.into();
            sqlx::query("UPDATE hotcord_state SET body = $1 WHERE area = 'player_settings'")
                .bind(settings.to_string())
                .execute(&mut database)
                .await
                .unwrap();
            database.close().await.unwrap();
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
    let band = Band::silent().await;
    band.enters("carol", "Lounge").await;
    band.bot.say("alice", "/settings vote_ratio:75").await;
    band.told("carol", "/play what:Alpha").await;
    band.told("carol", "/play what:Beta").await;
    band.bot.say("carol", "/nowplaying").await;
    band.is_heard().await;
    let (guild, bot) = (band.bot.guild(), band.bot.id());
    band.bot.people.leave(&guild, &bot).await.unwrap();
    let mut database = open(&band.bot.database()).await;
    let mut kept = async || -> Vec<(String, String, String, String)> {
        let rows = sqlx::query_as(
            "SELECT area, plugin, key, body FROM hotcord_state WHERE key = $1 OR body LIKE $2",
        );
        rows.bind(&guild).bind(format!("%\"{guild}\"%")).fetch_all(&mut database).await.unwrap()
    };
    // Only the database itself shows that it was written.
    let began = Instant::now();
    loop {
        let kept = kept().await;
        if kept.is_empty() {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "it is kept: {kept:?}");
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
