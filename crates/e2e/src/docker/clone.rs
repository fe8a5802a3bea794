//! Development: a fresh clone in containers, from the first build to the removal of its volumes.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use sandbox::Sandbox;
use tokio::process::Command;

use super::saves::Way;
use super::{Options, docker, insist, said};
use crate::bot::PATIENCE;
use crate::numbers::Numbers;
use crate::playground::without_cargos;
use crate::test_host::{PING, ping_that_says};
use crate::{Bot, Playground};

/// Longest first build, including the image, on a slow machine.
const FIRST_BUILD: Duration = Duration::from_hours(2);
/// `stop_grace_period` of docker-compose.dev.yml.
const GRACE: Duration = Duration::from_secs(15);
/// How much longer the median save may take through the bind mount than on this machine itself.
const MOST: f64 = 1.5;

/// Printed once all commands are registered.
const READY: &str = "The bot is ready.";
/// Describes the shutdown of a bot that was ready.
const STOPPED: &str = "from Ctrl-C to the end, exit code 0";

pub(super) async fn run(options: &Options) -> io::Result<()> {
    if let Some(clone) = &options.at {
        println!("development, in {} ...", clone.display());
        return live(clone, options).await.map(drop);
    }
    let fresh = Playground::fresh()?;
    let clone = &fresh.path("");
    println!("development, in a fresh clone ...");
    let outcome = async {
        is_interrupted(clone).await?;
        live(clone, options).await
    };
    let outcome = outcome.await;
    // Whatever the outcome, a test leaves nothing behind.
    let gone = said(&mut dev_env(clone, &["clean"])).await;
    let project = outcome?;
    gone?;
    insist(volumes(&project).await?.is_empty(), || "clean leaves volumes behind".to_owned())
}

/// Starts a build and checks that Ctrl-C ends it in time and has no further effect.
async fn is_interrupted(clone: &Path) -> io::Result<()> {
    let mut building = start(clone, &["hmr"])?;
    building.wait_within(FIRST_BUILD, 0, "Compiling", |line| line.contains("Compiling ")).await?;
    stop(building, 143, "from Ctrl-C to the end, while it builds").await
}

/// Runs everything that needs the volumes. Returns the project's name.
async fn live(clone: &Path, options: &Options) -> io::Result<String> {
    let began = Instant::now();
    let mut bot = start(clone, &["hmr"])?;
    ready(&mut bot).await?;
    tell_seconds(began, "first start until ready: image, host, plugins and sandbox");
    let project = std::fs::read_to_string(clone.join(".hotcord/docker"))?.trim().to_owned();
    let answer = say_ping(clone).await?;
    insist(answer.contains(" [BOT]"), || format!("/ping is answered with {answer}"))?;
    stop(bot, 0, STOPPED).await?;

    let began = Instant::now();
    said(&mut dev_env(clone, &["up"])).await?;
    let mut logs = start(clone, &["logs"])?;
    ready(&mut logs).await?;
    tell_seconds(began, "second start until ready, in the background, nothing compiled");
    insist(compiled(&logs).is_empty(), || format!("the second start compiles: {:?}", compiled(&logs)))?;
    let status = said(&mut dev_env(clone, &["status"])).await?;
    insist(status.contains("hot reload is on"), || format!("status says otherwise:\n{status}"))?;
    said(&mut dev_env(clone, &["exec", "touch", "made-in-the-container"])).await?;
    let made = std::fs::metadata(clone.join("made-in-the-container"))?;
    std::fs::remove_file(clone.join("made-in-the-container"))?;
    let own = std::fs::metadata(clone)?;
    insist((made.uid(), made.gid()) == (own.uid(), own.gid()), || {
        "a file made in the container is another user's".to_owned()
    })?;
    leaves_nothing_behind(clone).await?;
    let processes = said(&mut dev_env(clone, &["ps"])).await?;
    insist(processes.contains("sandbox") && processes.contains("bot"), || format!("ps says:\n{processes}"))?;
    said(&mut dev_env(clone, &["restart"])).await?;
    logs.wait_for_line(0, "silent_ms=").await?;
    say_ping(clone).await?;
    let began = Instant::now();
    said(&mut dev_env(clone, &["down"])).await?;
    tell_seconds(began, "down; volumes stay");
    insist(began.elapsed() < GRACE, || format!("down takes {:?}", began.elapsed()))?;
    insist(!volumes(&project).await?.is_empty(), || "down removes volumes".to_owned())?;

    let mut bot = start(clone, &["hmr"])?;
    ready(&mut bot).await?;
    let mut number = 1;
    let first = edit(&mut bot, clone, Way::Rename, "Edited", &mut number).await?;
    let answer = say_ping(clone).await?;
    insist(answer.contains("Edited!"), || format!("the first edit is not in the answer: {answer}"))?;
    println!("  {first:>8.0} ms  from the first edit on the host until it is live in the container");

    let mut times = Numbers::default();
    for count in 0..options.saves {
        let words = format!("Save{count}");
        let way = Way::ALL[count % Way::ALL.len()];
        times.push(edit(&mut bot, clone, way, &words, &mut number).await?);
        let answer = say_ping(clone).await?;
        insist(answer.contains(&format!("{words}!")), || {
            format!("save {count} ({way:?}) is not live: {answer}")
        })?;
    }
    println!(
        "  {:>8.0} ms  p50 of {} saves in place, by rename and by truncation: each live and answered, none missed",
        times.p50(),
        times.len()
    );
    compare(&mut bot, clone, options.rounds, &mut number).await?;
    edit(&mut bot, clone, Way::Rename, "Pong", &mut number).await?;
    stop(bot, 0, STOPPED).await?;
    Ok(project)
}

/// Follows the sandbox's record without a terminal, and checks that nothing in the container follows it afterwards.
async fn leaves_nothing_behind(clone: &Path) -> io::Result<()> {
    const FOLLOWS: &str = "log --follow";
    let running = async || said(&mut dev_env(clone, &["exec", "ps", "-e", "-o", "args="])).await;
    let mut follower = start(clone, &["log", "--follow"])?;
    follower.wait_within(PATIENCE, 0, "a line of the record", |line| line.starts_with('{')).await?;
    insist(running().await?.contains(FOLLOWS), || "nothing in the container follows the record".to_owned())?;
    interrupt(&follower)?;
    follower.ended().await?;
    let began = Instant::now();
    loop {
        let processes = running().await?;
        if !processes.contains(FOLLOWS) {
            return Ok(());
        }
        insist(began.elapsed() < PATIENCE, || format!("it is followed on in the container:\n{processes}"))?;
    }
}

/// Sends a terminal's Ctrl-C, and checks that the bot ends in time with this exit code.
async fn stop(mut bot: Bot, expected: i32, what: &str) -> io::Result<()> {
    let began = Instant::now();
    interrupt(&bot)?;
    let code = bot.ended().await?;
    tell_seconds(began, what);
    insist(code.code() == Some(expected) && began.elapsed() < GRACE, || {
        format!("Ctrl-C: {code} after {:?}; it said:\n{}", began.elapsed(), bot.lines_from(0).join("\n"))
    })
}

fn tell_seconds(began: Instant, what: &str) {
    println!("  {:>8.1} s   {what}", began.elapsed().as_secs_f64());
}

/// Returns the lines of cargo about what it compiles.
fn compiled(bot: &Bot) -> Vec<String> {
    bot.lines_from(0).into_iter().filter(|line| line.contains("Compiling ")).collect()
}

/// Saves alternately in the container's clone and on this machine, and compares the times.
async fn compare(bot: &mut Bot, clone: &Path, rounds: usize, number: &mut u64) -> io::Result<()> {
    let here = Playground::new()?;
    let sandbox = Sandbox::builder().bot_name("Hotcord").start().await?;
    let mut local = Bot::start(&here, &sandbox, &[]).await?;
    let (mut in_docker, mut on_machine) = (Numbers::default(), Numbers::default());
    let mut local_number = 1;
    // The first round fills caches and is not counted.
    for round in 0..=rounds {
        let words = format!("Round{round}");
        let theirs = edit(bot, clone, Way::Rename, &words, number).await?;
        let ours = edit(&mut local, &here.path(""), Way::Rename, &words, &mut local_number).await?;
        if round > 0 {
            in_docker.push(theirs);
            on_machine.push(ours);
        }
    }
    local.stop().await?;
    let ratio = in_docker.p50() / on_machine.p50();
    println!(
        "  {:>8.0} ms  p50 of {rounds} saves in Docker, {:.0} ms with --local in turn: {ratio:.2} times",
        in_docker.p50(),
        on_machine.p50()
    );
    insist(ratio <= MOST, || format!("a save takes {ratio:.2} times as long in Docker; {MOST} are allowed"))
}

/// Makes `/ping` answer with `words`. Returns the milliseconds until the host logs it as live, as the next generation.
async fn edit(bot: &mut Bot, folder: &Path, way: Way, words: &str, number: &mut u64) -> io::Result<f64> {
    let path = folder.join(PING);
    let source = std::fs::read_to_string(&path)?;
    let source = ping_that_says(&source, words)
        .ok_or_else(|| io::Error::other(format!("{PING} says nothing that ends in '!'")))?;
    let lines = bot.line_count();
    let began = Instant::now();
    way.save(&path, &source)?;
    let line = bot.decided(lines, "commands/general").await?;
    let took = began.elapsed().as_secs_f64() * 1e3;
    let expected = format!("reloaded plugin=commands/general from={number} to={} ", *number + 1);
    *number += 1;
    insist(line.contains(&expected), || {
        format!("{way:?}: {expected:?} was expected, and the host said {line}")
    })?;
    Ok(took)
}

async fn say_ping(clone: &Path) -> io::Result<String> {
    said(&mut dev_env(clone, &["say", "/ping"])).await
}

async fn ready(bot: &mut Bot) -> io::Result<()> {
    bot.wait_within(FIRST_BUILD, 0, READY, |line| line.contains(READY)).await.map(drop)
}

/// Starts dev-env.sh as a terminal does: in a process group of its own.
fn start(clone: &Path, words: &[&str]) -> io::Result<Bot> {
    let mut command = dev_env(clone, words);
    command.process_group(0);
    Bot::of(command)
}

/// Sends the signal of a Ctrl-C to the process group.
fn interrupt(bot: &Bot) -> io::Result<()> {
    bot.signal_group(Signal::INT)
}

/// Returns a call of dev-env.sh in the clone, as without a token, with any free port for its sandbox.
fn dev_env(clone: &Path, words: &[&str]) -> Command {
    let mut command = std::process::Command::new("bash");
    command.arg("dev-env.sh").args(words).current_dir(clone).env("SANDBOX_PORT", "0");
    without_cargos(&mut command);
    for name in ["DISCORD_TOKEN", "DISCORD_API_URL", "APP_ENV", "ENABLE_HMR"] {
        command.env_remove(name);
    }
    Command::from(command)
}

async fn volumes(project: &str) -> io::Result<Vec<String>> {
    let filter = format!("label=com.docker.compose.project={project}");
    Ok(docker(&["volume", "ls", "--quiet", "--filter", &filter]).await?.lines().map(str::to_owned).collect())
}
