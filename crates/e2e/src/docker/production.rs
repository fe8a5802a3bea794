//! Production: the image of Dockerfile as docker-compose.yml runs it, on a sandbox in another container.

use std::io;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::process::Command;

use super::contents::{clean, strangers};
use super::{docker, insist, said};
use crate::bot::PATIENCE;
use crate::playground::workspace;

/// Name of the images, different from those that a user runs.
const IMAGE: &str = "hotcord-test";
const SANDBOX_IMAGE: &str = "hotcord-test-sandbox";
/// Version of the workspace, which is in the image's label.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Maximum size in bytes of the image without its base.
const MOST: u64 = 60_000_000;
/// `stop_grace_period` of docker-compose.yml.
const GRACE: Duration = Duration::from_secs(15);
/// Time between two checks of what reports no changes.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn run() -> io::Result<()> {
    println!("\nproduction ...");
    let outcome = ship().await;
    let gone = compose(&["down", "--volumes", "--remove-orphans"]).await;
    outcome?;
    gone.map(drop)
}

/// Builds the bot's image and checks it, without running anything.
pub(super) async fn image() -> io::Result<()> {
    println!("the production image ...");
    built(&["bot"]).await
}

/// Builds images, of all services unless some are named, and checks the bot's.
async fn built(services: &[&str]) -> io::Result<()> {
    let began = Instant::now();
    compose(&[&["build"], services].concat()).await?;
    println!("  {:>8.1} s   built", began.elapsed().as_secs_f64());
    size().await?;
    labels().await?;
    contents().await
}

async fn ship() -> io::Result<()> {
    built(&[]).await?;

    let began = Instant::now();
    compose(&["up", "--detach"]).await?;
    let bot = compose(&["ps", "--quiet", "bot"]).await?.trim().to_owned();
    healthy(&bot).await?;
    println!("  {:>8.1} s   from up to healthy", began.elapsed().as_secs_f64());
    let answer = until_said(&["exec", "-T", "sandbox", "sandbox", "say", "/ping"], "Pong!").await?;
    insist(answer.contains("Pong!"), || format!("/ping answers {answer}"))?;
    walls(&bot).await?;
    let kib = idle(&bot).await?;
    println!("  {:>8.1} MB  private memory at idle", kib * 1024.0 / 1e6);
    ignores(&bot).await?;

    let began = Instant::now();
    compose(&["stop"]).await?;
    let took = began.elapsed();
    let code = inspected(&bot).await?["State"]["ExitCode"].clone();
    insist(code == 0 && took < GRACE, || format!("stop takes {took:?}, exit code {code}"))?;
    println!("  {:>8.1} s   stop, exit code 0", took.as_secs_f64());
    Ok(())
}

/// Prints size and layers of the image, and checks its size.
async fn size() -> io::Result<()> {
    let size = async |image: &str| -> io::Result<u64> {
        let text = docker(&["image", "inspect", "--format", "{{.Size}}", image]).await?;
        text.trim().parse().map_err(io::Error::other)
    };
    let base = std::env::var("RUNTIME_IMAGE").unwrap_or_else(|_| "debian:bookworm-slim".to_owned());
    let own = size(IMAGE).await?.saturating_sub(size(&base).await?);
    #[allow(clippy::cast_precision_loss)] // Printed to a tenth of a megabyte.
    let megabytes = own as f64 / 1e6;
    println!("  {megabytes:>8.1} MB  image, {base} aside; its layers, the last first:");
    let layers = docker(&["history", "--no-trunc", "--format", "{{.Size}}\t{{.CreatedBy}}", IMAGE]).await?;
    for layer in layers.lines().filter(|layer| !layer.starts_with("0B")) {
        let short: String = layer.chars().take(100).collect();
        println!("              {}", short.replace('\t', "  "));
    }
    insist(own < MOST, || format!("the image is {own} bytes larger than its base; {MOST} are allowed"))
}

/// Checks that the labels exist and are true.
async fn labels() -> io::Result<()> {
    let labels = &inspected_image(IMAGE).await?["Config"]["Labels"];
    let label = |name: &str| labels[format!("org.opencontainers.image.{name}")].as_str().unwrap_or_default();
    for name in ["title", "description", "licenses"] {
        insist(!label(name).is_empty(), || format!("the image has no label {name}: {labels}"))?;
    }
    for (name, truth) in [("version", VERSION), ("revision", &revision())] {
        insist(label(name) == truth, || {
            format!("the image's {name} is {:?}, and {truth} was built", label(name))
        })?;
    }
    println!("               labels: version {VERSION}, the revision that was given");
    Ok(())
}

/// Checks that image and binary contain nothing of development.
async fn contents() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let (archive, program) = (folder.path().join("image.tar"), folder.path().join("hotcord"));
    let container = docker(&["create", IMAGE]).await?.trim().to_owned();
    let copied = async {
        said(Command::new("docker").args(["export", "--output"]).arg(&archive).arg(&container)).await?;
        let inside = format!("{container}:/usr/local/bin/hotcord");
        said(Command::new("docker").args(["cp", &inside]).arg(&program)).await
    };
    let copied = copied.await;
    docker(&["rm", &container]).await?;
    copied?;
    let files = said(Command::new("tar").arg("--list").arg("--file").arg(&archive)).await?;
    insist(files.lines().any(|file| file.ends_with("/bin/hotcord")), || {
        "the image holds no hotcord".to_owned()
    })?;
    let strangers = strangers(&files);
    insist(strangers.is_empty(), || format!("the image holds {strangers:?}"))?;
    clean(&std::fs::read(&program)?, "the binary in the image")
}

/// Checks the restrictions of the bot's container.
async fn walls(bot: &str) -> io::Result<()> {
    let container = inspected(bot).await?;
    let (config, host) = (&container["Config"], &container["HostConfig"]);
    insist(config["User"] == "65532:65532", || format!("the bot runs as {}", config["User"]))?;
    insist(host["ReadonlyRootfs"] == true, || "the root file system can be written".to_owned())?;
    insist(host["CapDrop"].to_string().contains("ALL"), || format!("dropped are only {}", host["CapDrop"]))?;
    insist(!config["Env"].to_string().contains("ENABLE_HMR"), || "ENABLE_HMR is set".to_owned())?;
    let status = docker(&["exec", bot, "sh", "-c", "cat /proc/1/status /proc/[2-9]*/status"]).await?;
    let users: Vec<_> =
        status.lines().filter_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next()).collect();
    insist(!users.is_empty() && users.iter().all(|user| *user == "65532"), || {
        format!("processes run as {users:?}")
    })?;
    let written = docker(&["exec", bot, "touch", "/probe"]).await;
    let refused = written.err().map(|error| error.to_string()).unwrap_or_default();
    insist(refused.contains("Read-only file system"), || format!("/probe could be written {refused}"))?;
    println!("               user 65532, read-only root, no capabilities, no ENABLE_HMR");
    Ok(())
}

/// Returns the KiB of memory that are private to the bot.
async fn idle(bot: &str) -> io::Result<f64> {
    let script = "for p in /proc/[0-9]*; do \
                  if [ \"$(readlink $p/exe)\" = /usr/local/bin/hotcord ]; then cat $p/smaps_rollup; fi; done";
    let account = docker(&["exec", bot, "sh", "-c", script]).await?;
    let private = account
        .lines()
        .filter(|line| line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"));
    let kib: f64 = private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).sum();
    insist(kib > 0.0, || format!("the system does not tell the bot's memory:\n{account}"))?;
    Ok(kib)
}

/// Sets ENABLE_HMR, which the bot has to ignore with a message.
async fn ignores(bot: &str) -> io::Result<()> {
    let network = format!("{}_default", project());
    let environment = inspected(bot).await?["Config"]["Env"].clone();
    let of = |name: &str| {
        let all = environment.as_array().into_iter().flatten().filter_map(Value::as_str);
        all.filter(|line| line.starts_with(name)).map(str::to_owned).next().unwrap_or_default()
    };
    let (token, api) = (of("DISCORD_TOKEN="), of("DISCORD_API_URL="));
    let words = [
        "run",
        "--detach",
        "--network",
        &network,
        "--env",
        "ENABLE_HMR=true",
        "--env",
        &token,
        "--env",
        &api,
    ];
    let by_hand = docker(&[&words[..], &[IMAGE]].concat()).await?.trim().to_owned();
    let outcome = async {
        logged(&by_hand, "this binary was built without hot reload; ENABLE_HMR is ignored").await?;
        logged(&by_hand, ": ready ").await
    };
    let outcome = outcome.await;
    docker(&["rm", "--force", &by_hand]).await?;
    outcome?;
    println!("               ENABLE_HMR=true by hand: ignored with a word, and it runs on");
    Ok(())
}

/// Waits until a container has logged something.
async fn logged(container: &str, words: &str) -> io::Result<()> {
    let began = Instant::now();
    loop {
        let output = Command::new("docker").args(["logs", container]).output().await?;
        let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if log.contains(words) {
            return Ok(());
        }
        insist(began.elapsed() < PATIENCE, || format!("{words:?} was not said:\n{log}"))?;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn healthy(bot: &str) -> io::Result<()> {
    let began = Instant::now();
    loop {
        let state = inspected(bot).await?["State"].clone();
        if state["Health"]["Status"] == "healthy" {
            return Ok(());
        }
        insist(began.elapsed() < PATIENCE && state["Running"] == true, || {
            format!("the bot is not healthy: {state}")
        })?;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Runs the command until its output contains `words`, and returns that output.
async fn until_said(command: &[&str], words: &str) -> io::Result<String> {
    let began = Instant::now();
    loop {
        let answer = compose(command).await;
        if began.elapsed() > PATIENCE || answer.as_ref().is_ok_and(|answer| answer.contains(words)) {
            return answer;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn inspected(container: &str) -> io::Result<Value> {
    let text = docker(&["container", "inspect", container]).await?;
    Ok(serde_json::from_str::<Value>(&text)?[0].clone())
}

async fn inspected_image(image: &str) -> io::Result<Value> {
    let text = docker(&["image", "inspect", image]).await?;
    Ok(serde_json::from_str::<Value>(&text)?[0].clone())
}

/// Returns the name of the project, which is unique, so that another bot of this folder is not affected.
fn project() -> String {
    format!("hotcord-test-{}", std::process::id())
}

/// Returns a revision that no other build has.
fn revision() -> String {
    format!("test-{}", std::process::id())
}

/// Lists the variables that docker-compose.yml takes from the shell or from .env.
fn taken_over() -> io::Result<Vec<String>> {
    let compose = std::fs::read_to_string(workspace().join("docker-compose.yml"))?;
    let listed = compose.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let is_name = |word: &&str| word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    Ok(listed.filter(is_name).map(str::to_owned).collect())
}

/// Runs Compose on docker-compose.yml as its head describes, on the sandbox, independently of this shell and .env.
async fn compose(words: &[&str]) -> io::Result<String> {
    let has_plugin = Command::new("docker").args(["compose", "version"]).output().await?.status.success();
    let empty = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(if has_plugin { "docker" } else { "docker-compose" });
    command
        .args(has_plugin.then_some("compose"))
        .args(["--file", "docker-compose.yml", "--project-name", &project(), "--env-file"])
        .arg(empty.path())
        .args(words)
        .current_dir(workspace());
    for name in taken_over()?.iter().map(String::as_str).chain(["BOT_VERSION", "WITH_YT_DLP"]) {
        command.env_remove(name);
    }
    command
        .env("BOT_IMAGE", IMAGE)
        .env("BOT_REVISION", revision())
        .env("SANDBOX_IMAGE", SANDBOX_IMAGE)
        .env("COMPOSE_PROFILES", "sandbox")
        .env("DISCORD_API_URL", "http://sandbox:8787")
        .env("DISCORD_TOKEN", "anything")
        // It must not reach production, even if it is set here.
        .env("ENABLE_HMR", "true");
    said(&mut command).await
}
