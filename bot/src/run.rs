//! The bot from its first request to its last.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use database::OpenError;
use player::{Engine, Sources};
use sdk::checkpoint::Checkpoint;
use sdk::dispatch::{Dispatcher, Gateway, run_reload_handlers, run_timers, run_voice_handlers};
use sdk::host::{Host, HttpOf};
use sdk::serenity::all::{
    ApplicationId, Client, ClientBuilder, Context, EventHandler, GatewayIntents, Ready, ResumedEvent,
};
use sdk::serenity::async_trait;
use sdk::serenity::cache::Settings as CacheSettings;
use sdk::settings::{Environment, Settings};
use sdk::tokio::sync::broadcast;
use sdk::tokio::task::JoinSet;
use sdk::tokio::time::timeout;
use sdk::tracing::{info, warn};
use sdk::{serenity, tokio};

use crate::api::{Api, Scope as LimitScope, plain};
use crate::application::{self, Application};
use crate::backoff::BackOff;
use crate::config::{CommandScope, Config, Connection, Shards, Source};
use crate::failure::Failure;
use crate::gateway::{Refusal, Refusals, names, needed_intents};
use crate::health::{Health, Sessions as Account};
use crate::register::{Development, Layout, Registrar};
use crate::shards::{Division, Stop};
use crate::{held_gateway, intents, raw_events, reload, retention, shutdown, starts};

/// Messages cached per channel, so that the content of edited and deleted ones is known.
const CACHED_MESSAGES: usize = 1000;
/// Longest wait for starting plugins when the bot is shut down.
const STARTING_WITHIN: Duration = Duration::from_secs(2);
/// Longest wait for what the database is doing when the bot is shut down.
const CLOSED_WITHIN: Duration = Duration::from_millis(500);
/// Longest wait at the start for what servers have switched off.
const RULES_WITHIN: Duration = Duration::from_secs(5);
/// Further attempts to open the gateway while REST fails.
const ATTEMPTS: u32 = 5;

/// Runs the bot until `shutdown` is ready, Discord refuses it, or another host replaces it. Returns that host.
///
/// # Errors
/// A sentence, if the bot cannot continue.
pub(crate) async fn run(
    config: Config,
    source: Source,
    mut connection: Connection,
    mut refusals: Refusals,
    shutdown: impl Future<Output = ()>,
) -> Result<Option<reload::Next>, Failure> {
    tokio::pin!(shutdown);
    let discord = connection.api.as_ref().map_or_else(|| "discord.com".to_owned(), ToString::to_string);
    let (version, environment) = (env!("CARGO_PKG_VERSION"), config.environment.as_str());
    let env_file = source.path().map(|path| sdk::tracing::field::display(path.display()));
    info!(version, environment, discord, env_file, "hotcord starts");
    for warning in &config.warnings {
        warn!(%warning, "the configuration is doubtful");
    }

    if let Some(api) = connection.api.as_ref().filter(|_| !connection.plain) {
        plain::check(&api.to_string(), "DISCORD_API_URL").await.map_err(Failure::configuration)?;
    }
    let mut health = Health::open(config.health).await?;
    let api = Api::new(connection.token.clone(), connection.api.as_ref(), connection.plain).await;
    let api = Arc::new(api.map_err(Failure::other)?);
    let account = health.sessions();
    api.tell_waits(Box::new(move |scope, wait| account.limited(scope == LimitScope::Global, wait)));
    let (settings, application, layout) = tokio::select! {
        introduced = introduce(&config, &api) => introduced?,
        () = &mut shutdown => return Ok(None),
    };

    let state_file = reload::state_file(&config);
    let database = tokio::select! {
        database = config.database.open(state_file.as_deref()) => Arc::new(database.map_err(|error| unopened(&error))?),
        () = &mut shutdown => return Ok(None),
    };
    let host = {
        let builder = Host::builder(version, settings);
        let engine = Engine::new(builder.changes(), builder.voice_events());
        engine.set_sources(Sources::new(config.media.sources(config.environment, &connection)));
        builder
            .player(Arc::new(engine))
            .database(Some(database.clone()))
            .http_of(https_of_plugins(api.clone(), application.id))
            .observer(health.observer())
            .build()
    };
    health.watch(&host);
    let held = held_gateway::connect(&config, &mut connection).await?;
    api.keep_answers(host.answers(), held.as_ref().map(|held| held.answers.clone()));
    let checkpoint = match Checkpoint::open(&host, state_file, application.id.get()).await {
        Ok(checkpoint) => Some(checkpoint),
        Err(error) if config.database.is_configured() => {
            return Err(Failure::other(format!(
                "DATABASE_URL: what the bot remembers cannot be read: {error}."
            )));
        }
        Err(error) => {
            warn!(%error, "the database cannot be used, so nothing is remembered in this run");
            None
        }
    };

    #[cfg(feature = "hmr")]
    let _control = reload::open_control(&host, &config.reload);
    let (plugins, left_out) = {
        let plugins = reload::bring_in_plugins(&host, &config, source, &application);
        tokio::pin!(plugins);
        tokio::select! {
            brought = &mut plugins => brought?,
            () = &mut shutdown => {
                let _ = timeout(STARTING_WITHIN, plugins).await;
                shutdown::shut_down(&host, None, checkpoint.as_ref()).await;
                return Ok(None);
            }
        }
    };

    // No event arrives before this, so what a server has switched off is off from the first one on.
    let mut rules = host.servers().watch_rules();
    tokio::select! {
        loaded = timeout(RULES_WITHIN, rules.load()) => if loaded.is_err() {
            warn!(ms = RULES_WITHIN.as_millis(), "the bot starts before what servers have switched off is known");
        },
        () = &mut shutdown => {
            shutdown::shut_down(&host, None, checkpoint.as_ref()).await;
            return Ok(None);
        }
    }
    let intents = needed_intents(&host.registry().snapshot(), host.settings().prefix.as_deref());
    host.set_intents(intents);
    let division = Division::new(&host, database.clone(), application.id);
    let sessions =
        Sessions { arrival: plugins.arrival(), account: health.sessions(), ready: division.ready() };
    let mut client = tokio::select! {
        client = client(&host, &api, intents, &connection, sessions) => client?,
        () = &mut shutdown => {
            shutdown::shut_down(&host, None, checkpoint.as_ref()).await;
            return Ok(None);
        }
    };
    client.http.set_application_id(application.id);
    let shards = client.shard_manager.clone();

    // The tasks of this run, which end when the set is dropped.
    let mut work = JoinSet::new();
    let http = Arc::clone(&client.http);
    #[cfg(feature = "hmr")]
    work.spawn(crate::feedback::run(host.clone(), http.clone()));
    work.spawn(retention::run(host.clone(), http.clone(), config.retention));
    work.spawn(Registrar::new(host.clone(), &api, http, application.id, layout, left_out).run());
    work.spawn(rules.follow());
    work.spawn(raw_events::follow(host.clone(), held.as_ref().map(|held| held.raw_events.clone())));
    work.spawn(run_timers(host.clone()));
    work.spawn(run_reload_handlers(host.clone()));
    work.spawn(run_voice_handlers(host.clone()));
    // Calls that are under way at the end wait for what they set to be written, so this ends last.
    let mut keeping = JoinSet::new();
    if let Some(checkpoint) = &checkpoint {
        keeping.spawn(checkpoint.clone().keep());
    }
    work.spawn(intents::watch(host.clone(), intents));

    let account = health.sessions();
    let outcome = tokio::select! {
        outcome = connect(&mut client, &config, &connection, &account, &division) => outcome.map(|()| None),
        Some(refusal) = refusals.recv() => Err(Ending::Refused(refusal)),
        () = &mut shutdown => Ok(None),
        next = plugins.wait_for_successor() => Ok(Some(next.close())),
    };
    // No reload and no registration happens while plugins are stopped.
    #[allow(clippy::drop_non_drop)] // It has fields in builds with hot reload.
    drop(plugins);
    work.shutdown().await;
    // After a refusal there is no session to close.
    shutdown::shut_down(&host, outcome.is_ok().then_some(&shards), checkpoint.as_ref()).await;
    division.leave().await;
    if let Some(held) = held {
        held.shut_down().await;
    }
    keeping.shutdown().await;
    if timeout(CLOSED_WITHIN, database.close()).await.is_err() {
        warn!(ms = CLOSED_WITHIN.as_millis(), "the database is still busy");
    }
    outcome.map_err(|ending| match ending {
        Ending::Refused(refusal) => {
            Failure::configuration(refusal.sentence(intents, &host.registry().snapshot(), application.id))
        }
        Ending::Failed(failure) => failure,
    })
}

/// Words the end of a bot whose database cannot be opened. A server may answer at the next start.
fn unopened(error: &OpenError) -> Failure {
    let is_temporary = matches!(error, OpenError::Unreachable { .. });
    let sentence = format!("DATABASE_URL: {error}.");
    if is_temporary { Failure::other(sentence) } else { Failure::configuration(sentence) }
}

/// Why the gateway is no longer connected.
enum Ending {
    Refused(Refusal),
    Failed(Failure),
}

/// Requests the bot's application. Returns the settings that follow, the application, and where commands are registered.
async fn introduce(config: &Config, api: &Api) -> Result<(Settings, Application, Layout), Failure> {
    let http = api.http();
    let application = Application::fetch(&http, config.environment).await?;
    let mut settings = config.settings();
    if settings.owners.is_empty() {
        settings.owners.clone_from(&application.owners);
    }
    let development = if settings.environment == Environment::Production {
        None
    } else {
        let guild = match settings.test_guild {
            Some(guild) => guild,
            None => application::only_guild(&http).await?,
        };
        settings.test_guild = Some(guild);
        // A command that is registered globally in a sandbox reaches no real user.
        let by_default = if application.is_in_sandbox { CommandScope::Split } else { CommandScope::Guild };
        let scope = config.commands.scope.unwrap_or(by_default);
        Some(Development { guild, scope, grace: config.commands.grace })
    };
    let layout = Layout { development, installs: application.installs.clone() };
    Ok((settings, application, layout))
}

/// Creates an HTTP client for each plugin, so that the relay can attribute waiting requests.
pub(crate) fn https_of_plugins(api: Arc<Api>, application: ApplicationId) -> HttpOf {
    Box::new(move |plugin| match api.http_of(plugin) {
        Ok(http) => {
            http.set_application_id(application);
            Some(http)
        }
        Err(error) => {
            warn!(%plugin, %error, "the plugin's requests go without its name");
            None
        }
    })
}

/// Creates serenity's client for a host's plugins. `sessions` receives events as well.
pub(crate) async fn client(
    host: &Host,
    api: &Api,
    intents: GatewayIntents,
    connection: &Connection,
    sessions: impl EventHandler + 'static,
) -> Result<Client, Failure> {
    let mut cache = CacheSettings::default();
    cache.max_messages = CACHED_MESSAGES;
    let client = ClientBuilder::new_with_http(api.http(), intents)
        .cache_settings(cache)
        .framework(Dispatcher::new(host.clone()))
        .event_handler(sessions)
        .voice_manager_arc(Arc::new(Gateway::new(host.clone())))
        .await
        .map_err(|error| Failure::other(format!("The gateway client cannot be made: {error}.")))?;
    if let Some(gateway) = &connection.gateway {
        gateway.as_str().clone_into(&mut *client.ws_url.lock().await);
    }
    let gateway = client.ws_url.lock().await.clone();
    if !connection.plain {
        plain::check(&gateway, "The gateway's address (DISCORD_GATEWAY_URL, or what the server names)")
            .await
            .map_err(Failure::configuration)?;
    }
    info!(gateway, intents = names(intents), "connecting");
    Ok(client)
}

/// Opens the shards of this process and keeps them open. Returns when they are closed permanently.
async fn connect(
    client: &mut Client,
    config: &Config,
    connection: &Connection,
    account: &Account,
    division: &Division,
) -> Result<(), Ending> {
    let mut waits = BackOff::new(ATTEMPTS, config.environment);
    loop {
        match open(client, config, connection, account, division).await {
            Ok(()) => return Ok(()),
            Err(Stop::Database(error)) => {
                let sentence = format!("The shards cannot be divided over the bot's processes: {error}.");
                return Err(Ending::Failed(Failure::other(sentence)));
            }
            Err(Stop::Discord(serenity::Error::Gateway(error))) => {
                return Err(match Refusal::from_error(&error) {
                    Some(refusal) => Ending::Refused(refusal),
                    None => {
                        Ending::Failed(Failure::other(format!("The gateway connection has ended: {error}.")))
                    }
                });
            }
            // Only GET /gateway/bot can fail in this way, before any shard is open.
            Err(Stop::Discord(error)) => {
                let problem = application::problem(&error).map_err(Ending::Failed)?;
                let Some(wait) = waits.next() else {
                    return Err(Ending::Failed(Failure::other(format!(
                        "The gateway cannot be opened: {problem}."
                    ))));
                };
                warn!(problem, again_in_ms = wait.as_millis(), "the gateway cannot be opened yet");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// Opens the shards as soon as Discord allows that many sessions. A configured gateway has limits of its own.
async fn open(
    client: &mut Client,
    config: &Config,
    connection: &Connection,
    account: &Account,
    division: &Division,
) -> Result<(), Stop> {
    let is_limited = connection.gateway.is_none();
    let sessions = match &config.shards {
        Shards::Fixed { ids, .. } => u32::try_from(ids.len()).ok(),
        Shards::All | Shards::Auto => None,
    };
    let starts = starts::allowed(&client.http, account, sessions, is_limited).await?;
    division.run(client, &config.shards, config.database.is_shared(), &starts, account).await
}

/// Reports sessions when they begin and resume.
struct Sessions {
    arrival: reload::Arrival,
    account: Account,
    ready: broadcast::Sender<u32>,
}

#[async_trait]
impl EventHandler for Sessions {
    async fn ready(&self, ctx: Context, ready: Ready) {
        let (user, guilds, shard) = (ready.user.tag(), ready.guilds.len(), ctx.shard_id.0);
        info!(user, guilds, shard, "ready");
        self.account.ready(shard, ready.shard.map_or(1, |shard| shard.total));
        self.arrival.tell();
        // Only a division of shards listens.
        let _ = self.ready.send(shard);
    }

    async fn resume(&self, ctx: Context, _: ResumedEvent) {
        info!(shard = ctx.shard_id.0, "session resumed, no event lost");
        self.account.resumed(ctx.shard_id.0);
    }
}

#[cfg(test)]
mod tests;
