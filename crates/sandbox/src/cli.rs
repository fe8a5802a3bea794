//! The command line: one module per family of subcommands.

mod act;
mod answer;
mod apps;
mod authorize;
mod automod;
mod clock;
mod community;
mod endpoint;
mod env;
mod event;
mod fault;
mod following;
mod guild;
mod import;
mod inspect;
mod integration;
mod intents;
mod page;
mod place;
mod poll;
mod screenshot;
mod serve;
mod snapshot;
mod store;
mod terminal;
mod voice;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use sandbox::Client;
use sandbox::state_file::{self, StateFile};

/// A local Discord: REST v10, the gateway, and users who run your commands.
#[derive(Debug, Parser)]
#[command(name = "sandbox", version, about, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: Command,
}

/// Which sandbox is meant.
#[derive(Debug, Args)]
struct Server {
    /// Base address of a running sandbox, as in http://127.0.0.1:8787.
    #[arg(long, global = true, env = "SANDBOX_URL")]
    url: Option<String>,
    /// File in which `serve` leaves address and secrets for the other commands; by default one for each port in a folder
    /// of this user's. The secret of the control API can also be in SANDBOX_CONTROL_SECRET.
    #[arg(long, global = true, env = "SANDBOX_STATE_FILE")]
    state_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a sandbox and keep it running.
    Serve(Box<serve::Serve>),
    /// Run a slash command as a user and show the answer: sandbox say '/ping'
    Say(act::Say),
    /// Run a user command or message command on a target.
    Use(act::Use),
    /// Ask for the choices of the option being typed: sandbox complete '/help command:pi'
    Complete(act::Say),
    /// Press a button of a message.
    Press(act::Press),
    /// Choose from a menu of a message.
    Choose(act::Choose),
    /// Submit the modal that an interaction was answered with.
    Submit(act::Submit),
    /// Send a message as a user.
    Send(act::Send),
    /// Put a reaction under a message.
    React(act::React),
    /// Vote in a poll as a user: sandbox vote MESSAGE tea
    Vote(poll::Vote),
    /// Let a user into a guild; a user who does not exist is made.
    Join(place::Join),
    /// Change the language of a user's client: sandbox locale bob de
    Locale(place::Locale),
    /// Let a user into a guild by an invite: sandbox accept CODE --as bob
    Accept(guild::Accept),
    /// Request to join a guild as a user: sandbox apply dave Rules=true
    Apply(community::Apply),
    /// Answer a guild's onboarding as a member: sandbox onboard carol 'Why?=Chat'
    Onboard(community::Onboard),
    /// Accept the rules of a guild with membership screening as a new member.
    Screening(community::Screening),
    /// Change a guild as its owner: its boosts, features and vanity code.
    Guild(guild::Guild),
    /// Create a guild with all bots in it, from a template too, and print its id.
    CreateGuild(guild::CreateGuild),
    /// Say how many days ago a user was last active, as for a prune: sandbox seen bob 30
    Seen(guild::Seen),
    /// Take a member out of a guild.
    Leave(place::Leave),
    /// Change what a role may do, or what a channel lets a role or member do.
    Permit(place::Permit),
    /// Authorize a bot's application as a user, and print the access token: sandbox authorize Sandbot --scopes identify,guilds
    Authorize(authorize::Authorize),
    /// List, add, switch and remove integrations of a guild.
    Integration(integration::Integration),
    /// Make a channel follow an announcement channel: sandbox follow news general
    Follow(following::Follow),
    /// Publish a message of an announcement channel to those that follow it.
    Publish(following::Publish),
    /// Create something that a bot sells.
    Sku(store::Sku),
    /// Buy something as a user: sandbox buy Premium --as bob
    Buy(store::Buy),
    /// Consume or refund an entitlement.
    Entitlement(store::Entitlement),
    /// Cancel, resume, renew, refund or delete a subscription, or let it expire.
    Subscription(store::Subscription),
    /// Print what is sold and who has bought it, as JSON.
    Store,
    /// Change a channel: its name, its topic, how many people it takes.
    Channel(place::Change),
    /// List, add and remove rules of auto moderation: sandbox automod add 'cat*' --message "No cats"
    Automod(automod::Automod),
    /// List scheduled events, create, start and end them, and subscribe to them.
    Event(event::Event),
    /// Open and close a stage.
    Stage(event::Stage),
    /// Install a bot's application to a user's account.
    Install(apps::App),
    /// Remove a bot's application from a user's account.
    Uninstall(apps::App),
    /// Show a bot's privileged intents, or switch them on and off.
    Intents(intents::Change),
    /// Show where a bot gets its interactions and webhook events, or send them elsewhere: sandbox endpoint --interactions
    /// http://127.0.0.1:3000/interactions
    Endpoint(endpoint::Endpoint),
    /// Move a member, bots too, to another voice channel, or out of voice.
    Move(voice::Move),
    /// List who is in voice; join, leave and record as a user.
    Voice(voice::Voice),
    // Former names.
    /// The same as `voice join`.
    #[command(hide = true)]
    Enter(voice::Join),
    /// The same as `voice leave`.
    #[command(hide = true)]
    Exit(voice::Leave),
    /// The same as `voice record`.
    #[command(hide = true)]
    Hear(voice::Record),
    /// Give a voice channel's call to the server of another region.
    Region(voice::Region),
    /// Show the world's time, or move it forward: sandbox clock +16m
    Clock(clock::Clock),
    /// Save, restore, list and delete snapshots of the whole world: sandbox snapshot save before
    Snapshot(snapshot::Snapshot),
    /// Write the present world as a seed file, or add what a seed file describes: sandbox world export
    World(world::WorldArgs),
    /// Write the layout of a real server, or of a server template, as a seed file. Reads Discord with GET requests alone.
    Import(import::Import),
    /// Print an address of the page that shows it all in a browser.
    Page(page::Page),
    /// Take a picture of a message, or of a channel, with Chromium: sandbox screenshot MESSAGE out.png
    Screenshot(screenshot::Screenshot),
    /// Print the variables that a bot and its tests need to use this sandbox, one NAME=VALUE a line, quoted for a shell.
    Env,
    /// List users, guilds and channels.
    Users(inspect::Users),
    /// Show the newest messages of a channel.
    Messages(inspect::Messages),
    /// List the commands that a user can run.
    Commands(inspect::Commands),
    /// Print the log of requests and events as JSON lines.
    Log(inspect::Log),
    /// Print sums over all interactions as JSON.
    Stats,
    /// Inject faults: dropped connections, close codes, delays, 5xx, 429, lost voice packets.
    Fault(fault::Fault),
}

/// Why a command failed, as one sentence.
#[derive(Debug)]
struct Failure(String);

impl From<sandbox::client::Error> for Failure {
    fn from(error: sandbox::client::Error) -> Self {
        Self(error.to_string())
    }
}

/// The result of a successful command, which determines the exit code.
enum Outcome {
    Good,
    NoAnswer,
}

/// Variable with the secret of the control API, for `serve` and the other commands. A command line argument could be
/// read by every user.
const CONTROL_SECRET: &str = "SANDBOX_CONTROL_SECRET";

/// Default address of `serve`, at which the other commands look.
const DEFAULT_ADDRESS: &str = "127.0.0.1:8787";

/// Returns the value of a variable, if it is not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The sandbox to use, and the content of its state file.
#[derive(Debug)]
struct Target {
    client: Client,
    state: Option<StateFile>,
}

impl Server {
    /// Finds the sandbox to use and the secret of its control API.
    fn target(&self) -> Result<Target, Failure> {
        let whole = |url: &str| match url.split_once("://") {
            Some(("http" | "https", _)) => url.to_owned(),
            _ => format!("http://{url}"),
        };
        let url = self.url.as_deref().map(whole);
        let state = match (&self.state_file, &url) {
            (Some(path), None) => Some(named(path)?),
            (Some(path), Some(_)) => StateFile::read(path).ok(),
            (None, url) => usual(url.as_deref()),
        };
        // A secret is sent only to the sandbox that it belongs to.
        let state = state.filter(|state| url.as_deref().is_none_or(|url| state.is_at(url)));
        let url = url.or_else(|| state.as_ref().map(|state| state.control_url().to_owned()));
        let url = url.unwrap_or_else(|| format!("http://{DEFAULT_ADDRESS}"));
        let root = state.as_ref().and_then(|state| std::fs::read(state.voice_root.as_ref()?).ok());
        let client = match root.filter(|_| url.starts_with("https://")) {
            Some(root) => Client::trusting(url, &root)?,
            None => Client::new(url),
        };
        let secret =
            variable(CONTROL_SECRET).or_else(|| state.as_ref().map(|state| state.control_secret.clone()));
        let client = match secret {
            Some(secret) if !secret.is_empty() => client.secret(secret),
            _ => client,
        };
        Ok(Target { client, state })
    }
}

/// Reads a state file that was given by path.
fn named(path: &Path) -> Result<StateFile, Failure> {
    StateFile::read(path).map_err(|error| {
        let path = path.display();
        Failure(match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                format!(
                    "{path} belongs to somebody else, and so does its sandbox; start one with `sandbox serve`"
                )
            }
            _ => format!("no sandbox has left its address in {path}; start one with `sandbox serve`"),
        })
    })
}

/// Reads the state file of a sandbox of this user at its default path.
fn usual(url: Option<&str>) -> Option<StateFile> {
    let port = match url {
        Some(url) => url.parse::<reqwest::Url>().ok()?.port_or_known_default()?,
        None => DEFAULT_ADDRESS.rsplit_once(':')?.1.parse().ok()?,
    };
    StateFile::read(&state_file::default_path(port)?).ok()
}

/// Runs one command. A failure is printed as one sentence on standard error.
pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let Arguments { server, command } = arguments;
    let outcome = match command {
        Command::Serve(serve) => serve::run(*serve, server.state_file).await,
        command => match server.target() {
            Ok(target) => dispatch(target, command).await,
            Err(failure) => Err(failure),
        },
    };
    match outcome {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::NoAnswer) => ExitCode::FAILURE,
        Err(Failure(sentence)) => {
            terminal::warn(&sentence);
            ExitCode::from(2)
        }
    }
}

async fn dispatch(target: Target, command: Command) -> Result<Outcome, Failure> {
    let Target { client, state } = target;
    match command {
        // `run` handles this one.
        Command::Serve(_) => Ok(Outcome::Good),
        Command::Say(say) => act::say(&client, say).await,
        Command::Use(on) => act::on(&client, on).await,
        Command::Complete(say) => act::complete(&client, say).await,
        Command::Press(press) => act::press(&client, press).await,
        Command::Choose(choose) => act::choose(&client, choose).await,
        Command::Submit(submit) => act::submit(&client, submit).await,
        Command::Send(send) => act::send(&client, send).await,
        Command::React(react) => act::react(&client, react).await,
        Command::Vote(vote) => poll::vote(&client, vote).await,
        Command::Join(join) => place::join(&client, join).await,
        Command::Locale(locale) => place::locale(&client, locale).await,
        Command::Accept(accept) => guild::accept(&client, accept).await,
        Command::Apply(apply) => community::apply(&client, apply).await,
        Command::Onboard(onboard) => community::onboard(&client, onboard).await,
        Command::Screening(screening) => community::screening(&client, screening).await,
        Command::Guild(change) => guild::guild(&client, change).await,
        Command::CreateGuild(new) => guild::create(&client, new).await,
        Command::Seen(seen) => guild::seen(&client, seen).await,
        Command::Leave(leave) => place::leave(&client, leave).await,
        Command::Permit(permit) => place::permit(&client, permit).await,
        Command::Channel(change) => place::channel(&client, change).await,
        Command::Automod(automod) => automod::run(&client, automod).await,
        Command::Event(event) => event::run(&client, event).await,
        Command::Stage(stage) => event::stage(&client, stage).await,
        Command::Intents(change) => intents::change(&client, change).await,
        Command::Endpoint(asked) => endpoint::endpoint(&client, asked).await,
        Command::Install(app) => apps::install(&client, app).await,
        Command::Uninstall(app) => apps::uninstall(&client, app).await,
        Command::Authorize(asked) => authorize::authorize(&client, asked).await,
        Command::Integration(asked) => integration::integration(&client, asked).await,
        Command::Follow(follow) => following::follow(&client, follow).await,
        Command::Publish(publish) => following::publish(&client, publish).await,
        Command::Sku(sku) => store::sku(&client, sku).await,
        Command::Buy(buy) => store::buy(&client, buy).await,
        Command::Entitlement(on) => store::entitlement(&client, on).await,
        Command::Subscription(on) => store::subscription(&client, on).await,
        Command::Store => store::all(&client).await,
        Command::Enter(join) => voice::join(&client, join).await,
        Command::Exit(leave) => voice::leave(&client, leave).await,
        Command::Move(order) => voice::move_to(&client, order).await,
        Command::Voice(voice) => voice::voice(&client, voice).await,
        Command::Hear(record) => voice::record(&client, record).await,
        Command::Region(region) => voice::region(&client, region).await,
        Command::Clock(to) => clock::clock(&client, to).await,
        Command::Snapshot(what) => snapshot::snapshot(&client, what).await,
        Command::World(what) => world::world(&client, what).await,
        Command::Import(what) => import::import(&client, what).await,
        Command::Page(page) => page::print(&client, page).await,
        Command::Screenshot(picture) => screenshot::take(&client, picture).await,
        Command::Env => env::print(&client, state.as_ref()).await,
        Command::Users(users) => inspect::users(&client, users).await,
        Command::Messages(messages) => inspect::messages(&client, messages).await,
        Command::Commands(commands) => inspect::commands(&client, commands).await,
        Command::Log(log) => inspect::log(&client, log).await,
        Command::Stats => inspect::stats(&client).await,
        Command::Fault(fault) => fault::run(&client, fault).await,
    }
}
