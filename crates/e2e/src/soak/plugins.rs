//! The plugins that are reloaded in turn: two of the workspace's own and three that use resources that could leak.

use std::io;

use crate::Playground;
use crate::plugins::Sample;

const PING: &str = "commands/general/src/ping.rs";
const WELCOME: &str = "events/welcome/src/lib.rs";
const KEEPER: &str = "commands/keeper/src/lib.rs";
const WORKER: &str = "events/worker/src/lib.rs";

/// A plugin that is reloaded.
pub struct Reloaded {
    /// Its id.
    pub plugin: &'static str,
    file: String,
    /// Source in which `ROUND` stands for the number of the reload.
    source: String,
}

impl Reloaded {
    /// Writes the plugins that are made for this. Returns all plugins.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn all(playground: &Playground) -> io::Result<Vec<Self>> {
        Sample::SMALL.write(playground.root(), "commands", "v0")?;
        let mut all = vec![
            Self::of("commands/general", PING, playground.read(PING)?.replace("Pong!", "Pong ROUND!")),
            Self::of(
                "events/welcome",
                WELCOME,
                playground.read(WELCOME)?.replace("Welcome to", "Welcome ROUND to"),
            ),
            Self::of("commands/keeper", KEEPER, KEEPER_SOURCE.to_owned()),
            Self::of("events/worker", WORKER, WORKER_SOURCE.to_owned()),
        ];
        let small = format!("commands/{}", Sample::SMALL.file());
        all.push(Self { plugin: "commands/small", file: small, source: Sample::SMALL.source("vROUND") });
        for made in &all[2..4] {
            made.save(playground, 0)?;
            let manifest = format!(
                "[package]\nname = \"{}\"\nversion.workspace = true\nedition.workspace = true\n\
                 rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\n[lib]\n\n\
                 [dependencies]\npoise.workspace = true\nsdk.workspace = true\n",
                made.plugin.replace('/', "-")
            );
            playground.save(&format!("{}/Cargo.toml", made.plugin), &manifest)?;
        }
        Ok(all)
    }

    fn of(plugin: &'static str, file: &str, source: String) -> Self {
        Self { plugin, file: file.to_owned(), source }
    }

    /// Saves the source of a reload.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, playground: &Playground, round: u64) -> io::Result<()> {
        playground.save(&self.file, &self.source.replace("ROUND", &round.to_string()))
    }
}

/// Stores values in the host's store, and has a button's handler.
const KEEPER_SOURCE: &str = r#"//! Keeps count.

use sdk::prelude::*;

const NUMBER: &str = "ROUND";

struct Keeper;

impl Plugin for Keeper {
    fn commands(&self) -> Vec<Command> {
        vec![keep()]
    }

    fn subscriptions(&self, on: &mut Subscriptions) {
        on.component("keeper:", pressed);
    }
}

sdk::export!(Keeper);

/// Counts how often it was run
#[poise::command(slash_command)]
async fn keep(ctx: Context<'_>) -> Result<(), Error> {
    let count = ctx.data().store().get::<u64>("count")?.unwrap_or_default() + 1;
    ctx.data().store().put("count", &count)?;
    ctx.say(format!("kept {count} in {NUMBER}")).await?;
    Ok(())
}

async fn pressed(ctx: EventContext, press: serenity::ComponentInteraction) -> Result<(), Error> {
    press.create_response(&ctx, serenity::CreateInteractionResponse::Acknowledge).await?;
    Ok(())
}
"#;

/// Runs tasks, some that wait and one at a steady rate, and has listeners.
const WORKER_SOURCE: &str = r#"//! Works in the background.

use std::time::Duration;

use sdk::prelude::*;

const NUMBER: &str = "ROUND";

struct Worker;

#[async_trait]
impl Plugin for Worker {
    fn subscriptions(&self, on: &mut Subscriptions) {
        on.event(heard);
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        for _ in 0..3 {
            data.spawn("waits", std::future::pending());
        }
        data.every("ticks", Duration::from_millis(50), || async {
            sdk::tracing::trace!(round = NUMBER);
            Ok(())
        });
        Ok(())
    }
}

sdk::export!(Worker);

async fn heard(_: EventContext, event: event::MessageDelete) -> Result<(), Error> {
    sdk::tracing::debug!(round = NUMBER, message = %event.deleted_message_id);
    Ok(())
}
"#;
