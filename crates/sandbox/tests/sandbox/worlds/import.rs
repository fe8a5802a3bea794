//! Imports of a server's layout, from another sandbox in the place of Discord.

use reqwest::Method;
use sandbox::Sandbox;
use sandbox::event_log::Event;
use sandbox::ratelimit::Config;
use sandbox::seed::Seed;
use sandbox::seed::import::{Discord, template};
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};
use crate::api::cli::command;

const CLUB: &str = include_str!("club.yaml");

async fn club() -> Bot {
    let seed = Seed::read(CLUB, "club.yaml").unwrap();
    Bot::start_with(Sandbox::builder().rate_limits(Config::off()).seed(seed)).await
}

fn reader(bot: &Bot) -> Discord {
    Discord::new(bot.sandbox.url(), Some(bot.sandbox.token())).unwrap()
}

/// Returns a sandbox with this seed.
async fn planted(yaml: &str) -> Sandbox {
    let seed = Seed::read(yaml, "imported.yaml").unwrap_or_else(|mistake| panic!("{mistake}\n{yaml}"));
    Sandbox::builder().seed(seed).start().await.unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

fn sorted(mut list: Value) -> Value {
    list.as_array_mut().unwrap().sort_by_key(|one| text(&one["id"]).to_owned());
    list
}

/// Reads a path of a sandbox's first guild as its bot.
async fn read(sandbox: &Sandbox, path: &str) -> Value {
    let url = format!("{}/guilds/{}{path}", sandbox.api_url(), sandbox.guild_id());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.get(url).header("authorization", format!("Bot {}", sandbox.token()));
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_guild_is_imported_with_its_layout_by_get_requests_alone() {
    let bot = club().await;
    let from = bot.sandbox.event_log().read(1, usize::MAX).entries.len();
    let imported = reader(&bot).guild(bot.sandbox.guild_id().0).await.unwrap();
    let log = bot.sandbox.event_log().read(1, usize::MAX).entries;
    let requests: Vec<&str> = log[from..]
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Request(request) => Some(request.method.as_ref()),
            _ => None,
        })
        .collect();
    assert!(requests.len() >= 7 && requests.iter().all(|method| *method == "GET"), "{requests:?}");
    let yaml = imported.to_yaml().unwrap();
    assert!(
        !yaml.contains(bot.sandbox.token())
            && yaml.contains("# Left out: 1 permission overwrites of single members"),
        "{yaml}"
    );
    let copy = planted(&yaml).await;
    for path in ["/emojis", "/stickers", "/auto-moderation/rules"] {
        let strip = |mut list: Value| {
            for one in list.as_array_mut().unwrap() {
                one["user"].take();
                one["creator_id"].take();
            }
            sorted(list)
        };
        assert_eq!(strip(read(&bot.sandbox, path).await), strip(read(&copy, path).await), "{path}");
    }
    for path in ["/welcome-screen", "/onboarding"] {
        assert_eq!(read(&bot.sandbox, path).await, read(&copy, path).await, "{path}");
    }
    let channels = |list: Value| {
        let mut list = sorted(list);
        for channel in list.as_array_mut().unwrap() {
            channel["last_message_id"].take();
            channel["last_pin_timestamp"].take();
            let overwrites = channel["permission_overwrites"].as_array_mut().unwrap();
            overwrites.retain(|overwrite| overwrite["type"] == 0);
        }
        list
    };
    let (here, there) = (read(&bot.sandbox, "/channels").await, read(&copy, "/channels").await);
    assert_eq!(channels(here), channels(there));
}

#[tokio::test]
async fn what_a_bot_may_not_read_is_left_out_and_said() {
    let bot = club().await;
    let guild = bot.sandbox.guild_id();
    let roles = bot.get(&format!("/guilds/{guild}/roles")).await;
    let own = roles.as_array().unwrap().iter().find(|role| role["managed"] == true).unwrap();
    let deny = json!({ "deny": ["ADMINISTRATOR"] });
    bot.user.edit_role(&guild.to_string(), text(&own["name"]), &deny).await.unwrap();
    let imported = reader(&bot).guild(guild.0).await.unwrap();
    let said = imported.left_out.join("\n");
    assert!(
        said.contains("the rules of auto moderation, which the bot may not read (403: Missing Permissions)"),
        "{said}"
    );
    assert!(said.contains("channels that the bot does not see"), "{said}");
    let yaml = imported.to_yaml().unwrap();
    assert!(
        !yaml.contains("name: staff") && !yaml.contains("hidden") && yaml.contains("name: general"),
        "{yaml}"
    );
    planted(&yaml).await;
}

#[tokio::test]
async fn a_template_is_imported_by_code_and_from_a_file() {
    let bot = club().await;
    let made = bot.post(&format!("{}/templates", bot.guild()), json!({ "name": "Copy" })).await;
    let code = text(&made["code"]);
    let by_code =
        reader(&bot).template(&format!("https://discord.new/{code}")).await.unwrap().to_yaml().unwrap();
    let copy = planted(&by_code).await;
    let names = |list: &Value| {
        let mut names: Vec<String> =
            list.as_array().unwrap().iter().map(|one| text(&one["name"]).to_owned()).collect();
        names.sort();
        names
    };
    for path in ["/channels", "/roles"] {
        let here = names(&read(&bot.sandbox, path).await);
        // The bot's own role is not part of a template, and the copy's bot has another name.
        let (here, there) = (here, names(&read(&copy, path).await));
        let common = |list: Vec<String>| {
            list.into_iter()
                .filter(|name| !["Helper", "Sandbot"].contains(&name.as_str()))
                .collect::<Vec<_>>()
        };
        assert_eq!(common(here), common(there), "{path}");
    }
    let staff = |list: Value| {
        let found = list.as_array().unwrap().iter().find(|one| one["name"] == "staff").unwrap().clone();
        found["permission_overwrites"].as_array().unwrap().len()
    };
    assert_eq!(staff(read(&copy, "/channels").await), 2);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.json");
    std::fs::write(&file, bot.get(&format!("/guilds/templates/{code}")).await.to_string()).unwrap();
    let output = command().args(["import", "--template", file.to_str().unwrap()]).output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("name: Chess Club"), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    planted(&printed).await;
    assert!(template(&json!({}), "x").unwrap_err().to_string().starts_with("x is no guild template"));
}

#[tokio::test]
async fn rate_limits_are_waited_for() {
    let bot = club().await;
    let rule = json!({ "on": { "request": { "path": "/guilds/*/emojis",
        "effect": { "rate_limit": { "retry_after": 0.3 } } } }, "count": 2 });
    let added = bot.control(Method::POST, "/faults").json(&rule).send().await.unwrap();
    assert!(added.status().is_success(), "{}", added.text().await.unwrap());
    let began = std::time::Instant::now();
    let imported = reader(&bot).guild(bot.sandbox.guild_id().0).await.unwrap();
    assert!(began.elapsed() > std::time::Duration::from_millis(550), "{:?}", began.elapsed());
    assert!(imported.to_yaml().unwrap().contains("name: queen"));
}

#[tokio::test]
async fn the_command_line_imports_and_never_shows_the_token() {
    let bot = club().await;
    let folder = tempfile::tempdir().unwrap();
    let (secret, file) = (folder.path().join("token"), folder.path().join("server.yaml"));
    std::fs::write(&secret, format!("{}\n", bot.sandbox.token())).unwrap();
    let guild = bot.sandbox.guild_id().to_string();
    let import = || {
        let mut import = command();
        import
            .env_remove("DISCORD_TOKEN")
            .env_remove("DISCORD_TOKEN_FILE")
            .env("DISCORD_API_URL", bot.sandbox.url());
        import.args(["import", "--guild", &guild]);
        import
    };
    let output = import().env("DISCORD_TOKEN_FILE", &secret).arg("--to").arg(&file).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("left out: "), "{said}");
    let written = std::fs::read_to_string(&file).unwrap();
    for text in [&said, &written, &String::from_utf8(output.stdout).unwrap()] {
        assert!(!text.contains(bot.sandbox.token()));
    }
    planted(&written).await;

    // Directly into another sandbox.
    let other = Sandbox::builder().start().await.unwrap();
    let output = import()
        .env("DISCORD_TOKEN", bot.sandbox.token())
        .env("SANDBOX_URL", other.url())
        .env("SANDBOX_CONTROL_SECRET", other.control_secret())
        .arg("--add")
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let guilds = other.client().overview().await.unwrap()["guilds"].clone();
    assert_eq!((guilds.as_array().unwrap().len(), &guilds[1]["name"]), (2, &json!("Chess Club")));

    for (url, token, sentence) in [
        (bot.sandbox.url(), Some("wrong.token.here"), "was answered with 401: 401: Unauthorized"),
        (bot.sandbox.url(), None, "set DISCORD_TOKEN or DISCORD_TOKEN_FILE"),
        (
            "http://discord.example",
            Some("secret.token.here"),
            "is not of this machine, so it begins with https://",
        ),
        ("ftp://127.0.0.1", Some("secret.token.here"), "begins with https://"),
        ("http://u:p@127.0.0.1", Some("secret.token.here"), "has no name or password in it"),
        ("http://127.0.0.1:1", Some("secret.token.here"), "gives no answer"),
    ] {
        let mut import = import();
        import.env("DISCORD_API_URL", url);
        if let Some(token) = token {
            import.env("DISCORD_TOKEN", token);
        }
        let output = import.output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(sentence) && said.lines().count() == 1, "{url}: {said}");
        assert!(!said.contains(".token.here"), "{said}");
    }
}
