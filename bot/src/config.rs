//! Typed configuration from the environment and `.env`, with one sentence for every mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sdk::serenity::all::{ChannelId, GuildId, UserId};
use sdk::settings::{Environment, Settings};
use tracing_subscriber::EnvFilter;

pub(crate) use address::{ApiUrl, GatewayUrl};
#[cfg(feature = "hmr")]
pub(crate) use changes::{Changes, changes};
pub(crate) use commands::{CommandScope, Commands};
pub(crate) use database::Database;
pub(crate) use health::Health;
pub(crate) use hold_gateway::HoldGateway;
pub(crate) use media::Media;
use reader::Reader;
pub(crate) use reload::Reload;
pub(crate) use shards::Shards;
pub(crate) use source::Source;
pub(crate) use token::Token;
#[cfg(any(feature = "hmr", feature = "sandbox"))]
pub(crate) use value_error::TokenError;
pub(crate) use value_error::ValueError;

mod address;
#[cfg(any(feature = "hmr", test))]
mod changes;
mod commands;
mod database;
mod env_file;
mod former;
mod health;
mod hold_gateway;
mod list;
mod media;
mod reader;
mod reload;
mod shards;
mod source;
#[cfg(test)]
mod tests;
mod token;
mod token_file;
mod value;
mod value_error;

/// Default of `RUST_LOG`: all messages of this project at `info`, and warnings or errors of others.
///
/// symphonia warns about each place in a user's file that it cannot read, hundreds of times per file. The important
/// part of that is shown to the user. notify warns about each watch that the system ended first, such as those of a
/// deleted folder.
const LOG_FILTER: &str = "info,serenity=warn,poise=warn,songbird=warn,symphonia=off,hyper=warn,hyper_util=warn,\
                          reqwest=warn,rustls=warn,tungstenite=warn,tokio_tungstenite=warn,notify=error";

/// Default of `RETENTION_DAYS`.
const RETENTION_DAYS: u64 = 30;
/// Most days, a hundred years.
const MOST_DAYS: u64 = 36_500;
/// Default of `STATE_FILE`, below the workspace.
const STATE_FILE: &str = ".hotcord/state.json";

/// All variables that the bot itself reads, besides those of hot reload.
#[cfg(test)]
const VARIABLES: &[&str] = &[
    "ALLOW_PLAIN_HTTP",
    "APP_ENV",
    "COMMAND_GRACE_MS",
    "COMMAND_PREFIX",
    "COMMAND_SCOPE",
    "DATABASE_URL",
    "DEV_CHANNEL_ID",
    "DISCORD_API_URL",
    "DISCORD_GATEWAY_URL",
    "DISCORD_TOKEN",
    "DISCORD_TOKEN_FILE",
    "GATEWAY_ADDR",
    "HEALTH_ADDR",
    "HOLD_GATEWAY",
    "LRCLIB_URL",
    "MEDIA_ALLOW_HOSTS",
    "MEDIA_DENY_HOSTS",
    "MUSIC_DIR",
    "OWNER_IDS",
    "RUST_LOG",
    "RETENTION_DAYS",
    "SHARDS",
    "SHARD_IDS",
    "STATE_FILE",
    "TEST_GUILD_ID",
    "YT_DLP",
];

/// The bot's configuration.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Mode the bot runs in.
    pub(crate) environment: Environment,
    /// The server; `None` means the local Discord inside this binary.
    pub(crate) connection: Option<Connection>,
    /// Guild that development commands are registered to.
    pub(crate) test_guild: Option<GuildId>,
    /// Users who may run owner-only commands; empty means the owners returned by Discord.
    pub(crate) owners: BTreeSet<UserId>,
    pub(crate) prefix: Option<String>,
    /// Channel for messages about reloads.
    pub(crate) dev_channel: Option<ChannelId>,
    /// How commands are registered.
    pub(crate) commands: Commands,
    pub(crate) reload: Reload,
    /// Sources of music.
    pub(crate) media: Media,
    /// Address of health and metrics.
    pub(crate) health: Health,
    /// Whether a gateway of its own stands between the bot and Discord.
    pub(crate) hold_gateway: HoldGateway,
    /// Where `hotcord gateway` listens.
    pub(crate) gateway_address: SocketAddr,
    /// Where everything is kept.
    pub(crate) database: Database,
    /// Shards of this process.
    pub(crate) shards: Shards,
    /// Time after which what is kept about a guild that the bot has left is erased; `None` if never.
    pub(crate) retention: Option<Duration>,
    /// State file of an earlier version, if configured.
    state_file: Option<PathBuf>,
    /// Directives for the log.
    pub(crate) log_filter: String,
    /// Every other variable that does not look like a secret, for plugins.
    pub(crate) variables: BTreeMap<String, String>,
    /// Warnings, which do not stop the bot.
    pub(crate) warnings: Vec<String>,
}

/// The server, and the token to use there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The bot's token.
    pub(crate) token: Token,
    /// REST server in place of Discord's.
    pub(crate) api: Option<ApiUrl>,
    /// Gateway in place of the one that the REST server returns.
    pub(crate) gateway: Option<GatewayUrl>,
    /// Whether the token may go to public addresses without TLS.
    pub(crate) plain: bool,
}

/// All mistakes found in the configuration, one sentence each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistakes(pub(crate) Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for mistake in &self.0 {
            write!(f, "{gap}{mistake}")?;
            gap = "\n";
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

impl Config {
    /// Creates a configuration from variables.
    pub(crate) fn from_variables(variables: BTreeMap<String, String>) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(&variables);
        let environment = reader.or_default("APP_ENV", value::environment);
        let test_guild = reader.read("TEST_GUILD_ID", value::guild);
        let owners = reader.or_default("OWNER_IDS", list::users);
        let prefix = reader.read("COMMAND_PREFIX", |text| Ok(text.to_owned()));
        let dev_channel = reader.read("DEV_CHANNEL_ID", value::channel);
        let commands = Commands::read(&mut reader);
        let mut reload = Reload::read(&mut reader);
        let state_file = reader.read("STATE_FILE", value::file);
        let database = Database::read(&mut reader);
        let shards = Shards::read(&mut reader, &database);
        let days = reader.read("RETENTION_DAYS", |text| value::number::<u64>(text, 0..=MOST_DAYS));
        let retention = Some(days.unwrap_or(RETENTION_DAYS)).filter(|days| *days > 0);
        let media = Media::read(&mut reader);
        let health = Health::read(&mut reader);
        let hold_gateway = reader.or_default("HOLD_GATEWAY", HoldGateway::parse);
        if shards == Shards::Auto && hold_gateway != HoldGateway::Off {
            reader.mistake(
                "HOLD_GATEWAY is set, but with SHARDS=auto shards move between processes, and a held gateway would keep \
                 theirs; leave HOLD_GATEWAY unset, or give each process its SHARD_IDS.",
            );
        }
        let gateway_address = reader.read("GATEWAY_ADDR", hold_gateway::address);
        let log_filter = reader.read("RUST_LOG", |text| {
            EnvFilter::try_new(text)
                .map(|_| text.to_owned())
                .map_err(|source| ValueError::LogFilter { source })
        });
        let connection = reader.connection(environment, test_guild);
        reader.finish()?;

        let mut warnings = reload::misspelt(&variables);
        warnings.extend(former::warnings(&variables));
        if reload.enabled && environment == Environment::Production {
            reload.enabled = false;
            let why = if cfg!(feature = "hmr") {
                "ENABLE_HMR is ignored, because APP_ENV is production; use APP_ENV=development to reload on save."
            } else {
                "this binary was built without hot reload; ENABLE_HMR is ignored"
            };
            warnings.push(why.to_owned());
        }
        if environment == Environment::Production
            && commands.scope.is_some_and(|scope| scope != CommandScope::Global)
        {
            warnings.push(
                "COMMAND_SCOPE is ignored, because in production commands are registered globally."
                    .to_owned(),
            );
        }
        Ok(Self {
            environment,
            connection,
            test_guild,
            owners,
            prefix,
            dev_channel,
            commands,
            reload,
            media,
            health,
            hold_gateway,
            gateway_address: gateway_address.unwrap_or(hold_gateway::ADDRESS),
            database,
            shards,
            retention: retention.map(|days| Duration::from_hours(24 * days)),
            state_file,
            log_filter: log_filter.unwrap_or_else(|| LOG_FILTER.to_owned()),
            warnings,
            variables: variables.into_iter().filter(|(name, _)| !is_secret(name)).collect(),
        })
    }

    /// Returns the part of the configuration that plugins can read.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            environment: self.environment,
            test_guild: self.test_guild,
            owners: self.owners.clone(),
            prefix: self.prefix.clone(),
            dev_channel: self.dev_channel,
            variables: self.variables.clone(),
        }
    }

    /// Returns the state file of an earlier version, which is taken over, and beside which the database is by default. Hot
    /// reload in `workspace` has one by default.
    pub(crate) fn state_file(&self, workspace: Option<&Path>) -> Option<PathBuf> {
        let by_default = || workspace.filter(|_| self.reload.enabled).map(|folder| folder.join(STATE_FILE));
        self.state_file.clone().or_else(by_default)
    }
}

/// Reads a file to its end; `None` if it is longer than `limit` bytes.
fn read_at_most(file: File, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Returns whether a variable's name looks like that of a secret, which plugins cannot read.
fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    // Addresses of databases and error trackers contain a password, or are one.
    let whole = ["DATABASE_URL", "REDIS_URL", "MONGODB_URI", "AUTH", "DSN"];
    ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "KEY"]
        .iter()
        .any(|word| name.contains(word))
        || whole.iter().any(|word| name == *word || name.ends_with(&format!("_{word}")))
}
