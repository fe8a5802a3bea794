//! The lifetime of a plugin's memory: statics belong to a library, including its own copy of a shared crate.

use e2e::{Playground, TestHost};

/// Answers how often it was called, counted in a static of its own and in one of a shared crate.
const COUNTING: &str = r#"//! Counts.

use std::sync::atomic::{AtomicU32, Ordering};

use sdk::prelude::*;

static CALLS: AtomicU32 = AtomicU32::new(0);

struct Counting;

impl Plugin for Counting {
    fn commands(&self) -> Vec<Command> {
        vec![NAME()]
    }

    fn dependencies(&self) -> Vec<Dependency> {
        vec![NEEDS]
    }
}

/// Counts its calls
#[poise::command(slash_command)]
async fn NAME(ctx: Context<'_>) -> Result<(), Error> {
    let own = CALLS.fetch_add(1, Ordering::Relaxed);
    ctx.say(format!("own {own}, shared {}", words::next())).await?;
    Ok(())
}

sdk::export!(Counting);
"#;

const WORDS: &str = "\
use std::sync::atomic::{AtomicU32, Ordering};

static CALLS: AtomicU32 = AtomicU32::new(0);

pub fn next() -> u32 {
    CALLS.fetch_add(1, Ordering::Relaxed)
}
";

fn add(playground: &Playground, name: &str, needs: &str) {
    let source = COUNTING.replace("NAME", name).replace("NEEDS", needs);
    playground.save(&format!("commands/{name}/src/lib.rs"), &source).unwrap();
    let manifest = format!(
        "[package]\nname = \"commands-{name}\"\ndescription = \"To be tested.\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\npoise.workspace = true\nsdk.workspace = true\nwords = {{ path = \"../../crates/words\" }}\n"
    );
    playground.save(&format!("commands/{name}/Cargo.toml"), &manifest).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn statics_are_those_of_one_library() {
    let playground = Playground::new().unwrap();
    let manifest = "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    playground.save("crates/words/Cargo.toml", manifest).unwrap();
    playground.save("crates/words/src/lib.rs", WORDS).unwrap();
    add(&playground, "one", "");
    add(&playground, "two", "Dependency::required(\"commands/one\")");
    let mut host = TestHost::on(playground, &[]).await;
    for round in 0..2 {
        let counted = format!("own {round}, shared {round}");
        assert_eq!(host.say("/one").await.content, counted);
        assert_eq!(host.say("/two").await.content, counted, "its copy of the shared crate is its own");
    }

    let lines = host.bot.line_count();
    host.playground
        .edit("commands/one/src/lib.rs", "/// Counts its calls", "/// Counts all its calls")
        .unwrap();
    let line = host.bot.wait_for_line(lines, "plugin=commands/two from=1 to=2 ").await.unwrap();
    assert!(line.contains("with=\"commands/one\""), "{line}");
    host.bot.wait_for_line(lines, "plugin=commands/one from=1 to=2 ").await.unwrap();
    assert_eq!(host.say("/one").await.content, "own 0, shared 0", "its library is a new one");
    assert_eq!(host.say("/two").await.content, "own 2, shared 2", "its library is the same");
}
