//! What the guide promises: each line of the table "What you edit, and what happens" in docs/hot-reload.md is done
//! here, and each message of its troubleshooting tables occurs in the sources.
//!
//! A line that is new or worded anew fails here until a step for it is written.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use testbed::ground::{GENERAL, Ground, PING};
use testbed::playground::workspace;

const GUIDE: &str = "docs/hot-reload.md";
const ECHO: &str = "commands/echo/src/echo.rs";
const ABOUT: &str = "commands/general/src/about.rs";

/// Gives the rows of the tables below a heading, cell by cell.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let guide = fs::read_to_string(workspace().join(GUIDE)).unwrap();
    let section = guide.split("\n## ").find(|section| section.starts_with(heading)).expect(heading);
    let lines = section.lines().filter(|line| line.starts_with('|') && !line.starts_with("|--"));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    lines.map(cells).filter(|cells| !matches!(cells[0].as_str(), "you edit" | "message")).collect()
}

/// What is done for a line, in an order in which each finds what it needs.
const STEPS: &[&str] = &[
    "the body of a command or listener",
    "a command's name, description or options",
    "a new command, and its line in `commands()`",
    "a command taken out of `commands()`",
    "`on.event(...)`, `on.component(...)`, `on.timer(...)`",
    "a listener for an event that no plugin heard before",
    "a file that a source includes (`include_str!`)",
    "a new `.rs` file that no `mod` names yet; `README`, notes",
    "`touch`, or a save without a change",
    "`#[cfg(test)]` code in a source file",
    "`tests/`, `benches/`, `examples/` of a plugin",
    "several files at once (`git checkout`, search and replace)",
    "a file again, while it is being built",
    "a mistake",
    "`./dev-env.sh new commands/echo`",
    "a plugin's `Cargo.toml` or `build.rs`",
    "a crate that plugins share by path (`crates/words`, say)",
    "a plugin's folder deleted",
    "`commands/lib.rs`, `events/lib.rs`",
    "`commands/Cargo.toml`, `events/Cargo.toml`",
];

/// Lines that have a test of their own, and which.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "a file, or in a folder, that `HMR_IGNORE` names",
        "watching.rs::patterns_and_extensions_say_what_counts",
    ),
    (
        "a file with an extension in `HMR_EXTENSIONS`, inside a plugin",
        "watching.rs::patterns_and_extensions_say_what_counts",
    ),
    (
        "a file behind a link: of a source, of `src/`, of a plugin's folder",
        "watching.rs::sources_behind_links_reload_the_right_plugin",
    ),
    (
        "a plugin that others need or use",
        "dependencies.rs::a_provider_takes_its_consumers_along_and_no_call_sees_a_mixture",
    ),
    ("a plugin's folder renamed", "watching.rs::folders_may_be_renamed_and_go_and_come_back"),
    (
        "a plugin's folder, or all of `commands/`, moved away and back (`git stash`, `git checkout`)",
        "watching.rs::folders_may_be_renamed_and_go_and_come_back",
    ),
    (
        "a plugin's folder deleted that another one needs",
        "dependencies.rs::a_provider_that_is_removed_stays_while_it_is_needed_and_comes_back",
    ),
    (
        "`bot/`, `crates/hmr/`, `crates/sandbox/`",
        "restart.rs::an_edited_host_takes_the_place_of_the_running_one_and_a_poll_goes_on",
    ),
    (
        "`crates/sdk-core/`, `crates/sdk/`, the root `Cargo.toml`, `rust-toolchain.toml`",
        "restart.rs::an_edited_host_takes_the_place_of_the_running_one_and_a_poll_goes_on",
    ),
    (
        "a mistake in any of these",
        "restart.rs::a_host_that_does_not_build_changes_nothing_and_the_save_that_mends_it_comes_in",
    ),
    ("`Cargo.lock`", "watching.rs::a_lock_file_that_cargo_writes_for_a_plugin_is_no_change_of_the_host"),
    ("`.env`", "configuration.rs::a_saved_env_is_in_force_at_once_where_it_can_be"),
    (
        "`.env` with a mistake",
        "configuration.rs::what_is_wrong_overruled_or_for_a_restart_is_named_and_changes_nothing",
    ),
    (
        "environment variables",
        "configuration.rs::what_is_wrong_overruled_or_for_a_restart_is_named_and_changes_nothing",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_what_you_edit_is_what_happens() {
    let told: BTreeSet<_> = rows("What you edit").into_iter().map(|cells| cells[0].clone()).collect();
    let done: BTreeSet<_> = STEPS.iter().map(|step| (*step).to_owned()).collect();
    let elsewhere: BTreeSet<_> = ELSEWHERE.iter().map(|(line, _)| (*line).to_owned()).collect();
    let known: BTreeSet<_> = done.union(&elsewhere).cloned().collect();
    assert_eq!(told, known, "the guide and this test tell the same lines");
    for (line, test) in ELSEWHERE {
        let (file, name) = test.split_once("::").unwrap();
        let source = fs::read_to_string(workspace().join("crates/testbed/tests").join(file)).unwrap();
        assert!(source.contains(&format!("async fn {name}(")), "{line}: there is no test {test}");
    }

    let mut ground = Ground::new(&[("HMR_PROBATION_CALLS", "0")]).await;
    for step in STEPS {
        println!("{step}");
        take(&mut ground, step).await;
    }
    assert_eq!(ground.identifies(), 1);
}

/// Makes an edit that reloads commands/general, and gives what the host has said from the line numbered `from` on.
async fn said_until_next_reload(ground: &mut Ground, from: usize, words: &str) -> Vec<String> {
    let line = ground.edit_ping(words).await;
    assert!(line.contains(" live in "), "{line}");
    assert!(ground.ping().await.starts_with(words));
    ground.bot.lines_from(from)
}

/// Fails unless nothing but one reload of commands/general has happened since the line numbered `from`.
async fn nothing_happened(ground: &mut Ground, from: usize, words: &str) {
    let said = said_until_next_reload(ground, from, words).await;
    let reloads: Vec<_> = said.iter().filter(|line| line.contains(" live")).collect();
    assert_eq!(reloads.len(), 1, "{said:?}");
}

async fn edit(ground: &mut Ground, file: &str, from: &str, to: &str, expected: &str) -> String {
    let lines = ground.bot.line_count();
    ground.playground.edit(file, from, to).unwrap();
    ground.bot.wait_for_line(lines, expected).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn take(ground: &mut Ground, step: &str) {
    let lines = ground.bot.line_count();
    match step {
        "the body of a command or listener" => {
            ground.edit_ping("Body").await;
            assert!(ground.ping().await.starts_with("Body!"));
            let line = edit(
                ground,
                "events/welcome/src/lib.rs",
                "Err(format!(\"a member could",
                "Err(format!(\"one member could",
                "events/welcome ",
            )
            .await;
            assert!(line.contains("1 -> 2 live"), "{line}");
        }
        "a command's name, description or options" => {
            let line =
                edit(ground, PING, "/// Answers, with", "/// Replies, with", "commands/general ").await;
            assert!(line.ends_with("~ /ping"), "{line}");
            ground.bot.wait_for_line(lines, "/ping scope=").await.unwrap();
        }
        "a new command, and its line in `commands()`" => {
            let source = ground.playground.read(PING).unwrap();
            let source = source
                .replace("fn ping(", "fn hi(")
                .replace("(slash_command", "(slash_command, rename = \"hi\"");
            ground.playground.save("commands/general/src/hi.rs", &source).unwrap();
            let lib = ground.playground.read(GENERAL).unwrap();
            let lib = lib
                .replace("mod help;", "mod help;\nmod hi;")
                .replace("help::help(),", "help::help(),\n            hi::hi(),");
            ground.playground.save(GENERAL, &lib).unwrap();
            let line = ground.bot.wait_for_line(lines, "+ /hi").await.unwrap();
            assert!(line.contains("commands/general"), "{line}");
            assert!(ground.say("/hi").await.error.is_none());
        }
        "a command taken out of `commands()`" => {
            edit(ground, GENERAL, "            hi::hi(),\n", "", "- /hi").await;
            ground.bot.wait_for_line(lines, "command removed").await.unwrap();
            assert!(ground.sandbox.client().say("/hi").await.is_err());
            edit(ground, GENERAL, "mod hi;\n", "", "commands/general ").await;
        }
        "`on.event(...)`, `on.component(...)`, `on.timer(...)`" => {
            let old = "on.timer(\"poll\", poll::due);";
            let new = format!("{old}\n        on.component(\"none:\", poll::pressed);");
            edit(ground, GENERAL, old, &new, "+ component none:").await;
            edit(ground, GENERAL, &new, old, "- component none:").await;
        }
        "a listener for an event that no plugin heard before" => {
            let old = "on.component(\"poll:\", poll::pressed);";
            let listener = "on.event(async |_: EventContext, _: event::TypingStart| Ok(()));";
            let new = format!("{old}\n        {listener}");
            edit(ground, GENERAL, old, &new, "+ TypingStart").await;
            let warning = ground.bot.wait_for_line(lines, "silent until a restart").await.unwrap();
            assert!(warning.contains("TypingStart") && warning.contains("commands/general"), "{warning}");
            edit(ground, GENERAL, &new, old, "- TypingStart").await;
        }
        "a file that a source includes (`include_str!`)" => {
            ground.playground.save("commands/general/src/words.txt", "one").unwrap();
            let with = "const _: &str = include_str!(\"words.txt\");\nstruct General;";
            edit(ground, GENERAL, "struct General;", with, "commands/general ").await;
            edit(ground, "commands/general/src/words.txt", "one", "two", "commands/general ").await;
            edit(ground, GENERAL, with, "struct General;", "commands/general ").await;
        }
        "a new `.rs` file that no `mod` names yet; `README`, notes" => {
            ground.playground.save("commands/general/src/unnamed.rs", "no Rust at all").unwrap();
            ground.playground.save("commands/general/README.md", "Notes.").unwrap();
            nothing_happened(ground, lines, "Unnamed").await;
        }
        "`touch`, or a save without a change" => {
            ground.playground.save(ABOUT, &ground.playground.read(ABOUT).unwrap()).unwrap();
            let file = fs::File::open(ground.playground.path(GENERAL)).unwrap();
            file.set_modified(SystemTime::now()).unwrap();
            nothing_happened(ground, lines, "Touched").await;
        }
        "`#[cfg(test)]` code in a source file" => {
            let old = ground.playground.read(ABOUT).unwrap();
            ground.playground.save(ABOUT, &format!("{old}\n#[cfg(test)]\nmod more {{}}\n")).unwrap();
            ground.bot.wait_for_line(lines, "commands/general ").await.unwrap();
        }
        "`tests/`, `benches/`, `examples/` of a plugin" => {
            for folder in ["tests", "benches", "examples"] {
                ground.playground.save(&format!("commands/general/{folder}/a.rs"), "fn main() {}").unwrap();
            }
            nothing_happened(ground, lines, "Tests").await;
        }
        "several files at once (`git checkout`, search and replace)" => several_files(ground, lines).await,
        "a file again, while it is being built" => {
            let first = ground.ping_that_says("First");
            let second = ground.ping_that_says("Second");
            ground.playground.save(PING, &first).unwrap();
            ground.playground.save(PING, &second).unwrap();
            ground.bot.wait_for_line(lines, "commands/general ").await.unwrap();
            assert!(ground.ping().await.starts_with("Second!"));
            nothing_happened(ground, ground.bot.line_count(), "Third").await;
        }
        "a mistake" => {
            let line = edit(ground, PING, "Context<'_>", "Contxt<'_>", "stays live").await;
            assert!(line.contains("commands/general") && line.contains("1 compile error"), "{line}");
            let said = ground.bot.lines_from(lines).join("\n");
            assert_eq!(said.matches("cannot find type `Contxt` in this scope").count(), 1, "{said}");
            assert!(ground.ping().await.starts_with("Third!"));
            edit(ground, PING, "Contxt<'_>", "Context<'_>", "commands/general ").await;
        }
        "`./dev-env.sh new commands/echo`" => {
            ground.new_plugin("commands/echo");
            let line = ground.bot.wait_for_line(lines, "commands/echo 1 live").await.unwrap();
            assert!(line.ends_with("+ /echo"), "{line}");
            assert_eq!(ground.say("/echo").await.content, "Hello, world!");
        }
        "a plugin's `Cargo.toml` or `build.rs`" => {
            let script = "fn main() {\n    println!(\"cargo::rustc-env=WORD=Moin\");\n}\n";
            ground.playground.save("commands/echo/build.rs", script).unwrap();
            ground.bot.wait_for_line(lines, "commands/echo 1 -> 2 live").await.unwrap();
            edit(
                ground,
                ECHO,
                "\"Hello, {}!\", ",
                "\"{}, {}!\", env!(\"WORD\"), ",
                "commands/echo 2 -> 3 live",
            )
            .await;
            assert_eq!(ground.say("/echo").await.content, "Moin, world!");
            let version = "version = \"9.8.7\"";
            edit(
                ground,
                "commands/echo/Cargo.toml",
                "version.workspace = true\nedition",
                &format!("{version}\nedition"),
                "commands/echo 3 -> 4 live",
            )
            .await;
        }
        "a crate that plugins share by path (`crates/words`, say)" => shared_crate(ground).await,
        "a plugin's folder deleted" => {
            fs::remove_dir_all(ground.playground.path("commands/echo")).unwrap();
            let line = ground.bot.wait_for_line(lines, "taken out").await.unwrap();
            assert!(line.contains("commands/echo") && line.ends_with("- /echo"), "{line}");
            ground
                .playground
                .edit("commands/Cargo.toml", "commands-echo = { path = \"echo\" }\n", "")
                .unwrap();
            ground.playground.edit("commands/lib.rs", "    &commands_echo::PLUGIN,\n", "").unwrap();
        }
        "`commands/lib.rs`, `events/lib.rs`" => {
            for file in ["commands/lib.rs", "events/lib.rs"] {
                let text = ground.playground.read(file).unwrap();
                ground.playground.save(file, &format!("{text}\n// More.\n")).unwrap();
            }
            nothing_happened(ground, lines, "Lists").await;
        }
        "`commands/Cargo.toml`, `events/Cargo.toml`" => {
            for file in ["commands/Cargo.toml", "events/Cargo.toml"] {
                let text = ground.playground.read(file).unwrap();
                ground.playground.save(file, &format!("{text}\n# More.\n")).unwrap();
            }
            nothing_happened(ground, lines, "Manifests").await;
        }
        other => panic!("there is no step for {other:?}"),
    }
}

/// Saves files of two plugins, one of them twice, as fast as a checkout does.
async fn several_files(ground: &mut Ground, lines: usize) {
    let ping = ground.ping_that_says("Several");
    let about = ground.playground.read(ABOUT).unwrap();
    let welcome = ground.playground.read("events/welcome/src/lib.rs").unwrap();
    ground.playground.save(ABOUT, &format!("{about}\n// One.\n")).unwrap();
    ground.playground.save(PING, &ping).unwrap();
    ground.playground.save("events/welcome/src/lib.rs", &format!("{welcome}\n// One.\n")).unwrap();
    ground.playground.save(ABOUT, &format!("{about}\n// Two.\n")).unwrap();
    ground.bot.wait_for_line(lines, "commands/general ").await.unwrap();
    ground.bot.wait_for_line(lines, "events/welcome ").await.unwrap();
    assert!(ground.ping().await.starts_with("Several!"));
    let said = said_until_next_reload(ground, lines, "Settled").await;
    let count =
        |plugin: &str| said.iter().filter(|line| line.contains(plugin) && line.contains(" live in")).count();
    assert_eq!((count("commands/general "), count("events/welcome ")), (2, 1), "{said:?}");
}

/// Has two plugins share a crate, and edits that.
async fn shared_crate(ground: &mut Ground) {
    let manifest = "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    ground.playground.save("crates/words/Cargo.toml", manifest).unwrap();
    ground.playground.save("crates/words/src/lib.rs", "pub const WORD: &str = \"Hello\";\n").unwrap();
    for plugin in ["commands/echo", "events/welcome"] {
        let with = "sdk.workspace = true\nwords = { path = \"../../crates/words\" }\n";
        let expected = format!("{plugin} ");
        edit(ground, &format!("{plugin}/Cargo.toml"), "sdk.workspace = true\n", with, &expected).await;
    }
    edit(ground, ECHO, "env!(\"WORD\")", "words::WORD", "commands/echo ").await;
    assert_eq!(ground.say("/echo").await.content, "Hello, world!");
    let lines = ground.bot.line_count();
    edit(ground, "crates/words/src/lib.rs", "\"Hello\"", "\"Ahoy\"", "commands/echo ").await;
    ground.bot.wait_for_line(lines, "events/welcome ").await.unwrap();
    assert_eq!(ground.say("/echo").await.content, "Ahoy, world!");
    let lines = ground.bot.line_count();
    edit(ground, "crates/words/src/lib.rs", "&str", "&[u8]", "stays live").await;
    let said = ground.bot.lines_from(lines);
    assert!(!said.iter().any(|line| line.contains(" live in ")), "{said:?}");
    assert_eq!(ground.say("/echo").await.content, "Ahoy, world!");
    edit(ground, "crates/words/src/lib.rs", "&[u8]", "&str", "commands/echo ").await;
}

/// Reads all sources that can print a message.
fn sources() -> String {
    let mut all = String::new();
    let mut folders = vec![
        workspace().join("crates/hmr/src"),
        workspace().join("crates/sdk-core/src"),
        workspace().join("bot/src"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all += &unwrapped(&path);
            }
        }
    }
    all + &unwrapped(&workspace().join("dev-env.sh"))
}

/// Joins what string literals break over lines.
fn unwrapped(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let mut joined = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("\\\n") {
        joined += before;
        rest = after.trim_start();
    }
    joined + rest
}

#[test]
fn each_message_of_the_troubleshooting_tables_can_be_said() {
    let sources = sources();
    let mut missing = Vec::new();
    for cells in rows("Troubleshooting") {
        // Every odd part is in back quotes.
        for message in cells[0].split('`').skip(1).step_by(2) {
            if !fixed_words(message).iter().any(|words| sources.contains(words.as_str())) {
                missing.push(message.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "no source says {missing:#?}");
}

/// Gives pairs of neighbouring words of a message that no name or number interrupts; a single word when that is all.
fn fixed_words(message: &str) -> Vec<String> {
    let is_fixed =
        |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || ":;,'-".contains(c)) && word.len() > 1;
    let words: Vec<_> = message.split(' ').map(|word| word.trim_end_matches('.')).collect();
    let pairs: Vec<_> = words
        .windows(2)
        .filter(|pair| pair.iter().all(|word| is_fixed(word)))
        .map(|pair| pair.join(" "))
        .collect();
    if pairs.is_empty() {
        words.into_iter().filter(|word| is_fixed(word)).map(str::to_owned).collect()
    } else {
        pairs
    }
}
