//! The configuration as a whole: every variable, every mistake, every default.

use std::time::Duration;

use player::source::HostList;
use tracing_subscriber::layer::SubscriberExt as _;

use super::reload::{OnIncompatible, RELOAD_VARIABLES};
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
    assert_eq!(config.health, Health::Usual);
    assert!(config.health.address().is_some_and(|address| address.ip().is_loopback()));
    assert_eq!(config.warnings, Vec::<String>::new());
    let connection = config.connection.unwrap();
    assert!(connection.api.is_none() && connection.gateway.is_none());
    assert!(EnvFilter::try_new(LOG_FILTER).is_ok());
}

#[test]
fn neither_a_users_file_nor_a_deleted_folder_fills_the_log() {
    let registry = tracing_subscriber::registry().with(EnvFilter::new(LOG_FILTER));
    tracing::subscriber::with_default(registry, || {
        assert!(!tracing::enabled!(target: "symphonia_bundle_mp3::demuxer", tracing::Level::WARN));
        assert!(!tracing::enabled!(target: "symphonia_core::probe", tracing::Level::ERROR));
        assert!(!tracing::enabled!(target: "notify::inotify", tracing::Level::WARN));
        assert!(tracing::enabled!(target: "notify::inotify", tracing::Level::ERROR));
        assert!(tracing::enabled!(target: "songbird::driver", tracing::Level::WARN));
        assert!(!tracing::enabled!(target: "songbird::driver", tracing::Level::INFO));
        assert!(tracing::enabled!(target: "player::engine", tracing::Level::INFO));
    });
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
        ("HMR_IGNORE", "*.tmp, /notes/"),
        ("HMR_EXTENSIONS", ".rs,ftl"),
        ("HMR_PRESERVE_STATE", "off"),
        ("HMR_INCOMPATIBLE_STATE", "Default"),
        ("HMR_VALIDATE", "no"),
        ("HMR_RELOAD_DEPENDENTS", "false"),
        ("HMR_HANDOVER_MS", "0"),
        ("HMR_MAX_RETRIES", "10"),
        ("HMR_PROBATION_CALLS", "0"),
        ("HMR_PROBATION_MS", "1000"),
        ("HMR_STOP_MS", "250"),
        ("HMR_MEMORY_MB", "64"),
        ("DEV_CHANNEL_ID", "99"),
        ("RETENTION_DAYS", "7"),
        ("STATE_FILE", "/var/lib/hotcord.json"),
        ("MUSIC_DIR", "/srv/music"),
        ("YT_DLP", "/usr/bin/yt-dlp"),
        ("MEDIA_ALLOW_HOSTS", "radio.lan, 10.0.0.0/8"),
        ("MEDIA_DENY_HOSTS", "203.0.113.7 [2001:db8::1]:80"),
        ("COMMAND_PREFIX", "!"),
        ("COMMAND_SCOPE", "Split"),
        ("COMMAND_GRACE_MS", "0"),
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
            ignore: vec!["*.tmp".to_owned(), "/notes/".to_owned()],
            extensions: Some(vec!["rs".to_owned(), "ftl".to_owned()]),
            preserve_state: Some(false),
            on_incompatible: OnIncompatible::Default,
            validate: Some(false),
            dependents: Some(false),
            handover: Some(Duration::ZERO),
            retries: Some(10),
            probation_calls: Some(0),
            probation: Some(Duration::from_secs(1)),
            hook_deadline: Some(Duration::from_millis(250)),
            memory: Some(64),
        }
    );
    assert_eq!(config.prefix.as_deref(), Some("!"));
    assert_eq!(config.commands, Commands { scope: Some(CommandScope::Split), grace: Duration::ZERO });
    assert_eq!(config.settings().dev_channel, Some(ChannelId::new(99)));
    assert_eq!(config.state_file(None), Some("/var/lib/hotcord.json".into()));
    assert_eq!(config.retention, Some(Duration::from_hours(7 * 24)));
    assert_eq!(
        config.media,
        Media {
            music: Some("/srv/music".into()),
            yt_dlp: Some("/usr/bin/yt-dlp".into()),
            allow: HostList::parse("radio.lan,10.0.0.0/8").unwrap(),
            deny: HostList::parse("203.0.113.7,[2001:db8::1]:80").unwrap(),
        }
    );
    assert_eq!(config.log_filter, "debug,serenity=off");
    let connection = config.connection.unwrap();
    assert_eq!(connection.api.unwrap().to_string(), "http://127.0.0.1:3000");
    assert_eq!(connection.gateway.unwrap().as_str(), "ws://127.0.0.1:7878/");
    assert_eq!(connection.token.expose(), TOKEN);
}

#[test]
fn the_example_file_names_every_variable_with_a_value_that_will_do() {
    let file = include_str!("../../../.env.example");
    let commented = file.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
    let shown: Vec<_> = commented.filter(|(name, _)| !name.contains(' ')).collect();
    for name in VARIABLES.iter().chain(RELOAD_VARIABLES) {
        assert!(shown.iter().any(|(shown, _)| shown == name), "{name} is not in .env.example");
    }
    // The file is an alternative to the token of `with`.
    let filled: Vec<_> = shown
        .into_iter()
        .filter(|(name, value)| !value.is_empty() && *name != "DISCORD_TOKEN_FILE")
        .collect();
    let config = with(&filled).unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.environment, Environment::default());
    assert_eq!(config.reload.debounce, Some(Duration::from_millis(2)));
}

#[test]
fn the_documentation_lists_every_variable_and_former_name() {
    let page = include_str!("../../../docs/configuration.md");
    let listed: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    for name in VARIABLES.iter().chain(RELOAD_VARIABLES) {
        assert!(listed.contains(name), "{name} is not in docs/configuration.md");
    }
    for (former, current) in former::FORMER_NAMES {
        let row = format!("| `{former}` | `{current}` |");
        assert!(page.contains(&row), "docs/configuration.md has no row {row}");
    }
}

#[test]
fn compose_passes_every_variable_on() {
    let file = include_str!("../../../docker-compose.dev.yml");
    let passed: Vec<_> = file.lines().filter_map(|line| line.trim().strip_prefix("- ")).collect();
    let former = former::FORMER_NAMES.iter().map(|(former, _)| former);
    // These two are fixed there.
    let fixed = ["ENABLE_HMR", "HMR_WORKSPACE"];
    for name in VARIABLES.iter().chain(RELOAD_VARIABLES).chain(former).filter(|name| !fixed.contains(name)) {
        assert!(passed.contains(name), "{name} is not in docker-compose.dev.yml");
    }
}

#[test]
fn a_former_name_works_with_a_warning_that_has_the_present_one() {
    let config = with(&[("HMR_UNFIT_STATE", "default")]).unwrap();
    assert_eq!(config.reload.on_incompatible, OnIncompatible::Default);
    assert_eq!(
        config.warnings,
        ["HMR_UNFIT_STATE is now called HMR_INCOMPATIBLE_STATE; the former name works for now."]
    );
    assert!(mistake("HMR_UNFIT_STATE", "keep").contains("use refuse"));
    let both = with(&[("HMR_UNFIT_STATE", "default"), ("HMR_INCOMPATIBLE_STATE", "refuse")]).unwrap();
    assert_eq!(both.reload.on_incompatible, OnIncompatible::Refuse);
    assert!(both.warnings[0].contains("is ignored"), "{:?}", both.warnings);
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
        ("COMMAND_SCOPE", "everywhere", "use guild, split or global"),
        ("COMMAND_GRACE_MS", "86400001", "from 0 to 86400000"),
        ("ENABLE_HMR", "maybe", "use true or false"),
        ("HMR_DEBOUNCE_MS", "fast", "use a whole number of milliseconds from 0 to 10000"),
        ("HMR_DEBOUNCE_MS", "99999", "from 0 to 10000"),
        ("HMR_POLL_MS", "5", "leave it unset"),
        ("HMR_IGNORE", "*.tmp,[a", "entry 2 is none"),
        ("HMR_EXTENSIONS", "rs,*", "entry 2 is none"),
        ("HMR_PRESERVE_STATE", "some", "use true or false"),
        ("HMR_INCOMPATIBLE_STATE", "keep", "use refuse to keep the old generation"),
        ("HMR_VALIDATE", "2", "use true or false"),
        ("HMR_RELOAD_DEPENDENTS", "all", "use true or false"),
        ("HMR_HANDOVER_MS", "10001", "from 0 to 10000"),
        ("HMR_MAX_RETRIES", "11", "a whole number from 0 to 10"),
        ("HMR_PROBATION_CALLS", "-1", "a whole number from 0"),
        ("HMR_PROBATION_MS", "1h", "from 0 to 3600000"),
        ("HMR_STOP_MS", "0", "from 10 to 60000"),
        ("HMR_MEMORY_MB", "0", "from 1 to 65536"),
        ("DEV_CHANNEL_ID", "#dev", "Copy Channel ID"),
        ("RETENTION_DAYS", "-1", "from 0 to 36500"),
        ("SHARDS", "many", "from 1 to 16384, or auto"),
        ("SHARDS", "0", "from 1 to 16384, or auto"),
        ("SHARDS", "auto", "set DATABASE_URL to postgres://"),
        ("SHARD_IDS", "0-3,x", "entry 2 is none"),
        ("SHARD_IDS", "3-0", "like '0-3,8'"),
        ("STATE_FILE", "state/", "name a file in it"),
        ("MUSIC_DIR", "Cargo.toml", "name the folder"),
        ("YT_DLP", "/", "name a file in it"),
        ("MEDIA_ALLOW_HOSTS", "radio.lan,http://x", "entry 2 is none"),
        ("MEDIA_DENY_HOSTS", "10.0.0.0/33", "entry 1 is none"),
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
fn shards_are_all_or_some_or_divided_by_the_processes_themselves() {
    assert_eq!(with(&[]).unwrap().shards, Shards::All);
    let all = Shards::Fixed { total: 3, ids: [0, 1, 2].into() };
    assert_eq!(with(&[("SHARDS", "3")]).unwrap().shards, all);
    let some = Shards::Fixed { total: 12, ids: [0, 1, 2, 3, 8].into() };
    assert_eq!(with(&[("SHARDS", "12"), ("SHARD_IDS", "0-3, 8")]).unwrap().shards, some);
    let server = ("DATABASE_URL", "postgres://bot@localhost/bot");
    assert_eq!(with(&[("SHARDS", "Auto"), server]).unwrap().shards, Shards::Auto);
    for (variables, sentence) in [
        (vec![("SHARDS", "4"), ("SHARD_IDS", "0-4")], "with SHARDS=4 the ids are 0 to 3."),
        (vec![("SHARD_IDS", "0")], "SHARD_IDS is set, but SHARDS is not;"),
        (vec![("SHARDS", "auto"), ("SHARD_IDS", "0"), server], "leave SHARD_IDS unset."),
        (vec![("SHARDS", "auto"), ("HOLD_GATEWAY", "true"), server], "leave HOLD_GATEWAY unset,"),
    ] {
        let Mistakes(mistakes) = with(&variables).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].contains(sentence), "{mistakes:?}");
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
    if cfg!(any(feature = "sandbox", feature = "hmr")) {
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
    let config = with(&[
        ("LOG_CHANNEL", "7"),
        ("api_key", "x"),
        ("DB_PASSWORD", "x"),
        ("MY_SECRET", "x"),
        ("DATABASE_URL", "postgres://bot:s3cret@db.example/bot"),
        ("SENTRY_DSN", "x"),
        ("PROXY_AUTH", "x"),
        ("AUTHOR", "Ada"),
    ])
    .unwrap();
    let settings = config.settings();
    assert_eq!(settings.variable("LOG_CHANNEL"), Some("7"));
    assert_eq!(settings.variable("AUTHOR"), Some("Ada"));
    for name in
        ["api_key", "DB_PASSWORD", "MY_SECRET", "DISCORD_TOKEN", "DATABASE_URL", "SENTRY_DSN", "PROXY_AUTH"]
    {
        assert_eq!(settings.variable(name), None, "{name}");
    }
    let shown = format!("{config:?}");
    assert!(
        !shown.contains("GhIjKl") && !shown.contains("s3cret") && shown.contains("db.example"),
        "{shown}"
    );
}

#[test]
fn a_wrong_address_of_the_database_is_not_repeated() {
    for (address, way_out) in [
        ("mysql://bot:s3cret@db.example/bot", "postgres://USER:PASSWORD@HOST/NAME"),
        ("postgres://bot:s3cret@db.example:port/bot", "%XX"),
        ("sqlite:", "sqlite:FILE"),
    ] {
        let Mistakes(mistakes) = with(&[("DATABASE_URL", address)]).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].starts_with("DATABASE_URL ") && mistakes[0].contains(way_out), "{mistakes:?}");
        assert!(!mistakes[0].contains("s3cret"), "{mistakes:?}");
    }
}

#[test]
fn production_never_reloads_and_says_once_that_it_ignores_the_switch() {
    let production = with(&[("APP_ENV", "production"), ("ENABLE_HMR", "true")]).unwrap();
    assert!(!production.reload.enabled);
    assert_eq!(production.warnings.len(), 1, "{:?}", production.warnings);
    let why = if cfg!(feature = "hmr") {
        "ENABLE_HMR is ignored, because APP_ENV is production;"
    } else {
        "this binary was built without hot reload; ENABLE_HMR is ignored"
    };
    assert!(production.warnings[0].starts_with(why), "{:?}", production.warnings);
    for environment in ["development", "testing"] {
        let config = with(&[("APP_ENV", environment), ("ENABLE_HMR", "true")]).unwrap();
        assert!(config.reload.enabled && config.warnings.is_empty(), "{environment}");
        assert!(!with(&[("APP_ENV", environment)]).unwrap().reload.enabled, "{environment}");
    }
}

#[test]
fn production_registers_globally_and_says_that_another_scope_is_ignored() {
    let warnings = |scope| with(&[("APP_ENV", "production"), ("COMMAND_SCOPE", scope)]).unwrap().warnings;
    assert!(warnings("split")[0].starts_with("COMMAND_SCOPE is ignored"));
    assert_eq!(warnings("global"), [""; 0]);
    assert_eq!(with(&[]).unwrap().commands, Commands { scope: None, grace: Duration::from_mins(10) });
}

#[test]
fn what_is_kept_of_servers_that_were_left_is_erased_after_a_month_or_never() {
    let kept = |more: &[(&str, &str)]| with(more).unwrap().retention;
    assert_eq!(kept(&[]), Some(Duration::from_hours(30 * 24)));
    assert_eq!(kept(&[("RETENTION_DAYS", "0")]), None);
}

#[test]
fn state_is_kept_in_the_workspace_while_hot_reload_is_on_or_where_a_file_is_named() {
    let here = Some(Path::new("/bot"));
    let kept = |more: &[(&str, &str)]| with(more).unwrap().state_file(here);
    assert_eq!(kept(&[("ENABLE_HMR", "true")]), Some("/bot/.hotcord/state.json".into()));
    assert_eq!(kept(&[("ENABLE_HMR", "true"), ("STATE_FILE", "mine.json")]), Some("mine.json".into()));
    assert_eq!(kept(&[]), None);
    assert_eq!(kept(&[("ENABLE_HMR", "true"), ("APP_ENV", "production")]), None);
    assert_eq!(kept(&[("STATE_FILE", "p.json"), ("APP_ENV", "production")]), Some("p.json".into()));
}

#[cfg(feature = "hmr")]
#[test]
fn a_mode_decides_what_is_not_set() {
    let policy = |more: &[(&str, &str)], environment| with(more).unwrap().reload.policy(environment);
    assert_eq!(policy(&[], Environment::Development), hmr::Policy::default());
    let testing = policy(&[("HMR_STOP_MS", "70"), ("HMR_VALIDATE", "off")], Environment::Testing);
    let expected = hmr::Policy {
        validate: false,
        handover: Duration::from_millis(100),
        retries: 0,
        hook_deadline: Duration::from_millis(70),
        ..hmr::Policy::default()
    };
    assert_eq!(testing, expected);
    let set = policy(
        &[("HMR_MEMORY_MB", "1"), ("HMR_INCOMPATIBLE_STATE", "default"), ("HMR_PROBATION_CALLS", "0")],
        Environment::Testing,
    );
    assert_eq!((set.memory_budget, set.probation_calls), (1_048_576, 0));
    assert_eq!(set.unfit_state, hmr::policy::UnfitState::StartFromDefault);
}

#[test]
fn health_is_served_at_an_address_or_nowhere() {
    let health = |value| with(&[("HEALTH_ADDR", value)]).unwrap().health;
    for value in ["0.0.0.0:80", "[::1]:9464", "127.0.0.1:0"] {
        assert_eq!(health(value), Health::At(value.parse().unwrap()));
        assert_eq!(health(value).address(), value.parse().ok());
    }
    assert_eq!(health("OFF"), Health::Off);
    assert_eq!(health("off").address(), None);
    for value in ["9464", ":9464", "127.0.0.1", "localhost:9464", "http://127.0.0.1:9464", "no"] {
        assert!(mistake("HEALTH_ADDR", value).contains("write it like '127.0.0.1:9464'"), "{value}");
    }
}
