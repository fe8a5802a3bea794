//! A `.env` that is edited while the bot runs.

use std::fs::File;
use std::io::Write as _;

use e2e::bot::PATIENCE;
use e2e::test_host::{GENERAL, PING};
use e2e::{Bot, Playground};
use sandbox::Sandbox;
use sandbox::client::Run;

/// A value with the form of a token.
const OTHER_TOKEN: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.abcdefghijklmnopqrstuvwxyz0123456789AB";

const WELCOME: &str = "events/welcome/src/lib.rs";

/// A host that got its configuration from `.env`, except `ENABLE_HMR`.
struct TestHost {
    playground: Playground,
    sandbox: Sandbox,
    bot: Bot,
    /// The lines of `.env` about the server.
    discord: String,
}

impl TestHost {
    async fn new(file: &str) -> Self {
        let playground = Playground::new().unwrap();
        playground.edit(PING, "command(slash_command)", "command(slash_command, prefix_command)").unwrap();
        let sandbox = Sandbox::builder().bot_name("Hotcord").start().await.unwrap();
        let (token, url, guild) = (sandbox.token(), sandbox.url(), sandbox.guild_id());
        let discord = format!("DISCORD_TOKEN={token}\nDISCORD_API_URL={url}\nTEST_GUILD_ID={guild}\n");
        playground.save(".env", &format!("{discord}{file}")).unwrap();
        let bot = Bot::start_with(&playground, &[("ENABLE_HMR", "true")]).await.unwrap();
        Self { playground, sandbox, bot, discord }
    }

    /// Saves `.env` with these lines after those about the server, and waits for a log line that contains `words`.
    /// Returns the line.
    async fn save(&mut self, file: &str, words: &str) -> String {
        self.save_all(&format!("{}{file}", self.discord.clone()), words).await
    }

    /// Saves `.env` with exactly these lines, and waits for a log line that contains `words`. Returns the line.
    async fn save_all(&mut self, file: &str, words: &str) -> String {
        let lines = self.bot.line_count();
        self.playground.save(".env", file).unwrap();
        self.bot.wait_for_line(lines, words).await.unwrap()
    }

    /// Sends a message as alice and waits until the bot has answered with "Pong!".
    async fn ping_by_text(&self, text: &str) {
        let from = self.sandbox.event_log().newest() + 1;
        self.sandbox.client().send("alice", "bot-test", text).await.unwrap();
        let answered = self.sandbox.event_log().wait_for(from, PATIENCE, |entry| {
            let line = entry.line();
            line.contains("\"method\":\"POST\"") && line.contains("/messages") && line.contains("Pong!")
        });
        assert!(answered.await.is_ok(), "{text} is not answered: {:?}", self.bot.lines_from(0));
    }

    /// Returns the number of answers to text commands.
    async fn answers(&self) -> usize {
        let messages = self.sandbox.client().messages("alice", "bot-test", 100).await.unwrap();
        messages.iter().filter(|message| message["content"].as_str().unwrap().starts_with("Pong!")).count()
    }

    /// Returns the answer of `/dev plugins` to a user.
    async fn plugins(&self, user: &str) -> String {
        match self.sandbox.client().run(Run::typed("/dev plugins").by(user)).await {
            Ok(answer) => answer.embeds.iter().map(ToString::to_string).collect::<String>() + &answer.content,
            Err(refused) => refused.to_string(),
        }
    }

    /// Saves `/ping` with another first word in its answer.
    fn save_ping(&self, word: &str) {
        self.playground.save(PING, &self.ping_that_says(word)).unwrap();
    }

    fn ping_that_says(&self, word: &str) -> String {
        let source = self.playground.read(PING).unwrap();
        let (before, rest) = source.split_once("ctx.say(\"").unwrap();
        let (_, after) = rest.split_once('!').unwrap();
        format!("{before}ctx.say(\"{word}!{after}")
    }

    /// Waits until a new generation of commands/general is live and answers with `word`. Returns its line.
    async fn general(&mut self, from: usize, word: &str) -> String {
        let line = self.bot.wait_for_line(from, "commands/general ").await.unwrap();
        assert!(line.contains("loaded plugin="), "{line}");
        let answer = self.sandbox.client().say("/ping").await.unwrap();
        assert!(answer.content.starts_with(&format!("{word}!")), "{answer:?}");
        line
    }

    /// Reloads events/welcome, and fails if commands/general was reloaded since the line numbered `from`.
    async fn only_welcome(&mut self, from: usize) {
        let lines = self.bot.line_count();
        let source = self.playground.read(WELCOME).unwrap();
        self.playground.save(WELCOME, &format!("{source}\n// {lines}\n")).unwrap();
        let line = self.bot.wait_for_line(lines, "events/welcome ").await.unwrap();
        assert!(line.contains("loaded plugin="), "{line}");
        let said = self.bot.lines_from(from);
        assert!(!said.iter().any(|line| line.contains("commands/general ")), "{said:?}");
    }

    fn id(&self, user: &str) -> String {
        self.sandbox.user_id(user).unwrap().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_env_is_in_force_at_once_where_it_can_be() {
    let mut host = TestHost::new("COMMAND_PREFIX=!\n").await;
    host.bot.wait_for_line(0, "/dev scope=").await.unwrap();

    // The prefix: messages are answered only with the new one.
    host.ping_by_text("!ping").await;
    host.save("COMMAND_PREFIX=?\n", "changed in .env and in force variables=\"COMMAND_PREFIX\"").await;
    let before = host.answers().await;
    host.sandbox.client().send("alice", "bot-test", "!ping").await.unwrap();
    host.ping_by_text("?ping").await;
    assert_eq!(host.answers().await, before + 1);

    // Owners, in generations that were already live.
    let (alice, carol) = (host.id("alice"), host.id("carol"));
    assert!(host.plugins("carol").await.contains("owners can use this"));
    let owners = format!("COMMAND_PREFIX=?\nOWNER_IDS={alice},{carol}\n");
    host.save(&owners, "in force variables=\"OWNER_IDS\"").await;
    assert!(host.plugins("carol").await.contains("commands/general"));
    assert!(host.plugins("alice").await.contains("commands/general"));
    let owners = format!("COMMAND_PREFIX=?\nOWNER_IDS={carol}\n");
    host.playground.save("commands/general/src/notes.rs", "1").unwrap();
    host.save(&owners, "in force variables=\"OWNER_IDS\"").await;
    assert!(host.plugins("alice").await.contains("owners can use this"));

    // The filter of the log.
    let debug = "saved, and no plugin is built from it";
    host.save(&format!("{owners}RUST_LOG=info,hmr=debug\n"), "in force variables=\"RUST_LOG\"").await;
    assert!(!host.bot.lines_from(0).iter().any(|line| line.contains(debug)));
    let lines = host.bot.line_count();
    host.playground.save("commands/general/src/notes.rs", "2").unwrap();
    host.bot.wait_for_line(lines, debug).await.unwrap();

    // The reload policy: a hook has less time now.
    host.save(&format!("{owners}HMR_STOP_MS=50\n"), "in force variables=\"HMR_STOP_MS, RUST_LOG\"").await;
    let lines = host.bot.line_count();
    let hook = "    async fn start(&self, _: &Data) -> Result<(), Error> {\n        std::future::pending().await\n    }";
    let general = host.playground.read(GENERAL).unwrap();
    let stuck = general.replace(
        "impl Plugin for General {",
        &format!("#[async_trait]\nimpl Plugin for General {{\n{hook}\n"),
    );
    host.playground.save(GENERAL, &stuck).unwrap();
    host.bot.wait_for_line(lines, "start hook did not end within 50 ms").await.unwrap();

    // Plugins read their own variables whenever they need them.
    host.save(
        &format!("{owners}HMR_STOP_MS=50\nMODLOG_CHANNEL_ID=5\n"),
        "in force variables=\"MODLOG_CHANNEL_ID\"",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_overruled_or_for_a_restart_is_named_and_changes_nothing() {
    let mut host = TestHost::new("COMMAND_PREFIX=!\n").await;

    // A mistake keeps all values, including correct ones.
    let line = host
        .save("COMMAND_PREFIX=?\nHMR_HANDOVER_MS=fast\n", "nothing is taken over from .env mistake=")
        .await;
    assert!(line.contains("HMR_HANDOVER_MS is 'fast', which does not fit"), "{line}");
    host.ping_by_text("!ping").await;
    let line = host
        .save(&format!("MINE=\"open\nOTHER={OTHER_TOKEN} x\n"), "nothing is taken over from .env mistake=")
        .await;
    assert!(line.contains(".env, line 4: this is not NAME=value"), "{line}");
    std::fs::remove_file(host.playground.path(".env")).unwrap();
    host.bot.wait_for_line(0, ".env is gone").await.unwrap();
    host.ping_by_text("!ping").await;

    // Variables that wait for a restart are named, and again when they are reverted.
    let file = host.discord.replace("TEST_GUILD_ID=", "TEST_GUILD_ID=1") + "COMMAND_PREFIX=!\n";
    host.save_all(&file, "in force after a restart variables=\"TEST_GUILD_ID\"").await;
    host.save("COMMAND_PREFIX=!\n", "again in .env as the bot runs with it variables=\"TEST_GUILD_ID\"")
        .await;
    let other = host.discord.replace(host.sandbox.token(), OTHER_TOKEN);
    host.save_all(
        &format!("{other}COMMAND_PREFIX=!\n"),
        "in force after a restart variables=\"DISCORD_TOKEN\"",
    )
    .await;

    // The environment wins. This is logged if it overrides a change.
    host.save(
        "COMMAND_PREFIX=!\nENABLE_HMR=false\n",
        "environment sets it too and wins variable=\"ENABLE_HMR\"",
    )
    .await;
    host.ping_by_text("!ping").await;

    // A misspelling is reported as at the start.
    host.save("COMMAND_PREFIX=!\nHMR_PROBATION=1\n", "did you mean HMR_PROBATION_MS?").await;

    let said = host.bot.lines_from(0).join("\n");
    assert!(!said.contains(host.sandbox.token()), "the token is in the log");
    assert!(!said.contains("abcdefghijklm"), "the other token is in the log");
    let told = said.matches("environment sets it too and wins variable=\"ENABLE_HMR\"").count();
    assert_eq!(told, 1, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_where_there_was_none_names_the_intents_that_come_with_a_restart() {
    let mut host = TestHost::new("").await;
    let line =
        host.save("COMMAND_PREFIX=!\n", "text commands need intents that this session did not ask for").await;
    assert!(line.contains(" intents=") && line.contains("DIRECT_MESSAGES"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_counts_as_a_save_follows_a_saved_env() {
    let mut host = TestHost::new("").await;
    host.bot.wait_for_line(0, "/ping scope=").await.unwrap();

    // A pattern takes effect, and stays in effect while what is saved after it is wrong.
    host.save("HMR_IGNORE=/commands/general/\n", "changed in .env and in force variables=\"HMR_IGNORE\"")
        .await;
    let from = host.bot.line_count();
    host.save_ping("One");
    host.only_welcome(from).await;
    let line = host.save("HMR_IGNORE=[z-a]\n", "nothing is taken over from .env mistake=").await;
    assert!(line.contains("In HMR_IGNORE or HMR_EXTENSIONS, '[z-a]' is no pattern"), "{line}");
    let line = host.save("HMR_IGNORE=\nHMR_POLL_MS=1\n", "nothing is taken over from .env mistake=").await;
    assert!(line.contains("HMR_POLL_MS is '1'"), "{line}");
    let from = host.bot.line_count();
    host.save_ping("Two");
    host.only_welcome(from).await;
    // What it excluded is built when it is removed.
    let from = host.bot.line_count();
    host.save("", "changed in .env and in force variables=\"HMR_IGNORE\"").await;
    host.general(from, "Two").await;

    // An extension takes effect.
    let page = "commands/general/pages/a.html";
    let from = host.bot.line_count();
    host.playground.save(page, "one").unwrap();
    host.only_welcome(from).await;
    host.save("HMR_EXTENSIONS=rs,html\n", "changed in .env and in force variables=\"HMR_EXTENSIONS\"").await;
    let from = host.bot.line_count();
    host.playground.save(page, "two").unwrap();
    host.general(from, "Two").await;

    // Polling starts: a file that is not closed yet is found only by scanning.
    host.save("HMR_POLL_MS=50\n", "changed in .env and in force variables=\"HMR_EXTENSIONS, HMR_POLL_MS\"")
        .await;
    let from = host.bot.line_count();
    let source = host.ping_that_says("Polled");
    let mut open = File::create(host.playground.path(PING)).unwrap();
    open.write_all(source.as_bytes()).unwrap();
    host.general(from, "Polled").await;

    // Polling ends: a change is found when the file is closed.
    host.save("", "changed in .env and in force variables=\"HMR_POLL_MS\"").await;
    // A scan that is under way may still find what is written while it lasts; it ends before another save is built.
    let from = host.bot.line_count();
    host.only_welcome(from).await;
    let from = host.bot.line_count();
    open.write_all(b"\n// More.\n").unwrap();
    host.only_welcome(from).await;
    drop(open);
    host.general(from, "Polled").await;

    // A longer debounce time is waited for.
    host.save("HMR_DEBOUNCE_MS=900\n", "changed in .env and in force variables=\"HMR_DEBOUNCE_MS\"").await;
    let from = host.bot.line_count();
    host.save_ping("Late");
    let line = host.general(from, "Late").await;
    let watch = line.split(" watch=").nth(1).and_then(|rest| rest.split(' ').next());
    assert!(watch.unwrap().parse::<f64>().unwrap() >= 900.0, "{line}");
}
