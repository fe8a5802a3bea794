//! Plugins with a build script: which of the files that it reads are followed.

use std::fs;
use std::time::{Duration, Instant};

use e2e::{Playground, TestHost};

const HELLO: &str = "commands/hello/src/lib.rs";
const SCRIPT: &str = "commands/hello/build.rs";
const WORD: &str = "commands/hello/word.txt";
const NAMES: &str = "commands/hello/names";
const HUGE: &str = "commands/hello/huge.bin";
const HUGE_LENGTH: u64 = 3 << 30;
const LIVE: &str = "loaded plugin=commands/hello ";

const MANIFEST: &str = "\
[package]
name = \"commands-hello\"
description = \"To be tested.\"
version = \"0.1.0\"
edition = \"2024\"

[dependencies]
poise.workspace = true
sdk.workspace = true
";

const SOURCE: &str = "\
//! Says what the build script has read.

use sdk::prelude::*;

struct Hello;

impl Plugin for Hello {
    fn commands(&self) -> Vec<Command> {
        vec![hello()]
    }
}

/// Says it
#[poise::command(slash_command)]
async fn hello(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say(env!(\"HELLO\")).await?;
    Ok(())
}

sdk::export!(Hello);
";

/// Reads a word, all files in two folders, and the length of a file.
const READS: &str = "\
fn main() {
    let word = std::fs::read_to_string(\"word.txt\").unwrap();
    let files = |folder| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut names: Vec<_> = files(\"names\").chain(files(\"../../texts\")).collect();
    names.sort();
    let names: Vec<_> = names.iter().map(|name| std::fs::read_to_string(name).unwrap()).collect();
    let length = std::fs::metadata(\"huge.bin\").unwrap().len();
    println!(\"cargo::rustc-env=HELLO={word} {} {length}\", names.join(\"+\"));
}
";

const NAMED: &str = "\
    for name in [\"build.rs\", \"word.txt\", \"names\", \"../../texts\", \"huge.bin\"] {
        println!(\"cargo::rerun-if-changed={name}\");
    }
}
";

fn script_that_names_its_files() -> String {
    format!("{}{NAMED}", READS.strip_suffix("}\n").unwrap())
}

async fn host_with(script: &str) -> TestHost {
    let playground = Playground::new().unwrap();
    for (file, text) in [
        ("commands/hello/Cargo.toml", MANIFEST),
        (HELLO, SOURCE),
        (SCRIPT, script),
        (WORD, "Hello"),
        (&format!("{NAMES}/1.txt"), "Ada"),
        ("texts/1.txt", "Zoe"),
        (HUGE, ""),
    ] {
        playground.save(file, text).unwrap();
    }
    set_length(&playground, HUGE_LENGTH);
    TestHost::on(playground, &[]).await
}

/// Sets the length of the huge file, which needs no space on the disk.
fn set_length(playground: &Playground, length: u64) {
    fs::File::options().write(true).open(playground.path(HUGE)).unwrap().set_len(length).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_a_build_script_names_is_followed_however_large_it_is() {
    let began = Instant::now();
    let mut host = host_with(&script_that_names_its_files()).await;
    assert!(began.elapsed() < Duration::from_mins(2), "the huge file was read");
    assert_eq!(host.say("/hello").await.content, format!("Hello Zoe+Ada {HUGE_LENGTH}"));

    let first = format!("{NAMES}/1.txt");
    let second = format!("{NAMES}/2.txt");
    for (file, text, answer) in [
        (WORD, "Moin", "Moin Zoe+Ada"),
        (&first, "Bob", "Moin Zoe+Bob"),
        (&second, "Eve", "Moin Zoe+Bob+Eve"),
        (&second, "Kim", "Moin Zoe+Bob+Kim"),
        ("texts/2.txt", "Uli", "Moin Zoe+Uli+Bob+Kim"),
    ] {
        let lines = host.bot.line_count();
        host.playground.save(file, text).unwrap();
        host.bot.wait_for_line(lines, LIVE).await.unwrap();
        assert_eq!(host.say("/hello").await.content, format!("{answer} {HUGE_LENGTH}"), "{file}");
    }

    let lines = host.bot.line_count();
    set_length(&host.playground, HUGE_LENGTH + 1);
    host.bot.wait_for_line(lines, LIVE).await.unwrap();
    assert_eq!(host.say("/hello").await.content, format!("Moin Zoe+Uli+Bob+Kim {}", HUGE_LENGTH + 1));

    // A save of another plugin does not wait for the huge file.
    let line = host.edit_ping("Quick").await;
    assert!(line.contains("loaded plugin="), "{line}");
    assert!(host.ping().await.starts_with("Quick!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_script_that_names_no_file_runs_again_when_it_is_saved() {
    let mut host = host_with(READS).await;
    assert_eq!(host.say("/hello").await.content, format!("Hello Zoe+Ada {HUGE_LENGTH}"));
    let lines = host.bot.line_count();
    host.playground.save(WORD, "Moin").unwrap();
    // A save that is seen after that one: nothing was done for it in between.
    host.edit_ping("After").await;
    assert!(!host.bot.lines_from(lines).iter().any(|line| line.contains("commands/hello")));
    host.playground
        .edit(HELLO, "ctx.say(env!(\"HELLO\"))", "ctx.say(concat!(env!(\"HELLO\"), \"!\"))")
        .unwrap();
    host.bot.wait_for_line(lines, LIVE).await.unwrap();
    assert_eq!(host.say("/hello").await.content, format!("Hello Zoe+Ada {HUGE_LENGTH}!"));
    let lines = host.bot.line_count();
    host.playground.save(SCRIPT, &format!("// Saved again.\n{READS}")).unwrap();
    host.bot.wait_for_line(lines, LIVE).await.unwrap();
    assert_eq!(host.say("/hello").await.content, format!("Moin Zoe+Ada {HUGE_LENGTH}!"));
}
