//! Faults of the machine and of Discord, for rows that no edit can express.

use std::io;
use std::time::{Duration, Instant};

use sandbox::event_log::Kind;
use sandbox::fault::{ErrorBody, LimitScope, On, RequestEffect, RequestRule, Rule};
use sandbox::gateway::{Command, Target};

use super::disk::SmallDisk;
use super::plugin::{self, MANIFEST, PLUGIN, Place, Sabotage};
use super::row::{ScenarioFuture, Seen};
use super::stage::Stage;
use super::trial;
use crate::bot::PATIENCE;

/// Number of calls after which a generation's probation is over.
const PROBATION_CALLS: u32 = 20;

fn of_sandbox(error: &sandbox::client::Error) -> io::Error {
    io::Error::other(error.to_string())
}

/// Waits until `holds` returns `true`.
pub(super) async fn until(what: &str, holds: impl Fn() -> bool) -> io::Result<()> {
    let began = Instant::now();
    while !holds() {
        if began.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("waited in vain until {what}")));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Runs a new version until its probation is over, and then causes a panic.
pub fn panic_outside_probation(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        stage.save_next(Some((Place::Component, Sabotage::Panic)))?;
        stage.live().await?;
        for _ in 0..PROBATION_CALLS {
            stage.say("/pulse").await?;
        }
        match trial::provoke(stage, Place::Component, Sabotage::Panic).await? {
            Some(problem) => Err(io::Error::other(problem)),
            None => Ok(Seen::default()),
        }
    })
}

/// Builds on a full disk.
pub fn disk_full(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        let disk = SmallDisk::over(&stage.output()).map_err(|error| {
            io::Error::new(io::ErrorKind::Unsupported, format!("no small disk can be mounted here: {error}"))
        })?;
        stage.save_next(None)?;
        stage.told("reload failed").await?;
        drop(disk);
        Ok(Seen::default())
    })
}

/// Saves a manifest while there is no cargo.
pub fn cargo_missing(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        stage.programs.hide("cargo")?;
        let manifest = stage.playground.read(MANIFEST)?;
        stage.playground.save(MANIFEST, &format!("{manifest}# edited\n"))?;
        Ok(Seen::default())
    })
}

/// Saves a source while the compiler cannot be started: the program that starts it at low priority is gone.
pub fn rustc_missing(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        stage.programs.hide("nice")?;
        stage.save_next(None)?;
        Ok(Seen::default())
    })
}

/// Removes the folder of the sources.
pub fn sources_deleted(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        stage.remove("commands/faulty/src")?;
        Ok(Seen::default())
    })
}

/// Removes the plugin's whole folder, and writes another version there once the plugin is removed.
pub fn folder_deleted(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        stage.remove(PLUGIN)?;
        let line = stage.told("removed plugin=").await?;
        let rest = stage.say("/ping").await?;
        if !rest.is_ok() {
            return Err(io::Error::other(format!("/ping does not answer: {:?}", rest.error)));
        }
        plugin::write(&stage.playground, stage.new_answer().trim_start_matches("version "))?;
        stage.live().await?;
        let words = line.split_once("commands/faulty").map_or("", |(_, rest)| rest);
        Ok(Seen { observed: Some(format!("{PLUGIN}{words}; put back, it is live again")), answers: None })
    })
}

/// Kills the host as the system does if memory runs out.
pub fn host_killed(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        stage.bot()?.kill_host()?;
        let back = stage.back().await?;
        Ok(Seen { observed: None, answers: Some(format!("host back in {} ms", back.as_millis())) })
    })
}

/// Interrupts the gateway's connections while a library is linked, and lets the link end when the session is resumed.
fn interrupted(stage: &mut Stage, command: Command) -> ScenarioFuture<'_> {
    Box::pin(async move {
        stage.programs.hold_linking()?;
        stage.save_next(None)?;
        until("the plugin is linked", || stage.programs.is_linking()).await?;
        let resumed = stage.count(Kind::Resumed);
        let began = Instant::now();
        stage
            .sandbox
            .client()
            .gateway(&Target::default(), &command)
            .await
            .map_err(|error| of_sandbox(&error))?;
        until("the session is resumed", || stage.count(Kind::Resumed) > resumed).await?;
        let took = began.elapsed().as_millis();
        stage.programs.let_link()?;
        stage.live().await?;
        Ok(Seen {
            observed: Some(format!(
                "the session is resumed after {took} ms, the build goes on and its code goes live"
            )),
            answers: None,
        })
    })
}

/// Closes the gateway with a code after which a session can be resumed.
pub fn gateway_closed(stage: &mut Stage) -> ScenarioFuture<'_> {
    interrupted(stage, Command::Close { code: 4000, reason: String::new() })
}

/// Drops the gateway's connection without closing it.
pub fn gateway_severed(stage: &mut Stage) -> ScenarioFuture<'_> {
    interrupted(stage, Command::Sever)
}

/// Redefines a command while Discord responds to registrations with `effect`, `count` times.
fn refused_registration(stage: &mut Stage, effect: RequestEffect, count: u64) -> ScenarioFuture<'_> {
    Box::pin(async move {
        let rule = RequestRule {
            method: Some("POST".to_owned()),
            path: Some("/applications/*/guilds/*/commands".to_owned()),
            effect,
        };
        let client = stage.sandbox.client();
        client
            .add_fault(&Rule::new(On::Request(rule)).times(count))
            .await
            .map_err(|error| of_sandbox(&error))?;
        stage.edit(
            plugin::SOURCE,
            &format!("/// {}", plugin::DESCRIPTION),
            "/// Tells which version is live",
        )?;
        stage.live().await?;
        Ok(Seen::default())
    })
}

fn status(status: u16) -> RequestEffect {
    RequestEffect::Respond { status, body: ErrorBody::Discord }
}

/// Registration is answered with 400.
pub fn registration_400(stage: &mut Stage) -> ScenarioFuture<'_> {
    refused_registration(stage, status(400), 1)
}

/// Registration is answered with 401.
pub fn registration_401(stage: &mut Stage) -> ScenarioFuture<'_> {
    refused_registration(stage, status(401), 1)
}

/// Registration is answered with 429.
pub fn registration_429(stage: &mut Stage) -> ScenarioFuture<'_> {
    refused_registration(stage, RequestEffect::RateLimit { retry_after: 0.5, scope: LimitScope::User }, 1)
}

/// Registration is answered with 500.
pub fn registration_500(stage: &mut Stage) -> ScenarioFuture<'_> {
    refused_registration(stage, status(500), 1)
}

/// Resets the bot's token, and restores it once the bot has ended.
pub fn token_revoked(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        let client = stage.sandbox.client();
        let bot = stage.sandbox.bot_id().to_string();
        client.reset_token(&bot, None).await.map_err(|error| of_sandbox(&error))?;
        let line = stage.told("DISCORD_TOKEN").await?;
        let ended = stage.bot()?.ended().await?;
        client.reset_token(&bot, Some(stage.sandbox.token())).await.map_err(|error| of_sandbox(&error))?;
        let took = stage.start_host().await?;
        stage.from = 0;
        let words = line.split_once("ERROR ").map_or(line.as_str(), |(_, rest)| rest);
        if ended.success() {
            return Err(io::Error::other("the bot ended with success although it was turned away"));
        }
        Ok(Seen {
            observed: Some(format!("{words} ({ended})")),
            answers: Some(format!("started anew with a good token, host back in {} ms", took.as_millis())),
        })
    })
}
