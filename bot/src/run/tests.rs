//! The bot's cache compared with the state of a local Discord, after every kind of event that changes something.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sandbox::Sandbox;
use sandbox::gateway::{Command as GatewayCommand, Dispatch, Target};
use sandbox::snowflake::Snowflake;
use sdk::permissions::{self, BYPASS_SLOWMODE, Bits, Change, PIN_MESSAGES};
use sdk::serenity::all::{
    Emoji, GatewayIntents, Guild, GuildChannel, GuildId, Member, Message, PartialGuild,
    PermissionOverwriteType, Permissions, ReactionRemoveEmojiEvent, Role,
};
use sdk::{Plugin, PluginEntry, Subscriptions, event};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::local_bot::LocalBot;

/// What listeners observed: the old state, the state in the event, and the state in the cache.
static SEEN: Mutex<Vec<[Option<String>; 3]>> = Mutex::new(Vec::new());

struct Listens;

impl Plugin for Listens {
    fn subscriptions(&self, on: &mut Subscriptions) {
        on.event(|ctx, changed: event::GuildUpdate| async move {
            let cached = ctx.cache.guild(changed.new_data.id).map(|guild| guild.name.clone());
            let old = changed.old_data_if_available.map(|old| old.name);
            SEEN.lock().unwrap().push([old, Some(changed.new_data.name), cached]);
            Ok(())
        });
        on.event(|ctx, changed: event::GuildMemberUpdate| async move {
            let guild = ctx.cache.guild(changed.event.guild_id).unwrap().clone();
            let cached = guild.members[&changed.event.user.id].flags;
            let words = |flags: sdk::serenity::all::GuildMemberFlags| format!("flags {}", flags.bits());
            let old = changed.old_if_available.map(|old| words(old.flags));
            SEEN.lock().unwrap().push([old, changed.new.map(|new| words(new.flags)), Some(words(cached))]);
            Ok(())
        });
    }
}

async fn bot(intents: GatewayIntents) -> LocalBot {
    let entries = [PluginEntry::new("events-listens", "1.0.0", "", || Box::new(Listens))];
    let sandbox = Sandbox::builder().rate_limits(sandbox::ratelimit::Config::off());
    LocalBot::start(sandbox, &entries, intents, 0).await
}

/// Converts a value to serenity's form, whether it came over the gateway or over REST.
fn written<T: DeserializeOwned + Serialize>(truth: Value) -> Value {
    let words = truth.to_string();
    let read: T = serde_json::from_value(truth).unwrap_or_else(|error| panic!("{error}: {words}"));
    serde_json::to_value(read).unwrap()
}

fn by_id<T: Serialize>(things: impl IntoIterator<Item = T>, id: impl Fn(&Value) -> Value) -> Value {
    let things = things.into_iter().map(|thing| serde_json::to_value(thing).unwrap());
    things
        .map(|thing| (id(&thing).as_str().unwrap().to_owned(), thing))
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .collect()
}

fn own_id(thing: &Value) -> Value {
    thing["id"].clone()
}

fn without(mut value: Value, fields: &[&str]) -> Value {
    for thing in value.as_object_mut().unwrap().values_mut() {
        for field in fields {
            thing.as_object_mut().unwrap().remove(*field);
        }
    }
    value
}

impl LocalBot {
    fn test_guild(&self) -> GuildId {
        self.sandbox.guild_id().0.into()
    }

    fn cached(&self) -> Option<Guild> {
        self.cache.guild(self.test_guild()).map(|guild| guild.clone())
    }

    /// Returns everything that can be compared, by kind: the state of the cache, and that of REST.
    async fn both(&self) -> BTreeMap<&'static str, [Value; 2]> {
        let id = self.test_guild();
        let path = |rest: &str| format!("/guilds/{id}{rest}");
        let list = async |rest: &str| self.truth(&path(rest)).await.as_array().unwrap().clone();
        let mut truth_guild = written::<PartialGuild>(self.truth(&path("")).await);
        let truth_roles: Vec<_> = list("/roles")
            .await
            .into_iter()
            .map(|mut role| {
                role["guild_id"] = json!(id);
                written::<Role>(role)
            })
            .collect();
        let truth_channels: Vec<_> =
            list("/channels").await.into_iter().map(written::<GuildChannel>).collect();
        let threads = self.truth(&path("/threads/active")).await["threads"].as_array().unwrap().clone();
        let truth_threads: Vec<_> = threads.into_iter().map(written::<GuildChannel>).collect();
        let truth_emojis: Vec<_> = list("/emojis").await.into_iter().map(written::<Emoji>).collect();
        let members = list("/members?limit=1000").await;
        let truth_members: Vec<_> = members
            .into_iter()
            .map(|mut one| {
                one["guild_id"] = json!(id);
                written::<Member>(one)
            })
            .collect();
        let voice = self.people.voice(&id.to_string()).await.unwrap();
        let truth_voice: BTreeMap<_, _> = voice
            .iter()
            .map(|state| (state["user_id"].as_str().unwrap().to_owned(), state["channel_id"].clone()))
            .collect();
        let mut truth_messages = Vec::new();
        for channel in &truth_channels {
            if channel["type"] == 0 {
                let path = format!("/channels/{}/messages?limit=100", channel["id"].as_str().unwrap());
                truth_messages.extend(
                    self.truth(&path).await.as_array().unwrap().iter().cloned().map(written::<Message>),
                );
            }
        }

        let guild = self.cached().unwrap();
        let mut cached_guild = serde_json::to_value(PartialGuild::from(guild.clone())).unwrap();
        for one in [&mut cached_guild, &mut truth_guild] {
            let one = one.as_object_mut().unwrap();
            // Compared separately, or counted only by REST.
            for field in
                ["roles", "emojis", "stickers", "approximate_member_count", "approximate_presence_count"]
            {
                one.remove(field);
            }
        }
        let cached_voice: BTreeMap<_, _> = guild
            .voice_states
            .iter()
            .map(|(user, state)| (user.to_string(), json!(state.channel_id)))
            .collect();
        let active =
            guild.threads.iter().filter(|thread| thread.thread_metadata.is_some_and(|data| !data.archived));
        let user_id = |member: &Value| member["user"]["id"].clone();
        let known = |message: &&Value| {
            let id = |field: &str| message[field].as_str().unwrap().parse::<u64>().unwrap();
            self.cache.message(id("channel_id"), id("id")).is_some()
        };
        let truth_messages: Vec<_> = truth_messages.iter().filter(known).cloned().collect();
        let cached_messages = truth_messages.iter().map(|message| {
            let id = |field: &str| message[field].as_str().unwrap().parse::<u64>().unwrap();
            self.cache.message(id("channel_id"), id("id")).unwrap().clone()
        });
        // The gateway adds the guild and the member. The author is as of the message's creation; REST has the current
        // name.
        let of_gateway = ["guild_id", "member", "author"];
        let messages = [by_id(cached_messages, own_id), by_id(truth_messages.clone(), own_id)];
        let channels = |value| without(value, &["member", "permissions"]);
        [
            ("guild", [cached_guild, truth_guild]),
            ("member count", [json!(guild.member_count), json!(truth_members.len())]),
            ("roles", [by_id(guild.roles.values(), own_id), by_id(truth_roles, own_id)]),
            (
                "channels",
                [channels(by_id(guild.channels.values(), own_id)), channels(by_id(truth_channels, own_id))],
            ),
            ("threads", [channels(by_id(active, own_id)), channels(by_id(truth_threads, own_id))]),
            (
                "emojis",
                [
                    without(by_id(guild.emojis.values(), own_id), &["user"]),
                    without(by_id(truth_emojis, own_id), &["user"]),
                ],
            ),
            ("members", [by_id(guild.members.values(), user_id), by_id(truth_members, user_id)]),
            ("voice", [json!(cached_voice), json!(truth_voice)]),
            ("messages", messages.map(|value| without(value, &of_gateway))),
        ]
        .into()
    }

    /// Waits until the cache equals the state of REST.
    async fn is_true(&self, after: &str) {
        let differs = std::cell::RefCell::new(String::new());
        let equal = async || {
            let both = self.both().await;
            let different = both.iter().find(|(_, [cached, truth])| cached != truth);
            let Some((kind, [cached, truth])) = different else { return Some(()) };
            *differs.borrow_mut() = format!(
                "{kind}:\n  cached {}\n  truth  {}",
                difference(cached, truth),
                difference(truth, cached)
            );
            None
        };
        let waited = self.until_within(std::time::Duration::from_secs(10), equal).await;
        assert!(waited.is_some(), "after {after} the cache differs in {}", differs.borrow());
    }

    async fn dispatch(&self, name: &'static str, data: Value) {
        self.sandbox.discord().hub().dispatch(&Dispatch::guild(self.sandbox.guild_id(), name, data));
    }
}

/// Returns the parts of `one` that are not in `other`, one level deep.
fn difference(one: &Value, other: &Value) -> String {
    let (Some(fields), Some(others)) = (one.as_object(), other.as_object()) else { return one.to_string() };
    let different = fields.iter().filter(|(name, value)| others.get(*name) != Some(value));
    different
        .map(|(name, value)| match others.get(name) {
            Some(other) if value.is_object() => format!("{name}: {{{}}} ", difference(value, other)),
            _ => format!("{name}: {value} "),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_is_as_discord_is_after_every_event() {
    let bot = bot(GatewayIntents::all()).await;
    let guild = bot.test_guild();
    let (people, general) = (&bot.people, bot.sandbox.channel_id("general").unwrap());
    let path = |rest: &str| format!("/guilds/{guild}{rest}");
    let carol = bot.sandbox.user_id("carol").unwrap_or_else(|| bot.sandbox.user_id("alice").unwrap());
    let name = guild.to_string();
    bot.is_true("the start").await;

    let channel = bot.ask("POST", &path("/channels"), Some(&json!({ "name": "news", "topic": "a" }))).await;
    let news = channel["id"].as_str().unwrap().to_owned();
    bot.is_true("a channel was created").await;
    let change = json!({
        "name": "Another name", "description": "words", "system_channel_id": news, "afk_timeout": 900,
        "verification_level": 2, "preferred_locale": "de",
    });
    bot.ask("PATCH", &path(""), Some(&change)).await;
    bot.is_true("the guild was changed").await;
    bot.ask(
        "PATCH",
        &format!("/channels/{news}"),
        Some(&json!({ "topic": "b", "nsfw": true, "rate_limit_per_user": 7 })),
    )
    .await;
    bot.is_true("a channel was changed").await;
    bot.ask("PATCH", &path("/channels"), Some(&json!([{ "id": news, "position": 0 }]))).await;
    bot.is_true("channels were moved").await;

    let role = bot.ask("POST", &path("/roles"), Some(&json!({ "name": "helper", "permissions": "0" }))).await;
    let role = role["id"].as_str().unwrap().to_owned();
    bot.is_true("a role was created").await;
    bot.ask("PATCH", &path(&format!("/roles/{role}")), Some(&json!({ "name": "helpers", "hoist": true })))
        .await;
    bot.is_true("a role was changed").await;
    let overwrite = json!({ "allow": "1024", "deny": "0", "type": 0 });
    bot.ask("PUT", &format!("/channels/{news}/permissions/{role}"), Some(&overwrite)).await;
    bot.is_true("an overwrite was set").await;
    bot.ask("PUT", &path(&format!("/members/{carol}/roles/{role}")), None).await;
    bot.is_true("a member got a role").await;
    bot.ask("PATCH", &path("/roles"), Some(&json!([{ "id": role, "position": 1 }]))).await;
    bot.is_true("roles were moved").await;
    bot.ask("DELETE", &path(&format!("/roles/{role}")), None).await;
    bot.is_true("a role that a member wears was deleted").await;

    bot.ask("PATCH", &path(&format!("/members/{carol}")), Some(&json!({ "nick": "C" }))).await;
    bot.is_true("a member was renamed").await;
    people.create_user("newcomer").await.unwrap();
    people.join(&name, "newcomer").await.unwrap();
    bot.is_true("somebody joined").await;
    people.enter_voice(&name, "newcomer", "General").await.ok();
    bot.is_true("somebody entered voice").await;
    people.leave(&name, "newcomer").await.unwrap();
    bot.is_true("somebody left, out of voice").await;
    bot.ask("PUT", &path(&format!("/bans/{}", bot.sandbox.user_id("bob").unwrap())), Some(&json!({}))).await;
    bot.is_true("somebody was banned").await;

    let picture = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let emoji = bot.ask("POST", &path("/emojis"), Some(&json!({ "name": "blob", "image": picture }))).await;
    bot.is_true("an emoji was created").await;
    let emoji = path(&format!("/emojis/{}", emoji["id"].as_str().unwrap()));
    bot.ask("PATCH", &emoji, Some(&json!({ "name": "blob2" }))).await;
    bot.is_true("an emoji was renamed").await;
    bot.ask("DELETE", &emoji, None).await;
    bot.is_true("an emoji was deleted").await;

    let message = people.send("alice", "general", "first").await.unwrap();
    let message: Snowflake = message["id"].as_str().unwrap().parse().unwrap();
    bot.until("the message is cached", async || bot.cache.message(general.0, message.0).map(|_| ())).await;
    people.edit("alice", message, "second").await.unwrap();
    bot.is_true("a message was edited").await;
    people.react("alice", message, "👍").await.unwrap();
    bot.ask("PUT", &format!("/channels/{general}/messages/{message}/reactions/%F0%9F%91%8D/@me"), None).await;
    bot.is_true("two reacted to a message").await;
    people.unreact("alice", message, "👍").await.unwrap();
    bot.is_true("one took the reaction back").await;
    // serenity cannot deserialise the event of DELETE .../reactions/{emoji}, in which Discord sends no `burst` and no
    // `type`.
    let documented = json!({ "channel_id": "1", "guild_id": "2", "message_id": "3", "emoji": { "id": null, "name": "x" } });
    assert!(serde_json::from_value::<ReactionRemoveEmojiEvent>(documented).is_err());
    bot.ask("DELETE", &format!("/channels/{general}/messages/{message}/reactions"), None).await;
    bot.is_true("all reactions were removed").await;
    bot.ask("PUT", &format!("/channels/{general}/messages/pins/{message}"), None).await;
    bot.is_true("a message was pinned").await;
    bot.ask("DELETE", &format!("/channels/{general}/messages/pins/{message}"), None).await;
    bot.is_true("a message was unpinned").await;

    let thread = json!({ "name": "aside", "type": 11 });
    let thread = bot.ask("POST", &format!("/channels/{news}/threads"), Some(&thread)).await;
    let thread = thread["id"].as_str().unwrap().to_owned();
    bot.is_true("a thread was opened").await;
    bot.ask("PUT", &format!("/channels/{thread}/thread-members/{carol}"), None).await;
    bot.is_true("somebody was added to a thread").await;
    bot.ask("POST", &format!("/channels/{thread}/messages"), Some(&json!({ "content": "in the thread" })))
        .await;
    bot.ask("PATCH", &format!("/channels/{thread}"), Some(&json!({ "name": "beside" }))).await;
    bot.is_true("a thread was renamed").await;
    bot.ask("PATCH", &format!("/channels/{thread}"), Some(&json!({ "archived": true }))).await;
    bot.is_true("a thread was archived").await;
    bot.ask("PATCH", &format!("/channels/{thread}"), Some(&json!({ "archived": false }))).await;
    bot.is_true("a thread was opened again").await;
    bot.ask("DELETE", &format!("/channels/{news}"), None).await;
    bot.is_true("a channel was deleted, with its thread").await;
    let thread: u64 = thread.parse().unwrap();
    assert!(bot.cache.channel_messages(thread).is_none_or(|messages| messages.is_empty()));
    bot.ask("PATCH", "/users/@me", Some(&json!({ "username": "Renamed" }))).await;
    bot.is_true("the bot was renamed").await;
}

/// Events that the local Discord does not send by itself, in the form of the documentation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_serenity_leaves_out_reach_the_cache() {
    let bot = bot(GatewayIntents::all()).await;
    let guild = bot.test_guild();
    let general = bot.sandbox.channel_id("general").unwrap();
    let has = async |what: &str, look: &dyn Fn(&Guild) -> bool| {
        bot.until(what, async || look(&bot.cached()?).then_some(())).await;
    };
    let stage = |topic: &str| {
        json!({
            "id": "840647391636226060", "guild_id": guild, "channel_id": general, "topic": topic, "privacy_level": 2,
            "discoverable_disabled": true, "guild_scheduled_event_id": null,
        })
    };
    bot.dispatch("STAGE_INSTANCE_CREATE", stage("one")).await;
    has("a stage", &|guild| guild.stage_instances.len() == 1).await;
    bot.dispatch("STAGE_INSTANCE_UPDATE", stage("two")).await;
    has("its new topic", &|guild| {
        guild.stage_instances.len() == 1 && guild.stage_instances[0].topic == "two"
    })
    .await;
    bot.dispatch("STAGE_INSTANCE_DELETE", stage("two")).await;
    has("no stage", &|guild| guild.stage_instances.is_empty()).await;

    let scheduled = |name: &str| {
        json!({
            "id": "941647391636226060", "guild_id": guild, "channel_id": null, "creator_id": null, "name": name,
            "description": null, "scheduled_start_time": "2030-01-01T00:00:00+00:00",
            "scheduled_end_time": "2030-01-01T01:00:00+00:00", "privacy_level": 2, "status": 1, "entity_type": 3,
            "entity_id": null, "entity_metadata": { "location": "here" }, "image": null,
        })
    };
    bot.dispatch("GUILD_SCHEDULED_EVENT_CREATE", scheduled("fair")).await;
    has("an event", &|guild| guild.scheduled_events.len() == 1).await;
    bot.dispatch("GUILD_SCHEDULED_EVENT_UPDATE", scheduled("fête")).await;
    has("its new name", &|guild| guild.scheduled_events[0].name == "fête").await;
    bot.dispatch("GUILD_SCHEDULED_EVENT_DELETE", scheduled("fête")).await;
    has("no event", &|guild| guild.scheduled_events.is_empty()).await;

    let thread = |id: &str| {
        json!({
            "id": id, "guild_id": guild, "parent_id": general, "type": 11, "name": id, "owner_id": "1", "message_count": 0,
            "member_count": 1, "thread_metadata": { "archived": false, "auto_archive_duration": 60, "locked": false,
            "archive_timestamp": "2030-01-01T00:00:00+00:00" },
        })
    };
    bot.dispatch("THREAD_CREATE", thread("50")).await;
    has("a thread", &|guild| guild.threads.len() == 1).await;
    let sync =
        json!({ "guild_id": guild, "channel_ids": [general], "threads": [thread("51")], "members": [] });
    bot.dispatch("THREAD_LIST_SYNC", sync).await;
    has("the synchronised threads alone", &|guild| guild.threads.len() == 1 && guild.threads[0].id == 51)
        .await;
    let member = json!({ "id": "51", "user_id": bot.sandbox.bot_id(), "guild_id": guild, "flags": 0,
        "join_timestamp": "2030-01-01T00:00:00+00:00" });
    bot.dispatch("THREAD_MEMBER_UPDATE", member).await;
    has("the bot's own membership", &|guild| guild.threads[0].member.is_some()).await;
    let members = json!({ "id": "51", "guild_id": guild, "member_count": 9, "removed_member_ids": [bot.sandbox.bot_id()] });
    bot.dispatch("THREAD_MEMBERS_UPDATE", members).await;
    has("the number of members", &|guild| {
        guild.threads[0].member_count == Some(9) && guild.threads[0].member.is_none()
    })
    .await;
    bot.dispatch("CHANNEL_DELETE", json!({ "id": general, "guild_id": guild, "type": 0, "name": "general" }))
        .await;
    has("no thread without its channel", &|guild| guild.threads.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_sees_what_was_before_and_what_is_now() {
    let bot = bot(GatewayIntents::all()).await;
    let guild = bot.test_guild();
    let first = bot.cached().unwrap().name;
    let mut expected = Vec::new();
    let mut before = first;
    for number in 0..50 {
        let name = format!("Name {number}");
        bot.ask("PATCH", &format!("/guilds/{guild}"), Some(&json!({ "name": name }))).await;
        expected.push((before, name.clone()));
        before = name;
    }
    let alice = bot.sandbox.user_id("alice").unwrap();
    let member = bot.truth(&format!("/guilds/{guild}/members/{alice}")).await;
    for flags in 1..50 {
        let mut event = member.clone();
        (event["guild_id"], event["flags"]) = (json!(guild), json!(flags));
        bot.dispatch("GUILD_MEMBER_UPDATE", event).await;
        expected.push((format!("flags {}", flags - 1), format!("flags {flags}")));
    }
    let seen = bot
        .until("all were heard", async || {
            let seen = SEEN.lock().unwrap().clone();
            (seen.len() >= expected.len()).then_some(seen)
        })
        .await;
    // Listeners run concurrently, in any order, so the cache may be ahead of an event, but never behind.
    let place = |name: &str| expected.iter().position(|(_, new)| new == name).unwrap();
    let pairs: std::collections::BTreeSet<_> =
        seen.iter().map(|[old, new, _]| (old.clone().unwrap(), new.clone().unwrap())).collect();
    assert_eq!(pairs, expected.iter().cloned().collect());
    for [_, new, cached] in &seen {
        assert!(place(cached.as_ref().unwrap()) >= place(new.as_ref().unwrap()), "{new:?} {cached:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guild_that_was_left_while_the_bot_was_away_is_forgotten() {
    let bot = bot(GatewayIntents::GUILDS).await;
    let other = bot.people.create_guild("Other", "alice").await.unwrap();
    let other = other["id"].as_str().unwrap().to_owned();
    let id: GuildId = other.parse().unwrap();
    bot.until("the other guild is known", async || bot.cache.guild(id).map(|_| ())).await;
    // A fault drops the event, so that it is lost with the session.
    let lost = sandbox::fault::GatewayRule { event: Some("GUILD_DELETE".to_owned()), ..Default::default() };
    bot.sandbox.faults().add(sandbox::fault::Rule::new(sandbox::fault::On::Dispatch(
        sandbox::fault::GatewayRule { effect: sandbox::fault::GatewayEffect::Ignore, ..lost },
    )));
    bot.people.leave(&other, &bot.sandbox.bot_id().to_string()).await.unwrap();
    bot.people
        .gateway(&Target::default(), &GatewayCommand::InvalidSession { resumable: false })
        .await
        .unwrap();
    bot.until("the new session's guilds are known", async || bot.cache.guild(id).is_none().then_some(()))
        .await;
}

/// serenity itself removes the two permissions for which it has no names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permissions_that_serenity_does_not_know_survive_a_change() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let token = crate::config::Token::parse(sandbox.token(), false).unwrap();
    let api = crate::config::ApiUrl::parse(sandbox.url()).unwrap();
    let api = Arc::new(crate::api::Api::new(token, api.as_ref(), false).await.unwrap());
    let (http, guild) = (api.http(), GuildId::new(sandbox.guild_id().0));
    let own = PIN_MESSAGES | BYPASS_SLOWMODE;
    let before = own | Permissions::VIEW_CHANNEL.into();
    let role = http
        .create_role(guild, &json!({ "name": "helpers", "permissions": before.to_string() }), None)
        .await
        .unwrap();
    let said = async || {
        let route = sdk::serenity::http::Route::GuildRole { guild_id: guild, role_id: role.id };
        let get = sdk::serenity::http::LightMethod::Get;
        let json: Value = http.fire(sdk::serenity::http::Request::new(route, get)).await.unwrap();
        Bits(json["permissions"].as_str().unwrap().parse().unwrap())
    };
    assert_eq!(said().await, before, "the local Discord keeps them");
    let change = Change::new().allow(Permissions::MANAGE_THREADS).deny(Permissions::VIEW_CHANNEL);
    let after = permissions::edit_role(&http, guild, role.id, &change, Some("why not")).await.unwrap();
    assert_eq!(after, own | Permissions::MANAGE_THREADS.into());
    assert_eq!(said().await, after);

    let channel = sandbox.channel_id("general").unwrap().0.into();
    let who = PermissionOverwriteType::Role(role.id);
    let change = Change::new().allow(PIN_MESSAGES).deny(BYPASS_SLOWMODE);
    permissions::edit_overwrite(&http, channel, who, &change, None).await.unwrap();
    let change = Change::new().allow(Permissions::SEND_MESSAGES);
    let (allow, deny) = permissions::edit_overwrite(&http, channel, who, &change, None).await.unwrap();
    assert_eq!((allow, deny), (PIN_MESSAGES | Permissions::SEND_MESSAGES.into(), BYPASS_SLOWMODE));
    let change = Change::new().inherit(PIN_MESSAGES | BYPASS_SLOWMODE);
    let (allow, deny) = permissions::edit_overwrite(&http, channel, who, &change, None).await.unwrap();
    assert_eq!((allow, deny), (Permissions::SEND_MESSAGES.into(), Bits(0)));
}
