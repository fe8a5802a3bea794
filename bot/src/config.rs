//! Typed configuration from the environment and `.env`, with every mistake told in one sentence.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use sdk::serenity::all::{GuildId, UserId};
use sdk::settings::{Environment, Settings};
use tracing_subscriber::EnvFilter;

pub(crate) use address::{ApiUrl, GatewayUrl};
pub(crate) use token::Token;

mod address;
mod source;
mod token;
mod value;

/// What is logged when `RUST_LOG` says nothing: everything of ours, and of others what goes wrong.
const LOG_FILTER: &str = "info,serenity=warn,poise=warn,songbird=warn,symphonia=warn,hyper=warn,hyper_util=warn,\
                          reqwest=warn,rustls=warn,tungstenite=warn,tokio_tungstenite=warn,notify=warn";

/// Every variable of hot reload; one that is not here but begins the same way is taken for a misspelling.
const RELOAD_VARIABLES: &[&str] = &["ENABLE_HMR", "HMR_DEBOUNCE_MS", "HMR_POLL_MS", "HMR_WORKSPACE"];

/// The bot's configuration.
#[derive(Debug)]
pub(crate) struct Config {
    /// Mode the bot runs in.
    pub(crate) environment: Environment,
    /// Where Discord is; `None` means the local Discord inside this binary.
    pub(crate) connection: Option<Connection>,
    /// Guild that development commands are registered to.
    pub(crate) test_guild: Option<GuildId>,
    /// Users who may run owner-only commands; empty means those whom Discord names.
    pub(crate) owners: BTreeSet<UserId>,
    /// Prefix of text commands.
    pub(crate) prefix: Option<String>,
    /// Hot reload.
    pub(crate) reload: Reload,
    /// Directives for the log.
    pub(crate) log_filter: String,
    /// Every other variable that does not look like a secret, for plugins.
    pub(crate) variables: BTreeMap<String, String>,
    /// What deserves a word but stops nothing.
    pub(crate) warnings: Vec<String>,
}

/// Where Discord is, and as whom the bot goes there.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// The bot's token.
    pub(crate) token: Token,
    /// REST server in Discord's stead.
    pub(crate) api: Option<ApiUrl>,
    /// Gateway in place of the one that the REST server names.
    pub(crate) gateway: Option<GatewayUrl>,
}

/// Settings of hot reload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "hmr"), allow(dead_code))] // Checked in every build, so that a mistake is told in every build.
pub(crate) struct Reload {
    /// Whether changes are watched for.
    pub(crate) enabled: bool,
    /// Time that has to pass without another save before a build starts.
    pub(crate) debounce: Option<Duration>,
    /// Time between two looks at the files; `None` means that the system tells of changes.
    pub(crate) poll: Option<Duration>,
    /// Folder of the repository; `None` means this folder or one above it.
    pub(crate) workspace: Option<PathBuf>,
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

impl Config {
    /// Reads the environment, and `.env` in this folder or one above it.
    pub(crate) fn load() -> Result<Self, Mistakes> {
        let folder = std::env::current_dir().ok();
        Self::from_variables(source::variables(std::env::vars_os(), folder.as_deref())?)
    }

    /// Makes a configuration of variables.
    pub(crate) fn from_variables(variables: BTreeMap<String, String>) -> Result<Self, Mistakes> {
        let mut reader = Reader { variables: &variables, mistakes: Vec::new() };
        let environment = reader.or_default("APP_ENV", value::environment);
        let test_guild = reader.read("TEST_GUILD_ID", value::guild);
        let owners = reader.or_default("OWNER_IDS", value::users);
        let prefix = reader.read("COMMAND_PREFIX", |text| Ok(text.to_owned()));
        let reload = Reload {
            enabled: reader.or_default("ENABLE_HMR", value::switch),
            debounce: reader.read("HMR_DEBOUNCE_MS", |text| value::milliseconds(text, 0..=10_000)),
            poll: reader.read("HMR_POLL_MS", |text| value::milliseconds(text, 10..=60_000)),
            workspace: reader.read("HMR_WORKSPACE", |text| Ok(PathBuf::from(text))),
        };
        let log_filter = reader.read("RUST_LOG", |text| {
            EnvFilter::try_new(text)
                .map(|_| text.to_owned())
                .map_err(|error| format!("is no log filter ({error}); write it like 'info,serenity=debug'"))
        });
        let connection = reader.connection(environment, test_guild);

        if !reader.mistakes.is_empty() {
            return Err(Mistakes(reader.mistakes));
        }
        Ok(Self {
            environment,
            connection,
            test_guild,
            owners,
            prefix,
            reload,
            log_filter: log_filter.unwrap_or_else(|| LOG_FILTER.to_owned()),
            warnings: misspelt(&variables),
            variables: variables.into_iter().filter(|(name, _)| !is_secret(name)).collect(),
        })
    }

    /// Gives what plugins may know of it.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            environment: self.environment,
            test_guild: self.test_guild,
            owners: self.owners.clone(),
            prefix: self.prefix.clone(),
            variables: self.variables.clone(),
        }
    }
}

/// Reads variables and gathers what is wrong with them.
struct Reader<'a> {
    variables: &'a BTreeMap<String, String>,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    /// Gives a variable as it stands; an empty one counts as not set.
    fn raw(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
    }

    /// Reads a variable; `parse` says what is wrong with it, to follow "NAME is 'value', which".
    fn read<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.raw(name)?.trim();
        match parse(text) {
            Ok(value) => Some(value),
            Err(wrong) => {
                let shown = value::shown(text, self.raw("DISCORD_TOKEN"));
                self.mistakes.push(format!("{name} is {shown}, which {wrong}."));
                None
            }
        }
    }

    fn or_default<T: Default>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        self.read(name, parse).unwrap_or_default()
    }

    fn connection(&mut self, environment: Environment, test_guild: Option<GuildId>) -> Option<Connection> {
        let api = self.read("DISCORD_API_URL", ApiUrl::parse);
        let gateway = self.read("DISCORD_GATEWAY_URL", GatewayUrl::parse);
        let elsewhere = self.raw("DISCORD_API_URL").is_some();
        let Some(raw) = self.raw("DISCORD_TOKEN") else {
            self.no_token(elsewhere);
            return None;
        };
        // A server that only stands in for Discord gives out tokens of whatever shape.
        let token = match Token::parse(raw, !elsewhere) {
            Ok(token) => Some(token),
            Err(wrong) => {
                self.mistakes.push(format!("DISCORD_TOKEN {wrong}."));
                None
            }
        };
        if environment != Environment::Production
            && !elsewhere
            && test_guild.is_none()
            && self.raw("TEST_GUILD_ID").is_none()
        {
            self.mistakes.push(format!(
                "TEST_GUILD_ID is not set, and in {} commands are registered to that guild alone; set it to the \
                 id of your test server, or APP_ENV=production to register commands everywhere.",
                environment.as_str()
            ));
        }
        Some(Connection { token: token?, api: api.flatten(), gateway })
    }

    fn no_token(&mut self, elsewhere: bool) {
        if elsewhere {
            self.mistakes.push(
                "DISCORD_TOKEN is not set, and the server that DISCORD_API_URL names wants one; set it to a token \
                 that this server knows."
                    .to_owned(),
            );
        } else if !cfg!(feature = "sandbox") {
            self.mistakes.push(
                "DISCORD_TOKEN is not set; set it to your bot's token from \
                 https://discord.com/developers/applications, or run `./dev-env.sh hmr --local`, which brings a \
                 Discord of its own."
                    .to_owned(),
            );
        } else if self.raw("DISCORD_GATEWAY_URL").is_some() {
            self.mistakes.push(
                "DISCORD_GATEWAY_URL is set, but neither DISCORD_TOKEN nor DISCORD_API_URL is; set these too, or \
                 none of the three to use the local Discord."
                    .to_owned(),
            );
        }
    }
}

/// Says whether a variable's name looks like that of a secret, which plugins do not get to see.
fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "KEY"].iter().any(|word| name.contains(word))
}

/// Gives a sentence for each variable that looks like one of hot reload but is none.
fn misspelt(variables: &BTreeMap<String, String>) -> Vec<String> {
    variables
        .keys()
        .filter(|name| name.starts_with("HMR_") && !RELOAD_VARIABLES.contains(&name.as_str()))
        .filter_map(|name| {
            let nearest = RELOAD_VARIABLES.iter().min_by_key(|known| value::distance(name, known))?;
            Some(format!("{name} is not a variable of hot reload and is ignored; did you mean {nearest}?"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.abcdefghijklmnopqrstuvwxyz0123456789AB";

    fn with(more: &[(&str, &str)]) -> Result<Config, Mistakes> {
        let mut variables = BTreeMap::from([
            ("DISCORD_TOKEN".to_owned(), TOKEN.to_owned()),
            ("TEST_GUILD_ID".to_owned(), "41771983423143937".to_owned()),
        ]);
        variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Config::from_variables(variables)
    }

    fn mistake(name: &str, value: &str) -> String {
        let Mistakes(mistakes) = with(&[(name, value)]).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].starts_with(name), "{mistakes:?}");
        mistakes[0].clone()
    }

    #[test]
    fn what_is_left_out_has_a_safe_default() {
        let config = with(&[("ENABLE_HMR", ""), ("RUST_LOG", " ")]).unwrap();
        assert_eq!(config.environment, Environment::Development);
        assert_eq!(config.reload, Reload::default());
        assert_eq!(config.prefix, None);
        assert_eq!(config.log_filter, LOG_FILTER);
        assert_eq!(config.warnings, Vec::<String>::new());
        let connection = config.connection.unwrap();
        assert!(connection.api.is_none() && connection.gateway.is_none());
        assert!(EnvFilter::try_new(LOG_FILTER).is_ok());
    }

    #[test]
    fn every_variable_is_read() {
        let config = with(&[
            ("APP_ENV", "Testing"),
            ("OWNER_IDS", "1, 2 3,,"),
            ("ENABLE_HMR", "ON"),
            ("HMR_DEBOUNCE_MS", "25"),
            ("HMR_POLL_MS", "500"),
            ("HMR_WORKSPACE", "/somewhere"),
            ("COMMAND_PREFIX", "!"),
            ("RUST_LOG", "debug,serenity=off"),
            ("DISCORD_API_URL", "http://127.0.0.1:3000/api/v10/"),
            ("DISCORD_GATEWAY_URL", "ws://127.0.0.1:7878"),
        ])
        .unwrap();
        assert_eq!(config.environment, Environment::Testing);
        assert_eq!(config.owners, [1, 2, 3].map(UserId::new).into());
        assert_eq!(config.test_guild, Some(GuildId::new(41_771_983_423_143_937)));
        assert_eq!(
            config.reload,
            Reload {
                enabled: true,
                debounce: Some(Duration::from_millis(25)),
                poll: Some(Duration::from_millis(500)),
                workspace: Some("/somewhere".into()),
            }
        );
        assert_eq!(config.prefix.as_deref(), Some("!"));
        assert_eq!(config.log_filter, "debug,serenity=off");
        let connection = config.connection.unwrap();
        assert_eq!(connection.api.unwrap().to_string(), "http://127.0.0.1:3000");
        assert_eq!(connection.gateway.unwrap().as_str(), "ws://127.0.0.1:7878/");
        assert_eq!(connection.token.expose(), TOKEN);
    }

    #[test]
    fn the_example_file_names_every_variable_with_a_value_that_will_do() {
        let file = include_str!("../../.env.example");
        let commented = file.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
        let shown: Vec<_> = commented.filter(|(name, _)| !name.contains(' ')).collect();
        let known = ["DISCORD_TOKEN", "DISCORD_API_URL", "DISCORD_GATEWAY_URL", "APP_ENV", "TEST_GUILD_ID"];
        let known = known.iter().chain(&["OWNER_IDS", "COMMAND_PREFIX", "RUST_LOG"]).chain(RELOAD_VARIABLES);
        for name in known {
            assert!(shown.iter().any(|(shown, _)| shown == name), "{name} is not in .env.example");
        }
        let filled: Vec<_> = shown.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let config = with(&filled).unwrap();
        assert_eq!(config.warnings, Vec::<String>::new());
        assert_eq!(config.environment, Environment::default());
        assert_eq!(config.reload.debounce, Some(Duration::from_millis(2)));
    }

    #[test]
    fn switches_take_the_usual_words() {
        for (word, on) in
            [("true", true), ("1", true), ("YES", true), ("no", false), ("0", false), ("off", false)]
        {
            assert_eq!(with(&[("ENABLE_HMR", word)]).unwrap().reload.enabled, on, "{word}");
        }
    }

    #[test]
    fn each_mistake_names_the_variable_what_it_held_and_the_way_out() {
        for (name, value, way_out) in [
            ("APP_ENV", "prod", "development, production or testing"),
            ("TEST_GUILD_ID", "my server", "Copy Server ID"),
            ("TEST_GUILD_ID", "0", "Copy Server ID"),
            ("OWNER_IDS", "12 alice", "entry 2 is none"),
            ("ENABLE_HMR", "maybe", "use true or false"),
            ("HMR_DEBOUNCE_MS", "fast", "use a whole number of milliseconds from 0 to 10000"),
            ("HMR_DEBOUNCE_MS", "99999", "from 0 to 10000"),
            ("HMR_POLL_MS", "0", "leave it unset"),
            ("RUST_LOG", "info,=[", "write it like"),
            ("DISCORD_API_URL", "localhost:3000", "begin it with http:// or https://"),
            ("DISCORD_GATEWAY_URL", "http://localhost:3000", "begin it with ws:// or wss://"),
        ] {
            let sentence = mistake(name, value);
            assert!(sentence.contains(&format!("'{value}'")), "{sentence}");
            assert!(sentence.contains(way_out), "{sentence}");
            assert!(sentence.ends_with('.') && !sentence.contains('\n'), "{sentence}");
        }
    }

    #[test]
    fn all_mistakes_are_told_together() {
        let Mistakes(mistakes) =
            with(&[("APP_ENV", "x"), ("ENABLE_HMR", "x"), ("DISCORD_TOKEN", "x")]).unwrap_err();
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    }

    #[test]
    fn a_wrong_token_is_told_and_never_shown() {
        for (token, words) in [
            (format!("Bot {TOKEN}"), "begins with \"Bot \""),
            (format!("\"{TOKEN}\""), "quotes"),
            (format!("{TOKEN}\n"), "white space"),
            ("c0ffee".repeat(8), "three parts"),
            (TOKEN.replace('.', "..."), "three parts"),
        ] {
            let sentence = mistake("DISCORD_TOKEN", &token);
            assert!(sentence.contains(words), "{sentence}");
            assert!(!sentence.contains("GhIjKl") && !sentence.contains("c0ffee"), "{sentence}");
        }
    }

    #[test]
    fn a_token_in_the_wrong_place_is_not_shown() {
        for name in ["TEST_GUILD_ID", "OWNER_IDS", "DISCORD_API_URL", "APP_ENV"] {
            let sentence = mistake(name, TOKEN);
            assert!(!sentence.contains("abcdefgh"), "{sentence}");
        }
        let Mistakes(mistakes) =
            with(&[("DISCORD_TOKEN", "sandbox-token"), ("OWNER_IDS", "sandbox-token")]).unwrap_err();
        assert!(!mistakes.concat().contains("sandbox-token"), "{mistakes:?}");
    }

    #[test]
    fn another_server_may_have_tokens_of_another_shape() {
        let url = ("DISCORD_API_URL", "http://127.0.0.1:1");
        assert!(with(&[url, ("DISCORD_TOKEN", "anything"), ("TEST_GUILD_ID", "")]).is_ok());
        assert!(mistake("DISCORD_TOKEN", "x y").contains("white space"));
    }

    #[test]
    fn development_against_discord_wants_a_test_guild_and_production_does_not() {
        assert!(mistake("TEST_GUILD_ID", "").contains("APP_ENV=production"));
        assert!(with(&[("TEST_GUILD_ID", ""), ("APP_ENV", "production")]).is_ok());
    }

    #[test]
    fn without_a_token_there_are_two_ways_out() {
        let found = with(&[("DISCORD_TOKEN", ""), ("TEST_GUILD_ID", "")]);
        if cfg!(feature = "sandbox") {
            assert!(found.unwrap().connection.is_none());
        } else {
            let Mistakes(mistakes) = found.unwrap_err();
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            assert!(mistakes[0].contains("developers/applications"), "{mistakes:?}");
            assert!(mistakes[0].contains("./dev-env.sh hmr --local"), "{mistakes:?}");
        }
    }

    #[test]
    fn a_misspelt_variable_of_hot_reload_is_told_with_the_nearest_name() {
        let warnings = with(&[("HMR_DEBOUNCE", "5"), ("HMR_POLLMS", "5")]).unwrap().warnings;
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(
            warnings[0].contains("HMR_DEBOUNCE is") && warnings[0].contains("HMR_DEBOUNCE_MS?"),
            "{warnings:?}"
        );
        assert!(warnings[1].contains("HMR_POLL_MS?"), "{warnings:?}");
    }

    #[test]
    fn plugins_see_variables_but_no_secrets() {
        let config =
            with(&[("LOG_CHANNEL", "7"), ("api_key", "x"), ("DB_PASSWORD", "x"), ("MY_SECRET", "x")])
                .unwrap();
        let settings = config.settings();
        assert_eq!(settings.variable("LOG_CHANNEL"), Some("7"));
        for name in ["api_key", "DB_PASSWORD", "MY_SECRET", "DISCORD_TOKEN"] {
            assert_eq!(settings.variable(name), None, "{name}");
        }
        assert!(!format!("{config:?}").contains("GhIjKl"));
    }
}
