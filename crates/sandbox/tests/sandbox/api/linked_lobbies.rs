//! Channels of guilds that lobbies are linked to, and invites to them.

use reqwest::Method;
use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::api::applications::{as_user, token};
use crate::api::bot::{Bot, id, text};
use crate::api::lobbies::{Player, SCOPE, contents, lobby};

#[tokio::test]
async fn a_linked_channel_and_its_lobby_hear_each_other() {
    let mut bot = Bot::start().await;
    let general = bot.sandbox.channel_id("general").unwrap();
    let made;
    {
        let alice = Player::new(&bot, "alice").await;
        let body = json!({ "members": [{ "id": alice.user, "flags": 1 }] });
        made = lobby(&bot, body).await;
        let (status, linked) = alice.link(&made, json!({ "channel_id": general })).await;
        assert_eq!((status, &linked["linked_channel"]["id"]), (200, &json!(general)));
        assert_eq!(bot.get(&made).await, linked);
        alice.say(&made, "from the game").await;
    }
    let event = bot.event("MESSAGE_CREATE").await;
    assert_eq!((&event["content"], &event["author"]["username"]), (&json!("from the game"), &json!("alice")));
    assert_eq!(
        (&event["application_id"], &event["channel_id"]),
        (&json!(bot.sandbox.bot_id()), &json!(general))
    );

    let rule = json!({ "name": "Words", "event_type": 1, "trigger_type": 1, "enabled": true, "actions": [{ "type": 1 }],
        "trigger_metadata": { "keyword_filter": ["*badger*"] } });
    bot.post(&format!("{}/auto-moderation/rules", bot.guild()), rule).await;
    let bob_is_there = format!("{made}/members/{}", bot.sandbox.user_id("bob").unwrap());
    bot.expect(200, Method::PUT, &bob_is_there, &json!({})).await;
    let written = bot.user.send("carol", "general", "from Discord").await.unwrap();
    {
        let bob = Player::new(&bot, "bob").await;
        bob.say(&made, "a badger").await;
        let list = bob.messages(&made).await;
        assert_eq!(contents(&list), ["from the game", "from Discord", "a badger"]);
        assert_eq!((&list[1]["id"], &list[1]["channel_id"]), (&written["id"], &json!(general)));
        assert_eq!(list[1]["author"]["username"], "carol");
        bob.say(&made, "the end").await;
    }
    let before = bot.events_until("MESSAGE_CREATE").await;
    assert!(before.iter().all(|event| event["t"] != "MESSAGE_CREATE"));
    assert_eq!(bot.event("MESSAGE_CREATE").await["content"], "the end", "auto moderation keeps one out");
    bot.user.delete("carol", id(&written["id"])).await.unwrap();

    let alice = Player::new(&bot, "alice").await;
    assert_eq!(contents(&alice.messages(&made).await), ["from the game", "a badger", "the end"]);
    let (status, unlinked) = alice.link(&made, json!({})).await;
    assert_eq!((status, unlinked.get("linked_channel")), (200, None));
    bot.user.send("carol", "general", "unheard").await.unwrap();
    assert_eq!(alice.messages(&made).await.len(), 3);
}

#[tokio::test]
async fn a_link_needs_a_flag_permissions_and_a_free_text_channel() {
    let bot = Bot::start().await;
    let (alice, bob) = (Player::new(&bot, "alice").await, Player::new(&bot, "bob").await);
    let one = lobby(&bot, json!({ "members": [{ "id": alice.user }, { "id": bob.user, "flags": 1 }] })).await;
    let general = json!({ "channel_id": bot.sandbox.channel_id("general") });
    let code = |answer: (u16, Value)| answer.1["code"].clone();
    assert_eq!(code(alice.link(&one, general.clone()).await), 50013, "she lacks the flag");
    assert_eq!(code(bob.link(&one, general.clone()).await), 50013, "he lacks MANAGE_CHANNELS");
    assert_eq!(code(bob.link(&one, json!({ "channel_id": "1" })).await), 10003);
    bot.expect(200, Method::PUT, &format!("{one}/members/{}", alice.user), &json!({ "flags": 1 })).await;
    let lounge = json!({ "channel_id": bot.sandbox.channel_id("Lounge") });
    assert_eq!(code(alice.link(&one, lounge).await), 50024);
    let adults = json!({ "name": "adults", "nsfw": true });
    let adults = bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &adults).await;
    assert_eq!(code(alice.link(&one, json!({ "channel_id": adults["id"] })).await), 50024);
    assert_eq!(alice.link(&one, general.clone()).await.0, 200);
    assert_eq!(alice.link(&one, general.clone()).await.0, 200, "again");
    let other = lobby(&bot, json!({ "members": [{ "id": alice.user, "flags": 1 }] })).await;
    let refused = alice.link(&other, general.clone()).await;
    assert_eq!(
        (refused.0, &refused.1["message"]),
        (400, &json!("Channel is already linked to another lobby"))
    );
    // Unlinking needs no permissions in the guild.
    assert_eq!(bob.link(&one, json!({ "channel_id": null })).await.0, 200);

    let body = json!({ "secret": "s" });
    let secret = alice.call(Method::PUT, "/lobbies", body).await.1;
    let secret = format!("/lobbies/{}", text(&secret["id"]));
    bot.expect(200, Method::PUT, &format!("{secret}/members/{}", alice.user), &json!({ "flags": 1 })).await;
    assert_eq!(alice.link(&secret, general.clone()).await.0, 400);

    // A channel that is deleted is linked no more.
    let made = json!({ "name": "short-lived" });
    let short = bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &made).await;
    assert_eq!(alice.link(&one, json!({ "channel_id": short["id"] })).await.0, 200);
    bot.expect(200, Method::DELETE, &format!("/channels/{}", text(&short["id"])), &Value::Null).await;
    assert_eq!(bot.get(&one).await.get("linked_channel"), None);
    alice.say(&one, "nobody else").await;
}

#[tokio::test]
async fn a_lobby_invites_one_user_once_for_an_hour() {
    let mut bot = Bot::start().await;
    bot.user.create_user("dave").await.unwrap();
    let dave = bot.user.overview().await.unwrap();
    let dave =
        dave["users"].as_array().unwrap().iter().find(|user| user["username"] == "dave").unwrap()["id"]
            .clone();
    let alice = bot.sandbox.user_id("alice").unwrap();
    let one = lobby(&bot, json!({ "members": [{ "id": alice, "flags": 1 }, { "id": dave }] })).await;
    let for_dave = format!("{one}/members/{}/invites", text(&dave));
    assert_eq!(bot.call(Method::POST, &for_dave, &Value::Null).await.0, 400, "it is not linked");
    let general = bot.sandbox.channel_id("general").unwrap();
    let linked = Player::new(&bot, "alice").await.link(&one, json!({ "channel_id": general })).await;
    assert_eq!(linked.0, 200);
    let code = text(&bot.post(&for_dave, json!({})).await["code"]).to_owned();
    let event = bot.event("INVITE_CREATE").await;
    assert_eq!(
        (&event["max_age"], &event["max_uses"], &event["code"]),
        (&json!(3600), &json!(1), &json!(code))
    );
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["user_id"]), (&json!(40), &json!(bot.sandbox.bot_id())));
    assert!(bot.user.accept_invite(&code, "bob").await.is_err(), "it is for another user");
    bot.user.accept_invite(&code, "dave").await.unwrap();
    assert_eq!(bot.event("GUILD_MEMBER_ADD").await["user"]["id"], dave);
    assert_eq!(bot.call(Method::GET, &format!("/invites/{code}"), &Value::Null).await.1["code"], 10006);

    let own = format!("{one}/members/@me/invites");
    let user = token(&bot, "dave", &[SCOPE]).await;
    let (status, made) = as_user(&bot, &user, Method::POST, &own, &Value::Null).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(bot.event("INVITE_CREATE").await["code"], made["code"]);
    let stranger = Player::new(&bot, "carol").await;
    assert_eq!(stranger.call(Method::POST, &own, Value::Null).await.1["code"], 50001);
    let nobody = format!("{one}/members/1/invites");
    assert_eq!(bot.call(Method::POST, &nobody, &Value::Null).await.1["code"], 10013);
}

#[tokio::test]
async fn linking_has_the_limit_of_applications_in_development() {
    let bot = Bot::start_with(Sandbox::builder()).await;
    let alice = Player::new(&bot, "alice").await;
    let one = lobby(&bot, json!({ "members": [{ "id": alice.user, "flags": 1 }] })).await;
    for _ in 0..20 {
        assert_eq!(alice.link(&one, json!({})).await.0, 200);
    }
    let (status, refused) = alice.link(&one, json!({})).await;
    assert_eq!(status, 429);
    assert!(refused["retry_after"].as_f64().unwrap() > 7000.0, "{refused}");
}
