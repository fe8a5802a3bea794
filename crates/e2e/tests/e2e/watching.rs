//! What counts as a save, wherever the sources are and however they are written, moved and linked.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use e2e::test_host::PING;
use e2e::{Playground, TestHost};

const WELCOME: &str = "events/welcome/src/lib.rs";

/// Waits for the line about a plugin's next reload. Returns the line.
async fn live(host: &mut TestHost, from: usize, plugin: &str) -> String {
    let line = host.bot.wait_for_line(from, &format!("{plugin} ")).await.unwrap();
    assert!(line.contains("loaded plugin="), "{line}");
    line
}

/// Reloads `events/welcome`. Returns whether a line contained `words` until it was live.
async fn said_until_welcome(host: &mut TestHost, from: usize, words: &str) -> bool {
    let lines = host.bot.line_count();
    let source = host.playground.read(WELCOME).unwrap();
    host.playground.save(WELCOME, &format!("// A line that moves all others: {lines}\n{source}")).unwrap();
    live(host, lines, "events/welcome").await;
    host.bot.lines_from(from).iter().any(|line| line.contains(words))
}

/// Returns the source of a `/ping` that answers with the content of these files.
fn ping_of(files: &[&str]) -> String {
    let (holes, included): (String, String) =
        files.iter().map(|file| ("{}", format!(", include_str!({file:?})"))).unzip();
    format!(
        "use sdk::prelude::*;\n\n/// Answers, with the latency to Discord's gateway\n#[poise::command(slash_command)]\n\
         pub(crate) async fn ping(ctx: Context<'_>) -> Result<(), Error> {{\n    \
         ctx.say(format!(\"{holes}!\"{included})).await?;\n    Ok(())\n}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_brings_in_a_save_that_the_system_does_not_report() {
    let mut host = TestHost::new(&[("HMR_POLL_MS", "50")]).await;
    let lines = host.bot.line_count();
    // A file that stays open is not reported: for the system its writer is not done.
    let source = host.ping_that_says("Polled");
    let mut open = fs::File::create(host.playground.path(PING)).unwrap();
    open.write_all(source.as_bytes()).unwrap();
    open.flush().unwrap();
    live(&mut host, lines, "commands/general").await;
    assert!(host.ping().await.starts_with("Polled!"));
    drop(open);
    let line = host.edit_ping("Again").await;
    assert!(line.contains("loaded plugin="), "{line}");
    assert!(host.ping().await.starts_with("Again!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_and_extensions_say_what_counts() {
    let playground = Playground::new().unwrap();
    let ignored = playground.read(".gitignore").unwrap() + "*.gen\n/commands/general/pages\n";
    playground.save(".gitignore", &ignored).unwrap();
    let variables =
        [("HMR_IGNORE", "*.skip,/commands/general/notes,!kept.skip"), ("HMR_EXTENSIONS", "rs,html")];
    let mut host = TestHost::on(playground, &variables).await;
    let within = "commands/general/src";
    let (made, skipped, kept) =
        (format!("{within}/word.gen"), format!("{within}/word.skip"), format!("{within}/kept.skip"));
    for (file, word) in [(made.as_str(), "A"), (&skipped, "B"), (&kept, "C"), ("word.txt", "D")] {
        host.playground.save(file, word).unwrap();
    }
    let lines = host.bot.line_count();
    let source = ping_of(&["word.gen", "word.skip", "kept.skip", "../../../word.txt"]);
    host.playground.save(PING, &source).unwrap();
    live(&mut host, lines, "commands/general").await;
    assert_eq!(host.ping().await, "ABCD!");

    // Files that rustc read count wherever they are and even if .gitignore lists them.
    for (file, word, says) in
        [(made.as_str(), "E", "EBCD!"), (&kept, "F", "EBFD!"), ("word.txt", "G", "EBFG!")]
    {
        let lines = host.bot.line_count();
        host.playground.save(file, word).unwrap();
        live(&mut host, lines, "commands/general").await;
        assert_eq!(host.ping().await, says, "{file}");
    }
    // Files in HMR_IGNORE do not count, nor do those that no build reads.
    let lines = host.bot.line_count();
    host.playground.save(&skipped, "H").unwrap();
    host.playground.save("commands/general/other.gen", "x").unwrap();
    host.playground.save("commands/general/pages/a.html", "x").unwrap();
    host.playground.save("commands/general/notes/a.html", "x").unwrap();
    host.playground.save("commands/general/src/a.txt", "x").unwrap();
    assert!(!said_until_welcome(&mut host, lines, "commands/general ").await);
    assert_eq!(host.ping().await, "EBFG!");
    // A listed extension counts although no build reported the file.
    let lines = host.bot.line_count();
    host.playground.save("commands/general/templates/a.html", "x").unwrap();
    live(&mut host, lines, "commands/general").await;
    assert_eq!(host.ping().await, "EHFG!", "the next build reads what was left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_behind_links_reload_the_right_plugin() {
    let playground = Playground::new().unwrap();
    let elsewhere = tempfile::tempdir_in(playground.path("target")).unwrap();
    let away = |inside: &str| elsewhere.path().join(inside);
    let move_behind_link = |inside: &str, to: &Path| {
        fs::rename(playground.path(inside), to).unwrap();
        symlink(to, playground.path(inside)).unwrap();
    };
    move_behind_link(PING, &away("ping.rs"));
    move_behind_link("events/welcome", &away("welcome"));
    move_behind_link("events/modlog/src", &away("modlog-sources"));
    symlink("../..", playground.path("commands/general/src/circle")).unwrap();
    symlink(playground.path("commands"), playground.path("events/modlog/circle")).unwrap();
    let mut host = TestHost::on(playground, &[]).await;
    let source = |path: &Path| fs::read_to_string(path).unwrap();

    let lines = host.bot.line_count();
    fs::write(away("ping.rs"), source(&away("ping.rs")).replace("Pong!", "Linked!")).unwrap();
    live(&mut host, lines, "commands/general").await;
    assert!(host.ping().await.starts_with("Linked!"));

    // Saved by an editor that follows the link.
    let lines = host.bot.line_count();
    fs::write(away("ping.rs~"), source(&away("ping.rs")).replace("Linked!", "Replaced!")).unwrap();
    fs::rename(away("ping.rs~"), away("ping.rs")).unwrap();
    live(&mut host, lines, "commands/general").await;
    assert!(host.ping().await.starts_with("Replaced!"));

    // Saved by an editor that does not: the link is replaced by a file.
    let line = host.edit_ping("Own").await;
    assert!(line.contains("loaded plugin="), "{line}");
    assert!(host.ping().await.starts_with("Own!"));

    for (plugin, file, before, after) in [
        ("events/welcome", "welcome/src/lib.rs", "Welcome to", "Hello on"),
        ("events/modlog", "modlog-sources/written.rs", "Ok(true)", "Ok(std::hint::black_box(true))"),
    ] {
        let lines = host.bot.line_count();
        let old = source(&away(file));
        assert!(old.contains(before), "{old}");
        fs::write(away(file), old.replace(before, after)).unwrap();
        live(&mut host, lines, plugin).await;
        let said = host.bot.lines_from(lines);
        // A plugin that depends on it reloads too, and its line shows that.
        let own = said.iter().filter(|line| line.contains("loaded plugin=") && !line.contains(" with="));
        assert_eq!(own.count(), 1, "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_may_be_renamed_and_go_and_come_back() {
    let mut host = TestHost::new(&[]).await;
    let elsewhere = tempfile::tempdir_in(host.playground.path("target")).unwrap();
    let lines = host.bot.line_count();
    host.playground.new_plugin("commands/echo");
    live(&mut host, lines, "commands/echo").await;

    // Renamed: each step reports what is still missing.
    let lines = host.bot.line_count();
    fs::rename(host.playground.path("commands/echo"), host.playground.path("commands/echo2")).unwrap();
    host.bot.wait_for_line(lines, "removed plugin=commands/echo from=1 ").await.unwrap();
    let line = host.bot.wait_for_line(lines, "removed; the new come in when").await.unwrap();
    for words in [
        "plugins=\"commands/echo\" new=\"commands/echo2\" lists=\"commands/Cargo.toml and commands/lib.rs\"",
        "packages=\"commands-echo2 (it is commands-echo now)\"",
    ] {
        assert!(line.contains(words), "{line}");
    }
    assert!(host.ping().await.starts_with("Pong!"));
    let lines = host.bot.line_count();
    host.playground.edit("commands/Cargo.toml", "path = \"echo\"", "path = \"echo2\"").unwrap();
    let words = "the package in commands/echo2 has to be named commands-echo2, as its folder is";
    host.bot.wait_for_line(lines, words).await.unwrap();
    let lines = host.bot.line_count();
    host.playground.edit("commands/echo2/Cargo.toml", "\"commands-echo\"", "\"commands-echo2\"").unwrap();
    host.playground.edit("commands/Cargo.toml", "commands-echo =", "commands-echo2 =").unwrap();
    host.bot.wait_for_line(lines, "loaded plugin=commands/echo2 to=1 ").await.unwrap();
    let echo = "commands/echo2/src/echo.rs";
    let lines = host.bot.line_count();
    host.playground.edit(echo, "\"Hello, ", "\"Ahoy, ").unwrap();
    live(&mut host, lines, "commands/echo2").await;
    assert_eq!(host.say("/echo whom:you").await.content, "Ahoy, you!");

    // Removed and restored with another content, as by a checkout.
    let lines = host.bot.line_count();
    let folder = host.playground.path("commands/echo2");
    fs::rename(&folder, elsewhere.path().join("echo2")).unwrap();
    let line =
        host.bot.wait_for_line(lines, "removed; the lines that name them have to go too").await.unwrap();
    assert!(line.contains("lists=\"commands/Cargo.toml and commands/lib.rs\""), "{line}");
    let file = elsewhere.path().join("echo2/src/echo.rs");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("Ahoy", "Welcome back")).unwrap();
    let lines = host.bot.line_count();
    fs::rename(elsewhere.path().join("echo2"), &folder).unwrap();
    live(&mut host, lines, "commands/echo2").await;
    assert_eq!(host.say("/echo whom:you").await.content, "Welcome back, you!");

    // All commands at once. When they are back, they are watched again.
    let lines = host.bot.line_count();
    fs::rename(host.playground.path("commands"), elsewhere.path().join("commands")).unwrap();
    let line = host
        .bot
        .wait_for_line(lines, "removed with their folder, and back as soon as it comes back")
        .await
        .unwrap();
    assert!(line.contains("commands/general") && line.contains("as soon as it comes back"), "{line}");
    let lines = host.bot.line_count();
    fs::rename(elsewhere.path().join("commands"), host.playground.path("commands")).unwrap();
    for plugin in ["commands/general", "commands/echo2"] {
        live(&mut host, lines, plugin).await;
    }
    let lines = host.bot.line_count();
    host.playground.edit(echo, "Welcome back", "Hello again").unwrap();
    live(&mut host, lines, "commands/echo2").await;
    assert_eq!(host.say("/echo whom:you").await.content, "Hello again, you!");
    assert!(host.edit_ping("Back").await.contains("loaded plugin="));
    assert!(host.ping().await.starts_with("Back!"));
    assert_eq!(host.identifies(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_saves_in_five_seconds_end_in_the_newest_and_never_go_back() {
    const SAVES: usize = 50;
    let mut host = TestHost::new(&[]).await;
    let lines = host.bot.line_count();
    let (client, stop) = (host.sandbox.client(), Arc::new(AtomicBool::new(false)));
    let asking = tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut answers = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let answer = client.say("/ping").await.unwrap();
                assert_eq!((answer.callbacks, &answer.error), (1, &None), "{answer:?}");
                answers.push(answer.content);
            }
            answers
        }
    });
    let sources: Vec<_> = (1..=SAVES).map(|save| host.ping_that_says(&format!("Save {save}"))).collect();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    for source in &sources {
        ticks.tick().await;
        host.playground.save(PING, source).unwrap();
    }
    let newest = format!("Save {SAVES}!");
    while !host.ping().await.starts_with(&newest) {
        let told = host.bot.line_count();
        host.bot.wait_for_line(told.saturating_sub(1), "commands/general ").await.unwrap();
    }
    // If an older build could still go live, it would have done so before a later save does.
    assert!(said_until_welcome(&mut host, lines, "commands/general ").await);
    assert!(host.ping().await.starts_with(&newest));
    stop.store(true, Ordering::Relaxed);
    let answers = asking.await.unwrap();

    let number = |answer: &String| -> usize {
        answer.strip_prefix("Save ").map_or(0, |rest| rest.split('!').next().unwrap().parse().unwrap())
    };
    let numbers: Vec<_> = answers.iter().map(number).collect();
    assert!(numbers.is_sorted(), "an older answer after a newer one: {numbers:?}");
    assert_eq!(numbers.first(), Some(&0));
    assert_eq!(numbers.last(), Some(&SAVES));
    let said = host.bot.lines_from(lines);
    let swaps: Vec<_> = said.iter().filter(|line| line.contains("commands/general ")).collect();
    assert!(swaps.iter().all(|line| line.contains("loaded plugin=")), "{swaps:?}");
    assert!(swaps.len() < SAVES / 2, "builds that newer saves overtake are dropped: {swaps:?}");
    assert_eq!(host.identifies(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_editors_way_to_save_is_noticed() {
    type Way = fn(PathBuf, &str);
    let ways: &[(&str, Way)] = &[
        ("in place", |path, text| fs::write(path, text).unwrap()),
        ("written beside it, renamed into place", |path, text| {
            let beside = path.with_extension("rs.tmp");
            fs::write(&beside, text).unwrap();
            fs::rename(beside, path).unwrap();
        }),
        ("emptied, then written in two steps", |path, text| {
            let (first, second) = text.split_at(text.len() / 2);
            let mut file = fs::File::create(path).unwrap();
            file.sync_all().unwrap();
            file.write_all(first.as_bytes()).unwrap();
            file.sync_all().unwrap();
            file.write_all(second.as_bytes()).unwrap();
        }),
        ("written anew beside a backup", |path, text| {
            let backup = path.with_extension("rs~");
            fs::rename(&path, &backup).unwrap();
            fs::write(&path, text).unwrap();
            fs::remove_file(backup).unwrap();
        }),
        ("deleted and created", |path, text| {
            fs::remove_file(&path).unwrap();
            fs::write(path, text).unwrap();
        }),
    ];
    let mut host = TestHost::new(&[]).await;
    for (round, (way, save)) in ways.iter().enumerate() {
        let lines = host.bot.line_count();
        let source = host.ping_that_says(&format!("Way {round}"));
        save(host.playground.path(PING), &source);
        host.bot.wait_for_line(lines, "commands/general ").await.unwrap();
        host.bot.wait_for_line(lines, "loaded plugin=").await.unwrap();
        assert!(host.ping().await.starts_with(&format!("Way {round}!")), "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_file_that_cargo_writes_for_a_plugin_is_no_change_of_the_host() {
    let mut host = TestHost::new(&[]).await;
    let lines = host.bot.line_count();
    let lock_file = host.playground.read("Cargo.lock").unwrap();
    host.playground
        .edit("commands/general/Cargo.toml", "[dependencies]\n", "[dependencies]\nfastrand = \"2\"\n")
        .unwrap();
    live(&mut host, lines, "commands/general").await;
    assert_ne!(host.playground.read("Cargo.lock").unwrap(), lock_file);
    // A developer's own change that selects no other package.
    let lock_file = host.playground.read("Cargo.lock").unwrap();
    host.playground.save("Cargo.lock", &format!("{lock_file}\n# A note.\n")).unwrap();
    assert!(!said_until_welcome(&mut host, lines, "the host has changed").await);
    assert!(host.ping().await.starts_with("Pong!"));
}
