//! Changes of `.env` while the bot runs: applied at once where possible, otherwise reported to need a restart.
//!
//! # Theory of operation
//!
//! A saved `.env` is read like the one at the start, together with the environment of the process, which takes
//! precedence. A mistake keeps all old values. Without one, the readings are compared: the log's filter, the host's
//! settings, the reload policy and the watcher's configuration are each replaced as a whole, so that readers see the
//! old or the new one, never a mix. Values that need a restart stay unchanged, also among the plugins' variables, and
//! are reported once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use hmr::watch::Control;
use sdk::bus::ReloadEvent;
use sdk::host::Host;
use sdk::serenity::all::UserId;
use sdk::settings::Settings;
use sdk::tracing::{debug, error, info, warn};

use crate::config::{Changes, Config, Mistakes, Source, changes as since};
use crate::gateway::{names, needed_intents};
use crate::{log, reload};

/// The configuration of a running bot.
pub(crate) struct Environment {
    running: Running,
    readings: Mutex<Readings>,
}

/// The parts of a running bot to which the configuration is applied.
pub(crate) struct Running {
    /// Host, whose settings are replaced.
    pub(crate) host: Host,
    /// Reload policy.
    pub(crate) policy: hmr::SharedPolicy,
    /// Folder to which patterns of files are relative.
    pub(crate) workspace: PathBuf,
    /// Why the system reports no changes there, if it does not.
    pub(crate) no_events: Option<hmr::watch::NoEvents>,
    /// Owners if `OWNER_IDS` is not set.
    pub(crate) owners: BTreeSet<UserId>,
}

/// The configurations read so far.
struct Readings {
    /// The configuration at the start.
    first: Config,
    /// The last configuration without a mistake.
    latest: Config,
    /// The source of `latest`.
    source: Source,
}

impl Environment {
    /// Stores the configuration with which `running` was created.
    ///
    /// # Errors
    /// If `source` contains a mistake, which is not the case in a running bot.
    pub(crate) fn new(running: Running, source: Source) -> Result<Self, Mistakes> {
        let first = source.config()?;
        let readings = Mutex::new(Readings { latest: first.clone(), first, source });
        Ok(Self { running, readings })
    }

    /// Reads `.env` again, applies what a running bot can apply, and logs it.
    pub(crate) fn reload(&self, watching: &Control) {
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        let read = readings.source.again().and_then(|source| {
            if source.path().is_none() && readings.source.path().is_some() {
                return Ok(None);
            }
            let config = source.config()?;
            let filter = reload::filter(&config.reload, &self.running.workspace)
                .map_err(|wrong| Mistakes(vec![wrong.to_string()]))?;
            Ok(Some((config, filter, source)))
        });
        let (latest, filter, source) = match read {
            Ok(Some(read)) => read,
            Ok(None) => {
                const GONE: &str = ".env is gone; what it set stays until a restart, or until it is back";
                warn!("{GONE}");
                self.note(GONE.to_owned());
                return;
            }
            Err(Mistakes(mistakes)) => {
                for mistake in mistakes {
                    error!(%mistake, "nothing is taken over from .env");
                    self.note(format!("nothing is taken over from .env: {mistake}"));
                }
                return;
            }
        };
        if let Some(connection) = &latest.connection {
            log::redact::hide(connection.token.expose());
        }
        for name in source.overruled(&readings.source) {
            warn!(variable = name, "changed in .env, but the environment sets it too and wins");
            self.note(format!("{name} changed in .env, but the environment sets it too and wins"));
        }
        for warning in latest.warnings.iter().filter(|warning| !readings.latest.warnings.contains(warning)) {
            warn!(%warning, "the configuration is doubtful");
            self.note(warning.clone());
        }
        let changes = since(&readings.latest, &latest);
        let waiting = since(&readings.first, &latest).restart;
        self.take_over(&readings.first, &latest, &waiting, &changes);
        watching.set_filter(filter);
        watching.set_mode(reload::mode(&latest.reload, self.running.no_events.as_ref()));
        self.tell(changes, &waiting);
        *readings = Readings { first: readings.first.clone(), latest, source };
    }

    /// Applies everything that does not wait for a restart.
    fn take_over(&self, first: &Config, latest: &Config, waiting: &BTreeSet<String>, changes: &Changes) {
        if changes.live.contains("RUST_LOG") {
            log::set_filter(&latest.log_filter);
        }
        self.running.policy.store(latest.reload.policy(first.environment).into());
        let settings = self.settings(first, latest, waiting);
        if changes.live.contains("COMMAND_PREFIX") {
            self.warn_of_intents(settings.prefix.as_deref());
        }
        self.running.host.set_settings(settings);
    }

    /// Returns the settings of `latest` for plugins, with the values of `first` for variables that wait for a restart.
    fn settings(&self, first: &Config, latest: &Config, waiting: &BTreeSet<String>) -> Settings {
        let now = self.running.host.settings();
        let mut settings = Settings {
            environment: now.environment,
            // Discord may have provided it.
            test_guild: now.test_guild,
            ..latest.settings()
        };
        if settings.owners.is_empty() {
            settings.owners.clone_from(&self.running.owners);
        }
        for name in waiting {
            match first.variables.get(name) {
                Some(value) => settings.variables.insert(name.clone(), value.clone()),
                None => settings.variables.remove(name),
            };
        }
        settings
    }

    /// Warns if this session does not receive all messages that may begin with a new prefix.
    fn warn_of_intents(&self, prefix: Option<&str>) {
        // A session that has not begun will request the intents that are needed then.
        let Some(asked) = self.running.host.intents() else { return };
        let live = self.running.host.registry().snapshot();
        let missing = needed_intents(&live, prefix) - needed_intents(&live, None) - asked;
        if !missing.is_empty() {
            let names = names(missing);
            warn!(
                intents = names,
                "text commands need intents that this session did not ask for; they come with a restart"
            );
            self.note(format!(
                "text commands need the intents {names}, which this session did not ask for; they come with a restart"
            ));
        }
    }

    /// Logs the differences from the reading before. `waiting` holds the differences from the configuration at the
    /// start.
    fn tell(&self, changes: Changes, waiting: &BTreeSet<String>) {
        if changes == Changes::default() {
            debug!("saved, and no variable in .env has changed");
            return;
        }
        if !changes.live.is_empty() {
            let live: Vec<_> = changes.live.into_iter().collect();
            info!(variables = live.join(", "), "changed in .env and in force");
        }
        let (wait, back): (Vec<_>, Vec<_>) =
            changes.restart.into_iter().partition(|name| waiting.contains(name));
        if !wait.is_empty() {
            warn!(variables = wait.join(", "), "changed in .env, and in force after a restart");
            self.running.host.bus().emit(ReloadEvent::RestartRequired { because: wait, automatic: false });
        }
        if !back.is_empty() {
            info!(variables = back.join(", "), "again in .env as the bot runs with it");
        }
    }

    fn note(&self, words: String) {
        self.running.host.bus().emit(ReloadEvent::Note { plugin: None, message: words });
    }
}
