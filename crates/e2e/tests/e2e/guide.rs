//! Tests of the guide: each line of the table "What you edit, and what happens" in docs/hot-reload.md is done here, and
//! each message of its troubleshooting tables occurs in the sources, and in the test or row that provokes it.
//!
//! A new or reworded line fails here until a step for it is written.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use e2e::playground::workspace;
use e2e::test_host::{GENERAL, PING, TestHost};

const GUIDE: &str = "docs/hot-reload.md";
const ECHO: &str = "commands/echo/src/echo.rs";
const ABOUT: &str = "commands/general/src/about.rs";

/// Returns the rows of the tables below a heading, as cells.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let guide = fs::read_to_string(workspace().join(GUIDE)).unwrap();
    let section = guide.split("\n## ").find(|section| section.starts_with(heading)).expect(heading);
    let lines = section.lines().filter(|line| line.starts_with('|') && !line.starts_with("|--"));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    lines.map(cells).filter(|cells| !matches!(cells[0].as_str(), "you edit" | "message")).collect()
}

/// The lines for which there is a step, in an order in which each finds what it needs.
const STEPS: &[&str] = &[
    "the body of a command or listener",
    "a command's name, description or options",
    "a new command, and its line in `commands()`",
    "a command taken out of `commands()`",
    "`on.event(...)`, `on.component(...)`, `on.timer(...)`",
    "a listener for an event that no plugin heard before",
    "a file that a source includes (`include_str!`)",
    "a new `.rs` file that no `mod` names yet; `README`, notes; pictures and data, however many",
    "`touch`, or a save without a change",
    "a comment, a blank at the end of a line, `#[cfg(test)]` code",
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
    "`crates/sandbox/`, the end-to-end tools",
];

/// Lines with a test elsewhere, and that test.
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
        "`bot/`, `crates/hmr/`, `crates/player/`",
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
    (
        "a plugin's dependency that turns a feature of one of the host's on",
        "restart.rs::a_dependency_that_has_the_host_built_anew_is_told_before_it_begins",
    ),
    ("`.env`", "configuration.rs::a_saved_env_is_in_force_at_once_where_it_can_be"),
    (
        "`.env` with a mistake",
        "configuration.rs::what_is_wrong_overruled_or_for_a_restart_is_named_and_changes_nothing",
    ),
    (
        "environment variables",
        "configuration.rs::what_is_wrong_overruled_or_for_a_restart_is_named_and_changes_nothing",
    ),
    (
        "`server_settings()`",
        "servers.rs::a_reload_with_other_declarations_is_in_force_at_once_and_loses_no_value",
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
        let source = fs::read_to_string(workspace().join("crates/e2e/tests/e2e").join(file)).unwrap();
        assert!(source.contains(&format!("async fn {name}(")), "{line}: there is no test {test}");
    }

    let mut host = TestHost::new(&[("HMR_PROBATION_CALLS", "0")]).await;
    for step in STEPS {
        println!("{step}");
        take(&mut host, step).await;
    }
    assert_eq!(host.identifies(), 1);
}

/// Makes an edit that reloads commands/general. Returns the host's log from the line numbered `from` on.
async fn said_until_next_reload(host: &mut TestHost, from: usize, words: &str) -> Vec<String> {
    let line = host.edit_ping(words).await;
    assert!(line.contains("loaded plugin="), "{line}");
    assert!(host.ping().await.starts_with(words));
    host.bot.lines_from(from)
}

/// Fails unless a single reload of commands/general is all that has happened since the line numbered `from`.
async fn nothing_happened(host: &mut TestHost, from: usize, words: &str) {
    let said = said_until_next_reload(host, from, words).await;
    let reloads: Vec<_> = said.iter().filter(|line| line.contains("loaded plugin=")).collect();
    assert_eq!(reloads.len(), 1, "{said:?}");
}

async fn edit(host: &mut TestHost, file: &str, from: &str, to: &str, expected: &str) -> String {
    let lines = host.bot.line_count();
    host.playground.edit(file, from, to).unwrap();
    host.bot.wait_for_line(lines, expected).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn take(host: &mut TestHost, step: &str) {
    let lines = host.bot.line_count();
    match step {
        "the body of a command or listener" => {
            host.edit_ping("Body").await;
            assert!(host.ping().await.starts_with("Body!"));
            let line = edit(
                host,
                "events/welcome/src/lib.rs",
                "Err(format!(\"a member could",
                "Err(format!(\"one member could",
                "events/welcome ",
            )
            .await;
            assert!(line.contains("from=1 to=2 "), "{line}");
        }
        "a command's name, description or options" => {
            let line = edit(host, PING, "/// Answers, with", "/// Replies, with", "commands/general ").await;
            assert!(line.ends_with("~ /ping\""), "{line}");
            host.bot.wait_for_line(lines, "/ping scope=").await.unwrap();
        }
        "a new command, and its line in `commands()`" => {
            let source = host.playground.read(PING).unwrap();
            let source = source
                .replace("fn ping(", "fn hi(")
                .replace("(slash_command", "(slash_command, rename = \"hi\"");
            host.playground.save("commands/general/src/hi.rs", &source).unwrap();
            let lib = host.playground.read(GENERAL).unwrap();
            let lib = lib
                .replace("mod help;", "mod help;\nmod hi;")
                .replace("help::help(),", "help::help(),\n            hi::hi(),");
            host.playground.save(GENERAL, &lib).unwrap();
            let line = host.bot.wait_for_line(lines, "+ /hi").await.unwrap();
            assert!(line.contains("commands/general"), "{line}");
            assert!(host.say("/hi").await.error.is_none());
        }
        "a command taken out of `commands()`" => {
            edit(host, GENERAL, "            hi::hi(),\n", "", "- /hi").await;
            host.bot.wait_for_line(lines, "commands withdrawn").await.unwrap();
            assert!(host.say("/hi").await.content.contains("is being worked on"));
            assert_eq!(host.say("/dev prune").await.content, "removed 1 command");
            host.bot.wait_for_line(lines, "command removed").await.unwrap();
            assert!(host.sandbox.client().say("/hi").await.is_err());
            edit(host, GENERAL, "mod hi;\n", "", "commands/general ").await;
        }
        "`on.event(...)`, `on.component(...)`, `on.timer(...)`" => {
            let old = "on.timer(\"poll\", poll::due);";
            let new = format!("{old}\n        on.component(\"none:\", poll::pressed);");
            edit(host, GENERAL, old, &new, "+ component none:").await;
            edit(host, GENERAL, &new, old, "- component none:").await;
        }
        "a listener for an event that no plugin heard before" => {
            let old = "on.component(\"poll:\", poll::pressed);";
            let listener = "on.event(async |_: EventContext, _: event::TypingStart| Ok(()));";
            let new = format!("{old}\n        {listener}");
            edit(host, GENERAL, old, &new, "+ TypingStart").await;
            let warning =
                host.bot.wait_for_line(lines, "its listeners are silent until a restart").await.unwrap();
            assert!(warning.contains("TypingStart") && warning.contains("commands/general"), "{warning}");
            edit(host, GENERAL, &new, old, "- TypingStart").await;
        }
        "a file that a source includes (`include_str!`)" => {
            host.playground.save("commands/general/src/words.txt", "one").unwrap();
            let with = "const _: &str = include_str!(\"words.txt\");\nstruct General;";
            edit(host, GENERAL, "struct General;", with, "commands/general ").await;
            edit(host, "commands/general/src/words.txt", "one", "two", "commands/general ").await;
            edit(host, GENERAL, with, "struct General;", "commands/general ").await;
        }
        "a new `.rs` file that no `mod` names yet; `README`, notes; pictures and data, however many" => {
            host.playground.save("commands/general/src/unnamed.rs", "no Rust at all").unwrap();
            host.playground.save("commands/general/README.md", "Notes.").unwrap();
            for number in 0..200 {
                let picture = format!("commands/general/pictures/{number}.png");
                host.playground.save(&picture, "a picture").unwrap();
            }
            nothing_happened(host, lines, "Unnamed").await;
        }
        "`touch`, or a save without a change" => {
            host.playground.save(ABOUT, &host.playground.read(ABOUT).unwrap()).unwrap();
            let file = fs::File::open(host.playground.path(GENERAL)).unwrap();
            file.set_modified(SystemTime::now()).unwrap();
            nothing_happened(host, lines, "Touched").await;
        }
        "a comment, a blank at the end of a line, `#[cfg(test)]` code" => {
            let old = host.playground.read(ABOUT).unwrap();
            for more in ["// The end.\n", " \n", "\n#[cfg(test)]\nmod more {}\n"] {
                let lines = host.bot.line_count();
                host.playground.save(ABOUT, &format!("{old}{more}")).unwrap();
                let line = host.bot.wait_for_line(lines, "commands/general ").await.unwrap();
                assert!(line.contains("no change in the code plugin=commands/general live="), "{line}");
            }
        }
        "`tests/`, `benches/`, `examples/` of a plugin" => {
            for folder in ["tests", "benches", "examples"] {
                host.playground.save(&format!("commands/general/{folder}/a.rs"), "fn main() {}").unwrap();
            }
            nothing_happened(host, lines, "Tests").await;
        }
        "several files at once (`git checkout`, search and replace)" => several_files(host, lines).await,
        "a file again, while it is being built" => {
            let first = host.ping_that_says("First");
            let second = host.ping_that_says("Second");
            host.playground.save(PING, &first).unwrap();
            host.playground.save(PING, &second).unwrap();
            host.bot.wait_for_line(lines, "commands/general ").await.unwrap();
            assert!(host.ping().await.starts_with("Second!"));
            nothing_happened(host, host.bot.line_count(), "Third").await;
        }
        "a mistake" => {
            let line = edit(host, PING, "Context<'_>", "Contxt<'_>", "reload failed").await;
            assert!(line.contains("commands/general") && line.contains("1 compile error"), "{line}");
            let said = host.bot.lines_from(lines).join("\n");
            assert_eq!(said.matches("cannot find type `Contxt` in this scope").count(), 1, "{said}");
            assert!(said.contains("commands/general/src/ping.rs:"), "{said}");
            assert!(host.ping().await.starts_with("Third!"));
            edit(host, PING, "Contxt<'_>", "Context<'_>", "commands/general ").await;
        }
        "`./dev-env.sh new commands/echo`" => {
            host.playground.new_plugin("commands/echo");
            let line = host.bot.wait_for_line(lines, "loaded plugin=commands/echo to=1 ").await.unwrap();
            assert!(line.ends_with("+ /echo\""), "{line}");
            assert_eq!(host.say("/echo").await.content, "Hello, world!");
        }
        "a plugin's `Cargo.toml` or `build.rs`" => {
            let script = "fn main() {\n    println!(\"cargo::rustc-env=WORD=Moin\");\n}\n";
            host.playground.save("commands/echo/build.rs", script).unwrap();
            host.bot.wait_for_line(lines, "plugin=commands/echo from=1 to=2 ").await.unwrap();
            edit(
                host,
                ECHO,
                "\"Hello, {}!\", ",
                "\"{}, {}!\", env!(\"WORD\"), ",
                "plugin=commands/echo from=2 to=3 ",
            )
            .await;
            assert_eq!(host.say("/echo").await.content, "Moin, world!");
            let version = "version = \"9.8.7\"";
            edit(
                host,
                "commands/echo/Cargo.toml",
                "version.workspace = true\nedition",
                &format!("{version}\nedition"),
                "plugin=commands/echo from=3 to=4 ",
            )
            .await;
        }
        "a crate that plugins share by path (`crates/words`, say)" => shared_crate(host).await,
        "a plugin's folder deleted" => {
            fs::remove_dir_all(host.playground.path("commands/echo")).unwrap();
            let line = host.bot.wait_for_line(lines, "removed plugin=").await.unwrap();
            assert!(line.contains("commands/echo") && line.ends_with("- /echo\""), "{line}");
            host.playground.edit("commands/Cargo.toml", "commands-echo = { path = \"echo\" }\n", "").unwrap();
            host.playground.edit("commands/lib.rs", "    &commands_echo::PLUGIN,\n", "").unwrap();
        }
        "`commands/lib.rs`, `events/lib.rs`" => {
            for file in ["commands/lib.rs", "events/lib.rs"] {
                let text = host.playground.read(file).unwrap();
                host.playground.save(file, &format!("{text}\n// More.\n")).unwrap();
            }
            nothing_happened(host, lines, "Lists").await;
        }
        "`commands/Cargo.toml`, `events/Cargo.toml`" => {
            for file in ["commands/Cargo.toml", "events/Cargo.toml"] {
                let text = host.playground.read(file).unwrap();
                host.playground.save(file, &format!("{text}\n# More.\n")).unwrap();
            }
            nothing_happened(host, lines, "Manifests").await;
        }
        "`crates/sandbox/`, the end-to-end tools" => {
            for file in ["crates/sandbox/src/lib.rs", "crates/e2e/src/lib.rs"] {
                let text = host.playground.read(file).unwrap();
                host.playground.save(file, &format!("{text}\nstruct More;\n")).unwrap();
            }
            nothing_happened(host, lines, "Sandbox").await;
        }
        other => panic!("there is no step for {other:?}"),
    }
}

/// Saves files of two plugins, one of them twice, as fast as a checkout does.
async fn several_files(host: &mut TestHost, lines: usize) {
    let ping = host.ping_that_says("Several");
    let about = host.playground.read(ABOUT).unwrap();
    let welcome = host.playground.read("events/welcome/src/lib.rs").unwrap();
    host.playground.save(ABOUT, &format!("{about}\n// One.\n")).unwrap();
    host.playground.save(PING, &ping).unwrap();
    host.playground.save("events/welcome/src/lib.rs", &format!("// Moves all lines.\n{welcome}")).unwrap();
    host.playground.save(ABOUT, &format!("{about}\n// Two.\n")).unwrap();
    host.bot.wait_for_line(lines, "commands/general ").await.unwrap();
    host.bot.wait_for_line(lines, "events/welcome ").await.unwrap();
    assert!(host.ping().await.starts_with("Several!"));
    let said = said_until_next_reload(host, lines, "Settled").await;
    let count = |plugin: &str| {
        said.iter().filter(|line| line.contains(plugin) && line.contains("loaded plugin=")).count()
    };
    assert_eq!((count("commands/general "), count("events/welcome ")), (2, 1), "{said:?}");
}

/// Lets two plugins share a crate, and edits it.
async fn shared_crate(host: &mut TestHost) {
    let manifest = "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    host.playground.save("crates/words/Cargo.toml", manifest).unwrap();
    host.playground.save("crates/words/src/lib.rs", "pub const WORD: &str = \"Hello\";\n").unwrap();
    for plugin in ["commands/echo", "events/welcome"] {
        let with = "sdk.workspace = true\nwords = { path = \"../../crates/words\" }\n";
        let expected = format!("{plugin} ");
        edit(host, &format!("{plugin}/Cargo.toml"), "sdk.workspace = true\n", with, &expected).await;
    }
    edit(host, ECHO, "env!(\"WORD\")", "words::WORD", "commands/echo ").await;
    assert_eq!(host.say("/echo").await.content, "Hello, world!");
    let lines = host.bot.line_count();
    edit(host, "crates/words/src/lib.rs", "\"Hello\"", "\"Ahoy\"", "commands/echo ").await;
    host.bot.wait_for_line(lines, "events/welcome ").await.unwrap();
    assert_eq!(host.say("/echo").await.content, "Ahoy, world!");
    let lines = host.bot.line_count();
    edit(host, "crates/words/src/lib.rs", "&str", "&[u8]", "reload failed").await;
    let said = host.bot.lines_from(lines);
    assert!(!said.iter().any(|line| line.contains("loaded plugin=")), "{said:?}");
    assert_eq!(host.say("/echo").await.content, "Ahoy, world!");
    edit(host, "crates/words/src/lib.rs", "&[u8]", "&str", "commands/echo ").await;
}

/// Messages of the troubleshooting tables, and what provokes each: a test, or a row of the fault table.
const PROVOKED: &[(&str, &str)] = &[
    (
        "it does not link: library x is not found; ...",
        "crates/e2e/src/faults/table.rs::a library to link that is not there",
    ),
    ("1 compile error", "crates/e2e/src/faults/table.rs::compile error"),
    ("cargo failed:", "crates/e2e/src/faults/table.rs::a manifest that cargo does not take"),
    ("rustc could not be run", "crates/e2e/src/faults/table.rs::rustc that cannot be started"),
    ("cargo could not be run", "crates/e2e/src/faults/table.rs::cargo missing"),
    (
        "rustc failed (...) and found no error in the source; it said: ...",
        "crates/e2e/tests/e2e/troubles.rs::a_compiler_that_is_killed_each_time_is_told",
    ),
    ("... could not be created / written / read", "crates/e2e/src/faults/table.rs::missing library"),
    (
        "stays as it is too: they go live together",
        "crates/e2e/tests/e2e/reload.rs::plugins_come_and_go_and_share_crates",
    ),
    (
        "cargo will be asked again at the next start",
        "crates/e2e/tests/e2e/troubles.rs::a_call_of_rustc_that_cannot_be_kept_is_told",
    ),
    (
        "Not every plugin compiles; the bot starts without those ...",
        "crates/e2e/tests/e2e/troubles.rs::the_script_starts_a_bot_of_which_a_plugin_does_not_compile",
    ),
    ("loading it crashed the probe process (SIGABRT)", "crates/e2e/src/faults/table.rs::abort while loading"),
    ("ended the probe process with ...", "crates/e2e/src/faults/table.rs::abort while loading"),
    (
        "loading it did not end within 5 s in a probe process",
        "crates/e2e/src/faults/table.rs::endless loop while loading",
    ),
    (
        "it panicked while its commands and subscriptions were made: ...",
        "crates/e2e/src/faults/table.rs::panic in the constructor",
    ),
    (
        "the library of x exports no plugin; its lib.rs needs the line ...",
        "crates/e2e/src/faults/table.rs::no export",
    ),
    (
        "exports something else under the name hotcord_plugin_x",
        "crates/e2e/src/faults/table.rs::wrong export",
    ),
    (
        "the package in commands/x has to be named commands-x, as its folder is",
        "crates/e2e/tests/e2e/watching.rs::folders_may_be_renamed_and_go_and_come_back",
    ),
    ("... could not be loaded (undefined symbol ...)", "crates/e2e/src/faults/table.rs::empty library"),
    (
        "it cannot be loaded: symbol x is defined nowhere; ...",
        "crates/e2e/src/faults/table.rs::a symbol that nobody defines",
    ),
    (
        "was built with another compiler, sdk or feature set",
        "crates/e2e/src/faults/table.rs::library of another sdk",
    ),
    ("was built by another compiler", "crates/e2e/src/faults/table.rs::library of another compiler"),
    (
        "/Ping: the name has to be in lower case: 'ping'",
        "crates/e2e/src/faults/table.rs::a command's name that Discord does not take",
    ),
    ("/ping is defined twice in commands/general", "crates/e2e/src/faults/table.rs::a command twice"),
    (
        "/ping is defined by commands/a and by commands/b",
        "crates/e2e/src/faults/table.rs::a command of another plugin",
    ),
    (
        "its options set owners; ...",
        "crates/sdk-core/src/options/tests.rs::what_is_the_hosts_is_refused_by_the_name_of_the_field",
    ),
    (
        "components 'p:' are handled by A and by B",
        "crates/e2e/tests/e2e/troubles.rs::a_prefix_has_one_handler",
    ),
    (
        "two component handlers are registered for 'p:'",
        "crates/e2e/tests/e2e/troubles.rs::a_prefix_has_one_handler",
    ),
    (
        "events/a needs commands/b, which is not live",
        "crates/sdk-core/src/compatibility/tests.rs::what_is_missing_or_unfit_is_told_with_both_names_and_versions",
    ),
    (
        "needs service greeter ^1, which no live plugin offers",
        "crates/e2e/tests/e2e/dependencies.rs::what_does_not_fit_is_refused_with_both_names_and_goes_live_with_what_mends_it",
    ),
    (
        "events/a needs service greeter ^2, which commands/b offers as 1.2.0",
        "crates/e2e/tests/e2e/dependencies.rs::what_does_not_fit_is_refused_with_both_names_and_goes_live_with_what_mends_it",
    ),
    (
        "needs commands/b ^0.2, which is live as 0.1.0",
        "crates/sdk-core/src/compatibility/tests.rs::what_is_missing_or_unfit_is_told_with_both_names_and_versions",
    ),
    (
        "events/a would use service greeter ^2, which commands/b offers as 1.2.0",
        "crates/sdk-core/src/compatibility/tests.rs::what_is_optional_may_be_missing_and_is_told_where_it_does_not_fit",
    ),
    (
        "service greeter is offered by A and by B",
        "crates/sdk-core/src/compatibility/tests.rs::a_service_is_offered_by_one_plugin",
    ),
    (
        "A -> B -> A need each other in a circle",
        "crates/e2e/tests/e2e/dependencies.rs::what_does_not_fit_is_refused_with_both_names_and_goes_live_with_what_mends_it",
    ),
    (
        "the versions '...' of ... are no semver range",
        "crates/sdk-core/src/compatibility/tests.rs::a_range_or_version_that_is_none_is_a_sentence_and_no_panic",
    ),
    (
        "is offered as '...', which is no version",
        "crates/sdk-core/src/compatibility/tests.rs::a_range_or_version_that_is_none_is_a_sentence_and_no_panic",
    ),
    (
        "A cannot take service greeter of B: their libraries hold different contents of crates/words; reload both",
        "crates/sdk-core/src/compatibility/tests.rs::libraries_that_hold_different_contents_of_a_crate_share_no_service",
    ),
    (
        "A cannot take service greeter of B while one of them links the other's crate",
        "crates/sdk-core/src/compatibility/tests.rs::libraries_that_hold_different_contents_of_a_crate_share_no_service",
    ),
    (
        "events/a: its start hook ...",
        "crates/e2e/tests/e2e/dependencies.rs::what_does_not_fit_is_refused_with_both_names_and_goes_live_with_what_mends_it",
    ),
    (
        "the state of commands/a (version 1) does not fit the new code: boxes: missing field ...",
        "crates/e2e/tests/e2e/state.rs::votes_live_through_reloads_a_restart_a_refused_shape_and_a_migrated_one",
    ),
    (
        "the state of commands/a cannot be migrated from version 2 to 1: ...",
        "crates/e2e/tests/e2e/state.rs::votes_live_through_reloads_a_restart_a_refused_shape_and_a_migrated_one",
    ),
    (
        "the state of commands/a 3 (version 1) cannot be saved: key must be a string",
        "crates/sdk-core/src/handover/tests.rs::a_state_that_cannot_be_saved_is_named",
    ),
    (
        "its state's default is not read back as it is saved",
        "crates/e2e/tests/e2e/troubles.rs::state_that_does_not_fit_is_kept_where_the_new_code_may_begin_anew",
    ),
    ("its start hook failed: ...", "crates/e2e/src/faults/table.rs::error from start"),
    ("panicked: ... (at FILE:LINE)", "crates/e2e/src/faults/table.rs::panic in start"),
    ("did not end within 5000 ms", "crates/e2e/src/faults/table.rs::endless loop in start"),
    (
        "the host has changed: a new one is built while this one runs on",
        "crates/e2e/tests/e2e/restart.rs::an_edited_host_takes_the_place_of_the_running_one_and_a_poll_goes_on",
    ),
    (
        "no change in the host: the running one stays",
        "crates/hmr/src/engine/tests/host.rs::a_save_that_changes_nothing_in_the_host_is_reported",
    ),
    (
        "the running host stays",
        "crates/e2e/tests/e2e/restart.rs::a_host_that_does_not_build_changes_nothing_and_the_save_that_mends_it_comes_in",
    ),
    (
        "the change comes in with the new host",
        "crates/e2e/tests/e2e/restart.rs::an_edited_host_takes_the_place_of_the_running_one_and_a_poll_goes_on",
    ),
    (
        "the host died of ...",
        "crates/e2e/tests/e2e/supervisor.rs::a_crash_on_probation_brings_the_code_before_it_back",
    ),
    (
        "host 4 is the one that died before it was ready; change it first",
        "crates/e2e/tests/e2e/restart.rs::a_new_host_that_does_not_come_up_leaves_its_place_to_the_one_before",
    ),
    (
        "... that is 5 times within 60 s, so it is not started again",
        "crates/e2e/tests/e2e/supervisor.rs::a_crash_loop_is_given_up",
    ),
    (
        "a development host of this folder is running already",
        "crates/e2e/tests/e2e/troubles.rs::what_keeps_the_bot_from_starting_is_told",
    ),
    (
        "removed; the lines that name them have to go too before cargo can be asked again",
        "crates/e2e/tests/e2e/watching.rs::folders_may_be_renamed_and_go_and_come_back",
    ),
    (
        "removed; the new come in when the lists and their packages name them",
        "crates/e2e/tests/e2e/watching.rs::folders_may_be_renamed_and_go_and_come_back",
    ),
    (
        "removed with their folder, and back as soon as it comes back",
        "crates/e2e/tests/e2e/watching.rs::folders_may_be_renamed_and_go_and_come_back",
    ),
    (
        "still live although the folder is gone",
        "crates/e2e/tests/e2e/dependencies.rs::a_provider_that_is_removed_stays_while_it_is_needed_and_comes_back",
    ),
    (
        "out of dispatch, but not stopped",
        "crates/e2e/tests/e2e/rollback.rs::what_will_not_end_is_named_and_holds_nothing_up",
    ),
    (
        "task ... did not end within 5000 ms",
        "crates/e2e/tests/e2e/rollback.rs::what_will_not_end_is_named_and_holds_nothing_up",
    ),
    (
        "/x (1.2 s) was still under way when the state of commands/x 3 was handed over",
        "crates/e2e/tests/e2e/state.rs::a_call_that_outlives_the_handover_is_named_and_holds_up_no_other_plugin",
    ),
    (
        "commands/x 4 begins with its default state: ...; what it was is kept as snapshot 7",
        "crates/e2e/tests/e2e/troubles.rs::state_that_does_not_fit_is_kept_where_the_new_code_may_begin_anew",
    ),
    (
        "what the bot remembers cannot be written to ... (...)",
        "crates/database/tests/database/checkpoint.rs::while_the_server_is_away_the_bot_goes_on_and_then_writes",
    ),
    (
        "stopped with calls still under way",
        "crates/e2e/tests/e2e/troubles.rs::a_call_that_outlasts_its_time_is_named_and_still_answers",
    ),
    (
        "rolled back",
        "crates/e2e/tests/e2e/rollback.rs::a_panic_on_probation_brings_back_the_code_before_it_with_its_state",
    ),
    ("rollback failed", "crates/e2e/tests/e2e/troubles.rs::code_that_does_not_start_again_cannot_come_back"),
    (
        "tried again after a while",
        "crates/e2e/tests/e2e/rollback.rs::a_library_caught_half_written_is_built_again_and_no_more_often_than_told",
    ),
    (
        "the code of retired generations takes more than HMR_MEMORY_MB; /dev restart gives it back",
        "crates/e2e/tests/e2e/restart.rs::retired_code_above_its_budget_is_told_once_with_the_way_out",
    ),
    (
        "echo 2 was built with another crates/words than ..., and no generation of ... goes with it",
        "crates/e2e/tests/e2e/rollback.rs::what_went_live_together_goes_back_together",
    ),
    (
        "its listeners are silent until a restart: this session did not ask for the intents",
        "crates/e2e/tests/e2e/guide.rs::take",
    ),
    (
        "its text commands are not heard until a restart: this session did not ask for the intents",
        "bot/src/intents.rs::text_commands_are_told_with_where_they_are_not_heard",
    ),
    (
        "requests wait for Discord's rate limit",
        "bot/src/api/limiter/tests.rs::a_queue_that_takes_more_than_a_window_is_told_once_with_its_plugin",
    ),
    (
        "nothing is taken over from .env",
        "crates/e2e/tests/e2e/configuration.rs::what_is_wrong_overruled_or_for_a_restart_is_named_and_changes_nothing",
    ),
    (
        "changed in .env, and in force after a restart",
        "crates/e2e/tests/e2e/configuration.rs::what_is_wrong_overruled_or_for_a_restart_is_named_and_changes_nothing",
    ),
    (
        "changed in .env, but the environment sets it too and wins",
        "crates/e2e/tests/e2e/configuration.rs::what_is_wrong_overruled_or_for_a_restart_is_named_and_changes_nothing",
    ),
    (
        "text commands need intents that this session did not ask for; they come with a restart",
        "crates/e2e/tests/e2e/configuration.rs::a_prefix_where_there_was_none_names_the_intents_that_come_with_a_restart",
    ),
    (
        "ENABLE_HMR is ignored, because APP_ENV is production; ...",
        "bot/src/config/tests.rs::production_never_reloads_and_says_once_that_it_ignores_the_switch",
    ),
    (
        "HMR_X is not a variable of hot reload and is ignored; did you mean ...?",
        "crates/e2e/tests/e2e/configuration.rs::what_is_wrong_overruled_or_for_a_restart_is_named_and_changes_nothing",
    ),
    (
        "this binary was built without hot reload; ENABLE_HMR is ignored",
        "crates/e2e/tests/e2e/plain.rs::a_save_builds_the_whole_bot_and_starts_it_anew",
    ),
    (
        "the dependency x of commands/y turns on ... of z: ...",
        "crates/e2e/tests/e2e/restart.rs::a_dependency_that_has_the_host_built_anew_is_told_before_it_begins",
    ),
    (
        "hot reload cannot read the workspace: ...",
        "crates/e2e/tests/e2e/troubles.rs::what_keeps_the_bot_from_starting_is_told",
    ),
    (
        "HMR_WORKSPACE is '...', which holds no Cargo.toml with commands/ and events/",
        "crates/e2e/tests/e2e/troubles.rs::what_keeps_the_bot_from_starting_is_told",
    ),
    (
        "Hot reload finds no Cargo.toml ...",
        "crates/e2e/tests/e2e/troubles.rs::what_keeps_the_bot_from_starting_is_told",
    ),
];

/// Messages whose cause cannot be provoked at will.
const NOT_PROVOKED: &[(&str, &str)] = &[
    (
        "the probe process could not be run",
        "the program that runs is the probe's: the system would have to refuse it",
    ),
    (
        "the shared sdk library was rebuilt since this host started; restart the host to go on reloading",
        "only a host without a supervisor says it",
    ),
    ("a build task panicked", "a bug in hmr"),
    (
        "it cannot be loaded: it needs the shared library ...",
        "a library of the system would have to go between the build and the load",
    ),
    ("the file watcher missed something; looking at everything again", "a fault of the system's own events"),
    (
        "hot reload cannot watch ...; set HMR_POLL_MS to poll instead",
        "the system's watches would have to be used up",
    ),
    ("hot reload cannot start a probe process", "the system would have to refuse a process"),
];

/// The limits at the beginning of the guide, and where each is tested: in a test, or in a row of the fault table.
const LIMITS: &[(&str, &str)] = &[
    (
        "Plugins reload; the host is replaced.",
        "crates/e2e/tests/e2e/restart.rs::an_edited_host_takes_the_place_of_the_running_one_and_a_poll_goes_on",
    ),
    (
        "Memory of a plugin starts anew with each generation:",
        "crates/e2e/tests/e2e/statics.rs::statics_are_those_of_one_library",
    ),
    ("Intents are fixed while a session lasts.", "crates/e2e/tests/e2e/guide.rs::take"),
    (
        "A library is loaded by another process first, a command is not run there.",
        "crates/e2e/src/faults/table.rs::abort while loading",
    ),
    (
        "A loop without `.await` cannot be interrupted.",
        "crates/e2e/tests/e2e/rollback.rs::what_will_not_end_is_named_and_holds_nothing_up",
    ),
    (
        "Old code stays mapped.",
        "crates/e2e/tests/e2e/restart.rs::retired_code_above_its_budget_is_told_once_with_the_way_out",
    ),
    (
        "A plugin that is reloaded only because of another keeps its statics:",
        "crates/e2e/tests/e2e/statics.rs::statics_are_those_of_one_library",
    ),
    (
        "A crate that only plugins link is one copy per plugin,",
        "crates/e2e/tests/e2e/statics.rs::statics_are_those_of_one_library",
    ),
];

#[test]
fn each_limit_is_met_somewhere() {
    let guide = fs::read_to_string(workspace().join(GUIDE)).unwrap();
    let section = guide.split("\n## ").find(|section| section.starts_with("Limits first")).unwrap();
    let told: Vec<_> = section
        .lines()
        .filter_map(|line| line.strip_prefix("- **")?.split("**").next())
        // An untested system cannot be tested here.
        .filter(|limit| *limit != "Linux.")
        .collect();
    let known: Vec<_> = LIMITS.iter().map(|(limit, _)| *limit).collect();
    assert_eq!(told, known, "the guide and this test tell the same limits");
    for (limit, place) in LIMITS {
        let (file, name) = place.split_once("::").unwrap();
        let is_there = provoking(&unwrapped(&workspace().join(file)), name).is_some();
        assert!(is_there, "{limit}: there is no {place}");
    }
}

/// Returns all sources that can print a message.
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
    for script in ["dev-env.sh", "scripts/build.sh", "scripts/local.sh", "scripts/docker.sh"] {
        all += &unwrapped(&workspace().join(script));
    }
    all
}

/// Returns the text of a file, with string literals that continue over several lines joined.
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

#[test]
fn each_message_of_the_troubleshooting_tables_is_provoked_somewhere() {
    let told: Vec<_> = rows("Troubleshooting")
        .iter()
        // Every odd part is in back quotes.
        .flat_map(|cells| cells[0].split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let known = PROVOKED.iter().chain(NOT_PROVOKED).map(|(message, _)| (*message).to_owned());
    assert_eq!(
        told.iter().cloned().collect::<BTreeSet<_>>(),
        known.collect::<BTreeSet<_>>(),
        "the guide and this test tell the same messages"
    );
    assert_eq!(told.len(), PROVOKED.len() + NOT_PROVOKED.len(), "each once");
    let mut wrong = Vec::new();
    for (message, place) in PROVOKED {
        let (file, name) = place.split_once("::").unwrap();
        match provoking(&unwrapped(&workspace().join(file)), name) {
            None => wrong.push(format!("{message}: there is no {place}")),
            Some(body)
                if !fixed_words(message).iter().any(|words| body.contains(words.trim_end_matches(':'))) =>
            {
                wrong.push(format!("{message}: {place} expects nothing of it"));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Returns the text of a test, or of a row of the fault table.
fn provoking<'a>(source: &'a str, name: &str) -> Option<&'a str> {
    if let Some((_, rest)) = source.split_once(&format!("fn {name}(")) {
        return rest.split_once("\n}\n").map(|(body, _)| body);
    }
    let (_, rest) = source.split_once(&format!("\"{name}\","))?;
    rest.split("\n    ),\n").next()?.split("\n    },\n").next()
}

/// Returns pairs of adjacent words of a message without names or numbers between them; a single word if that is all.
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
