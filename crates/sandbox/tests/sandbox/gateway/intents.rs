//! Intents: the events that a session gets, and their content.

use sandbox::gateway::{Dispatch, Intents};
use serde_json::{Value, json};

use crate::gateway::client::End;
use crate::gateway::world::{BOT, GUILD, Server};

#[tokio::test]
async fn only_events_of_the_asked_intents_arrive() {
    let server = Server::start().await;
    let mut client = server.identified(Intents::GUILD_MESSAGE_REACTIONS).await;
    server.message(1);
    server.hub.dispatch(&Dispatch::guild(GUILD, "MESSAGE_REACTION_ADD", json!({"guild_id": GUILD})));
    server.hub.dispatch(&Dispatch::direct(BOT, "MESSAGE_REACTION_ADD", json!({})));
    server.hub.dispatch(&Dispatch::guild(GUILD, "INTERACTION_CREATE", json!({"id": "1"})).only(BOT));
    let names: Vec<_> = client.until_ack().await.iter().map(|event| event["t"].clone()).collect();
    assert_eq!(names, ["MESSAGE_REACTION_ADD", "INTERACTION_CREATE"]);
}

#[tokio::test]
async fn an_update_about_the_bot_itself_needs_no_intent() {
    let server = Server::start().await;
    let mut client = server.identified(Intents::GUILDS).await;
    for user in ["5", "1000"] {
        let data = json!({"guild_id": GUILD, "user": {"id": user}});
        server.hub.dispatch(&Dispatch::guild(GUILD, "GUILD_MEMBER_UPDATE", data));
    }
    let users: Vec<_> =
        client.until_ack().await.iter().map(|event| event["d"]["user"]["id"].clone()).collect();
    assert_eq!(users, ["1000"]);
}

#[tokio::test]
async fn content_needs_its_intent_unless_the_bot_is_concerned() {
    let server = Server::start().await;
    let mut without = server.identified(Intents::GUILD_MESSAGES).await;
    let mut with = server.identified(Intents::GUILD_MESSAGES | Intents::MESSAGE_CONTENT).await;
    let message = |id: &str, author: &str, mentions: Value| {
        let data = json!({
            "id": id, "guild_id": GUILD, "author": {"id": author}, "mentions": mentions, "content": "hello",
            "embeds": [{"title": "hello"}],
        });
        server.hub.dispatch(&Dispatch::guild(GUILD, "MESSAGE_CREATE", data));
    };
    message("1", "5", json!([]));
    message("2", "1000", json!([]));
    message("3", "5", json!([{"id": "1000"}]));
    for (id, hidden) in [("1", true), ("2", false), ("3", false)] {
        let expected = if hidden { ("", 0) } else { ("hello", 1) };
        for (client, (content, embeds)) in [(&mut without, expected), (&mut with, ("hello", 1))] {
            let event = client.event("MESSAGE_CREATE").await;
            assert_eq!((&event["id"], &event["content"]), (&json!(id), &json!(content)));
            assert_eq!(event["embeds"].as_array().unwrap().len(), embeds);
        }
    }
}

#[tokio::test]
async fn privileged_intents_must_be_enabled() {
    let server = Server::start().await;
    *server.world.privileged.lock() = Intents::GUILD_MEMBERS;
    let mut client = server.connect().await;
    client.identify(Intents::GUILD_MEMBERS | Intents::GUILD_PRESENCES).await;
    assert_eq!(client.end().await, End::Close(4014));
    assert_eq!(server.hub.session_start_limit(BOT).remaining, 999, "a refused IDENTIFY is one, too");
    server.identified(Intents::GUILD_MEMBERS).await;
    assert_eq!(server.hub.session_start_limit(BOT).remaining, 998);
}

#[tokio::test]
async fn guild_create_tells_as_much_as_the_intents_allow() {
    let server = Server::start().await;
    for (intents, members, presences) in [
        (Intents::GUILDS, vec!["1000"], 0),
        (Intents::GUILDS | Intents::GUILD_PRESENCES, vec!["1000", "1001", "1002", "1003", "1004"], 1),
    ] {
        let mut client = server.connect().await;
        client.identify(intents).await;
        client.event("READY").await;
        let guild = client.event("GUILD_CREATE").await;
        let ids: Vec<_> =
            guild["members"].as_array().unwrap().iter().map(|member| &member["user"]["id"]).collect();
        assert_eq!(ids, members);
        assert_eq!(guild["presences"].as_array().unwrap().len(), presences);
    }
}

#[tokio::test]
async fn an_intent_that_libraries_ask_for_by_default_is_taken_though_it_has_no_event() {
    let server = Server::start().await;
    // Every bit that interactions.py 5.16 sets in `Intents.DEFAULT`, without those that are privileged.
    let default = Intents::from_bits(53_706_493).unwrap();
    assert!(!default.intersects(Intents::PRIVILEGED));
    let mut client = server.identified(default).await;
    server.message(1);
    let names: Vec<_> = client.until_ack().await.iter().map(|event| event["t"].clone()).collect();
    assert_eq!(names, ["MESSAGE_CREATE"]);
}
