//! The failing plugin: one source with a place for every kind of code that a plugin has.

use std::io;

use crate::Playground;

/// Folder of the plugin, which is its id.
pub const PLUGIN: &str = "commands/faulty";
/// Its only source file.
pub const SOURCE: &str = "commands/faulty/src/lib.rs";
/// Its manifest.
pub const MANIFEST: &str = "commands/faulty/Cargo.toml";
/// Description of its command `/pulse`.
pub const DESCRIPTION: &str = "Says which version is live";
/// Plugin that shares a crate with it.
pub const PARTNER: &str = "events/partner";
/// Source of the shared crate.
pub const SHARED: &str = "crates/words/src/lib.rs";

/// The place in the plugin where a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Expression that creates the instance.
    Constructor,
    /// `commands()`.
    Commands,
    /// `subscriptions()`.
    Subscriptions,
    /// `start`.
    Start,
    /// `stop`.
    Stop,
    /// A command that a user runs.
    Command,
    /// A listener that receives a message.
    Listener,
    /// The handler of a button.
    Component,
    /// The handler of a timer.
    Timer,
    /// A task that `start` has spawned.
    Task,
}

impl Place {
    /// Returns the line of the source that is replaced by the place's code.
    fn mark(self) -> &'static str {
        match self {
            Self::Constructor => "// in the constructor",
            Self::Commands => "// in commands()",
            Self::Subscriptions => "// in subscriptions()",
            Self::Start => "// in start",
            Self::Stop => "// in stop",
            Self::Command => "// in the command",
            Self::Listener => "// in the listener",
            Self::Component => "// in the component handler",
            Self::Timer => "// in the timer",
            Self::Task => "// in the task",
        }
    }
}

/// The fault that happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A panic.
    Panic,
    /// A returned error.
    Error,
    /// An endless loop without `.await`. It sleeps, so that it takes a thread, but no processor from other tests.
    Loop,
    /// `abort`.
    Abort,
    /// A write to an unmapped address.
    Segfault,
    /// An endless recursion.
    Overflow,
}

impl Sabotage {
    fn code(self) -> &'static str {
        match self {
            Self::Panic => "panic!(\"as asked\");",
            Self::Error => "return Err(\"as asked\".into());",
            Self::Loop => "loop { std::thread::sleep(std::time::Duration::from_secs(1)) }",
            Self::Abort => "std::process::abort();",
            Self::Segfault => "unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) }",
            Self::Overflow => "let _ = deeper(0);",
        }
    }
}

/// Returns the plugin's source, which answers with `version`, with a sabotage in one of its places.
pub fn source(version: &str, sabotage: Option<(Place, Sabotage)>) -> String {
    let source = TEMPLATE.replace("VERSION_HERE", version);
    match sabotage {
        Some((place, sabotage)) => source.replace(place.mark(), sabotage.code()),
        None => source,
    }
}

/// Writes the plugin, the crate that it shares, and the partner with which it shares it.
///
/// # Errors
/// If a file cannot be written.
pub fn write(playground: &Playground, version: &str) -> io::Result<()> {
    playground.save(
        "crates/words/Cargo.toml",
        "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    )?;
    playground.save(SHARED, "pub const WORD: &str = \"version\";\n")?;
    playground.save(SOURCE, &source(version, None))?;
    playground.save(&format!("{PARTNER}/src/lib.rs"), PARTNER_SOURCE)?;
    playground.save(MANIFEST, &manifest("commands-faulty"))?;
    playground.save(&format!("{PARTNER}/Cargo.toml"), &manifest("events-partner"))
}

fn manifest(package: &str) -> String {
    format!(
        "[package]\nname = \"{package}\"\ndescription = \"To fail.\"\nversion.workspace = true\nedition.workspace = \
         true\nrust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\n[lib]\n\n\
         [dependencies]\npoise.workspace = true\nsdk.workspace = true\nserde.workspace = true\nwords = {{ path = \"../../crates/words\" }}\n"
    )
}

const TEMPLATE: &str = r#"//! Fails where it is told to.
#![allow(unreachable_code, unused)]

use std::time::Duration;

use sdk::prelude::*;

const VERSION: &str = "VERSION_HERE";

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Tally {
    asked: u64,
}

impl State for Tally {
    // of the first shape
}

struct Faulty;

impl Faulty {
    fn new() -> Self {
        // in the constructor
        Self
    }
}

#[async_trait]
impl Plugin for Faulty {
    fn commands(&self) -> Vec<Command> {
        // in commands()
        vec![pulse(), sabotage(), board(), later()]
    }

    fn subscriptions(&self, on: &mut Subscriptions) {
        // in subscriptions()
        on.event(heard);
        on.component("faulty:", pressed);
        on.timer("faulty", due);
    }

    fn state(&self) -> Option<StateSlot> {
        Some(StateSlot::of::<Tally>())
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        // in start
        data.spawn("faulty", async {
            // in the task
            std::future::pending().await
        });
        Ok(())
    }

    async fn stop(&self, _: &Data) -> Result<(), Error> {
        // in stop
        Ok(())
    }
}

sdk::export!(Faulty::new());

fn deeper(depth: u64) -> u64 {
    let here = std::hint::black_box([depth; 64]);
    deeper(depth + 1) + here[0]
}

/// Says which version is live
#[poise::command(slash_command)]
async fn pulse(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say(format!("{} {VERSION}", words::WORD)).await?;
    Ok(())
}

/// Fails when it is told to
#[poise::command(slash_command)]
async fn sabotage(ctx: Context<'_>) -> Result<(), Error> {
    // in the command
    ctx.say("Nothing happened.").await?;
    Ok(())
}

/// Shows a button
#[poise::command(slash_command)]
async fn board(ctx: Context<'_>) -> Result<(), Error> {
    let button = serenity::CreateButton::new("faulty:1").label("Press");
    let row = serenity::CreateActionRow::Buttons(vec![button]);
    ctx.send(poise::CreateReply::default().content("Here.").components(vec![row])).await?;
    Ok(())
}

/// Sets a timer
#[poise::command(slash_command)]
async fn later(ctx: Context<'_>) -> Result<(), Error> {
    ctx.data().schedule("faulty", "once", Duration::from_millis(1), &()).await?;
    ctx.say("Set.").await?;
    Ok(())
}

async fn heard(ctx: EventContext, event: event::Message) -> Result<(), Error> {
    if !event.new_message.author.bot {
        // in the listener
    }
    Ok(())
}

async fn pressed(ctx: EventContext, press: serenity::ComponentInteraction) -> Result<(), Error> {
    // in the component handler
    press.create_response(&ctx, serenity::CreateInteractionResponse::Acknowledge).await?;
    Ok(())
}

async fn due(ctx: EventContext, timer: Timer) -> Result<(), Error> {
    // in the timer
    Ok(())
}
"#;

const PARTNER_SOURCE: &str = r"//! Shares a crate.

use sdk::prelude::*;

struct Partner;

impl Plugin for Partner {
    fn subscriptions(&self, on: &mut Subscriptions) {
        on.event(heard);
    }
}

sdk::export!(Partner);

async fn heard(_: EventContext, event: event::MessageDelete) -> Result<(), Error> {
    sdk::tracing::debug!(word = words::WORD, message = %event.deleted_message_id);
    Ok(())
}
";
