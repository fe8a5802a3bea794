//! The bot's reports while it reloads: as events, as its status, in a channel of Discord, and to its owners.

use std::process::{Output, Stdio};

use e2e::bot::PATIENCE;
use e2e::test_host::{GENERAL, PING};
use e2e::{Bot, Playground, TestHost};
use sandbox::Sandbox;
use sandbox::client::Run;
use sandbox::event_log::Event;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const WELCOME: &str = "events/welcome/src/lib.rs";

/// Returns a call of dev-env.sh in the playground.
fn dev_env(playground: &Playground, words: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.arg("dev-env.sh").args(words).current_dir(playground.path(""));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn run(test_host: &TestHost, words: &[&str]) -> Output {
    dev_env(&test_host.playground, words).output().await.unwrap()
}

/// Runs a command that succeeds. Returns its output.
async fn told(test_host: &TestHost, words: &[&str]) -> String {
    let output = run(test_host, words).await;
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn status(test_host: &TestHost) -> Value {
    serde_json::from_str(&told(test_host, &["status", "--json"]).await).unwrap()
}

/// A running `./dev-env.sh events`.
struct Events {
    lines: Lines<BufReader<ChildStdout>>,
    all: String,
    _child: Child,
}

impl Events {
    /// Follows the events from now on.
    async fn follow(playground: &Playground) -> Self {
        let mut child = dev_env(playground, &["events", "--last", "1"]).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut events = Self { lines, all: String::new(), _child: child };
        // A past event shows that it is connected.
        events.next().await;
        events
    }

    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("no more events after:\n{}", self.all)).unwrap().unwrap();
        self.all += &line;
        self.all.push('\n');
        let event: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(event["at"].as_u64().is_some(), "{line}");
        event
    }

    /// Returns the events up to the first one of these kinds, including it.
    async fn until(&mut self, kinds: &[&str]) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            let is_last = kinds.contains(&event["event"].as_str().unwrap());
            events.push(event);
            if is_last {
                return events;
            }
        }
    }
}

/// Returns the kinds of events, without those about the transfer of state.
fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().map(|event| event["event"].as_str().unwrap());
    kinds.filter(|kind| !kind.starts_with("state-")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_changes_no_code_leaves_the_live_generation_in_place() {
    let mut host = TestHost::new(&[]).await;
    host.edit_ping("Pang").await;
    let mut events = Events::follow(&host.playground).await;
    let lines = host.bot.line_count();
    let ping = host.playground.read(PING).unwrap();
    let stays = |cycle: Vec<Value>| {
        assert_eq!(kinds(&cycle), ["reload-started", "reload-unchanged"], "{cycle:?}");
        let (plugin, live) = (&cycle[1]["plugin"], &cycle[1]["live"]);
        assert_eq!((plugin, live), (&"commands/general".into(), &2.into()));
    };
    for same in
        [format!("{ping}\n"), format!("{ping}// The end"), ping.replacen(";\n", "; // A comment\n", 1)]
    {
        host.playground.save(PING, &same).unwrap();
        stays(events.until(&["reload-unchanged", "reload-completed", "reload-failed"]).await);
    }
    host.bot.wait_for_line(lines, "no change in the code plugin=commands/general live=2 ms=").await.unwrap();

    // A mistake that is undone.
    host.playground.save(PING, &ping.replace("Context<'_>", "Contxt<'_>")).unwrap();
    assert_eq!(
        kinds(&events.until(&["reload-unchanged", "reload-completed", "reload-failed"]).await),
        ["reload-started", "reload-failed"]
    );
    host.playground.save(PING, &ping).unwrap();
    stays(events.until(&["reload-unchanged", "reload-completed", "reload-failed"]).await);
    assert!(host.say("/about").await.embeds[0].to_string().contains("generation 2"));

    // Each of these is code: the description of a command, and the place of a panic.
    let described = ping.replacen("/// ", "/// Once more: ", 1);
    let moved = format!("// A line that moves all others\n{described}");
    for changed in [&described, &moved] {
        host.playground.save(PING, changed).unwrap();
        assert_eq!(
            kinds(&events.until(&["reload-unchanged", "reload-completed", "reload-failed"]).await),
            ["reload-started", "reload-completed"],
            "{changed}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_is_told_in_order_to_programs_and_to_plugins() {
    let test_host = TestHost::new(&[]).await;
    let mut events = Events::follow(&test_host.playground).await;

    test_host.playground.save(PING, &test_host.ping_that_says("Pang")).unwrap();
    let cycle = events.until(&["reload-completed"]).await;
    assert_eq!(kinds(&cycle), ["reload-started", "reload-completed"], "{cycle:?}");
    assert_eq!(cycle[0]["plugins"], serde_json::json!(["commands/general"]));
    assert_eq!(cycle[0]["cause"], "save");
    let live = cycle.last().unwrap();
    assert_eq!(
        (&live["plugin"], &live["from"], &live["to"]),
        (&"commands/general".into(), &1.into(), &2.into())
    );
    assert!(live["ms"].as_u64().unwrap() > 0 && live["parts"]["build"].as_f64().unwrap() > 0.0, "{live}");

    test_host.playground.edit(PING, "Context<'_>", "Contxt<'_>").unwrap();
    let cycle = events.until(&["reload-failed"]).await;
    assert_eq!(kinds(&cycle), ["reload-started", "reload-failed"], "{cycle:?}");
    let failed = &cycle[1];
    assert_eq!((&failed["plugin"], &failed["live"]), (&"commands/general".into(), &2.into()));
    let found = &failed["diagnostics"][0];
    assert_eq!(found["file"], PING);
    let place = test_host.playground.read(PING).unwrap();
    let line = 1 + place.lines().position(|line| line.contains("Contxt<'_>")).unwrap();
    assert_eq!(found["line"], line, "{found}");
    assert!(found["rendered"].as_str().unwrap().contains("cannot find type `Contxt`"), "{found}");
    assert!(!found["rendered"].as_str().unwrap().contains('\u{1b}'), "{found}");
    // It stays the plugin's last error until the plugin is live again.
    let failures = status(&test_host).await["failures"].clone();
    assert_eq!(failures[0]["plugin"], "commands/general");
    assert!(failures[0]["place"].as_str().unwrap().starts_with(&format!("{PING}:{line}:")), "{failures}");

    let mended = test_host.ping_that_says("Peng").replace("Contxt<'_>", "Context<'_>");
    test_host.playground.save(PING, &mended).unwrap();
    let cycle = events.until(&["reload-completed"]).await;
    assert_eq!(kinds(&cycle), ["reload-started", "reload-completed"], "{cycle:?}");
    assert_eq!(cycle.last().unwrap()["to"], 3);
    assert_eq!(status(&test_host).await["failures"], serde_json::json!([]));

    let past = told(&test_host, &["events", "--last", "1", "--no-follow"]).await;
    assert_eq!(past.trim_end(), events.all.lines().last().unwrap());
    let everything = told(&test_host, &["events", "--last", "500", "--no-follow"]).await;
    for text in [&everything, &events.all] {
        assert!(!text.contains(test_host.sandbox.token()), "the token is in {text}");
    }

    plugins_hear(test_host).await;
}

/// A plugin's handler receives events about others and itself, and an old generation receives no more.
async fn plugins_hear(mut test_host: TestHost) {
    let lines = test_host.bot.line_count();
    let source = test_host.playground.read(WELCOME).unwrap();
    let listening = source.replace("on.event(greet);", "on.event(greet);\n        on.reload(hear);")
        + "\nasync fn hear(ctx: EventContext, event: ReloadEvent) -> Result<(), Error> {\n    \
           let heard = format!(\"{event:?}\");\n    \
           sdk::tracing::info!(\"generation {} hears {}\", ctx.data().generation(), heard.replace('\\n', \" \"));\n    Ok(())\n}\n";
    test_host.playground.save(WELCOME, &listening).unwrap();
    let line = test_host.bot.wait_for_line(lines, "plugin=events/welcome from=1 to=2 ").await.unwrap();
    assert!(line.contains("+ reload events"), "{line}");
    // The new generation receives the end of the swap.
    let heard = test_host.bot.wait_for_line(lines, "generation 2 hears ReloadCompleted").await.unwrap();
    assert!(heard.contains("events/welcome"), "{heard}");

    test_host.playground.edit(WELCOME, "generation {} hears", "number {} hears").unwrap();
    test_host.bot.wait_for_line(lines, "number 3 hears ReloadCompleted").await.unwrap();
    let lines = test_host.bot.line_count();
    test_host.edit_ping("Pung").await;
    let heard = test_host.bot.wait_for_line(lines, "number 3 hears ReloadCompleted").await.unwrap();
    assert!(heard.contains("commands/general"), "{heard}");
    let said = test_host.bot.lines_from(lines);
    assert!(!said.iter().any(|line| line.contains("generation 2 hears")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_things_stand_is_told_alike_everywhere_and_watching_can_be_stopped() {
    let mut test_host = TestHost::new(&[]).await;
    test_host.bot.wait_for_line(0, "command added").await.unwrap();
    test_host.bot.wait_for_line(0, "message menu 'Warn about this message'").await.unwrap();

    let status_now = status(&test_host).await;
    let host = &status_now["host"];
    assert!(host["pid"].as_u64().is_some() && host["uptime_ms"].as_u64().is_some(), "{status_now}");
    assert_eq!(host["sessions"][0]["stage"], "connected", "{status_now}");
    let reload = &status_now["reload"];
    assert_eq!((&reload["on"], &reload["watching"]), (&true.into(), &true.into()), "{status_now}");
    assert!(reload["folders"].as_array().unwrap().contains(&"commands".into()), "{status_now}");
    let general =
        status_now["live"].as_array().unwrap().iter().find(|row| row["plugin"] == "commands/general");
    let general = general.unwrap_or_else(|| panic!("{status_now}"));
    assert_eq!((&general["generation"], &general["version"]), (&1.into(), &"0.1.0".into()));
    assert!(
        general["commands"].as_u64().unwrap() > 3 && general["listeners"].as_u64().unwrap() > 0,
        "{general}"
    );
    let used = status_now["creations"][0]["used"].as_u64().unwrap();
    assert!(used >= 7 && status_now["creations"][0]["limit"] == 200, "{status_now}");
    let words = told(&test_host, &["status"]).await;
    let embed = test_host.say("/dev plugins").await.embeds[0].to_string();
    for part in
        ["generation 1", "commands/general", "hot reload is on", &format!("{used} of 200 creations used")]
    {
        assert!(words.contains(part), "{part} is not in {words}");
        assert!(embed.contains(part), "{part} is not in {embed}");
    }
    for text in [&status_now.to_string(), &words, &embed] {
        assert!(!text.contains(test_host.sandbox.token()), "the token is in {text}");
    }

    // By hand, from a terminal.
    let line = told(&test_host, &["reload", "commands/general"]).await;
    assert!(line.contains("commands/general 1 -> 2 live in "), "{line}");
    let generations = test_host.say("/dev generations plugin:commands/general").await.embeds[0].to_string();
    assert!(
        generations.contains("`2` 0.1.0 · live for ") && generations.contains("`1` 0.1.0 · retired "),
        "{generations}"
    );
    let line = told(&test_host, &["rollback", "commands/general"]).await;
    assert!(line.contains("commands/general") && line.contains('3'), "{line}");
    let answer = test_host
        .sandbox
        .client()
        .run(Run::typed("/dev rollback plugin:commands/general generation:2"))
        .await;
    let answer = answer.unwrap();
    assert!(answer.content.starts_with("✅") && answer.content.contains("commands/general"), "{answer:?}");
    let answer = test_host
        .sandbox
        .client()
        .run(Run::typed("/dev rollback plugin:commands/general generation:99"))
        .await;
    assert!(answer.unwrap().content.starts_with("❌"));
    let output = run(&test_host, &["reload", "commands/nothing"]).await;
    assert_eq!(output.status.code(), Some(1));
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(why.contains("there is no plugin commands/nothing in the workspace"), "{why}");
    assert_eq!(run(&test_host, &["watch", "maybe"]).await.status.code(), Some(64));

    // What is saved while watching is paused goes live when it resumes, and not before.
    assert!(told(&test_host, &["watch", "off"]).await.contains("watching is stopped"));
    assert_eq!(status(&test_host).await["reload"]["watching"], false);
    assert!(told(&test_host, &["watch", "off"]).await.contains("stopped already"));
    let lines = test_host.bot.line_count();
    test_host.playground.save(PING, &test_host.ping_that_says("Pang")).unwrap();
    // Reloading by hand works meanwhile, and takes longer than noticing a save would.
    assert!(told(&test_host, &["reload", "events/welcome"]).await.contains("events/welcome 1 -> 2 live"));
    assert!(test_host.ping().await.starts_with("Pong!"));
    let said = test_host.bot.lines_from(lines);
    assert!(!said.iter().any(|line| line.contains("commands/general")), "{said:?}");
    let answer = test_host.say("/dev hmr switch:on").await;
    assert!(answer.ephemeral && answer.content.contains("watching goes on"), "{answer:?}");
    let line = test_host.bot.wait_for_line(lines, "plugin=commands/general from=4 to=5 ").await.unwrap();
    assert!(line.contains("loaded plugin="), "{line}");
    assert!(test_host.ping().await.starts_with("Pang!"));

    // A new process is reached in the same way, and a follower of the events continues.
    let mut events = Events::follow(&test_host.playground).await;
    let lines = test_host.bot.line_count();
    assert!(told(&test_host, &["restart", "--now"]).await.contains("restarting"));
    test_host.bot.wait_for(lines, "ready again", |line| line.contains(": ready ")).await.unwrap();
    let again = status(&test_host).await;
    assert!(
        again["creations"][0]["used"].as_u64().unwrap() >= used,
        "a restart forgets no creation: {again}"
    );
    let lines = test_host.bot.line_count();
    test_host.playground.save(PING, &test_host.ping_that_says("Peng")).unwrap();
    test_host.bot.wait_for_line(lines, "loaded plugin=").await.unwrap();
    let events = events.until(&["reload-started"]).await;
    assert_eq!(events.last().unwrap()["plugins"], serde_json::json!(["commands/general"]));

    let TestHost { playground, bot, .. } = test_host;
    assert!(bot.stop().await.unwrap().success());
    let output = dev_env(&playground, &["status"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(69));
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(why.contains("no bot of this folder is running"), "{why}");
    assert!(!playground.path(".hotcord/control.sock").exists());
}

/// The channel for the bot's messages, as alice sees it.
struct Channel<'a>(&'a Sandbox);

impl Channel<'_> {
    /// Commands are run in another channel, so that their answers do not push messages out of view.
    const NAME: &'static str = "general";

    /// Returns the bot's messages about a plugin, newest first.
    async fn messages(&self, plugin: &str) -> Vec<Value> {
        let messages = self.0.client().messages("alice", Self::NAME, 100).await.unwrap();
        let is_its = |message: &Value| {
            message["content"].as_str().unwrap_or_default().contains(&format!("**{plugin}**"))
        };
        messages.into_iter().filter(is_its).collect()
    }

    /// Waits until the only message about a plugin contains `words`. Returns the message.
    async fn shows(&self, plugin: &str, words: &str) -> Value {
        let mut happenings = self.0.event_log().subscribe(self.0.event_log().newest() + 1);
        let shown = async {
            loop {
                let messages = self.messages(plugin).await;
                assert!(messages.len() <= 1, "{messages:?}");
                let fits = |message: &&Value| message["content"].as_str().unwrap().contains(words);
                if let Some(message) = messages.iter().find(fits) {
                    return message.clone();
                }
                happenings.next().await.unwrap();
            }
        };
        match tokio::time::timeout(PATIENCE, shown).await {
            Ok(message) => message,
            Err(late) => {
                panic!("{late}: {words} is not shown for {plugin}: {:?}", self.messages(plugin).await)
            }
        }
    }
}

/// Returns the time of each request to edit a message, in microseconds.
fn edits(sandbox: &Sandbox, message: &Value) -> Vec<u64> {
    let path = format!("/messages/{}", message["id"].as_str().unwrap());
    let page = sandbox.event_log().read(0, usize::MAX);
    let edits = page.entries.iter().filter_map(|entry| match &entry.event {
        Event::Request(request) if request.method == "PATCH" && request.path.ends_with(&path) => {
            Some(entry.at_us - request.us)
        }
        _ => None,
    });
    edits.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_shows_each_plugin_in_one_message_that_is_edited_in_place() {
    let playground = Playground::new().unwrap();
    let sandbox = Sandbox::builder().bot_name("Hotcord").start().await.unwrap();
    let channel = sandbox.channel_id(Channel::NAME).unwrap().to_string();
    let bot = Bot::start(&playground, &sandbox, &[("DEV_CHANNEL_ID", &channel)]).await.unwrap();
    let mut test_host = TestHost { playground, sandbox, bot };
    test_host.bot.wait_for_line(0, "/ping scope=").await.unwrap();
    let channel = Channel(&test_host.sandbox);
    assert!(test_host.ping().await.starts_with("Pong!"));
    let messages = test_host.sandbox.client().messages("alice", Channel::NAME, 100).await.unwrap();
    let is_card = |message: &&Value| message["content"].as_str().unwrap_or_default().contains("**");
    assert!(!messages.iter().any(|message| is_card(&message)), "nothing is told of the start: {messages:?}");

    // Building, then live, in one message.
    test_host.playground.save(PING, &test_host.ping_that_says("Pang")).unwrap();
    let live = channel.shows("commands/general", "1 → 2 live in ").await;
    assert!(live["content"].as_str().unwrap().contains("build "), "{live}");
    let recorded = |words: &str| {
        let page = test_host.sandbox.event_log().read(0, usize::MAX);
        page.entries.iter().any(|entry| entry.line().contains(words))
    };
    assert!(recorded("**commands/general** is being built"), "the message began as one of a build");

    // Then the compiler's errors, with file and line; its other output is cut to fit.
    test_host.playground.edit(PING, "Context<'_>", "Contxt<'_>").unwrap();
    let failed = channel.shows("commands/general", "2 stays live: 1 compile error").await;
    let content = failed["content"].as_str().unwrap();
    assert!(
        content.contains(&format!("`{PING}:")) && content.contains("cannot find type `Contxt`"),
        "{content}"
    );
    assert_eq!(content.matches("```").count(), 2, "{content}");
    assert_eq!(failed["id"], live["id"], "the same message");
    test_host.playground.edit(PING, "Contxt<'_>", "Context<'_>").unwrap();
    channel.shows("commands/general", "2 stays live: no change in the code").await;
    test_host.playground.save(PING, &test_host.ping_that_says("Peng")).unwrap();
    channel.shows("commands/general", "2 → 3 live in ").await;

    let many: Vec<_> = (0..1000).map(|number| format!("const E{number}: u8 = missing_{number};\n")).collect();
    let many = many.concat();
    let source = test_host.playground.read(PING).unwrap();
    let next = test_host.ping_that_says("Pung");
    test_host.playground.save(PING, &(source + &many)).unwrap();
    let failed = channel.shows("commands/general", "3 stays live: 1000 compile errors").await;
    let content = failed["content"].as_str().unwrap();
    assert!(content.encode_utf16().count() <= 2000 && content.contains("missing_0"), "{content}");
    assert!(content.ends_with("The rest is in the terminal."), "{content}");
    assert_eq!(content.matches("```").count(), 2, "{content}");

    // No user is pinged, whatever a plugin's error contains, and the token is not shown.
    test_host.playground.save(PING, &next).unwrap();
    channel.shows("commands/general", "3 → 4 live in ").await;
    let root = test_host.playground.read(GENERAL).unwrap();
    let start = "#[async_trait]\nimpl Plugin for General {\n    async fn start(&self, _: &Data) -> Result<(), Error> {\n        \
                 Err(format!(\"@everyone ``` {:?}\", std::env::var(\"DISCORD_TOKEN\")).into())\n    }\n";
    test_host.playground.save(GENERAL, &root.replace("impl Plugin for General {", start)).unwrap();
    let failed = channel.shows("commands/general", "its start hook failed: @everyone").await;
    assert_eq!(failed["mention_everyone"], false, "{failed}");
    let token = test_host.sandbox.token();
    assert!(!failed.to_string().contains(token), "the token is shown");
    let events = told(&test_host, &["events", "--last", "200", "--no-follow"]).await;
    assert!(events.contains("@everyone") && !events.contains(token), "{events}");
    assert!(!told(&test_host, &["status"]).await.contains(token));

    // A deleted message is sent again.
    let id = failed["id"].as_str().unwrap().parse().unwrap();
    test_host.sandbox.client().delete("alice", id).await.unwrap();
    test_host.playground.save(GENERAL, &format!("// A line that moves all others.\n{root}")).unwrap();
    let live = channel.shows("commands/general", "4 → 5 live in ").await;
    assert_ne!(live["id"], failed["id"]);

    // However often a plugin is saved, its message changes at most once a second, and ends with what is live.
    for number in 0..30 {
        test_host.playground.save(PING, &test_host.ping_that_says(&format!("Pong {number}"))).unwrap();
        tokio::task::yield_now().await;
    }
    loop {
        let lines = test_host.bot.line_count();
        if test_host.ping().await.starts_with("Pong 29!") {
            break;
        }
        test_host.bot.wait_for_line(lines, "loaded plugin=").await.unwrap();
    }
    let status = status(&test_host).await;
    let general = status["live"].as_array().unwrap().iter().find(|row| row["plugin"] == "commands/general");
    let number = general.unwrap()["generation"].as_u64().unwrap();
    channel.shows("commands/general", &format!("→ {number} live in ")).await;
    for message in [&failed, &live] {
        let edits = edits(&test_host.sandbox, message);
        let shortest = edits.windows(2).map(|pair| pair[1] - pair[0]).min();
        // Requests take varying times to arrive on a busy machine.
        assert!(shortest.is_none_or(|shortest| shortest > 700_000), "{edits:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_cannot_be_written_to_is_told_once_and_holds_up_nothing() {
    let mut test_host = TestHost::new(&[("DEV_CHANNEL_ID", "1120000000000000000")]).await;
    for words in ["Pang", "Peng", "Ping"] {
        let line = test_host.edit_ping(words).await;
        assert!(line.contains("loaded plugin="), "{line}");
        test_host.bot.wait_for_line(0, "DEV_CHANNEL_ID names cannot be written to").await.unwrap();
    }
    assert!(test_host.ping().await.starts_with("Ping!"));
    let said = test_host.bot.lines_from(0);
    let times = said.iter().filter(|line| line.contains("DEV_CHANNEL_ID names")).count();
    assert_eq!(times, 1, "{said:?}");
}
