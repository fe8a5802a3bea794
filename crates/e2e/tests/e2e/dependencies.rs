//! Plugins that depend on each other: what reloads with what, and what is refused.

use std::fs;

use e2e::load::Load;
use e2e::{Playground, TestHost};

const POLITE: &str = "events/polite/src/lib.rs";
const HELLO: &str = "commands/hello/src/lib.rs";
const WORDS: &str = "crates/words/src/lib.rs";

const GREETER: &str = "\
//! A trait that plugins share.

/// Says a word.
pub trait Greeter: Send + Sync {
    /// Returns the word.
    fn word(&self) -> String;
}
";

const PROVIDER: &str = "\
//! Offers a word.

use std::sync::Arc;

use sdk::prelude::*;
use words::Greeter;

struct Polite;

struct Says(&'static str);

impl Greeter for Says {
    fn word(&self) -> String {
        self.0.to_owned()
    }
}

impl Plugin for Polite {
    fn services(&self, offer: &mut Services) {
        offer.provide::<dyn Greeter>(\"greeter\", \"1.2.0\", Arc::new(Says(\"Hello\")));
    }
}

sdk::export!(Polite);
";

/// Answers `whole` if the word equals the one that this generation's `start` read, and stays the same during a whole
/// call.
const CONSUMER: &str = "\
//! Says the word that another plugin offers.

use std::time::Duration;

use sdk::prelude::*;
use sdk::tokio;
use words::Greeter;

struct Hello;

#[async_trait]
impl Plugin for Hello {
    fn dependencies(&self) -> Vec<Dependency> {
        vec![Dependency::service(\"greeter\", \"^1.2\")]
    }

    fn commands(&self) -> Vec<Command> {
        vec![hello()]
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        let word = data.service::<dyn Greeter>(\"greeter\").map(|greeter| greeter.word()).unwrap_or_default();
        if word == \"Grr\" {
            return Err(\"that is no greeting\".into());
        }
        data.store().put(&data.generation().to_string(), &word)
    }
}

/// Says the word
#[poise::command(slash_command)]
async fn hello(ctx: Context<'_>) -> Result<(), Error> {
    let data = ctx.data();
    let at_start: Option<String> = data.store().get(&data.generation().to_string())?;
    let before = data.service::<dyn Greeter>(\"greeter\")?.word();
    // Long enough for a swap to come in between.
    tokio::time::sleep(Duration::from_millis(30)).await;
    let after = data.service::<dyn Greeter>(\"greeter\")?.word();
    if at_start.as_ref() == Some(&before) && before == after {
        ctx.say(format!(\"whole {after}\")).await?;
    } else {
        ctx.say(format!(\"mixed {at_start:?} {before} {after}\")).await?;
    }
    Ok(())
}

sdk::export!(Hello);
";

fn manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\ndescription = \"To be tested.\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\npoise.workspace = true\nsdk.workspace = true\nwords = {{ path = \"../../crates/words\" }}\n"
    )
}

fn add_shared_crate(playground: &Playground) {
    let manifest = "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    playground.save("crates/words/Cargo.toml", manifest).unwrap();
    playground.save(WORDS, GREETER).unwrap();
}

fn add_provider(playground: &Playground) {
    playground.save(POLITE, PROVIDER).unwrap();
    playground.save("events/polite/Cargo.toml", &manifest("events-polite")).unwrap();
}

fn add_consumer(playground: &Playground) {
    playground.save(HELLO, CONSUMER).unwrap();
    playground.save("commands/hello/Cargo.toml", &manifest("commands-hello")).unwrap();
}

/// Starts a host with both plugins.
async fn both(variables: &[(&str, &str)]) -> TestHost {
    let playground = Playground::new().unwrap();
    add_shared_crate(&playground);
    add_provider(&playground);
    add_consumer(&playground);
    let host = TestHost::on(playground, variables).await;
    assert_eq!(host.say("/hello").await.content, "whole Hello");
    host
}

/// Edits a file and waits for the first line since then that contains `words`. Returns the line.
async fn edit(host: &mut TestHost, file: &str, from: &str, to: &str, words: &str) -> String {
    let lines = host.bot.line_count();
    host.playground.edit(file, from, to).unwrap();
    host.bot.wait_for_line(lines, words).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_takes_its_consumers_along_and_no_call_sees_a_mixture() {
    let mut host = both(&[]).await;
    let load = Load::start(&host.sandbox, "/hello", "whole ", 30);
    let mut word = "Hello".to_owned();
    for round in 1..=5 {
        let next = format!("Round{round}");
        let lines = host.bot.line_count();
        host.playground.edit(POLITE, &format!("\"{word}\""), &format!("\"{next}\"")).unwrap();
        host.bot
            .wait_for_line(lines, &format!("plugin=events/polite from={round} to={} ", round + 1))
            .await
            .unwrap();
        let line = host.bot.wait_for_line(lines, "commands/hello ").await.unwrap();
        assert!(line.contains(&format!("from={round} to={} ", round + 1)), "{line}");
        assert!(line.contains("with=\"events/polite\""), "{line}");
        assert_eq!(host.say("/hello").await.content, format!("whole {next}"));
        word = next;
    }
    // Its own edits do not reload the provider.
    let lines = host.bot.line_count();
    host.playground.edit(HELLO, "whole {after}", "whole and {after}").unwrap();
    let line = host.bot.wait_for_line(lines, "commands/hello ").await.unwrap();
    assert!(line.contains("from=6 to=7 ") && !line.contains(" with="), "{line}");
    assert_eq!(host.say("/hello").await.content, "whole and Round5");
    assert!(!host.bot.lines_from(lines).iter().any(|line| line.contains("events/polite")));
    let tally = load.stop().await;
    assert!(tally.is_clean() && tally.sent > 0, "{tally:?}");
    assert_eq!(host.identifies(), 1);

    // The plugins here reload with what they use.
    let lines = host.bot.line_count();
    edit(
        &mut host,
        "events/modlog/src/written.rs",
        "Ok(true)",
        "Ok(std::hint::black_box(true))",
        "plugin=events/modlog from=1 to=2 ",
    )
    .await;
    let line = host.bot.wait_for_line(lines, "plugin=commands/general from=1 to=2 ").await.unwrap();
    assert!(line.contains("with=\"events/modlog\""), "{line}");
    assert!(host.ping().await.starts_with("Pong!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_with_both_names_and_goes_live_with_what_mends_it() {
    let mut host = both(&[]).await;

    // The trait itself changes: both are rebuilt, and neither goes live until both compile.
    let mark = "    /// Ends the sentence.\n    fn mark(&self) -> char;\n    /// Returns the word.\n";
    edit(
        &mut host,
        WORDS,
        "    /// Returns the word.\n",
        mark,
        "plugin=events/polite live=1 error=1 compile error",
    )
    .await;
    assert_eq!(host.say("/hello").await.content, "whole Hello");
    let lines = host.bot.line_count();
    let marked = "impl Greeter for Says {\n    fn mark(&self) -> char {\n        '!'\n    }\n";
    edit(&mut host, POLITE, "impl Greeter for Says {\n", marked, "plugin=events/polite from=1 to=2 ").await;
    host.bot.wait_for_line(lines, "plugin=commands/hello from=1 to=2 ").await.unwrap();
    assert_eq!(host.say("/hello").await.content, "whole Hello");

    // A version that the consumer does not accept waits for a consumer that does.
    let line = edit(&mut host, POLITE, "\"1.2.0\"", "\"2.0.0\"", "plugin=events/polite live=2 ").await;
    let told = "commands/hello needs service greeter ^1.2, which events/polite offers as 2.0.0";
    assert!(line.contains(told), "{line}");
    assert_eq!(host.say("/hello").await.content, "whole Hello");
    let lines = host.bot.line_count();
    edit(&mut host, HELLO, "\"^1.2\"", "\"^2\"", "plugin=commands/hello from=2 to=3 ").await;
    host.bot.wait_for_line(lines, "plugin=events/polite from=2 to=3 ").await.unwrap();
    assert_eq!(host.say("/hello").await.content, "whole Hello");

    // A consumer whose start fails also prevents the provider from going live.
    let line = edit(&mut host, POLITE, "\"Hello\"", "\"Grr\"", "plugin=events/polite live=3 ").await;
    assert!(line.contains("commands/hello: its start hook failed: that is no greeting"), "{line}");
    assert_eq!(host.say("/hello").await.content, "whole Hello");
    edit(&mut host, POLITE, "\"Grr\"", "\"Ahoy\"", "plugin=events/polite from=3 to=4 ").await;
    assert_eq!(host.say("/hello").await.content, "whole Ahoy");

    // A circle is reported with its names.
    let needs = "impl Plugin for Polite {\n    fn dependencies(&self) -> Vec<Dependency> {\n        \
                 vec![Dependency::required(\"commands/hello\")]\n    }\n\n";
    let line =
        edit(&mut host, POLITE, "impl Plugin for Polite {\n", needs, "plugin=events/polite live=4 ").await;
    assert!(line.contains("commands/hello -> events/polite -> commands/hello need each other"), "{line}");
    assert_eq!(host.say("/hello").await.content, "whole Ahoy");

    // So is an invalid range.
    let line = edit(&mut host, HELLO, "\"^2\"", "\"newest\"", "plugin=commands/hello live=4 ").await;
    assert!(line.contains("the versions 'newest' of service greeter are no semver range"), "{line}");
    assert_eq!(host.say("/hello").await.content, "whole Ahoy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_removed_stays_while_it_is_needed_and_comes_back() {
    // A plugin comes in once what it needs is there.
    let playground = Playground::new().unwrap();
    add_shared_crate(&playground);
    add_consumer(&playground);
    let mut host = TestHost::on(playground, &[]).await;
    let told = "load failed plugin=commands/hello error=commands/hello needs service greeter ^1.2, which no live plugin offers";
    host.bot.wait_for_line(0, told).await.unwrap();
    let lines = host.bot.line_count();
    add_provider(&host.playground);
    host.bot.wait_for_line(lines, "loaded plugin=events/polite to=1 ").await.unwrap();
    host.bot.wait_for_line(lines, "loaded plugin=commands/hello to=1 ").await.unwrap();
    assert_eq!(host.say("/hello").await.content, "whole Hello");

    // What it needs goes.
    let lines = host.bot.line_count();
    fs::remove_dir_all(host.playground.path("events/polite")).unwrap();
    let line = host.bot.wait_for_line(lines, "still live although the folder is gone").await.unwrap();
    assert!(
        line.contains("commands/hello needs service greeter ^1.2, which no live plugin offers"),
        "{line}"
    );
    assert_eq!(host.say("/hello").await.content, "whole Hello");

    // Once no plugin needs it any more, it is removed.
    let lines = host.bot.line_count();
    host.playground.edit(HELLO, "Dependency::service(", "Dependency::optional_service(").unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/hello from=1 to=2 ").await.unwrap();
    host.bot.wait_for_line(lines, "removed plugin=events/polite from=1 ").await.unwrap();
    let line = host.bot.wait_for_line(lines, "plugin=commands/hello from=2 to=3 ").await.unwrap();
    assert!(line.contains("with=\"events/polite\""), "{line}");
    let told = host.say("/hello").await.content;
    assert_eq!(told, "no live plugin offers the service greeter that commands/hello asks for");

    // The plugin that uses it notices when it is back.
    let lines = host.bot.line_count();
    add_provider(&host.playground);
    host.bot.wait_for_line(lines, "loaded plugin=events/polite to=2 ").await.unwrap();
    let line = host.bot.wait_for_line(lines, "plugin=commands/hello from=3 to=4 ").await.unwrap();
    assert!(line.contains("with=\"events/polite\""), "{line}");
    assert_eq!(host.say("/hello").await.content, "whole Hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn dependents_stay_where_that_is_asked_for() {
    let mut host = both(&[("HMR_RELOAD_DEPENDENTS", "false")]).await;
    let lines = host.bot.line_count();
    edit(&mut host, POLITE, "\"Hello\"", "\"Ahoy\"", "plugin=events/polite from=1 to=2 ").await;
    // It reads the newest provider, and is still the same generation.
    assert_eq!(host.say("/hello").await.content, "mixed Some(\"Hello\") Ahoy Ahoy");
    let line = edit(&mut host, POLITE, "\"1.2.0\"", "\"2.0.0\"", "plugin=events/polite live=2 ").await;
    assert!(line.contains("commands/hello needs service greeter ^1.2"), "{line}");
    assert!(!host.bot.lines_from(lines).iter().any(|line| line.contains("plugin=commands/hello from=1 ")));
}
