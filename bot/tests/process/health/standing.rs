//! Health, readiness, and the reasons for not being ready.

use std::sync::Arc;

use sandbox::Sandbox;
use sandbox::event_log::{Entry, Event, Kind};
use sandbox::fault::{
    ConnectEffect, ConnectRule, GatewayEffect, GatewayRule, On, RequestEffect, RequestRule, Rule,
};
use sandbox::gateway::{Command, Options, Target};
use serde_json::json;

use super::bot::{Bot, PATIENCE, discord, until};
use super::http::get;

#[tokio::test]
async fn a_bot_is_ready_after_ready_and_not_before() {
    let discord = discord().await;
    let lost = GatewayRule {
        event: Some("READY".to_owned()),
        effect: GatewayEffect::Ignore,
        ..GatewayRule::default()
    };
    discord.faults().add(Rule::new(On::Dispatch(lost)));
    let waits = Bot::start(&discord, &[]).await;
    let identified = |event: &Event| matches!(event, Event::Identified { .. });
    discord.event_log().wait_for(0, PATIENCE, |entry| identified(&entry.event)).await.unwrap();
    let page = waits.get("/ready").await;
    assert_eq!((page.status, page.json()), (503, json!({"status": "not ready", "reason": "starting"})));
    assert_eq!(page.header("content-type"), Some("application/json"));
    let page = waits.get("/health").await;
    assert_eq!((page.status, &page.json()["status"]), (200, &json!("ok")));
    drop(waits);

    discord.faults().clear();
    let bot = Bot::start(&discord, &[]).await;
    let body = bot.answers("/ready", 200).await;
    assert_eq!(body, "{\"shards\":1,\"status\":\"ready\"}\n");
    let scrape = bot.scrape().await;
    assert!((scrape.sample("hotcord_gateway_connected{shard=\"0\"}") - 1.0).abs() < 1e-9);
    bot.counts("hotcord_gateway_identifies_total{shard=\"0\"}", 1.0).await;
    assert_eq!(discord.event_log().count(Kind::Identified), 2);
}

#[tokio::test]
async fn a_bot_that_is_cut_off_lives_and_is_not_ready_until_it_is_back() {
    let discord = discord().await;
    let bot = Bot::start(&discord, &[]).await;
    bot.answers("/ready", 200).await;

    // A connection that can be resumed at once.
    discord.client().gateway(&Target::default(), &Command::Sever).await.unwrap();
    bot.counts("hotcord_gateway_resumes_total{shard=\"0\"}", 1.0).await;
    bot.counts("hotcord_gateway_reconnects_total{shard=\"0\"}", 1.0).await;
    bot.answers("/ready", 200).await;

    // A connection that cannot be restored.
    let effect = ConnectEffect::Sever;
    let rule = discord.faults().add(Rule::new(On::Connect(ConnectRule { effect })));
    discord.client().gateway(&Target::default(), &Command::Sever).await.unwrap();
    let body = bot.answers("/ready", 503).await;
    assert_eq!(body, "{\"reason\":\"disconnected\",\"status\":\"not ready\"}\n");
    assert_eq!(bot.get("/health").await.status, 200);
    bot.counts("hotcord_gateway_connected{shard=\"0\"}", 0.0).await;

    assert!(discord.faults().remove(rule));
    bot.answers("/ready", 200).await;
    bot.counts("hotcord_gateway_connected{shard=\"0\"}", 1.0).await;
    bot.counts("hotcord_gateway_identifies_total{shard=\"0\"}", 2.0).await;
}

#[tokio::test]
async fn a_bot_with_hardly_any_session_starts_left_waits_and_ends_at_once_when_told_to() {
    let gateway = Options { limit_identify: true, session_starts: 6, ..Options::default() };
    let discord = Sandbox::builder().gateway(gateway).start().await.unwrap();
    let mut first = Bot::start(&discord, &[]).await;
    first.answers("/ready", 200).await;
    first.signal().await;
    assert_eq!(first.ends().await.0.code(), Some(0));

    let mut second = Bot::start(&discord, &[]).await;
    let words = second.says("few session starts are left, and Discord resets the token").await;
    assert!(words.contains(" left=5 "), "{words}");
    assert!(words.contains("goes_on_in=\"23 hours") || words.contains("goes_on_in=\"1 day"), "{words}");
    let body = second.answers("/ready", 503).await;
    let reason = "waiting until sessions may be started";
    assert_eq!(body, format!("{{\"reason\":\"{reason}\",\"status\":\"not ready\"}}\n"));
    assert_eq!(second.get("/health").await.status, 200);
    second.signal().await;
    let (status, errors) = second.ends().await;
    assert_eq!(status.code(), Some(0), "{errors}");
    assert_eq!(discord.event_log().count(Kind::Identified), 1);
}

#[tokio::test]
async fn a_bot_that_waits_for_session_starts_goes_on_when_they_are_there_again() {
    let discord = discord().await;
    let merge = json!({"session_start_limit": {"remaining": 0, "reset_after": 1_500}});
    let path = Some("/gateway/bot".to_owned());
    let rule = RequestRule { path, effect: RequestEffect::Patch { merge }, ..RequestRule::default() };
    discord.faults().add(Rule::new(On::Request(rule)).times(2));
    let mut bot = Bot::start(&discord, &[]).await;
    for _ in 0..2 {
        bot.says("it waits until they are counted anew left=0 ").await;
    }
    bot.answers("/ready", 200).await;
    let entries = discord.event_log().read(1, usize::MAX).entries;
    let began = entries.iter().position(|entry| matches!(entry.event, Event::Identified { .. })).unwrap();
    let is_asked = |event: &Event| matches!(event, Event::Request(request) if request.path == "/gateway/bot");
    let asked = |entries: &[_]| entries.iter().filter(|entry: &&Arc<Entry>| is_asked(&entry.event)).count();
    assert_eq!((asked(&entries[..began]), asked(&entries[began..])), (3, 0));
}

#[tokio::test]
async fn a_bot_that_ends_says_so_to_the_last() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[]).await;
    bot.serves().await;
    // A command in progress delays the shutdown.
    let slow = sandbox::fault::RequestRule {
        path: Some("/interactions/*/*/callback".to_owned()),
        ..sandbox::fault::RequestRule::default()
    };
    discord.faults().add(Rule::new(On::Request(slow)).times(1).delayed(1_500));
    let client = discord.client();
    let ping = sdk::tokio::spawn(async move { client.say("/ping").await });
    until("/ping is under way", async || {
        (bot.scrape().await.value("hotcord_events_total{type=\"InteractionCreate\"}") == Some(1.0))
            .then_some(())
    })
    .await;
    bot.signal().await;
    let body = bot.answers("/ready", 503).await;
    assert_eq!(body, "{\"reason\":\"shutting down\",\"status\":\"not ready\"}\n");
    assert!(ping.await.unwrap().unwrap().is_ok());
    let address = bot.address;
    let (status, errors) = bot.ends().await;
    assert_eq!(status.code(), Some(0), "{errors}");
    assert!(std::net::TcpStream::connect(address).is_err(), "{:?}", get(address, "/health").await);
}
