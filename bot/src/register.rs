//! Keeps the commands registered at Discord equal to the live ones, by differences.
//!
//! # Theory of operation
//!
//! At the start the registered commands are fetched once; from then on the registrar knows them. After every swap the
//! live definitions are compared with what it knows: new or redefined commands are posted (a post replaces a command of
//! the same name; where nothing is registered yet, one request brings them all), removed ones are deleted after a grace period ([`withdrawn`]), and nothing else is touched, so an
//! edit of a command's body sends no request. Swaps during requests are handled together. A failure changes nothing
//! about what is live: it is logged, a temporary one is retried, and the next swap starts from what is known to be
//! registered.
//!
//! Production registers everything globally. Elsewhere there are two scopes ([`scope_commands`]), the test guild and the global
//! one, and [`CommandScope`] determines what goes where. A command that moves from one to the other is registered in
//! the new scope first and then removed from the old one, so that it is never missing, and shown twice only for a
//! moment. Commands that a run in production has registered globally stay unchanged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sdk::PluginId;
use sdk::definition::{CommandKey, CommandKind, Definitions};
use sdk::host::{Host, RequestError};
use sdk::serenity::all::{ApplicationId, GuildId, Http};
use sdk::tokio;
use sdk::tokio::sync::{mpsc, oneshot, watch};
use sdk::tokio::time::{sleep, timeout};
use sdk::tracing::{error, warn};
use serde_json::Value;

use crate::api::Api;
use crate::backoff::BackOff;
use crate::config::CommandScope;
use failure::Passing;
pub(crate) use plan::Scope;
use requests::Requests;
use scope_commands::{Holds, Moment, ScopeCommands};

mod budget;
mod create;
mod failure;
mod plan;
mod requests;
mod scope_commands;
mod withdrawn;

/// Swaps that follow each other faster than this are registered together.
const QUIET: Duration = Duration::from_millis(100);
/// Further attempts while Discord cannot be reached or fails.
const ATTEMPTS: u32 = 6;

/// Where commands are registered.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Test guild and what goes there; `None` in production, where everything is global and removed commands are
    /// deleted at once.
    pub(crate) development: Option<Development>,
    /// Supported installation contexts of the application, which are the default of global commands.
    pub(crate) installs: BTreeSet<u64>,
}

/// Where commands are registered outside production.
#[derive(Clone, Debug)]
pub(crate) struct Development {
    /// Test guild.
    pub(crate) guild: GuildId,
    /// What goes there.
    pub(crate) scope: CommandScope,
    /// How long a command stays registered that no live plugin defines any more.
    pub(crate) grace: Duration,
}

/// Registers commands at Discord.
pub(crate) struct Registrar {
    host: Host,
    requests: Requests,
    layout: Layout,
    /// Scopes. The first is the default of commands that need no other.
    scopes: Vec<ScopeCommands>,
    /// Plugins that should be live but are not. While they are not, their commands are not known, so nothing is
    /// removed.
    left_out: BTreeSet<PluginId>,
    asked: mpsc::Receiver<Pruned>,
    /// Commands already reported as unusable in the scope where they are registered.
    unusable: BTreeSet<CommandKey>,
}

/// Receives the outcome of a request to remove withdrawn commands.
type Pruned = oneshot::Sender<Result<String, PruneError>>;

/// Why withdrawn commands are not removed.
#[derive(Debug, thiserror::Error)]
enum PruneError {
    #[error("the bot is ending")]
    Ending,
    #[error(transparent)]
    Passing(#[from] Passing),
    #[error("{} could not be removed; the log says why", sdk::text::count(*.0, "command"))]
    Left(usize),
}

/// The registrar's handle for plugins and the control socket.
struct Handle(mpsc::Sender<Pruned>);

impl sdk::host::Registrar for Handle {
    fn prune(&self) -> BoxFuture<'static, Result<String, RequestError>> {
        let asked = self.0.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            let pruned = match asked.send(answer).await {
                Ok(()) => answered.await.unwrap_or(Err(PruneError::Ending)),
                Err(_) => Err(PruneError::Ending),
            };
            pruned.map_err(|error| RequestError::from(error.to_string()))
        }
        .boxed()
    }
}

impl Registrar {
    /// Creates a registrar. `left_out` are the plugins that should be live but are not.
    pub(crate) fn new(
        host: Host,
        api: &Api,
        http: Arc<Http>,
        application: ApplicationId,
        layout: Layout,
        left_out: BTreeSet<PluginId>,
    ) -> Self {
        let global = Scope::Global { installs: layout.installs.clone() };
        let place = |scope, holds, remembers| ScopeCommands::new(&host, scope, holds, remembers);
        let scopes = match &layout.development {
            None => vec![place(global, Holds::Ours, false)],
            Some(Development { guild, scope, .. }) => {
                let guild = place(Scope::Guild(*guild), Holds::Ours, false);
                match scope {
                    CommandScope::Guild | CommandScope::Split => {
                        vec![guild, place(global, Holds::OursAndOthers, true)]
                    }
                    CommandScope::Global => vec![place(global, Holds::Ours, true), guild],
                }
            }
        };
        scopes[0].show_budget();
        let (sender, asked) = mpsc::channel(1);
        host.set_registrar(Arc::new(Handle(sender)));
        let requests = Requests::new(api, http, application);
        Self { host, requests, layout, scopes, left_out, asked, unusable: BTreeSet::new() }
    }

    /// Registers what is live, now and after every swap, until the future is dropped.
    pub(crate) async fn run(mut self) {
        let mut swaps = self.host.registry().swaps();
        swaps.mark_unchanged();
        self.register(&mut swaps).await;
        loop {
            let moment = self.moment(false);
            let wait = self.scopes.iter().filter_map(|place| place.next_look(&moment)).min();
            let mut asked = None;
            tokio::select! {
                changed = swaps.changed() => if changed.is_err() { return },
                answer = self.asked.recv() => asked = answer,
                // The end of a grace period, or creations for which the day before had no room.
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
            while timeout(QUIET, swaps.changed()).await.is_ok_and(|changed| changed.is_ok()) {}
            match asked {
                None => self.register(&mut swaps).await,
                Some(answer) => {
                    // The caller may be gone.
                    let _ = answer.send(self.prune().await);
                }
            }
        }
    }

    /// Updates Discord, with a limited number of attempts while it cannot be reached.
    async fn register(&mut self, swaps: &mut watch::Receiver<u64>) {
        let mut waits = BackOff::new(ATTEMPTS, self.host.settings().environment);
        loop {
            let Err(problem) = self.attempt(false).await else {
                self.scopes.iter_mut().for_each(ScopeCommands::forget_told);
                return;
            };
            let Some(wait) = waits.next() else {
                error!(%problem, "commands are not registered; the next reload tries again");
                return;
            };
            warn!(%problem, again_in_ms = wait.as_millis(), "commands are not registered yet");
            tokio::select! {
                () = sleep(wait) => {}
                // What is live has changed. The next attempt reads it again anyway.
                _ = swaps.changed() => {}
            }
        }
    }

    /// Removes every command that no live plugin defines any more. Returns a sentence about what was removed, or what
    /// could not be.
    async fn prune(&mut self) -> Result<String, PruneError> {
        let removed = self.attempt(true).await?;
        let left = self.host.withdrawn().len();
        match (removed, left) {
            (0, 0) => Ok("every registered command is defined by a live plugin".to_owned()),
            (_, 0) => Ok(format!("removed {}", sdk::text::count(removed, "command"))),
            _ => Err(PruneError::Left(left)),
        }
    }

    /// Sends the requests that are due. Returns how many withdrawn commands were removed. An error is one that may be
    /// temporary.
    async fn attempt(&mut self, asked: bool) -> Result<usize, Passing> {
        let wanted = self.wanted();
        let live = self.host.registry().snapshot();
        self.left_out.retain(|plugin| !live.generations().contains_key(plugin));
        let moment = self.moment(asked);
        let mut outcome = Ok(0);
        for index in 0..self.scopes.len() {
            let elsewhere = wanted.iter().enumerate().filter(|(other, _)| *other != index);
            let elsewhere = elsewhere.flat_map(|(_, definitions)| definitions.keys().cloned()).collect();
            let others = self.scopes.iter().enumerate().filter(|(other, _)| *other != index);
            let others: Vec<_> = others.flat_map(|(_, place)| place.withdrawn(&moment)).collect();
            let host = &self.host;
            let publish = |own| host.set_withdrawn([own, others.clone()].concat());
            let place = &mut self.scopes[index];
            let updated = place.update(&self.requests, &wanted[index], &elsewhere, &moment, &publish).await;
            // A failure in one scope does not prevent updating the other.
            outcome = outcome.and_then(|sum| updated.map(|removed| sum + removed));
        }
        if let Err(problem) = self.remove_moved(&wanted).await {
            outcome = outcome.and(Err(problem));
        }
        let withdrawn = self.scopes.iter().flat_map(|place| place.withdrawn(&moment)).collect();
        self.host.set_withdrawn(withdrawn);
        outcome
    }

    /// Removes commands from the scope that they have moved from, if the other one has them by now.
    async fn remove_moved(&mut self, wanted: &[Definitions]) -> Result<(), Passing> {
        let mut arrived = Vec::new();
        for (place, definitions) in self.scopes.iter().zip(wanted) {
            let shown = definitions.iter().filter(|(key, definition)| place.shows(key, definition));
            arrived.push(shown.map(|(key, _)| key.clone()).collect::<BTreeSet<_>>());
        }
        for (index, place) in self.scopes.iter_mut().enumerate() {
            let elsewhere = |key: &CommandKey| {
                let others = arrived.iter().enumerate().filter(|(other, _)| *other != index);
                !wanted[index].contains_key(key) && others.into_iter().any(|(_, keys)| keys.contains(key))
            };
            place.remove_moved(&self.requests, elsewhere).await?;
        }
        Ok(())
    }

    /// Returns the live definitions, by scope.
    fn wanted(&mut self) -> Vec<Definitions> {
        let mut wanted = vec![Definitions::new(); self.scopes.len()];
        let scope = self.layout.development.as_ref().map(|development| development.scope);
        let mut unusable = BTreeSet::new();
        for (key, definition) in self.host.registry().snapshot().definitions() {
            let is_for_all = plan::needs_everywhere(&definition);
            if is_for_all && scope == Some(CommandScope::Guild) {
                unusable.insert(key.clone());
            }
            let index = usize::from(is_for_all && scope == Some(CommandScope::Split));
            wanted[index].insert(key, definition);
        }
        self.tell_unusable(unusable);
        wanted
    }

    /// Logs once which commands cannot be used fully in their scope.
    fn tell_unusable(&mut self, unusable: BTreeSet<CommandKey>) {
        if unusable != self.unusable && !unusable.is_empty() {
            let commands: Vec<_> = unusable.iter().map(ToString::to_string).collect();
            let commands = commands.join(" ");
            warn!(
                commands,
                "these commands are for direct messages or user installs too, and are registered in the test guild \
                 alone; COMMAND_SCOPE=split registers them globally"
            );
        }
        self.unusable = unusable;
    }

    fn moment(&self, asked: bool) -> Moment {
        let grace = self.layout.development.as_ref().map(|development| development.grace);
        Moment { grace: grace.unwrap_or_default(), incomplete: !self.left_out.is_empty(), asked }
    }
}

/// Returns the kind of a registered command that plugins can define; `None` for Discord's own entry point.
fn kind_of(command: &Value) -> Option<CommandKind> {
    CommandKind::from_number(command["type"].as_u64())
}

#[cfg(test)]
mod sandboxed;
#[cfg(test)]
mod tests;
