//! Provisional accounts of players, and moderation of direct messages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::applications::{as_user, token};
use crate::api::bot::{Bot, text};

const SCOPE: &str = "sdk.social_layer";
const BOT_ISSUED: &str = "DISCORD_BOT_ISSUED_ACCESS_TOKEN";

async fn player(bot: &Bot, body: Value) -> Value {
    bot.post("/partner-sdk/token/bot", body).await
}

/// Returns the claims of an ID token.
fn claims(answer: &Value) -> Value {
    let part = text(&answer["id_token"]).split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn id_token(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "RS256", "kid": "1" })), part(claims))
}

/// Calls an operation without any token.
async fn without_token(bot: &Bot, path: &str, body: &Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("{}{path}", bot.sandbox.api_url())).json(body);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_player_gets_an_account_and_a_token_that_works() {
    let bot = Bot::start().await;
    let body = json!({ "external_user_id": "p1", "preferred_global_name": "Pat" });
    let made = player(&bot, body).await;
    assert_eq!(
        (&made["token_type"], &made["expires_in"], &made["scope"]),
        (&json!("Bearer"), &json!(604_800), &json!(SCOPE))
    );
    let id = claims(&made)["sub"].clone();
    assert_eq!(bot.get(&format!("/users/{}", text(&id))).await["global_name"], "Pat");
    let secret = json!({ "secret": "s" });
    let (status, lobby) = as_user(&bot, text(&made["access_token"]), Method::PUT, "/lobbies", &secret).await;
    assert_eq!((status, &lobby["members"][0]["id"]), (200, &id));
    let again = player(&bot, json!({ "external_user_id": "p1", "preferred_global_name": "Patty" })).await;
    assert_eq!(claims(&again)["sub"], id);
    assert_eq!(bot.get(&format!("/users/{}", text(&id))).await["global_name"], "Patty");
    assert_ne!(claims(&player(&bot, json!({ "external_user_id": "p2" })).await)["sub"], id);
    assert_eq!(bot.call(Method::POST, "/partner-sdk/token/bot", &json!({})).await.1["code"], 50035);
    assert_eq!(
        without_token(&bot, "/partner-sdk/token/bot", &json!({ "external_user_id": "p" })).await.0,
        401
    );
}

#[tokio::test]
async fn a_token_of_an_identity_provider_is_exchanged() {
    let bot = Bot::start().await;
    let path = "/partner-sdk/token";
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let with = |claims: Value| {
        json!({ "client_id": bot.sandbox.bot_id(), "client_secret": "s", "external_auth_type": "OIDC",
            "external_auth_token": id_token(&claims) })
    };
    let good = json!({ "sub": "o1", "iat": now, "exp": now + 600, "preferred_username": "Olga" });
    let made = bot.post(path, with(good.clone())).await;
    let id = claims(&made)["sub"].clone();
    assert_eq!(bot.get(&format!("/users/{}", text(&id))).await["global_name"], "Olga");
    let (status, again) = without_token(&bot, path, &with(good.clone())).await;
    assert_eq!((status, &claims(&again)["sub"]), (200, &id), "no token of a bot is needed");
    let mut expired = good.clone();
    expired["exp"] = json!(now - 1);
    assert_eq!(bot.call(Method::POST, path, &with(expired)).await.1["code"], 530_001);
    let mut unknown = with(good);
    unknown["client_id"] = json!("1");
    assert_eq!(bot.call(Method::POST, path, &unknown).await.1["code"], 10002);

    // A token that was issued for an application's own player stands for that player.
    let own = player(&bot, json!({ "external_user_id": "p1" })).await;
    let body = |token: &Value| json!({ "client_id": bot.sandbox.bot_id(), "external_auth_type": BOT_ISSUED, "external_auth_token": token });
    let same = bot.post(path, body(&own["access_token"])).await;
    assert_eq!(claims(&same)["sub"], claims(&own)["sub"]);
    assert_eq!(bot.call(Method::POST, path, &body(&json!("x"))).await.1["code"], 50025);
    let log = bot.sandbox.event_log().read(1, usize::MAX).entries;
    let log = format!("{log:?}");
    for secret in [&own["access_token"], &own["id_token"], &made["id_token"]] {
        assert!(!log.contains(text(secret)), "the log has a token");
    }
}

#[tokio::test]
async fn an_account_is_merged_and_separated_again() {
    let bot = Bot::start().await;
    let me = bot.sandbox.bot_id().to_string();
    let unmerge = "/partner-sdk/provisional-accounts/unmerge/bot";
    let identity = json!({ "external_user_id": "p1" });
    assert_eq!(bot.call(Method::POST, unmerge, &identity).await.1["code"], 10013, "nobody knows the player");
    let made = player(&bot, json!({ "external_user_id": "p1", "preferred_global_name": "Pat" })).await;
    let provisional = claims(&made)["sub"].clone();
    let access = text(&made["access_token"]).to_owned();
    assert_eq!(bot.call(Method::POST, unmerge, &identity).await.1["code"], 50229, "it is provisional still");
    let joined = as_user(&bot, &access, Method::PUT, "/lobbies", &json!({ "secret": "s" })).await.1;
    let lobby = format!("/lobbies/{}", text(&joined["id"]));
    let messages = format!("{lobby}/messages");
    as_user(&bot, &access, Method::POST, &messages, &json!({ "content": "hi" })).await;
    let username = bot.get(&format!("/users/{}", text(&provisional))).await["username"].clone();
    let direct = bot.user.send(text(&username), "@bob", "psst").await.unwrap();

    let merge = |user: &'static str, token: String| {
        let (client, me) = (bot.user.clone(), me.clone());
        async move { client.authorize_and_merge(user, &me, &[SCOPE], BOT_ISSUED, &token).await }
    };
    assert!(
        merge("carol", "x".to_owned()).await.unwrap_err().to_string().contains("Invalid OAuth2 access token")
    );
    let carol = bot.sandbox.user_id("carol").unwrap();
    let full = merge("carol", access.clone()).await.unwrap();
    let full = text(&full["access_token"]);
    assert_eq!(bot.call(Method::GET, &format!("/users/{}", text(&provisional)), &Value::Null).await.0, 404);
    assert_eq!(as_user(&bot, &access, Method::GET, &messages, &Value::Null).await.0, 401);
    assert_eq!(bot.get(&lobby).await["members"][0]["id"], json!(carol));
    let list = as_user(&bot, full, Method::GET, &messages, &Value::Null).await.1;
    assert_eq!(list[0]["author"]["username"], "carol", "{list}");
    let history = bot.user.messages("bob", "@carol", 10).await.unwrap();
    assert_eq!((&history[0]["id"], &history[0]["author"]["username"]), (&direct["id"], &json!("carol")));
    assert_eq!(bot.call(Method::POST, "/partner-sdk/token/bot", &identity).await.1["code"], 530_010);
    // Carol has a player of this application; another cannot be hers too.
    let second = player(&bot, json!({ "external_user_id": "p2" })).await;
    let refused = merge("carol", text(&second["access_token"]).to_owned()).await.unwrap_err().to_string();
    assert!(refused.contains("Too many application identities"), "{refused}");

    bot.expect(204, Method::POST, unmerge, &identity).await;
    assert_eq!(as_user(&bot, full, Method::GET, &messages, &Value::Null).await.0, 401);
    let again = player(&bot, identity).await;
    let new = claims(&again)["sub"].clone();
    assert!(new != provisional && new != json!(carol));
    assert_eq!(bot.get(&lobby).await["members"][0]["id"], new);
    let names = [bot.get(&format!("/users/{}", text(&new))).await, bot.get(&format!("/users/{carol}")).await];
    assert_eq!(names[0]["global_name"], names[1]["global_name"]);
}

#[tokio::test]
async fn an_external_identity_is_separated_by_its_token() {
    let bot = Bot::start().await;
    let body = json!({ "client_id": bot.sandbox.bot_id(), "external_auth_type": "STEAM_SESSION_TICKET",
        "external_auth_token": "14000000" });
    let path = "/partner-sdk/provisional-accounts/unmerge";
    assert_eq!(without_token(&bot, path, &body).await.1["code"], 10013);
    bot.post("/partner-sdk/token", body.clone()).await;
    assert_eq!(without_token(&bot, path, &body).await.1["code"], 50229);
    let me = bot.sandbox.bot_id().to_string();
    let merged = bot.user.authorize_and_merge("bob", &me, &[SCOPE], "STEAM_SESSION_TICKET", "14000000").await;
    merged.unwrap();
    bot.expect(204, Method::POST, path, &body).await;
    bot.post("/partner-sdk/token", body).await;
}

#[tokio::test]
async fn a_provisional_account_is_not_invited_to_a_guild() {
    let bot = Bot::start().await;
    let made = player(&bot, json!({ "external_user_id": "p1" })).await;
    let alice = bot.sandbox.user_id("alice").unwrap();
    let members = json!({ "members": [{ "id": claims(&made)["sub"] }, { "id": alice, "flags": 1 }] });
    let lobby = bot.expect(201, Method::POST, "/lobbies", &members).await;
    let lobby = format!("/lobbies/{}", text(&lobby["id"]));
    let general = json!({ "channel_id": bot.sandbox.channel_id("general") });
    let user = token(&bot, "alice", &[SCOPE]).await;
    let link = format!("{lobby}/channel-linking");
    assert_eq!(as_user(&bot, &user, Method::PATCH, &link, &general).await.0, 200);
    let invites = format!("{lobby}/members/@me/invites");
    let refused = as_user(&bot, text(&made["access_token"]), Method::POST, &invites, &Value::Null).await;
    assert_eq!((refused.0, &refused.1["code"]), (400, &json!(50229)));
}

#[tokio::test]
async fn direct_messages_are_moderated_for_games() {
    let bot = Bot::start().await;
    let [alice, bob] = ["alice", "bob"].map(|name| bot.sandbox.user_id(name).unwrap());
    let sent = bot.user.send("alice", "@bob", "frog").await.unwrap();
    let message = text(&sent["id"]);
    let path = |one, other, message: &str| {
        format!("/partner-sdk/dms/{one}/{other}/messages/{message}/moderation-metadata")
    };
    let (show, blur) = (json!({ "action": "show" }), json!({ "action": "blur", "reason": "toxicity" }));
    let me = bot.sandbox.bot_id().to_string();
    for (one, other, metadata) in [(alice, bob, &show), (bob, alice, &blur)] {
        bot.expect(204, Method::PUT, &path(one, other, message), metadata).await;
        assert_eq!(bot.user.moderation_metadata(&me, message).await.unwrap(), *metadata);
    }
    let other = text(&bot.user.create_bot("Other").await.unwrap()["id"]).to_owned();
    assert_eq!(bot.user.moderation_metadata(&other, message).await.unwrap(), json!({}), "it is this bot's");
    bot.user.edit("alice", sandbox::snowflake::Snowflake(message.parse().unwrap()), "newt").await.unwrap();
    assert_eq!(bot.user.moderation_metadata(&me, message).await.unwrap(), json!({}));
    let carol = bot.sandbox.user_id("carol").unwrap();
    for (one, other, message, code) in
        [(alice, carol, message, 10008), (alice, bob, "1", 10008), (alice, 1.into(), message, 10013)]
    {
        assert_eq!(bot.call(Method::PUT, &path(one, other, message), &show).await.1["code"], code);
    }
}
