//! Webhook events: what is sent to an application's address, and what becomes of those that are not acknowledged.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use reqwest::Method;
use sandbox::event_log::Event;
use sandbox::fault::{GatewayEffect, GatewayRule, On, Rule};
use serde_json::{Value, json};

use crate::api::bot::{Bot, PATIENCE, id, text};
use crate::api::http_bot::{HttpBot, delivery, right};
use crate::api::lobbies::{Player, SCOPE, lobby};

const ENTITLEMENTS: [&str; 3] = ["ENTITLEMENT_CREATE", "ENTITLEMENT_UPDATE", "ENTITLEMENT_DELETE"];

async fn sku(bot: &Bot) -> Value {
    let sku = json!({ "name": "Coin", "type": "consumable" });
    bot.user.create_sku(&bot.sandbox.bot_id().to_string(), &sku).await.unwrap()
}

async fn buy(bot: &Bot, sku: &Value) -> Value {
    let bought = bot.user.buy(&json!({ "as": "bob", "sku": sku["id"], "test_mode": true })).await.unwrap();
    bought["entitlement"].clone()
}

/// Waits for the next note of the log about a webhook event.
async fn note(bot: &Bot, from: &mut u64) -> String {
    let is_note = |entry: &sandbox::event_log::Entry| matches!(&entry.event, Event::Note { text, .. } if text.starts_with("the webhook event"));
    let entry = bot.sandbox.event_log().wait_for(*from, PATIENCE, is_note).await.expect("a note");
    *from = entry.n + 1;
    let Event::Note { text, .. } = &entry.event else { unreachable!("that was asked for") };
    text.clone()
}

#[tokio::test]
async fn an_address_for_events_answers_a_ping_with_204() {
    let bot = Bot::start().await;
    for (pings, expected) in [
        (
            (|_, _| StatusCode::NO_CONTENT.into_response()) as crate::api::http_bot::Pings,
            "a PING with a wrong signature with 204, and not with 401",
        ),
        (|_, valid| right(1, valid), "a PING with 200, and not with 204"),
    ] {
        let http = HttpBot::with(&bot, pings).await;
        let body = json!({ "event_webhooks_url": http.url });
        let error = bot.expect(400, Method::PATCH, "/applications/@me", &body).await;
        let field = &error["errors"]["event_webhooks_url"]["_errors"][0];
        assert_eq!(
            (&error["code"], &field["code"]),
            (&json!(50035), &json!("APPLICATION_EVENT_WEBHOOKS_URL_INVALID"))
        );
        assert!(text(&field["message"]).contains(expected), "{error}");
    }
    let from = bot.sandbox.event_log().newest() + 1;
    let http = HttpBot::takes_events(&bot, &[]).await;
    let (next, ping) = delivery(&bot, from).await;
    assert_eq!((ping.event.as_str(), ping.status), ("PING", Some(204)));
    let body = json!({ "version": 1, "application_id": bot.sandbox.bot_id(), "type": 0 });
    assert_eq!(ping.request.unwrap().json().unwrap(), body);
    assert_eq!(delivery(&bot, next + 1).await.1.status, Some(401));
    http.stop().await;
    // hikari refuses a wrong signature with 400.
    let other =
        HttpBot::with(
            &bot,
            |kind, valid| {
                if valid { right(kind, true) } else { StatusCode::BAD_REQUEST.into_response() }
            },
        );
    let other = other.await;
    let body = json!({ "event_webhooks_url": other.url });
    bot.expect(200, Method::PATCH, "/applications/@me", &body).await;
    // Both addresses are verified, and each error is at its field.
    let dead = json!({ "event_webhooks_url": "http://127.0.0.1:1/", "interactions_endpoint_url": "http://127.0.0.1:1/" });
    let error = bot.expect(400, Method::PATCH, "/applications/@me", &dead).await;
    assert_eq!(error["errors"].as_object().unwrap().len(), 2, "{error}");
}

#[tokio::test]
async fn purchases_are_events_of_those_who_subscribe() {
    let mut bot = Bot::start().await;
    let mut http = HttpBot::takes_events(&bot, &ENTITLEMENTS).await;
    let sku = sku(&bot).await;
    let bought = buy(&bot, &sku).await;
    let got = http.next().await;
    let agent = got.headers["user-agent"].to_str().unwrap().to_owned();
    assert_eq!(agent, "Discord-Webhook/1.0 (+https://discord.com)");
    let body = got.body.clone();
    got.reply(StatusCode::NO_CONTENT);
    let at = &body["event"]["timestamp"];
    assert_eq!(
        body,
        json!({ "version": 1, "application_id": bot.sandbox.bot_id(), "type": 1,
            "event": { "type": "ENTITLEMENT_CREATE", "timestamp": at, "data": bought } })
    );
    assert_eq!(text(at).len(), "2024-10-18T14:42:53.064834".len(), "{at}");
    // The gateway has it too.
    assert_eq!(bot.event("ENTITLEMENT_CREATE").await, bought);

    bot.user.on_entitlement(text(&bought["id"]), "consume").await.unwrap();
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data["consumed"]), ("ENTITLEMENT_UPDATE", &json!(true)));
    bot.user.on_entitlement(text(&bought["id"]), "refund").await.unwrap();
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data["deleted"]), ("ENTITLEMENT_DELETE", &json!(true)));

    // Neither another type nor disabled events are sent.
    let only = json!({ "event_webhooks_types": ["ENTITLEMENT_DELETE"] });
    bot.expect(200, Method::PATCH, "/applications/@me", &only).await;
    let second = buy(&bot, &sku).await;
    bot.user.on_entitlement(text(&second["id"]), "refund").await.unwrap();
    assert_eq!(http.event().await.0, "ENTITLEMENT_DELETE");
    let off = json!({ "event_webhooks_status": 1, "event_webhooks_types": ENTITLEMENTS });
    bot.expect(200, Method::PATCH, "/applications/@me", &off).await;
    buy(&bot, &sku).await;
    bot.expect(200, Method::PATCH, "/applications/@me", &json!({ "event_webhooks_status": 2 })).await;
    let third = buy(&bot, &sku).await;
    assert_eq!(http.event().await.1["id"], third["id"]);
}

#[tokio::test]
async fn authorizations_and_their_end_are_events() {
    let bot = Bot::start().await;
    let mut http = HttpBot::takes_events(&bot, &["APPLICATION_AUTHORIZED", "APPLICATION_DEAUTHORIZED"]).await;
    let sandbot = bot.sandbox.bot_id().to_string();
    bot.user.authorize("bob", &sandbot, &["identify", "guilds"]).await.unwrap();
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data["user"]["username"]), ("APPLICATION_AUTHORIZED", &json!("bob")));
    assert_eq!((&data["scopes"], data.get("integration_type")), (&json!(["identify", "guilds"]), None));

    bot.user.install_app("carol", &sandbot).await.unwrap();
    bot.user.install_app("carol", &sandbot).await.unwrap();
    let (_, data) = http.event().await;
    assert_eq!((&data["user"]["username"], &data["integration_type"]), (&json!("carol"), &json!(1)));
    assert_eq!((&data["scopes"], data.get("guild")), (&json!(["applications.commands"]), None));

    let guild = json!({ "name": "Second", "owner": "alice" });
    let made = bot.control(Method::POST, "/guilds").json(&guild).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let (_, data) = http.event().await;
    assert_eq!((&data["user"]["username"], &data["integration_type"]), (&json!("alice"), &json!(0)));
    assert_eq!(
        (&data["guild"]["id"], &data["scopes"]),
        (&made["id"], &json!(["applications.commands", "bot"]))
    );

    for user in ["bob", "carol"] {
        bot.user.uninstall_app(user, &sandbot).await.unwrap();
        bot.user.uninstall_app(user, &sandbot).await.unwrap();
        let (name, data) = http.event().await;
        assert_eq!((name.as_str(), &data["user"]["username"]), ("APPLICATION_DEAUTHORIZED", &json!(user)));
    }
    // Removing an application makes its tokens void.
    let made = bot.user.authorize("bob", &sandbot, &["identify"]).await.unwrap();
    http.event().await;
    bot.user.uninstall_app("bob", &sandbot).await.unwrap();
    http.event().await;
    let token = text(&made["access_token"]);
    let me = crate::api::applications::as_user(&bot, token, Method::GET, "/users/@me", &Value::Null).await;
    assert_eq!(me.0, 401);

    // An unmerged account is deauthorized; a player's own token is no authorization of a user.
    let player = json!({ "external_user_id": "p1" });
    bot.post("/partner-sdk/token/bot", player.clone()).await;
    let body = json!({ "as": "bob", "scopes": [SCOPE], "external_auth_type": "DISCORD_BOT_ISSUED_ACCESS_TOKEN",
        "external_auth_token": bot.post("/partner-sdk/token/bot", player.clone()).await["access_token"] });
    let merged = bot.control(Method::POST, "/bots/Sandbot/authorizations").json(&body).send().await.unwrap();
    assert_eq!(merged.status(), 200);
    assert_eq!(http.event().await.0, "APPLICATION_AUTHORIZED");
    bot.expect(204, Method::POST, "/partner-sdk/provisional-accounts/unmerge/bot", &player).await;
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data["user"]["username"]), ("APPLICATION_DEAUTHORIZED", &json!("bob")));
    assert!(http.is_quiet());
}

const LOBBY: [&str; 3] = ["LOBBY_MESSAGE_CREATE", "LOBBY_MESSAGE_UPDATE", "LOBBY_MESSAGE_DELETE"];

#[tokio::test]
async fn messages_of_a_lobby_and_its_channel_are_events() {
    let bot = Bot::start().await;
    let mut http = HttpBot::takes_events(&bot, &LOBBY).await;
    let general = bot.sandbox.channel_id("general").unwrap();
    let alice = Player::new(&bot, "alice").await;
    let made = lobby(&bot, json!({ "members": [{ "id": alice.user, "flags": 1 }] })).await;
    let body = json!({ "content": "hi", "metadata": { "team": "red" } });
    let (_, sent) = alice.call(Method::POST, &format!("{made}/messages"), body).await;
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data), ("LOBBY_MESSAGE_CREATE", &sent));
    assert_eq!((&data["metadata"], &data["flags"]), (&json!({ "team": "red" }), &json!(65536)));
    assert_eq!(data["application_id"], json!(bot.sandbox.bot_id()));

    assert_eq!(alice.link(&made, json!({ "channel_id": general })).await.0, 200);
    // One message, though the channel shows a copy.
    alice.say(&made, "from the game").await;
    assert_eq!(http.event().await.1["content"], "from the game");
    let written = bot.user.send("carol", "general", "from Discord").await.unwrap();
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data["id"]), ("LOBBY_MESSAGE_CREATE", &written["id"]));
    assert_eq!((&data["channel_id"], data.get("application_id")), (&json!(general), None));
    assert_eq!(format!("/lobbies/{}", text(&data["lobby_id"])), made);

    bot.user.edit("carol", id(&written["id"]), "edited").await.unwrap();
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data["content"]), ("LOBBY_MESSAGE_UPDATE", &json!("edited")));
    assert!(data["edited_timestamp"].is_string() && data["timestamp"].is_string());
    bot.user.delete("carol", id(&written["id"])).await.unwrap();
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data["id"]), ("LOBBY_MESSAGE_DELETE", &written["id"]));
    assert_eq!(data.as_object().unwrap().len(), 2);

    // A lobby's own address is in place of the application's.
    let mut other = HttpBot::start(&bot).await;
    let own = json!({ "override_event_webhooks_url": other.url });
    bot.expect(200, Method::PATCH, &made, &own).await;
    alice.say(&made, "elsewhere").await;
    assert_eq!(other.event().await.1["content"], "elsewhere");
    assert!(http.is_quiet());
}

#[tokio::test]
async fn direct_messages_are_events_of_a_game_that_one_of_the_two_plays() {
    let bot = Bot::start().await;
    let types = ["GAME_DIRECT_MESSAGE_CREATE", "GAME_DIRECT_MESSAGE_UPDATE", "GAME_DIRECT_MESSAGE_DELETE"];
    let mut http = HttpBot::takes_events(&bot, &types).await;
    let bob = bot.sandbox.user_id("bob").unwrap();
    bot.user.send("alice", "@bob", "before").await.unwrap();
    let made = lobby(&bot, json!({ "members": [{ "id": bob }] })).await;
    let path = format!("{made}/connections/bob");
    assert_eq!(bot.control(Method::PUT, &path).send().await.unwrap().status(), 200);

    let sent = bot.user.send("alice", "@bob", "raiding").await.unwrap();
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data["id"]), ("GAME_DIRECT_MESSAGE_CREATE", &sent["id"]));
    assert_eq!((&data["content"], &data["author"]["username"]), (&json!("raiding"), &json!("alice")));
    assert_eq!(data["channel"]["recipients"].as_array().unwrap().len(), 2);
    bot.user.edit("alice", id(&sent["id"]), "almost ready").await.unwrap();
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data["content"]), ("GAME_DIRECT_MESSAGE_UPDATE", &json!("almost ready")));
    bot.user.delete("alice", id(&sent["id"])).await.unwrap();
    let (name, data) = http.event().await;
    assert_eq!((name.as_str(), &data["id"]), ("GAME_DIRECT_MESSAGE_DELETE", &sent["id"]));

    // Those with the bot, and those of people who do not play, are none.
    bot.user.send("bob", "@Sandbot", "to the bot").await.unwrap();
    bot.user.send("alice", "@carol", "to carol").await.unwrap();
    bot.user.send("bob", "@carol", "to carol too").await.unwrap();
    assert_eq!(http.event().await.1["content"], "to carol too");
    assert!(http.is_quiet());
}

#[tokio::test]
async fn an_event_is_sent_again_until_it_is_acknowledged() {
    let bot = Bot::start().await;
    let mut http = HttpBot::takes_events(&bot, &ENTITLEMENTS).await;
    let mut from = bot.sandbox.event_log().newest() + 1;
    let bought = buy(&bot, &sku(&bot).await).await;
    let mut timestamps = Vec::new();
    for (status, seconds) in [(500, 5), (200, 10), (401, 20), (302, 40)] {
        let got = http.next().await;
        timestamps.push(got.body["event"]["timestamp"].clone());
        got.reply(StatusCode::from_u16(status).unwrap());
        let said = note(&bot, &mut from).await;
        let expected = format!("answered with {status}");
        assert!(said.contains(&expected) && said.ends_with(&format!("again in {seconds} s")), "{said}");
        bot.user.advance_clock(Duration::from_secs(seconds)).await.unwrap();
    }
    let last = http.next().await;
    assert_eq!(last.body["event"]["data"], bought);
    assert!(timestamps.iter().all(|at| *at == last.body["event"]["timestamp"]));
    last.reply(StatusCode::NO_CONTENT);
    let entries = bot.sandbox.event_log().wait_for(
        from,
        PATIENCE,
        |entry| matches!(&entry.event, Event::Delivery(sent) if sent.status == Some(204)),
    );
    let entry = entries.await.unwrap();
    let Event::Delivery(sent) = &entry.event else { unreachable!("that was asked for") };
    assert_eq!((sent.event.as_str(), sent.attempt, &sent.failure), ("ENTITLEMENT_CREATE", 5, &None));
    bot.user.advance_clock(Duration::from_mins(10)).await.unwrap();
    assert!(http.is_quiet());
}

#[tokio::test]
async fn events_are_given_up_after_ten_minutes_and_disabled_after_five() {
    let bot = Bot::start().await;
    let http = HttpBot::takes_events(&bot, &ENTITLEMENTS).await;
    let sku = sku(&bot).await;
    let mut from = bot.sandbox.event_log().newest() + 1;
    http.stop().await;
    for round in 1..=5 {
        buy(&bot, &sku).await;
        let said = note(&bot, &mut from).await;
        assert!(said.contains("can't be reached: Connection refused"), "{said}");
        assert_eq!(bot.get("/applications/@me").await["event_webhooks_status"], 2);
        // The last attempt is the one that was due when the clock had passed the ten minutes.
        bot.user.advance_clock(Duration::from_mins(11)).await.unwrap();
        let said = note(&bot, &mut from).await;
        assert!(said.contains("given up"), "{said}");
        assert_eq!(said.contains("event_webhooks_status 3"), round == 5, "{said}");
    }
    assert_eq!(bot.get("/applications/@me").await["event_webhooks_status"], 3);
    buy(&bot, &sku).await;

    // Nothing is sent before it is enabled again, and what has happened meanwhile is not sent later.
    let mut http = HttpBot::start(&bot).await;
    let on = json!({ "event_webhooks_url": http.url, "event_webhooks_status": 2 });
    assert_eq!(bot.expect(200, Method::PATCH, "/applications/@me", &on).await["event_webhooks_status"], 2);
    let bought = buy(&bot, &sku).await;
    assert_eq!(http.event().await.1, bought);
    assert!(http.is_quiet());
}

#[tokio::test]
async fn an_event_that_waits_is_part_of_the_world() {
    let bot = Bot::start().await;
    let mut http = HttpBot::takes_events(&bot, &ENTITLEMENTS).await;
    let mut from = bot.sandbox.event_log().newest() + 1;
    let bought = buy(&bot, &sku(&bot).await).await;
    http.next().await.reply(StatusCode::SERVICE_UNAVAILABLE);
    note(&bot, &mut from).await;
    let world = bot.control(Method::GET, "/world").send().await.unwrap().bytes().await.unwrap();
    // The address is a setting, so it is gone with the event.
    let none = json!({ "event_webhooks_url": null });
    bot.expect(200, Method::PATCH, "/applications/@me", &none).await;
    bot.user.advance_clock(Duration::from_secs(5)).await.unwrap();
    let key = bot.sandbox.public_key();
    let restored = bot.control(Method::PUT, "/world").body(world).send().await.unwrap();
    assert!(restored.status().is_success(), "{}", restored.text().await.unwrap());
    assert_eq!(bot.sandbox.public_key(), key);
    bot.user.advance_clock(Duration::from_secs(5)).await.unwrap();
    assert_eq!(http.event().await.1, bought);
}

#[tokio::test]
async fn faults_strike_webhook_events_too() {
    let bot = Bot::start().await;
    let mut http = HttpBot::takes_events(&bot, &ENTITLEMENTS).await;
    let sku = sku(&bot).await;
    let mut from = bot.sandbox.event_log().newest() + 1;
    let id = Some(bot.sandbox.bot_id());
    let add = |effect: GatewayEffect| {
        let event = Some("ENTITLEMENT_CREATE".to_owned());
        let rule = GatewayRule { event, bot: id, effect, ..GatewayRule::default() };
        // The gateway's event is struck first.
        bot.sandbox.faults().add(Rule::new(On::Dispatch(rule)).times(2))
    };
    add(GatewayEffect::Patch { merge: json!({ "type": 1 }) });
    buy(&bot, &sku).await;
    assert_eq!(http.event().await.1["type"], 1);
    let rule = add(GatewayEffect::Sever);
    let bought = buy(&bot, &sku).await;
    let said = note(&bot, &mut from).await;
    assert!(
        said.contains(&format!("fault {rule} has dropped the connection; it is sent again in 5 s")),
        "{said}"
    );
    bot.sandbox.faults().clear();
    bot.user.advance_clock(Duration::from_secs(5)).await.unwrap();
    assert_eq!(http.event().await.1, bought);
    add(GatewayEffect::Duplicate { extra: 1 });
    let bought = buy(&bot, &sku).await;
    assert_eq!([http.event().await.1, http.event().await.1], [bought.clone(), bought]);
}
