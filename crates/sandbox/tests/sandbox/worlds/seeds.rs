//! Seed files: what they describe is there, mistakes have a place, and an export reads back as the same world.

use proptest::prelude::*;
use reqwest::Method;
use sandbox::Sandbox;
use sandbox::ratelimit::Config;
use sandbox::seed::{Seed, export};
use sandbox::state::World;
use sandbox::state::channel::{Channel, kind};
use serde_json::{Value, json};

use crate::api::bot::{ALL_INTENTS, Bot, Events, id, text};
use crate::api::cli::{command, command_for, printed};
use crate::worlds::full::fill;

const CLUB: &str = include_str!("club.yaml");

async fn start(yaml: &str) -> Sandbox {
    let seed = Seed::read(yaml, "club.yaml").unwrap_or_else(|mistake| panic!("{mistake}"));
    let builder = Sandbox::builder().rate_limits(Config::off()).seed(seed);
    builder.start().await.unwrap_or_else(|error| panic!("{error}"))
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list}"))
}

#[tokio::test]
async fn everything_that_a_seed_describes_is_there() {
    let bot = Bot::start_with(
        Sandbox::builder().rate_limits(Config::off()).seed(Seed::read(CLUB, "club.yaml").unwrap()),
    )
    .await;
    let guild = bot.guild();
    let shown = bot.get(&guild).await;
    assert_eq!((&shown["name"], &shown["premium_tier"]), (&json!("Chess Club"), &json!(2)));
    assert_eq!(shown["verification_level"], 2);
    let mods = named(&shown["roles"], "mods");
    assert_eq!(
        (&mods["color"], &mods["hoist"], &mods["position"]),
        (&json!(0x00e6_7e22), &json!(true), &json!(2))
    );
    assert_eq!(mods["permissions"], json!(((1_u64 << 1) | (1 << 13)).to_string()));
    let channels = bot.get(&format!("{guild}/channels")).await;
    let staff = named(&channels, "staff");
    assert_eq!(staff["parent_id"], named(&channels, "Rooms")["id"]);
    assert_eq!(
        staff["permission_overwrites"],
        json!([
            { "id": bot.sandbox.guild_id(), "type": 0, "allow": "0", "deny": "1024" },
            { "id": mods["id"], "type": 0, "allow": "1024", "deny": "0" },
        ])
    );
    assert_eq!(shown["system_channel_id"], named(&channels, "general")["id"]);
    let forum = named(&channels, "questions");
    assert_eq!((&forum["type"], &forum["available_tags"][0]["name"]), (&json!(15), &json!("openings")));
    assert_eq!(named(&channels, "Hall")["user_limit"], 5);
    let bob = bot.sandbox.user_id("bob").unwrap();
    let member = bot.get(&format!("{guild}/members/{bob}")).await;
    assert_eq!((&member["nick"], &member["roles"]), (&json!("Bobby"), &json!([mods["id"]])));
    let messages = bot.get(&format!("{}/messages", bot.channel("general"))).await;
    let first = messages.as_array().unwrap().last().unwrap();
    assert_eq!((&first["content"], &first["pinned"]), (&json!("Welcome, <@1>!"), &json!(true)));
    assert_eq!(first["reactions"][0]["count"], 2);
    let sent = sandbox::state::clock::parse(text(&first["timestamp"])).unwrap();
    let age = time::OffsetDateTime::now_utc() - sent;
    assert!(age > time::Duration::minutes(119) && age < time::Duration::minutes(130), "{age}");
    let threads = bot.get(&format!("{guild}/threads/active")).await;
    assert_eq!(
        named(&threads["threads"], "Sicilian?")["applied_tags"],
        json!([forum["available_tags"][0]["id"]])
    );
    let rules = bot.get(&format!("{guild}/auto-moderation/rules")).await;
    assert_eq!(named(&rules, "No cats")["exempt_roles"], json!([mods["id"]]));
    let events = bot.get(&format!("{guild}/scheduled-events")).await;
    assert_eq!(named(&events, "Tournament")["channel_id"], named(&channels, "Hall")["id"]);
    assert_eq!(bot.get("/invites/chess").await["guild"]["name"], "Chess Club");
    assert_eq!(
        bot.get(&format!("{guild}/welcome-screen")).await["welcome_channels"][0]["emoji_name"],
        "\u{265f}"
    );
    let onboarding = bot.get(&format!("{guild}/onboarding")).await;
    assert_eq!(
        onboarding["prompts"][0]["options"][0]["role_ids"],
        json!([named(&shown["roles"], "players")["id"]])
    );
    let commands = bot.get(&format!("/applications/{}/commands", bot.sandbox.bot_id())).await;
    assert_eq!(commands[0]["name"], "play");
    // A command of the seed reaches the bot.
    let mut bot = bot;
    let user = bot.user.clone();
    let run = sandbox::client::Run::typed("/play").by("bob").at("general");
    let (interaction, _) =
        bot.answers(user.run(run), json!({ "type": 4, "data": { "content": "e4" } })).await;
    assert_eq!(interaction["data"]["name"], "play");
}

#[tokio::test]
async fn ids_follow_from_names_and_are_the_same_each_time() {
    let (one, two) = (start(CLUB).await, start(CLUB).await);
    assert_eq!((one.guild_id(), one.bot_id()), (two.guild_id(), two.bot_id()));
    for channel in ["general", "staff", "Hall", "Rooms"] {
        assert_eq!(one.channel_id(channel), two.channel_id(channel));
    }
    assert_eq!(one.user_id("carol").unwrap().to_string(), "1100000000000000777", "a given id counts");
    assert_ne!(one.token(), two.token(), "tokens are random unless they are given");
}

#[tokio::test]
async fn what_seeds_lack_is_there_by_default() {
    let sandbox = start("users: [{ name: zoe }]").await;
    assert!(sandbox.user_id("zoe").is_some() && sandbox.user_id("alice").is_none());
    let (sandbox, other) = (start("").await, start("guilds: [{ name: Only }]").await);
    assert!(sandbox.channel_id("general").is_some() && sandbox.user_id("alice").is_some());
    let mut events = Events::connect(&other, ALL_INTENTS).await;
    assert_eq!(events.event("GUILD_CREATE").await["name"], "Only");
    let sandbox = Sandbox::builder().bot_name("Helper").token("given.a.b").seed(Seed::read("", "x").unwrap());
    assert_eq!(sandbox.start().await.unwrap().token(), "given.a.b");
}

#[tokio::test]
async fn every_mistake_has_a_place_and_says_what_is_right() {
    let mut wrong = Vec::new();
    let guild = |rest: &str| format!("guilds:\n- name: Club\n{rest}");
    for (yaml, expected) in [
        (
            guild(
                "  channels: [{name: a, type: text, overwrites: [{role: mod}]}]\n  roles: [{name: mods}]\n",
            ),
            "a.yaml:3:56: there is no role \"mod\"; did you mean \"mods\"?",
        ),
        (
            guild("  roles:\n  - name: mods\n    permissions: [SEND_MESAGES]\n"),
            "a.yaml:5:19: there is no permission \"SEND_MESAGES\"; did you mean SEND_MESSAGES?",
        ),
        (
            guild("  roles:\n  - name: mods\n    permissions: [BE_NICE]\n"),
            "a.yaml:5:19: there is no permission \"BE_NICE\"; SEND_MESSAGES is one, in Discord's spelling.",
        ),
        (
            guild("  channels: [{name: a, type: txet}]\n"),
            "a.yaml:3:30: there is no type of channel \"txet\"; did you mean \"text\"?",
        ),
        (
            guild("  channels: [{name: a, type: text, user_limit: 3}]\n"),
            "a.yaml:3:30: a channel of type text has no user limit or bitrate; only those of type voice and stage have.",
        ),
        (
            guild("  channels: [{name: a, type: voice}]\n  system_channel: a\n"),
            "a.yaml:4:19: \"a\" is of type voice, and this takes one of type text or announcement.",
        ),
        (
            guild("  roles: [{name: a, colour: red}]\n"),
            "a.yaml:3:21: there is no field `colour` here; did you mean `color`?",
        ),
        (
            guild("  roles: [{name: a, color: red}]\n"),
            "a.yaml:3:28: \"red\" is no colour; write one as \"#3498db\", in quotes.",
        ),
        (
            guild("  members: [{user: bobb}]\n"),
            "a.yaml:3:20: there is no user \"bobb\"; did you mean \"bob\"?",
        ),
        (
            guild("  members: [{user: Sandbot}]\n"),
            "a.yaml:3:20: Sandbot is a bot; list it under `bots` of the guild.",
        ),
        (guild("  owner: [\n"), "a.yaml:"),
        (guild("  boosts: many\n"), "a.yaml:3:11: invalid u64."),
        (guild("  repeat: 2\n  id: 5\n"), "a.yaml:4:7: an `id` belongs to one object;"),
        (
            guild("  channels: [{name: a, type: text}, {name: a, type: text}]\n"),
            "a.yaml:3:44: there is another \"a\" in the same place; rename one, or give one an `id`.",
        ),
        (
            guild("  channels: [{name: a, type: text, messages: [{author: bob, at: tomorrow}]}]\n"),
            "a.yaml:3:65: \"tomorrow\" is no moment; write -2h, +1h30m, or 2026-01-31T12:00:00Z.",
        ),
        (
            guild("  channels: [{name: a, type: text, messages: [{author: bob}]}]\n"),
            "a.yaml:3:56: this is no message: Cannot send an empty message.",
        ),
        (guild("  automod: [{name: r, actions: [{}]}]\n"), "a.yaml:3:20: an action is one of `block`,"),
        (
            guild("  events: [{name: e, start: +1h}]\n"),
            "a.yaml:3:19: an event is in a `channel` or at a `location`",
        ),
        (
            "users: [{ name: Not OK }]\n".to_owned(),
            "a.yaml:1:17: the name of a user, as \"Not OK\" here, has 2 to 32",
        ),
        (
            "bots: [{ name: b2, intents: [GUILD_MEMBER] }]\n".to_owned(),
            "a.yaml:1:30: there is no privileged intent \"GUILD_MEMBER\"; did you mean \"GUILD_MEMBERS\"?",
        ),
        ("guild: []\n".to_owned(), "a.yaml:1:1: there is no field `guild` here; did you mean `guilds`?"),
    ] {
        let mistake = match Seed::read(&yaml, "a.yaml") {
            Err(mistake) => mistake.to_string(),
            Ok(seed) => Sandbox::builder().seed(seed).start().await.unwrap_err().to_string(),
        };
        if !(mistake.starts_with(expected) && mistake.lines().count() == 1) {
            wrong.push(format!("{yaml}{mistake}\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Returns the export of a sandbox.
fn exported(sandbox: &Sandbox) -> String {
    export(&sandbox.discord().lock()).to_yaml().unwrap()
}

#[tokio::test]
async fn an_export_reads_back_as_the_same_world() {
    let first = start(CLUB).await;
    let yaml = exported(&first);
    let second = start(&yaml).await;
    let again = exported(&second);
    let differs = yaml.lines().zip(again.lines()).find(|(one, two)| one != two);
    assert!(yaml == again, "{differs:?}");
    // And as the bot sees it: all but what time and the sandbox decide.
    let layout = async |sandbox: &Sandbox| {
        let mut guild = Events::connect(sandbox, ALL_INTENTS).await.event("GUILD_CREATE").await;
        for list in ["roles", "channels", "members", "threads", "emojis"] {
            guild[list]
                .as_array_mut()
                .unwrap()
                .sort_by_key(|one| one["id"].to_string() + &one["user"]["id"].to_string());
        }
        for member in guild["members"].as_array_mut().unwrap() {
            member["joined_at"].take();
        }
        for thread in guild["threads"].as_array_mut().unwrap() {
            thread["thread_metadata"].take();
            thread["member"].take();
        }
        guild["joined_at"].take();
        guild
    };
    assert_eq!(layout(&first).await.to_string(), layout(&second).await.to_string());
}

#[tokio::test]
async fn a_full_world_is_exported_too_and_says_what_it_lacks() {
    let mut bot = Bot::start().await;
    fill(&mut bot).await;
    let yaml = bot.user.export_seed().await.unwrap();
    assert!(yaml.starts_with("# Left out: ") && !yaml.contains(bot.sandbox.token()), "{yaml}");
    let copy = start(&yaml).await;
    assert_eq!(yaml.split_once("\nusers:").unwrap().1, exported(&copy).split_once("users:").unwrap().1);
    assert_eq!(copy.guild_id(), bot.sandbox.guild_id());
}

#[tokio::test]
async fn a_seed_is_added_to_a_running_world_whole_or_not_at_all() {
    let mut bot = Bot::start().await;
    let added = bot.user.plant("users: [{name: zoe}]\nguilds: [{name: Later, owner: zoe, channels: [{name: hall, type: text}]}]\n").await;
    let create = bot.event("GUILD_CREATE").await;
    assert_eq!((&create["name"], &create["id"]), (&json!("Later"), &added.unwrap()["guilds"][0]));
    let hall = text(&create["channels"][0]["id"]);
    let sent = bot.user.send("zoe", hall, "hi").await.unwrap();
    assert_eq!(sent["content"], "hi");
    let wrong = "users: [{name: yan}]\nguilds: [{name: More, owner: yan, channels: [{name: a, type: text}, {name: b, type: tent}]}]\n";
    let error = bot.user.plant(wrong).await.unwrap_err().to_string();
    assert!(error.starts_with("seed:2:85: there is no type of channel \"tent\""), "{error}");
    let overview = bot.user.overview().await.unwrap();
    assert_eq!(overview["guilds"].as_array().unwrap().len(), 2);
    assert!(bot.sandbox.user_id("yan").is_none());
    let again = bot.user.plant("guilds: [{name: Later}]").await.unwrap_err().to_string();
    assert!(again.contains("there is another \"Later\""), "{again}");
    assert_eq!(bot.get("/users/@me/guilds").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_seed_that_fails_in_the_middle_leaves_nothing_behind() {
    let sandbox = start(CLUB).await;
    let user = sandbox.client();
    let message = user.send("bob", "general", "hi").await.unwrap()["id"].clone();
    user.plant("guilds: [{name: Many 3, channels: [{name: a, type: text, webhooks: [{name: w, id: 77}]}]}]")
        .await
        .unwrap();
    let world = || {
        let live = sandbox.discord().lock();
        assert_eq!(live.bot_by_token("a.b.c"), None);
        (serde_json::to_value::<&World>(&live).unwrap(), live.files.len())
    };
    let before = world();
    for (last, expected) in [
        (
            "{name: Second, channels: [{name: a, type: text, invites: [{code: chess}]}]}".to_owned(),
            "another invite",
        ),
        (
            format!(
                "{{name: Second, channels: [{{name: a, type: text, messages: [{{author: yan, id: {message}, content: x}}]}}]}}"
            ),
            "that of another message",
        ),
        (
            "{name: Second, channels: [{name: a, type: text, webhooks: [{name: w, id: 77}]}]}".to_owned(),
            "that of another object",
        ),
        ("{name: Many, repeat: 4}".to_owned(), "there is another \"Many\""),
    ] {
        let yaml = format!(
            "users: [{{name: yan}}]\nbots: [{{name: butler, token: a.b.c}}]\nguilds:\n- name: First\n  owner: yan\n  \
             emojis: [{{name: cat}}]\n  stickers: [{{name: dog}}]\n  channels: [{{name: a, type: text, \
             invites: [{{code: first}}], webhooks: [{{name: w}}]}}]\n- {last}\n"
        );
        let error = user.plant(&yaml).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(world(), before, "{last}");
    }
}

#[tokio::test]
async fn a_channel_gets_its_own_messages_whatever_others_are_called() {
    let yaml = "guilds:\n- name: Twins\n  channels:\n  - {name: General, type: voice}\n  \
        - {name: General, type: text, messages: [{author: bob, content: in writing}]}\n  \
        - {name: news, type: announcement, id: 5, messages: [{author: bob, content: public}]}\n  \
        - {name: news, type: text, messages: [{author: bob, content: private}]}\n";
    let sandbox = start(yaml).await;
    let live = sandbox.discord().lock();
    let contents = |channel: &Channel| {
        let contents = channel.messages.values().map(|message| message.content.clone());
        (channel.kind, contents.collect::<Vec<_>>())
    };
    let channels: Vec<_> = live.channels.values().map(contents).collect();
    let one = |text: &str| vec![text.to_owned()];
    let expected = [
        (kind::VOICE, vec![]),
        (kind::TEXT, one("in writing")),
        (kind::ANNOUNCEMENT, one("public")),
        (kind::TEXT, one("private")),
    ];
    assert_eq!(channels, expected);
}

#[tokio::test]
async fn messages_of_the_same_moment_in_two_seeds_have_ids_of_their_own() {
    let sandbox = start(CLUB).await;
    let mut ids = Vec::new();
    for guild in ["One", "Two"] {
        let yaml = format!(
            "guilds: [{{name: {guild}, channels: [{{name: {guild}, type: text, messages: [{{author: bob, \
             content: hi, at: '2026-01-31T12:00:00Z'}}]}}]}}]"
        );
        let added = sandbox.client().plant(&yaml).await.unwrap();
        let live = sandbox.discord().lock();
        let guild = live.guilds.get(&id(&added["guilds"][0])).unwrap();
        ids.extend(live.channels[&guild.channels[0]].messages.keys().copied());
    }
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test]
async fn the_command_line_exports_adds_and_serves_seeds() {
    let bot = Bot::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.yaml");
    let path = file.to_str().unwrap();
    printed(&bot, &["world", "export", path]).await;
    assert_eq!(printed(&bot, &["world", "export"]).await, std::fs::read_to_string(&file).unwrap());
    std::fs::write(&file, "guilds:\n- name: Extra\n").unwrap();
    assert_eq!(printed(&bot, &["world", "add", path]).await, "1 guilds were added.\n");
    let output = command_for(&bot).args(["world", "add", path]).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("{path}:2:9: there is another \"Extra\"")), "{said}");
    std::fs::write(&file, "guilds:\n- name: Extra\n  channels: [{name: a, type: b}]\n").unwrap();
    let output = command().args(["serve", "--listen", "127.0.0.1:0", "--seed", path]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("{path}:3:30: there is no type of channel \"b\"")), "{said}");
}

#[tokio::test]
async fn a_guild_is_repeated() {
    let sandbox = start("guilds: [{ name: Many, repeat: 30, channels: [{ name: a, type: text }] }]").await;
    let guilds = sandbox.client().overview().await.unwrap()["guilds"].as_array().unwrap().len();
    assert_eq!(guilds, 30);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/users/@me/guilds", sandbox.api_url());
    let request = http.request(Method::GET, url).header("authorization", format!("Bot {}", sandbox.token()));
    let guilds: Value = request.send().await.unwrap().json().await.unwrap();
    let names: Vec<&str> = guilds.as_array().unwrap().iter().map(|guild| text(&guild["name"])).collect();
    assert!(names.len() == 30 && names.contains(&"Many") && names.contains(&"Many 30"), "{names:?}");
}

/// Returns texts that YAML could take for something else, or break in.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{2,8}",
        Just("yes".to_owned()),
        Just("null".to_owned()),
        Just("1e3".to_owned()),
        Just("- a: b #c".to_owned()),
        Just("\u{1f600} x\u{202e}y".to_owned()),
        "[ -~]{2,20}".prop_filter("not blank", |text| text.trim().len() > 1),
    ]
}

fn guild() -> impl Strategy<Value = Value> {
    let roles = prop::collection::btree_map(name(), (0_u64..1 << 53, any::<bool>(), 0_u32..1 << 24), 0..4);
    let channels =
        prop::collection::btree_map(name(), (0_usize..3, any::<bool>(), prop::option::of(name())), 0..5);
    (name(), roles, channels, prop::option::of(name())).prop_map(|(name, roles, channels, nick)| {
        let role = |(name, (permissions, hoist, color)): (&String, &(u64, bool, u32))| {
            json!({ "name": name, "permissions": [permissions.to_string()], "hoist": hoist, "color": format!("#{color:06x}") })
        };
        let first = roles.keys().next();
        let channel = |(name, (kind, nsfw, topic)): (&String, &(usize, bool, Option<String>))| {
            let overwrites: Vec<Value> =
                first.iter().map(|role| json!({ "role": role, "allow": ["CONNECT"], "deny": ["SPEAK"] })).collect();
            let kind = ["voice", "category", "stage"][*kind];
            json!({ "name": name, "type": kind, "nsfw": nsfw, "topic": topic, "overwrites": overwrites })
        };
        json!({ "name": name, "roles": roles.iter().map(role).collect::<Vec<_>>(),
            "channels": channels.iter().map(channel).collect::<Vec<_>>(),
            "members": [{ "user": "bob", "nick": nick, "roles": first.iter().collect::<Vec<_>>() }] })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_export_reads_back_as_itself(guild in guild()) {
        // JSON is YAML.
        let yaml = json!({ "guilds": [guild] }).to_string();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let Ok(seed) = Seed::read(&yaml, "a.yaml") else { panic!("{yaml}") };
            let Ok(first) = Sandbox::builder().seed(seed).start().await else { return };
            let yaml = exported(&first);
            let second = start(&yaml).await;
            let again = exported(&second);
            let differs = yaml.lines().zip(again.lines()).find(|(one, two)| one != two);
            assert!(yaml == again, "{differs:?}");
        });
    }
}
