//! Differences between two readings of the configuration, and what each one requires.

use std::collections::BTreeSet;

use super::{Config, Connection};

/// Variables that differ, by how a new value is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Variables that a running bot applies.
    pub(crate) live: BTreeSet<String>,
    /// Variables that need a restart.
    pub(crate) restart: BTreeSet<String>,
}

/// Returns the differences between two readings. A variable that is set to its default has not changed in effect, but
/// counts.
pub(crate) fn changes(old: &Config, new: &Config) -> Changes {
    let token = |connection: &Option<Connection>| connection.as_ref().map(|c| c.token.clone());
    let api = |connection: &Option<Connection>| connection.as_ref().and_then(|c| c.api.clone());
    let gateway = |connection: &Option<Connection>| connection.as_ref().and_then(|c| c.gateway.clone());
    let plain = |connection: &Option<Connection>| connection.as_ref().is_some_and(|c| c.plain);
    let (was, is) = (&old.reload, &new.reload);
    let restart = [
        ("ALLOW_PLAIN_HTTP", plain(&old.connection) != plain(&new.connection)),
        ("APP_ENV", old.environment != new.environment),
        ("COMMAND_GRACE_MS", old.commands.grace != new.commands.grace),
        ("COMMAND_SCOPE", old.commands.scope != new.commands.scope),
        ("DATABASE_URL", old.database.differs(&new.database)),
        ("DISCORD_API_URL", api(&old.connection) != api(&new.connection)),
        ("DISCORD_GATEWAY_URL", gateway(&old.connection) != gateway(&new.connection)),
        ("DISCORD_TOKEN", token(&old.connection) != token(&new.connection)),
        ("ENABLE_HMR", was.enabled != is.enabled),
        ("GATEWAY_ADDR", old.gateway_address != new.gateway_address),
        ("HEALTH_ADDR", old.health != new.health),
        ("HOLD_GATEWAY", old.hold_gateway != new.hold_gateway),
        ("HMR_WORKSPACE", was.workspace != is.workspace),
        ("MEDIA_ALLOW_HOSTS", old.media.allow != new.media.allow),
        ("MEDIA_DENY_HOSTS", old.media.deny != new.media.deny),
        ("MUSIC_DIR", old.media.music != new.media.music),
        ("RETENTION_DAYS", old.retention != new.retention),
        ("SHARDS", old.variables.get("SHARDS") != new.variables.get("SHARDS")),
        ("SHARD_IDS", old.variables.get("SHARD_IDS") != new.variables.get("SHARD_IDS")),
        ("STATE_FILE", old.state_file != new.state_file),
        ("TEST_GUILD_ID", old.test_guild != new.test_guild),
        ("YT_DLP", old.media.yt_dlp != new.media.yt_dlp),
    ];
    let live = [
        ("COMMAND_PREFIX", old.prefix != new.prefix),
        ("DEV_CHANNEL_ID", old.dev_channel != new.dev_channel),
        ("HMR_DEBOUNCE_MS", was.debounce != is.debounce),
        ("HMR_EXTENSIONS", was.extensions != is.extensions),
        ("HMR_HANDOVER_MS", was.handover != is.handover),
        ("HMR_IGNORE", was.ignore != is.ignore),
        ("HMR_INCOMPATIBLE_STATE", was.on_incompatible != is.on_incompatible),
        ("HMR_MAX_RETRIES", was.retries != is.retries),
        ("HMR_MEMORY_MB", was.memory != is.memory),
        ("HMR_POLL_MS", was.poll != is.poll),
        ("HMR_PRESERVE_STATE", was.preserve_state != is.preserve_state),
        ("HMR_PROBATION_CALLS", was.probation_calls != is.probation_calls),
        ("HMR_PROBATION_MS", was.probation != is.probation),
        ("HMR_RELOAD_DEPENDENTS", was.dependents != is.dependents),
        ("HMR_STOP_MS", was.hook_deadline != is.hook_deadline),
        ("HMR_VALIDATE", was.validate != is.validate),
        ("OWNER_IDS", old.owners != new.owners),
        ("RUST_LOG", old.log_filter != new.log_filter),
    ];
    // All other variables belong to plugins, which read them when they need them.
    let own = |name: &str| {
        !name.starts_with("HMR_") && !restart.iter().chain(&live).any(|(known, _)| *known == name)
    };
    let plugins = old
        .variables
        .keys()
        .chain(new.variables.keys())
        .filter(|name| own(name) && old.variables.get(*name) != new.variables.get(*name));
    let differing = |(name, differs): &(&str, bool)| differs.then(|| (*name).to_owned());
    Changes {
        live: live.iter().filter_map(differing).chain(plugins.cloned()).collect(),
        restart: restart.iter().filter_map(differing).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TOKEN: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.abcdefghijklmnopqrstuvwxyz0123456789AB";

    fn config(more: &[(&str, &str)]) -> Config {
        let base = [("DISCORD_TOKEN", TOKEN), ("TEST_GUILD_ID", "1")];
        let variables: BTreeMap<_, _> =
            base.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::from_variables(variables).unwrap()
    }

    fn between(old: &[(&str, &str)], new: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let changes = changes(&config(old), &config(new));
        (changes.live.into_iter().collect(), changes.restart.into_iter().collect())
    }

    const NONE: Vec<String> = Vec::new();

    #[test]
    fn each_variable_that_differs_is_named_with_what_it_takes() {
        for (name, value) in [
            ("COMMAND_PREFIX", "!"),
            ("DEV_CHANNEL_ID", "7"),
            ("HMR_DEBOUNCE_MS", "9"),
            ("HMR_EXTENSIONS", "rs"),
            ("HMR_HANDOVER_MS", "1"),
            ("HMR_IGNORE", "*.tmp"),
            ("HMR_MAX_RETRIES", "1"),
            ("HMR_MEMORY_MB", "1"),
            ("HMR_POLL_MS", "100"),
            ("HMR_PRESERVE_STATE", "false"),
            ("HMR_PROBATION_CALLS", "0"),
            ("HMR_PROBATION_MS", "0"),
            ("HMR_RELOAD_DEPENDENTS", "false"),
            ("HMR_STOP_MS", "10"),
            ("HMR_INCOMPATIBLE_STATE", "default"),
            ("HMR_VALIDATE", "false"),
            ("LRCLIB_URL", "http://127.0.0.1:1"),
            ("OWNER_IDS", "7"),
            ("RUST_LOG", "debug"),
            ("WELCOME_CHANNEL_ID", "7"),
        ] {
            assert_eq!(between(&[], &[(name, value)]), (vec![name.to_owned()], NONE), "{name}");
            assert_eq!(between(&[(name, value)], &[]), (vec![name.to_owned()], NONE), "{name}");
        }
        for (name, value) in [
            ("ALLOW_PLAIN_HTTP", "true"),
            ("APP_ENV", "testing"),
            ("COMMAND_GRACE_MS", "0"),
            ("COMMAND_SCOPE", "split"),
            ("SHARDS", "3"),
            ("DISCORD_API_URL", "http://127.0.0.1:1"),
            ("DISCORD_GATEWAY_URL", "ws://127.0.0.1:1"),
            ("DISCORD_TOKEN", "MTIzNDU2Nzg5MDEyMzQ1Njc5.GhIjKl.abcdefghijklmnopqrstuvwxyz0123456789AB"),
            ("ENABLE_HMR", "true"),
            ("GATEWAY_ADDR", "127.0.0.1:1"),
            ("HEALTH_ADDR", "off"),
            ("HOLD_GATEWAY", "true"),
            ("HMR_WORKSPACE", "/somewhere"),
            ("MEDIA_ALLOW_HOSTS", "radio.lan"),
            ("MEDIA_DENY_HOSTS", "radio.lan"),
            ("MUSIC_DIR", "songs"),
            ("RETENTION_DAYS", "7"),
            ("STATE_FILE", "state.json"),
            ("YT_DLP", "/somewhere/yt-dlp"),
            ("TEST_GUILD_ID", "2"),
        ] {
            assert_eq!(between(&[], &[(name, value)]), (NONE, vec![name.to_owned()]), "{name}");
            assert_eq!(between(&[(name, value)], &[]), (NONE, vec![name.to_owned()]), "{name}");
        }
    }

    #[test]
    fn every_variable_of_hot_reload_is_compared() {
        for name in super::super::reload::RELOAD_VARIABLES {
            let value = ["false", "1", "100", "default", "x"].into_iter().find(|value| {
                let base = [("DISCORD_TOKEN", TOKEN), ("TEST_GUILD_ID", "1"), (name, value)];
                let variables = base.map(|(name, value)| (name.to_owned(), value.to_owned()));
                Config::from_variables(variables.into()).is_ok_and(|new| {
                    let changes = changes(&config(&[]), &new);
                    changes.live.contains(*name) || changes.restart.contains(*name)
                })
            });
            assert!(value.is_some(), "{name}");
        }
    }

    #[test]
    fn what_means_the_same_is_no_change() {
        let old = [("OWNER_IDS", "1,2"), ("HMR_VALIDATE", "on"), ("COMMAND_PREFIX", ""), ("MINE", "x")];
        let new = [("OWNER_IDS", "2 1"), ("HMR_VALIDATE", "true"), ("MINE", "x"), ("DB_PASSWORD", "y")];
        assert_eq!(between(&old, &new), (NONE, NONE));
    }

    #[test]
    fn a_mode_changes_no_other_variable_with_it() {
        assert_eq!(between(&[], &[("APP_ENV", "testing"), ("ENABLE_HMR", "false")]).1, ["APP_ENV"]);
    }
}
