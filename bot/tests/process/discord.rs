//! The bot from Discord's side: the binary itself, with a local Discord.

use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::Sandbox;
use sandbox::client::Run;
use sandbox::event_log::{Body, Closer, Entry, Event, Kind};
use sandbox::fault::{
    ConnectEffect, ConnectRule, ErrorBody, GatewayEffect, GatewayRule, On, RequestEffect, RequestRule, Rule,
};
use sandbox::gateway::Intents;
use sdk::tokio;
use sdk::tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use sdk::tokio::process::Child;
use sdk::tokio::sync::mpsc;
use sdk::tokio::time::timeout;
use tempfile::TempDir;

/// Longest wait for anything that should happen at once. It is long because the machine may be busy.
const WITHIN: Duration = Duration::from_secs(20);

/// A running bot, killed when the test ends.
struct Bot {
    child: Child,
    /// Where it runs, and keeps its database.
    _folder: TempDir,
    lines: mpsc::UnboundedReceiver<String>,
    log: String,
}

impl Bot {
    /// Starts the bot at `discord` with these additional variables, and no others.
    fn start(discord: &Sandbox, variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hotcord"));
        command
            .env_clear()
            .env("DATABASE_URL", format!("sqlite:{}", folder.path().join("hotcord.db").display()))
            .env("APP_ENV", "testing")
            .env("DISCORD_API_URL", discord.api_url())
            .env("DISCORD_TOKEN", discord.token())
            .env("HEALTH_ADDR", "off")
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        // Read continuously, so that a full pipe never blocks the bot.
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = stdout.next_line().await {
                let _ = sender.send(line);
            }
        });
        Self { child, _folder: folder, lines, log: String::new() }
    }

    /// Waits until the bot is connected and has registered its commands, in either order.
    async fn serves(&mut self) {
        for words in ["ready user=", "command=message menu"] {
            if !self.log.contains(words) {
                self.says(words).await;
            }
        }
    }

    /// Waits for a line of the log that contains `words`.
    async fn says(&mut self, words: &str) {
        let found = async {
            while let Some(line) = self.lines.recv().await {
                self.log.push_str(&line);
                self.log.push('\n');
                if line.contains(words) {
                    return true;
                }
            }
            false
        };
        let found = timeout(WITHIN, found).await;
        assert_eq!(found, Ok(true), "{words:?} is not in the log:\n{}", self.log);
    }

    fn signal(&self) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for the end. Returns the exit status and the output on standard error.
    async fn ends(&mut self) -> (ExitStatus, String) {
        let mut errors = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        let end = async {
            while let Some(line) = self.lines.recv().await {
                self.log.push_str(&line);
                self.log.push('\n');
            }
            stderr.read_to_string(&mut errors).await.unwrap();
            self.child.wait().await.unwrap()
        };
        let status = timeout(WITHIN, end).await;
        (status.unwrap_or_else(|_| panic!("the bot goes on:\n{}", self.log)), errors)
    }
}

async fn discord() -> Sandbox {
    Sandbox::builder().start().await.unwrap()
}

/// Returns all entries recorded so far.
fn record(discord: &Sandbox) -> Vec<Arc<Entry>> {
    discord.event_log().read(1, usize::MAX).entries
}

/// Lists the requests that change commands, as `POST guild poll` or `PUT guild ping about`.
fn command_writes(discord: &Sandbox) -> Vec<String> {
    record(discord)
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Request(request) if request.route.contains("/commands") && request.method != "GET" => {
                let scope = if request.route.contains("/guilds/") { "guild" } else { "global" };
                let body = request.request.as_ref().and_then(Body::json).unwrap_or_default();
                let commands = body.as_array().map_or_else(|| std::slice::from_ref(&body), Vec::as_slice);
                let names: Vec<_> = commands.iter().filter_map(|command| command["name"].as_str()).collect();
                Some(format!("{} {scope} {}", request.method, names.join(" ")))
            }
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn the_bot_logs_in_once_answers_and_says_goodbye() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[]);
    bot.says("hot reload: off, changes are ignored until restart").await;
    bot.says("ready").await;
    bot.serves().await;
    let answer = discord.client().say("/ping").await.unwrap();
    assert!(answer.is_ok() && answer.callbacks == 1, "{answer:?}");
    assert!(answer.content.starts_with("Pong!"), "{}", answer.content);

    // Supervisors and shells may send the same signal twice at once; that still counts as one.
    let began = Instant::now();
    bot.signal();
    bot.signal();
    let (status, errors) = bot.ends().await;
    assert_eq!(status.code(), Some(0), "{errors}{}", bot.log);
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(errors, "");

    assert_eq!(discord.event_log().count(Kind::Identified), 1);
    let closed = record(&discord).into_iter().find_map(|entry| match &entry.event {
        Event::Closed { code, by, .. } => Some((*code, *by)),
        _ => None,
    });
    assert_eq!(closed, Some((Some(1000), Closer::Client)));
    assert!(!bot.log.contains("WARN") && !bot.log.contains("ERROR"), "{}", bot.log);
}

#[tokio::test]
async fn the_intents_are_those_that_plugins_need_and_no_others() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[]);
    bot.says("ready").await;
    let asked = record(&discord).into_iter().find_map(|entry| match &entry.event {
        Event::Identified { intents, .. } => Some(*intents),
        _ => None,
    });
    // welcome receives joins; modlog reads edited and deleted messages; moderation receives bans that are lifted; music
    // reads who is listening.
    let needed = Intents::GUILDS
        | Intents::GUILD_MEMBERS
        | Intents::GUILD_MODERATION
        | Intents::GUILD_MESSAGES
        | Intents::GUILD_VOICE_STATES
        | Intents::MESSAGE_CONTENT;
    assert_eq!(asked, Some(needed));
}

#[tokio::test]
async fn a_bot_with_a_gateway_of_its_own_answers_and_says_goodbye() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[("HOLD_GATEWAY", "true")]);
    bot.says("the gateway holds the session with Discord").await;
    bot.serves().await;
    let answer = discord.client().say("/ping").await.unwrap();
    assert!(answer.is_ok() && answer.callbacks == 1, "{answer:?}");
    bot.signal();
    let (status, errors) = bot.ends().await;
    assert_eq!(status.code(), Some(0), "{errors}{}", bot.log);
    assert_eq!(discord.event_log().count(Kind::Identified), 1);
    let closed = record(&discord).into_iter().find_map(|entry| match &entry.event {
        Event::Closed { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(closed, Some(Some(1000)));
    assert!(!bot.log.contains(discord.token()), "the token is logged");
}

#[tokio::test]
async fn a_second_start_registers_nothing() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[]);
    bot.serves().await;
    let first = command_writes(&discord);
    assert!(first.len() == 1 && first[0].starts_with("PUT guild "), "{first:?}");
    assert!(first[0].split(' ').any(|name| name == "ping"), "{first:?}");
    bot.signal();
    bot.ends().await;
    let mut bot = Bot::start(&discord, &[]);
    bot.says("to_send=0 to_remove=0").await;
    bot.signal();
    bot.ends().await;
    assert_eq!(command_writes(&discord), first);
}

#[tokio::test]
async fn production_registers_globally_and_development_only_mentions_that() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[("APP_ENV", "production")]);
    bot.serves().await;
    let first = command_writes(&discord);
    assert!(first.len() == 1 && first[0].starts_with("PUT global "), "{first:?}");
    bot.signal();
    bot.ends().await;
    let mut bot = Bot::start(&discord, &[("APP_ENV", "production")]);
    bot.says("to_send=0 to_remove=0").await;
    bot.signal();
    bot.ends().await;
    let mut bot = Bot::start(&discord, &[]);
    bot.says("also registered globally").await;
    let more = command_writes(&discord).split_off(first.len());
    assert!(more.len() == 1 && more[0].starts_with("PUT guild "), "{more:?}");
}

#[tokio::test]
async fn a_token_that_discord_does_not_know_is_told() {
    let discord = discord().await;
    let stale = "MTEwMDAwMDAwMDAwMDAwMDAwMQ.Stale1.a-token-that-was-reset-some-time-ago-xx";
    let mut bot = Bot::start(&discord, &[("DISCORD_TOKEN", stale)]);
    let (status, errors) = bot.ends().await;
    assert_eq!(status.code(), Some(78));
    assert!(errors.contains("DISCORD_TOKEN") && errors.contains("401"), "{errors}");
    assert!(!errors.contains("Stale1") && !bot.log.contains("Stale1"), "{errors}{}", bot.log);
    assert_eq!(discord.event_log().count(Kind::Connected), 0);
}

#[tokio::test]
async fn close_codes_that_are_final_end_the_bot_with_a_way_out() {
    for (code, words) in [
        (4004, "DISCORD_TOKEN has been reset"),
        (4010, "give a proxy in DISCORD_GATEWAY_URL the same number"),
        (4011, "start the bot again"),
        (4012, "does not speak version 10"),
        (4013, "does not know one of the intents"),
        (4014, "GUILD_MEMBERS (asked for by events/welcome)"),
    ] {
        let discord = discord().await;
        let effect = GatewayEffect::Close { code, reason: String::new() };
        let rule = GatewayRule { op: Some(2), effect, ..GatewayRule::default() };
        discord.faults().add(Rule::new(On::Received(rule)));
        let mut bot = Bot::start(&discord, &[]);
        let (status, errors) = bot.ends().await;
        assert_eq!(status.code(), Some(78), "{code}: {errors}{}", bot.log);
        assert!(errors.contains(words) && errors.contains(&code.to_string()), "{code}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}

#[tokio::test]
async fn a_dropped_connection_is_resumed_and_no_event_is_lost() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[]);
    bot.serves().await;
    let rule = GatewayRule {
        event: Some("INTERACTION_CREATE".to_owned()),
        effect: GatewayEffect::Sever,
        ..GatewayRule::default()
    };
    discord.faults().add(Rule::new(On::Dispatch(rule)).times(1));
    let answer = discord.client().say("/ping").await.unwrap();
    assert!(answer.is_ok() && answer.callbacks == 1, "{answer:?}{}", bot.log);
    bot.says("session resumed").await;
    assert_eq!(discord.event_log().count(Kind::Identified), 1);
}

#[tokio::test]
async fn a_discord_that_is_out_of_order_at_first_is_waited_for() {
    let discord = discord().await;
    for path in ["/oauth2/applications/@me", "/gateway/bot", "/applications/*/guilds/*/commands"] {
        let effect = RequestEffect::Respond { status: 503, body: ErrorBody::Html };
        let rule = RequestRule { path: Some(path.to_owned()), effect, ..RequestRule::default() };
        discord.faults().add(Rule::new(On::Request(rule)).times(2));
    }
    discord.faults().add(Rule::new(On::Connect(ConnectRule { effect: ConnectEffect::Pass })));
    let mut bot = Bot::start(&discord, &[]);
    bot.says("ready").await;
    bot.serves().await;
    assert!(discord.client().say("/ping").await.unwrap().is_ok());
}

#[tokio::test]
async fn in_production_a_user_hears_a_number_that_the_log_has() {
    for (mode, is_told) in [("production", false), ("testing", true)] {
        let discord = discord().await;
        let mut bot = Bot::start(&discord, &[("APP_ENV", mode)]);
        bot.serves().await;
        let effect = RequestEffect::Respond { status: 400, body: ErrorBody::Discord };
        let path = Some("/interactions/*/*/callback".to_owned());
        let rule = RequestRule { path, effect, ..RequestRule::default() };
        discord.faults().add(Rule::new(On::Request(rule)).times(1));
        let answer = discord.client().say("/ping").await.unwrap();
        bot.says("a command failed").await;
        let line = bot.log.lines().last().unwrap().to_owned();
        if is_told {
            assert_eq!(answer.content, "Something went wrong here. It has been logged.");
            assert!(!line.contains("reference="), "{line}");
        } else {
            let number = answer.content.strip_prefix("Something went wrong (reference ").unwrap();
            assert!(line.contains(&format!("reference={}", &number[..9])), "{line}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_tells_nothing_of_applications_will_do() {
    let discord = discord().await;
    let effect = RequestEffect::Respond { status: 404, body: ErrorBody::Discord };
    let rule =
        RequestRule { path: Some("/oauth2/applications/@me".to_owned()), effect, ..RequestRule::default() };
    discord.faults().add(Rule::new(On::Request(rule)));
    let mut bot = Bot::start(&discord, &[]);
    bot.says("OWNER_IDS").await;
    bot.serves().await;
    assert!(discord.client().say("/ping").await.unwrap().is_ok());
}

#[tokio::test]
async fn at_the_most_talkative_level_no_token_is_logged() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[("RUST_LOG", "trace")]);
    bot.serves().await;
    assert!(discord.client().say("/ping").await.unwrap().is_ok());
    bot.signal();
    bot.ends().await;
    let secret = discord.token().rsplit('.').next().unwrap();
    assert!(!bot.log.contains(secret), "the bot's token is logged");
    // The secrets were there and were hidden.
    for before in ["token: \"", "\"token\":\""] {
        let mut places = bot.log.match_indices(before).peekable();
        assert!(places.peek().is_some(), "{before} is not logged at all");
        for (at, _) in places {
            assert!(bot.log[at + before.len()..].starts_with("[hidden]"), "a token is logged");
        }
    }
}

#[tokio::test]
async fn hot_reload_is_ignored_with_a_word_where_it_is_not_built_in() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[("ENABLE_HMR", "true")]);
    bot.says("this binary was built without hot reload; ENABLE_HMR is ignored").await;
    bot.says("ready").await;
}

#[tokio::test]
async fn suggestions_that_discord_refuses_are_logged_with_their_plugin() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[]);
    bot.serves().await;
    let effect = RequestEffect::Respond { status: 400, body: ErrorBody::Discord };
    let path = Some("/interactions/*/*/callback".to_owned());
    discord.faults().add(Rule::new(On::Request(RequestRule { path, effect, ..RequestRule::default() })));
    let _ = discord.client().complete(Run::typed("/help command:pi")).await;
    bot.says("couldn't send autocomplete response").await;
    let line = bot.log.lines().last().unwrap();
    assert!(line.contains("plugin=commands/general") && line.contains("command=help"), "{line}");
}
