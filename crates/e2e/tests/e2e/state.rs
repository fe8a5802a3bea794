//! Plugins' state from the side of users: votes and presses from before a reload or a restart still count after it.

use std::fs;

use e2e::bot::PATIENCE;
use e2e::load::Load;
use e2e::test_host::{GENERAL, PING};
use e2e::{Bot, Playground, TestHost};
use sandbox::client::Run;
use sandbox::snowflake::Snowflake;
use sandbox::{Answer, Client};

const POLL: &str = "commands/general/src/poll/polls.rs";
const ABOUT: &str = "commands/general/src/about.rs";
const ASK: &str = "/poll question:\"Tea or coffee?\" option1:tea option2:coffee";

/// A poll as a user sees it.
struct Poll {
    message: Snowflake,
    buttons: Vec<String>,
}

impl Poll {
    async fn ask(host: &TestHost) -> Self {
        let answer = host.say(ASK).await;
        let message = answer.message.as_ref().unwrap()["id"].as_str().unwrap().parse().unwrap();
        let rows = answer.components.iter().flat_map(|row| row["components"].as_array().unwrap());
        let buttons = rows.map(|button| button["custom_id"].as_str().unwrap().to_owned()).collect();
        Self { message, buttons }
    }

    async fn press(&self, host: &TestHost, user: &str) -> Answer {
        let client: Client = host.sandbox.client();
        let answer = client.press(user, self.message, &self.buttons[0]).await.unwrap();
        assert!(answer.error.is_none(), "{answer:?}");
        answer
    }

    /// Presses the button for tea as a user, and expects that many votes in the message.
    async fn vote(&self, host: &TestHost, user: &str, votes: &str) {
        let answer = self.press(host, user).await;
        assert!(answer.embeds.iter().any(|embed| embed.to_string().contains(votes)), "{answer:?}");
    }
}

/// Saves an edit and waits for the host's line that contains `told`. Returns the line.
async fn edit(host: &mut TestHost, file: &str, from: &str, to: &str, told: &str) -> String {
    let lines = host.bot.line_count();
    host.playground.edit(file, from, to).unwrap();
    host.bot.wait_for_line(lines, told).await.unwrap()
}

/// Stops the host as a service manager does, and starts it again.
async fn restart(host: TestHost, variables: &[(&str, &str)]) -> TestHost {
    let TestHost { playground, sandbox, bot } = host;
    bot.stop().await.unwrap();
    let bot = Bot::start(&playground, &sandbox, variables).await.unwrap();
    TestHost { playground, sandbox, bot }
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_live_through_reloads_a_restart_a_refused_shape_and_a_migrated_one() {
    let mut host = TestHost::new(&[]).await;
    for word in ["Pang", "Peng", "Ping"] {
        host.edit_ping(word).await;
    }
    // Created by generation 4.
    let poll = Poll::ask(&host).await;
    poll.vote(&host, "bob", "1 vote,").await;
    for word in ["Pang", "Peng", "Ping"] {
        host.edit_ping(word).await;
    }
    poll.vote(&host, "carol", "2 votes").await;
    let mut host = restart(host, &[]).await;
    let kept = fs::read(host.playground.path(".hotcord/hotcord.db")).unwrap();
    assert!(String::from_utf8_lossy(&kept).contains("Tea or coffee?"));
    poll.vote(&host, "alice", "3 votes").await;

    // A changed format without a way to read the old one is refused, and nothing is lost.
    let source = host.playground.read(POLL).unwrap();
    let renamed = source.replace("ballots", "boxes");
    let lines = host.bot.line_count();
    host.playground.save(POLL, &renamed).unwrap();
    let line = host.bot.wait_for_line(lines, "commands/general ").await.unwrap();
    for part in ["reload failed", "the state of commands/general (version 1)", "missing field `boxes`"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    poll.vote(&host, "bob", "2 votes").await;
    let version = "impl State for Polls {\n    const VERSION: u32 = 2;\n}";
    let line = edit(&mut host, POLL, "impl State for Polls {}", version, "reload failed").await;
    assert!(line.contains("from version 1 to 2"), "{line}");

    let migration = "
    fn migrate(from_version: u32, mut saved: sdk::state::Value) -> Result<Self, sdk::prelude::Error> {
        if from_version != 1 {
            return Err(format!(\"version {from_version} is not known\").into());
        }
        Ok(Self { boxes: sdk::state::from_value(saved[\"ballots\"].take())?, ..Self::default() })
    }
}";
    let version = "const VERSION: u32 = 2;\n";
    let with_migration = format!("{version}{migration}");
    let lines = host.bot.line_count();
    edit(&mut host, POLL, &format!("{version}}}"), &with_migration, "migrated from version 1 to 2").await;
    // This line comes a moment later, and would be taken for that of the next save.
    host.bot.wait_for_line(lines, "plugin=commands/general from=1 to=2 ").await.unwrap();
    poll.vote(&host, "bob", "3 votes").await;
    // Reverted: the old code cannot read the state that the new one has saved.
    let lines = host.bot.line_count();
    host.playground.save(POLL, &source).unwrap();
    let line = host.bot.wait_for_line(lines, "commands/general ").await.unwrap();
    assert!(line.contains("reload failed") && line.contains("from version 2 to 1"), "{line}");
    poll.vote(&host, "bob", "2 votes").await;
}

/// Returns the source of a `/ping` that counts its calls in the state.
fn counting(word: &str) -> String {
    format!(
        "//! Counts.\n\nuse sdk::prelude::*;\n\n/// Answers, with the latency to Discord's gateway\n\
         #[poise::command(slash_command)]\npub(crate) async fn ping(ctx: Context<'_>) -> Result<(), Error> {{\n    \
         let pings = ctx.data().state::<crate::poll::Polls>().update(|polls| {{\n        polls.pings += 1;\n        \
         polls.pings\n    }})?;\n    ctx.say(format!(\"{word}! {{pings}}\")).await?;\n    Ok(())\n}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn presses_are_counted_once_each_while_a_plugin_with_state_reloads_under_load() {
    let mut host = TestHost::new(&[("HMR_HANDOVER_MS", "2000")]).await;
    // A state with a new field that has a default is transferred without a new version.
    let field = "    ballots: BTreeMap<String, Ballot>,\n";
    let more = format!("{field}    #[serde(default)]\n    pub(crate) pings: u64,\n");
    edit(&mut host, POLL, field, &more, "plugin=commands/general from=1 to=2 ").await;
    let lines = host.bot.line_count();
    host.playground.save(PING, &counting("P")).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=2 to=3 ").await.unwrap();
    let mut own = 0;
    let load = Load::start(&host.sandbox, "/ping", "P", 200);
    for round in 0..6 {
        let lines = host.bot.line_count();
        host.playground.save(PING, &counting(&format!("P{round}"))).unwrap();
        host.bot
            .wait_for_line(lines, &format!("plugin=commands/general from={} to={} ", round + 3, round + 4))
            .await
            .unwrap();
        assert!(host.ping().await.starts_with(&format!("P{round}!")));
        own += 1;
    }
    let tally = load.stop().await;
    assert!(tally.is_clean() && tally.sent > 0, "{tally:?}");
    assert_eq!(host.ping().await, format!("P5! {}", tally.sent + own + 1));
    assert_eq!(host.identifies(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_outlives_the_handover_is_named_and_holds_up_no_other_plugin() {
    let variables = [("HMR_HANDOVER_MS", "10000"), ("RUST_LOG", "info,sdk_core=debug,serenity=warn")];
    let mut host = TestHost::new(&variables).await;
    let slow = "ctx.defer().await?;\n    while !std::path::Path::new(\"go-on\").exists() {\n        \
                sdk::tokio::time::sleep(std::time::Duration::from_millis(5)).await;\n    }\n    let latency =";
    edit(&mut host, PING, "let latency =", slow, "plugin=commands/general from=1 to=2 ").await;
    let record = host.sandbox.event_log();
    let from = record.newest() + 1;
    let client = host.sandbox.client();
    let call = tokio::spawn(async move { client.run(Run::typed("/ping").deadline(PATIENCE)).await.unwrap() });
    record.wait_for(from, PATIENCE, |entry| entry.line().contains("/callback")).await.unwrap();

    let lines = host.bot.line_count();
    host.playground.edit(ABOUT, "\"Plugins live\"", "\"Plugins here\"").unwrap();
    host.bot.wait_for_line(lines, "holding calls").await.unwrap();
    let answer = host.say("/dev plugins").await;
    assert!(answer.error.is_none() && !answer.embeds.is_empty(), "{answer:?}");
    let said = host.bot.lines_from(lines);
    assert!(!said.iter().any(|line| line.contains("from=2 to=3 ")), "/dev waited for the handover: {said:?}");

    host.bot.wait_for_line(lines, "plugin=commands/general from=2 to=3 ").await.unwrap();
    let line = host.bot.wait_for_line(lines, "was still under way").await.unwrap();
    assert!(line.contains("/ping (") && line.contains("commands/general 2"), "{line}");
    assert!(host.say("/about").await.embeds[0].to_string().contains("generation 3"));
    fs::write(host.playground.path("go-on"), "").unwrap();
    let answer = call.await.unwrap();
    assert!(answer.content.starts_with("Pong!"), "{answer:?}");
}

/// Source of a `/ping` that asks a question and waits for a press.
const ASKING: &str = r#"//! Asks.

use std::time::Duration;

use sdk::prelude::*;

/// Answers, with the latency to Discord's gateway
#[poise::command(slash_command)]
pub(crate) async fn ping(ctx: Context<'_>) -> Result<(), Error> {
    let pressed = ctx.data().next_press("asked:", Some(ctx.author().id), Duration::from_secs(600));
    let yes = serenity::CreateButton::new("asked:yes").label("Yes");
    let row = vec![serenity::CreateActionRow::Buttons(vec![yes])];
    let sent = ctx.send(poise::CreateReply::default().content("Sure?").components(row)).await?;
    let words = match pressed.await {
        Some(press) => {
            press.create_response(&ctx, serenity::CreateInteractionResponse::Acknowledge).await?;
            "Pressed."
        }
        None => "Given up.",
    };
    sent.edit(ctx, poise::CreateReply::default().content(words).components(Vec::new())).await?;
    Ok(())
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_a_press_gets_it_and_ends_with_its_generation() {
    let mut host = TestHost::new(&[("HMR_HANDOVER_MS", "10000")]).await;
    let client = host.sandbox.client();
    let lines = host.bot.line_count();
    host.playground.save(PING, ASKING).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=1 to=2 ").await.unwrap();
    let edited = async |asked: &Answer, words: &str| {
        let mut happenings = host.sandbox.event_log().subscribe(host.sandbox.event_log().newest() + 1);
        let shown = async {
            while client.interaction(asked.interaction).await.unwrap().content != words {
                happenings.next().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, shown).await.unwrap_or_else(|_| panic!("/ping does not say {words}"));
    };
    let asked = client.run(Run::typed("/ping")).await.unwrap();
    let message = asked.message.as_ref().unwrap()["id"].as_str().unwrap().parse().unwrap();
    let answer = client.press("alice", message, "asked:yes").await.unwrap();
    assert!(answer.error.is_none(), "{answer:?}");
    edited(&asked, "Pressed.").await;

    let waiting = client.run(Run::typed("/ping")).await.unwrap();
    let lines = host.bot.line_count();
    host.playground.edit(ABOUT, "\"Plugins live\"", "\"Plugins here\"").unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=2 to=3 ").await.unwrap();
    edited(&waiting, "Given up.").await;
    // A handover does not wait for a call that waits for a user.
    let said = host.bot.lines_from(lines);
    assert!(!said.iter().any(|line| line.contains("still under way")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn state_begins_anew_where_that_is_wanted() {
    let mut host = TestHost::new(&[("HMR_PRESERVE_STATE", "false")]).await;
    let poll = Poll::ask(&host).await;
    poll.vote(&host, "bob", "1 vote,").await;
    host.edit_ping("Pang").await;
    assert_eq!(poll.press(&host, "bob").await.content, "This poll is over.");
    // A plugin can request that itself.
    drop(host);
    let playground = Playground::new().unwrap();
    playground
        .edit(GENERAL, "StateSlot::of::<poll::Polls>()", "StateSlot::of::<poll::Polls>().not_preserved()")
        .unwrap();
    let mut host = TestHost::on(playground, &[]).await;
    let poll = Poll::ask(&host).await;
    poll.vote(&host, "bob", "1 vote,").await;
    host.edit_ping("Pang").await;
    assert_eq!(poll.press(&host, "bob").await.content, "This poll is over.");
}
