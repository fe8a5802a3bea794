//! The whole path from a saved file to a new answer, under load, and every way an edit can be broken.
//!
//! Works on a copy of the real plugins' sources; each step prints what was tried and what was observed.

use std::io;
use std::time::{Duration, Instant};

use clap::Args;
use sandbox::Sandbox;
use sandbox::record::Kind;

use crate::bot::PATIENCE;
use crate::load::Load;
use crate::{Bot, Playground};

/// Words of the command line.
#[derive(Args, Debug)]
pub struct Options {
    /// Reloads under load
    #[arg(long, default_value_t = 20)]
    reloads: usize,
    /// Interactions a second under load
    #[arg(long, default_value_t = 100)]
    rate: u32,
}

/// File of the real plugin that is edited.
const PING: &str = "commands/general/src/ping.rs";
const LIB: &str = "commands/general/src/lib.rs";
const WELCOME: &str = "events/welcome/src/lib.rs";

/// An edit that must not go live.
pub struct BrokenEdit {
    /// What is broken.
    pub name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// What the developer must be told.
    pub told: &'static str,
}

/// Every kind of broken edit, each of which leaves the old answer in place.
pub const BROKEN_EDITS: &[BrokenEdit] = &[
    BrokenEdit {
        name: "compile error",
        file: PING,
        from: "async fn ping(ctx: Context<'_>)",
        to: "async fn ping(ctx: Contxt<'_>)",
        told: "stays live: 1 compile error",
    },
    BrokenEdit {
        name: "panic in start",
        file: LIB,
        from: "impl Plugin for General {",
        to: "#[async_trait]\nimpl Plugin for General {\n    async fn start(&self, _: &Data) -> Result<(), Error> {\n        \
             panic!(\"no start today\")\n    }\n",
        told: "its start hook panicked: no start today",
    },
    BrokenEdit {
        name: "error from start",
        file: LIB,
        from: "impl Plugin for General {",
        to: "#[async_trait]\nimpl Plugin for General {\n    async fn start(&self, _: &Data) -> Result<(), Error> {\n        \
             Err(\"the database is away\".into())\n    }\n",
        told: "its start hook failed: the database is away",
    },
    BrokenEdit {
        name: "abort on load",
        file: LIB,
        from: "fn commands(&self) -> Vec<Command> {",
        to: "fn commands(&self) -> Vec<Command> {\n        std::process::abort();\n        #[allow(unreachable_code)]",
        told: "crashed the probe process (SIGABRT)",
    },
    BrokenEdit {
        name: "endless loop on load",
        file: LIB,
        from: "fn commands(&self) -> Vec<Command> {",
        to: "fn commands(&self) -> Vec<Command> {\n        loop { std::hint::spin_loop() }\n        #[allow(unreachable_code)]",
        told: "loading it did not end within 5 s",
    },
    BrokenEdit {
        name: "panic on load",
        file: LIB,
        from: "fn commands(&self) -> Vec<Command> {",
        to: "fn commands(&self) -> Vec<Command> {\n        panic!(\"no commands today\");\n        #[allow(unreachable_code)]",
        told: "no commands today",
    },
    BrokenEdit {
        name: "no export",
        file: LIB,
        from: "sdk::export!(General);",
        to: "",
        told: "exports no plugin; its lib.rs needs the line `sdk::export!(YourPlugin);`",
    },
    BrokenEdit {
        name: "wrong export",
        file: LIB,
        from: "sdk::export!(General);",
        to: "#[allow(unsafe_code)]\n#[unsafe(no_mangle)]\npub static hotcord_plugin_commands_general: [u64; 16] = [7; 16];",
        told: "exports something else under the name hotcord_plugin_commands_general",
    },
    BrokenEdit {
        name: "bad command definition",
        file: PING,
        from: "#[poise::command(slash_command",
        to: "#[poise::command(rename = \"Ping Pong\", slash_command",
        told: "the name has to be in lower case",
    },
    BrokenEdit {
        name: "command twice",
        file: LIB,
        from: "ping::ping(),",
        to: "ping::ping(), ping::ping(),",
        told: "/ping is defined twice in commands/general",
    },
];

/// Runs everything and says whether all of it was as it must be.
///
/// # Errors
/// When something does not work at all.
pub async fn run(options: &Options) -> io::Result<bool> {
    let began = Instant::now();
    println!("Copying the workspace and its builds ...");
    let playground = Playground::new()?;
    let sandbox = Sandbox::builder().bot_name("Hotcord").start().await?;
    println!("Starting the development host ...");
    let mut bot = Bot::start(&playground, &sandbox, &[]).await?;
    let mut checks = Checks::default();

    let original = playground.read(PING)?;
    checks.expect("the first answer", answers(&sandbox, "Pong!").await);
    if checks.failed > 0 {
        return Err(io::Error::other(format!("the host said:\n{}", bot.lines_from(0).join("\n"))));
    }

    let load = Load::start(&sandbox, "/ping", "Pong!", options.rate);
    for round in 1..=options.reloads {
        let lines = bot.line_count();
        playground.save(PING, &original.replace("Pong!", &format!("Pong! ({round})")))?;
        bot.wait_for_line(lines, "commands/general ").await?;
        let expected = format!("Pong! ({round})");
        if !answers(&sandbox, &expected).await {
            checks.expect(&format!("the answer after reload {round}"), false);
        }
    }
    let tally = load.stop().await;
    checks.expect(
        &format!(
            "{} reloads under {} interactions a second: {} sent, {} lost, {} doubled, {} failed",
            options.reloads, options.rate, tally.sent, tally.lost, tally.doubled, tally.failed
        ),
        tally.is_clean() && tally.sent > 0,
    );
    tally.samples.iter().for_each(|sample| println!("         {sample}"));

    let live = format!("Pong! ({})", options.reloads);
    for broken in BROKEN_EDITS {
        let (told, line) = break_and_mend(&playground, &mut bot, broken).await?;
        let kept = answers(&sandbox, &live).await;
        checks.expect(
            &format!("{}: the old answer stays, and the developer is told", broken.name),
            told && kept,
        );
        println!("         {line}");
    }

    checks.expect("a new greeting, and only the new one, after a reload of events/welcome", {
        let lines = bot.line_count();
        playground.edit(WELCOME, "\"Welcome to", "\"Warmly welcome to")?;
        let line = bot.wait_for_line(lines, "events/welcome ").await?;
        println!("         {line}");
        greetings(&sandbox, "Warmly welcome").await? == (1, 1)
    });
    checks.expect("exactly one IDENTIFY, and no connection closed", {
        let record = sandbox.record();
        record.count(Kind::Identified) == 1 && record.count(Kind::Closed) == 0
    });
    checks.expect("the bot ends well after SIGTERM", bot.stop().await?.success());

    println!(
        "\nsmoke: {} passed, {} failed, in {} s",
        checks.passed,
        checks.failed,
        began.elapsed().as_secs()
    );
    Ok(checks.failed == 0)
}

#[derive(Default)]
struct Checks {
    passed: usize,
    failed: usize,
}

impl Checks {
    fn expect(&mut self, words: &str, holds: bool) {
        println!("  {} {words}", if holds { "ok    " } else { "FAILED" });
        *(if holds { &mut self.passed } else { &mut self.failed }) += 1;
    }
}

/// Saves a broken edit, waits until the developer is told, and puts the file back.
///
/// Gives whether the words were the right ones, and the line itself.
///
/// # Errors
/// When the edit does not apply or nothing is told.
pub async fn break_and_mend(
    playground: &Playground,
    bot: &mut Bot,
    broken: &BrokenEdit,
) -> io::Result<(bool, String)> {
    let source = playground.read(broken.file)?;
    let lines = bot.line_count();
    playground.edit(broken.file, broken.from, broken.to)?;
    let line = bot.wait_for_line(lines, "stays live").await?;
    let lines = bot.line_count();
    playground.save(broken.file, &source)?;
    bot.wait_for_line(lines, "live in").await?;
    Ok((line.contains(broken.told), line))
}

/// Says whether `/ping` comes to answer, once, with words that begin so; prints what it says instead.
async fn answers(sandbox: &Sandbox, words: &str) -> bool {
    let client = sandbox.client();
    let began = Instant::now();
    loop {
        let said = match client.say("/ping").await {
            Ok(answer) if answer.content.starts_with(words) && answer.callbacks == 1 => return true,
            Ok(answer) => answer.error.unwrap_or(answer.content),
            // A registration that is under way shows as a command that is not there yet.
            Err(_) if began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            Err(error) => error.to_string(),
        };
        println!("         it said {said:?}");
        return false;
    }
}

/// Has a new member join, and counts the greetings that hold `words` and all that came.
async fn greetings(sandbox: &Sandbox, words: &str) -> io::Result<(usize, usize)> {
    let client = sandbox.client();
    let failed = |error: sandbox::client::Error| io::Error::other(error.to_string());
    let before = client.messages("alice", "general", 100).await.map_err(failed)?.len();
    client.create_user("newcomer").await.map_err(failed)?;
    client.join("Sandbox", "newcomer").await.map_err(failed)?;
    let began = Instant::now();
    loop {
        let messages = client.messages("alice", "general", 100).await.map_err(failed)?;
        let new = messages.iter().skip(before).filter(|message| message["author"]["bot"] == true);
        let texts: Vec<_> = new.map(ToString::to_string).collect();
        if !texts.is_empty() || began.elapsed() > PATIENCE {
            // Whatever else hears the event has heard it by the time that a later event is answered.
            let _ = client.say("/ping").await;
            return Ok((texts.iter().filter(|text| text.contains(words)).count(), texts.len()));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
