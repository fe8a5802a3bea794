//! Lobbies: an application manages them, and users talk in them.

use std::time::Duration;

use reqwest::Method;
use sandbox::Sandbox;
use sandbox::event_log::{Entry, Event};
use sandbox::ratelimit::Config;
use sandbox::snowflake::Snowflake;
use serde_json::{Value, json};

use crate::api::applications::{as_user, token};
use crate::api::bot::{Bot, PATIENCE, id, text};

pub(crate) const SCOPE: &str = "sdk.social_layer";

/// A user who has authorized the bot's application.
pub(crate) struct Player<'a> {
    bot: &'a Bot,
    pub(crate) user: Snowflake,
    token: String,
}

impl<'a> Player<'a> {
    pub(crate) async fn new(bot: &'a Bot, name: &str) -> Self {
        let user = bot.sandbox.user_id(name).unwrap();
        Self { bot, user, token: token(bot, name, &[SCOPE]).await }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        as_user(self.bot, &self.token, method, path, &body).await
    }

    pub(crate) async fn say(&self, lobby: &str, content: &str) -> Value {
        let (status, sent) =
            self.call(Method::POST, &format!("{lobby}/messages"), json!({ "content": content })).await;
        assert_eq!(status, 201, "{sent}");
        sent
    }

    pub(crate) async fn messages(&self, lobby: &str) -> Vec<Value> {
        let (status, list) = self.call(Method::GET, &format!("{lobby}/messages"), Value::Null).await;
        assert_eq!(status, 200, "{list}");
        list.as_array().unwrap().clone()
    }

    pub(crate) async fn link(&self, lobby: &str, body: Value) -> (u16, Value) {
        self.call(Method::PATCH, &format!("{lobby}/channel-linking"), body).await
    }
}

pub(crate) fn contents(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| text(&message["content"])).collect()
}

/// Creates a lobby and returns its path.
pub(crate) async fn lobby(bot: &Bot, body: Value) -> String {
    let made = bot.expect(201, Method::POST, "/lobbies", &body).await;
    format!("/lobbies/{}", text(&made["id"]))
}

#[tokio::test]
async fn a_lobby_is_created_changed_and_deleted() {
    let bot = Bot::start().await;
    let [alice, bob] = ["alice", "bob"].map(|name| bot.sandbox.user_id(name).unwrap());
    let body = json!({ "metadata": { "topic": "redstone" }, "idle_timeout_seconds": 604_800,
        "members": [{ "id": alice, "flags": 1 }, { "id": bob, "metadata": { "team": "red" } }] });
    let made = bot.expect(201, Method::POST, "/lobbies", &body).await;
    assert_eq!(
        made,
        json!({ "id": made["id"], "application_id": bot.sandbox.bot_id(), "flags": 0,
            "metadata": { "topic": "redstone" }, "members": [
                { "id": alice, "metadata": null, "flags": 1 },
                { "id": bob, "metadata": { "team": "red" }, "flags": 0 },
            ] })
    );
    let one = format!("/lobbies/{}", text(&made["id"]));
    assert_eq!(bot.get(&one).await, made);

    let named = json!({ "additional_name": "Twindly" });
    bot.expect(200, Method::PUT, &format!("{one}/members/{bob}"), &named).await;
    let change = json!({ "metadata": null, "members": [{ "id": bob }], "flags": 1,
        "override_event_webhooks_url": "https://example.com/events" });
    let changed = bot.expect(200, Method::PATCH, &one, &change).await;
    assert_eq!(
        changed["members"],
        json!([{ "id": bob, "metadata": null, "flags": 0, "additional_name": "Twindly" }]),
        "members are replaced and keep the name that this operation cannot set"
    );
    assert_eq!(
        (&changed["metadata"], &changed["flags"], &changed["override_event_webhooks_url"]),
        (&Value::Null, &json!(1), &json!("https://example.com/events"))
    );
    assert_eq!(bot.expect(200, Method::PATCH, &one, &json!({})).await, changed);

    for (path, body) in
        [("/lobbies", json!({ "members": [{ "id": "1" }] })), (&one, json!({ "members": [{ "id": "1" }] }))]
    {
        let method = if path == "/lobbies" { Method::POST } else { Method::PATCH };
        assert_eq!(bot.call(method, path, &body).await.1["code"], 10013);
    }
    let wrong = bot.expect(400, Method::PATCH, &one, &json!({ "idle_timeout_seconds": 4 })).await;
    assert_eq!(wrong["errors"]["idle_timeout_seconds"]["_errors"][0]["code"], "NUMBER_TYPE_MIN");

    for _ in 0..2 {
        bot.expect(204, Method::DELETE, &one, &Value::Null).await;
        assert_eq!(bot.call(Method::GET, &one, &Value::Null).await.1["code"], 10031);
    }
    assert_eq!(bot.call(Method::PATCH, &one, &json!({})).await.1["code"], 10031);
}

#[tokio::test]
async fn another_application_does_not_know_the_lobby() {
    let bot = Bot::start().await;
    let one = lobby(&bot, json!({})).await;
    let other = bot.user.create_bot("Other").await.unwrap();
    let url = format!("{}{one}", bot.sandbox.api_url());
    let call = async |method: Method| {
        let request = reqwest::Client::new().request(method, &url);
        let request = request.header("authorization", format!("Bot {}", text(&other["token"])));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(call(Method::GET).await, 404);
    assert_eq!(call(Method::DELETE).await, 204, "as if it did not exist");
    bot.get(&one).await;
    assert_eq!(bot.call(Method::PUT, "/lobbies", &json!({ "secret": "s" })).await.0, 403, "it is for users");
}

#[tokio::test]
async fn members_are_added_changed_and_removed() {
    let bot = Bot::start().await;
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| bot.sandbox.user_id(name).unwrap());
    let one = lobby(&bot, json!({})).await;
    let member = format!("{one}/members/{alice}");
    let body = json!({ "metadata": { "a": "b" }, "additional_name": "Al", "flags": 1 });
    let added = bot.expect(200, Method::PUT, &member, &body).await;
    assert_eq!(added, json!({ "id": alice, "metadata": { "a": "b" }, "additional_name": "Al", "flags": 1 }));
    assert_eq!(bot.expect(200, Method::PUT, &member, &json!({})).await, added, "absent fields stay");
    let cleared = bot.expect(200, Method::PUT, &member, &json!({ "additional_name": null })).await;
    assert_eq!(cleared.get("additional_name"), None);

    let bulk = format!("{one}/members/bulk");
    let body = json!([
        { "id": alice, "remove_member": true },
        { "id": bob, "additional_name": "Bo" },
        { "id": bot.sandbox.bot_id() },
        { "id": carol, "flags": 1 },
    ]);
    let shown = bot.post(&bulk, body).await;
    assert_eq!(
        shown,
        json!([{ "id": bob, "metadata": null, "flags": 0, "additional_name": "Bo" },
            { "id": carol, "metadata": null, "flags": 1 }]),
        "bots are left out, and those who are removed"
    );
    assert_eq!(bot.get(&one).await["members"], shown);
    let body = json!([{ "id": bob, "remove_member": true }, { "id": "1" }]);
    assert_eq!(bot.call(Method::POST, &bulk, &body).await.1["code"], 10013);
    assert_eq!(bot.get(&one).await["members"], shown, "an unknown user changes nothing");

    for _ in 0..2 {
        bot.expect(204, Method::DELETE, &format!("{one}/members/{bob}"), &Value::Null).await;
    }
    assert_eq!(bot.get(&one).await["members"], json!([shown[1]]));
    for (method, path) in [(Method::PUT, "/lobbies/1/members/2"), (Method::DELETE, "/lobbies/1/members/2")] {
        assert_eq!(bot.call(method, path, &json!({})).await.1["code"], 10031);
    }
    assert_eq!(bot.call(Method::PUT, &format!("{one}/members/1"), &json!({})).await.1["code"], 10013);
    let own = format!("{one}/members/{}", bot.sandbox.bot_id());
    assert_eq!(bot.call(Method::PUT, &own, &json!({})).await.0, 400);
}

#[tokio::test]
async fn a_user_is_in_a_hundred_lobbies_at_most() {
    let bot = Bot::start().await;
    let alice = bot.sandbox.user_id("alice").unwrap();
    let with_alice = json!({ "members": [{ "id": alice }] });
    let first = lobby(&bot, with_alice.clone()).await;
    for _ in 1..100 {
        lobby(&bot, with_alice.clone()).await;
    }
    let refused = bot.expect(400, Method::POST, "/lobbies", &with_alice).await;
    assert_eq!(refused["message"], "Maximum number of lobbies reached (100)");
    let empty = lobby(&bot, json!({})).await;
    let bulk = json!([{ "id": alice }]);
    assert_eq!(bot.post(&format!("{empty}/members/bulk"), bulk.clone()).await, json!([]));
    assert_eq!(bot.call(Method::PUT, &format!("{empty}/members/{alice}"), &json!({})).await.0, 400);
    assert_eq!(bot.post(&format!("{first}/members/bulk"), bulk).await[0]["id"], json!(alice), "she is in it");
    bot.expect(200, Method::PATCH, &first, &with_alice).await;
}

#[tokio::test]
async fn users_create_and_find_a_lobby_by_its_secret() {
    let bot = Bot::start().await;
    let (alice, bob) = (Player::new(&bot, "alice").await, Player::new(&bot, "bob").await);
    let body = json!({ "secret": "join-secret-7", "lobby_metadata": { "map": "1" }, "member_metadata": { "hp": "9" } });
    let (status, made) = alice.call(Method::PUT, "/lobbies", body).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(made["metadata"], json!({ "map": "1" }));
    assert_eq!(made["members"], json!([{ "id": alice.user, "metadata": { "hp": "9" }, "flags": 0 }]));
    let body = json!({ "secret": "join-secret-7", "lobby_metadata": { "map": "2" } });
    let joined = bob.call(Method::PUT, "/lobbies", body).await.1;
    assert_eq!((&joined["id"], &joined["metadata"]), (&made["id"], &json!({ "map": "2" })));
    assert_eq!(joined["members"].as_array().unwrap().len(), 2);
    let again = alice.call(Method::PUT, "/lobbies", json!({ "secret": "join-secret-7" })).await.1;
    assert_eq!(again, joined, "what is absent stays");
    let other = alice.call(Method::PUT, "/lobbies", json!({ "secret": "t" })).await.1;
    assert_ne!(other["id"], made["id"]);

    let one = format!("/lobbies/{}", text(&made["id"]));
    let me = format!("{one}/members/@me");
    for _ in 0..2 {
        assert_eq!(bob.call(Method::DELETE, &me, Value::Null).await.0, 204);
    }
    assert_eq!(bot.get(&one).await["members"].as_array().unwrap().len(), 1);
    assert_eq!(alice.call(Method::DELETE, "/lobbies/1/members/@me", Value::Null).await.1["code"], 10031);
    let of_server = lobby(&bot, json!({ "members": [{ "id": alice.user }] })).await;
    assert_eq!(alice.call(Method::DELETE, &format!("{of_server}/members/@me"), Value::Null).await.0, 403);

    let log = bot.sandbox.event_log().read(1, usize::MAX).entries;
    assert!(!format!("{log:?}").contains("join-secret-7"), "who reads the log cannot join");

    let narrow = token(&bot, "bob", &["identify"]).await;
    let messages = format!("{one}/messages");
    for (method, path) in [
        (Method::PUT, "/lobbies"),
        (Method::DELETE, me.as_str()),
        (Method::GET, messages.as_str()),
        (Method::POST, messages.as_str()),
    ] {
        let body = json!({ "secret": "s", "content": "c" });
        let refused = as_user(&bot, &narrow, method.clone(), path, &body).await;
        assert_eq!((refused.0, &refused.1["code"]), (403, &json!(50026)), "{method} {path}");
    }
}

#[tokio::test]
async fn members_talk_in_a_lobby_and_others_do_not() {
    let bot = Bot::start().await;
    let (alice, bob) = (Player::new(&bot, "alice").await, Player::new(&bot, "bob").await);
    let one = lobby(&bot, json!({ "members": [{ "id": alice.user }] })).await;
    let named = json!({ "additional_name": "Al" });
    bot.expect(200, Method::PUT, &format!("{one}/members/{}", alice.user), &named).await;
    let path = format!("{one}/messages");
    let body = json!({ "content": " hi ", "metadata": { "x": "1" }, "flags": 1 << 12 | 1 << 6 });
    let (status, sent) = alice.call(Method::POST, &path, body).await;
    assert_eq!(status, 201, "{sent}");
    let lobby_id = one.trim_start_matches("/lobbies/");
    assert_eq!((&sent["lobby_id"], &sent["channel_id"]), (&json!(lobby_id), &json!(lobby_id)));
    assert_eq!(
        (&sent["content"], &sent["type"], &sent["flags"]),
        (&json!("hi"), &json!(0), &json!(1 << 16 | 1 << 12))
    );
    assert_eq!((&sent["author"]["username"], &sent["lobby_member"]), (&json!("alice"), &named));
    assert_eq!(
        (&sent["metadata"], &sent["application_id"]),
        (&json!({ "x": "1" }), &json!(bot.sandbox.bot_id()))
    );
    let listed = alice.messages(&one).await;
    let mut kept = sent.clone();
    kept.as_object_mut().unwrap().remove("metadata");
    assert_eq!(listed, [kept], "metadata is for those who are there");

    alice.say(&one, "two").await;
    alice.say(&one, "three").await;
    let last = alice.call(Method::GET, &format!("{path}?limit=2"), Value::Null).await.1;
    assert_eq!(contents(last.as_array().unwrap()), ["two", "three"]);
    assert_eq!(alice.call(Method::GET, &format!("{path}?limit=201"), Value::Null).await.1["code"], 50035);
    assert_eq!(alice.call(Method::POST, &path, json!({ "content": "" })).await.1["code"], 50035);
    for method in [Method::GET, Method::POST] {
        assert_eq!(bob.call(method, &path, json!({ "content": "c" })).await.1["code"], 50001);
    }
    // A member who has left is still the author.
    bot.expect(200, Method::PATCH, &one, &json!({ "members": [{ "id": bob.user }] })).await;
    assert_eq!(bob.messages(&one).await[0]["lobby_member"], named);
}

#[tokio::test]
async fn moderation_metadata_stays_until_the_text_changes() {
    let bot = Bot::start().await;
    let alice = Player::new(&bot, "alice").await;
    let one = lobby(&bot, json!({ "members": [{ "id": alice.user, "flags": 1 }] })).await;
    let sent = alice.say(&one, "frog").await;
    let path = |message: &Value| format!("{one}/messages/{}/moderation-metadata", text(&message["id"]));
    let hide = json!({ "action": "hide" });
    bot.expect(204, Method::PUT, &path(&sent), &hide).await;
    assert_eq!(alice.messages(&one).await[0]["moderation_metadata"], hide);
    let me = bot.sandbox.bot_id().to_string();
    assert_eq!(bot.user.moderation_metadata(&me, text(&sent["id"])).await.unwrap(), hide);
    bot.expect(204, Method::PUT, &path(&sent), &json!({})).await;
    assert_eq!(alice.messages(&one).await[0].get("moderation_metadata"), None);
    let unknown = path(&json!({ "id": "1" }));
    assert_eq!(bot.call(Method::PUT, &unknown, &hide).await.1["code"], 10008);
    let too_many = json!({ "1": "", "2": "", "3": "", "4": "", "5": "", "6": "" });
    assert_eq!(bot.call(Method::PUT, &path(&sent), &too_many).await.1["code"], 50035);

    // A message of the linked channel, whose author edits it.
    let general = bot.sandbox.channel_id("general").unwrap();
    assert_eq!(alice.link(&one, json!({ "channel_id": general })).await.0, 200);
    let written = bot.user.send("bob", "general", "toad").await.unwrap();
    bot.expect(204, Method::PUT, &path(&written), &hide).await;
    assert_eq!(alice.messages(&one).await[1]["moderation_metadata"], hide);
    let general = bot.channel("general");
    let shown = bot.get(&format!("{general}/messages/{}", text(&written["id"]))).await;
    assert_eq!(shown.get("moderation_metadata"), None, "it is for games only");
    bot.user.edit("bob", id(&written["id"]), "newt").await.unwrap();
    let edited = alice.messages(&one).await.remove(1);
    assert_eq!((&edited["content"], edited.get("moderation_metadata")), (&json!("newt"), None));
}

#[tokio::test]
async fn a_lobby_ends_when_it_has_been_idle() {
    let builder = Sandbox::builder().rate_limits(Config::off());
    let bot = Bot::start_with(builder.lobby_idle_timeout(Duration::from_millis(300))).await;
    let alice = bot.sandbox.user_id("alice").unwrap();
    let kept = lobby(&bot, json!({ "members": [{ "id": alice }], "idle_timeout_seconds": 604_800 })).await;
    let kept_id = kept.trim_start_matches("/lobbies/").to_owned();
    let ended = async |path: &str| {
        let wanted = format!("lobby {} is deleted, since it was idle", path.trim_start_matches("/lobbies/"));
        let is_it = |entry: &Entry| matches!(&entry.event, Event::Note { text, .. } if *text == wanted);
        bot.sandbox.event_log().wait_for(1, PATIENCE, is_it).await.unwrap();
    };
    // While a game is connected the lobby stays.
    assert!(bot.user.set_in_lobby("bob", &kept_id, true).await.is_err(), "he is no member");
    assert_eq!(bot.user.set_in_lobby("alice", &kept_id, true).await.unwrap(), json!([alice]));
    bot.expect(200, Method::PATCH, &kept, &json!({ "idle_timeout_seconds": null })).await;
    let idle = lobby(&bot, json!({})).await;
    ended(&idle).await;
    assert_eq!(bot.call(Method::GET, &idle, &Value::Null).await.1["code"], 10031);
    bot.get(&kept).await;
    assert_eq!(bot.user.set_in_lobby("alice", &kept_id, false).await.unwrap(), json!([]));
    ended(&kept).await;
    // One that is longer idle is still there.
    let long = lobby(&bot, json!({ "idle_timeout_seconds": 604_800 })).await;
    let short = lobby(&bot, json!({})).await;
    ended(&short).await;
    bot.get(&long).await;
}
