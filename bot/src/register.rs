//! Keeps the commands that Discord shows equal to those that are live, by difference.
//!
//! # Theory of operation
//!
//! At the start the registered commands are fetched once; from then on the registrar knows them. After every swap
//! the live definitions are compared with what it knows: what is new or redefined is posted (a post replaces a
//! command of the same name), what is gone is removed after a grace ([`withdrawn`]), and nothing else is touched, so an
//! edit of a command's body makes no request. Swaps that come while requests are under way are taken together. A failure
//! changes nothing of what is live: it is told, a passing one is tried again, and the next swap starts from what is known
//! to be true.
//!
//! Production registers everything globally. Elsewhere there are two scopes ([`place`]), the test guild and the global one,
//! and [`CommandScope`] says what goes where. A command that moves from one to the other is registered there first and
//! removed here after, so that it is neither gone nor, for longer than a moment, shown twice. What a run in production has
//! registered globally stays as it is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sdk::PluginId;
use sdk::definition::{CommandKey, CommandKind, Definitions};
use sdk::host::Host;
use sdk::serenity::all::{ApplicationId, GuildId, Http};
use sdk::tokio;
use sdk::tokio::sync::{mpsc, oneshot, watch};
use sdk::tokio::time::{sleep, timeout};
use sdk::tracing::{error, warn};
use serde_json::Value;

use crate::api::Api;
use crate::backoff::BackOff;
use crate::config::CommandScope;
use place::{Holds, Moment, Place};
pub(crate) use plan::Scope;
use requests::Requests;

mod budget;
mod create;
mod failure;
mod place;
mod plan;
mod requests;
mod withdrawn;

/// Swaps that follow each other faster than this are registered together.
const QUIET: Duration = Duration::from_millis(100);
/// Further attempts while Discord cannot be reached or is out of order.
const ATTEMPTS: u32 = 6;

/// Where commands are registered.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Test guild and what goes there; `None` in production, where everything is global and what is gone is gone.
    pub(crate) development: Option<Development>,
    /// Ways in which the application can be installed, which global commands that name none take over.
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

/// Registers commands.
pub(crate) struct Registrar {
    host: Host,
    requests: Requests,
    layout: Layout,
    /// Scopes, the one first that commands go to unless they need another.
    places: Vec<Place>,
    /// Plugins whose commands are not known as long as they are not live, so that nothing is removed meanwhile.
    left_out: BTreeSet<PluginId>,
    asked: mpsc::Receiver<Pruned>,
    /// Commands of which it has been told that they cannot be used where they are registered.
    unusable: BTreeSet<CommandKey>,
}

/// Where the outcome of a request to remove withdrawn commands goes.
type Pruned = oneshot::Sender<Result<String, String>>;

/// The registrar as plugins and the control socket reach it.
struct Handle(mpsc::Sender<Pruned>);

impl sdk::host::Registrar for Handle {
    fn prune(&self) -> BoxFuture<'static, Result<String, String>> {
        let asked = self.0.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            let ending = |()| "the bot is ending".to_owned();
            asked.send(answer).await.map_err(|_| ending(()))?;
            answered.await.map_err(|_| ending(()))?
        }
        .boxed()
    }
}

impl Registrar {
    /// Makes a registrar; `left_out` are the plugins that should be live and are not.
    pub(crate) fn new(
        host: Host,
        api: &Api,
        http: Arc<Http>,
        application: ApplicationId,
        layout: Layout,
        left_out: BTreeSet<PluginId>,
    ) -> Self {
        let global = Scope::Global { installs: layout.installs.clone() };
        let place = |scope, holds, remembers| Place::new(&host, scope, holds, remembers);
        let places = match &layout.development {
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
        places[0].show_budget();
        let (sender, asked) = mpsc::channel(1);
        host.set_registrar(Arc::new(Handle(sender)));
        let requests = Requests::new(api, http, application);
        Self { host, requests, layout, places, left_out, asked, unusable: BTreeSet::new() }
    }

    /// Registers what is live, now and after every swap, until the future is dropped.
    pub(crate) async fn run(mut self) {
        let mut swaps = self.host.registry().swaps();
        swaps.mark_unchanged();
        self.register(&mut swaps).await;
        loop {
            let moment = self.moment(false);
            let wait = self.places.iter().filter_map(|place| place.next_look(&moment)).min();
            let mut asked = None;
            tokio::select! {
                changed = swaps.changed() => if changed.is_err() { return },
                answer = self.asked.recv() => asked = answer,
                // The end of a grace, or what the day before had no room for.
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
            while timeout(QUIET, swaps.changed()).await.is_ok_and(|changed| changed.is_ok()) {}
            match asked {
                None => self.register(&mut swaps).await,
                Some(answer) => {
                    // Whoever has asked may have left.
                    let _ = answer.send(self.prune().await);
                }
            }
        }
    }

    /// Brings Discord up to date, again and again while it is out of reach, within bounds.
    async fn register(&mut self, swaps: &mut watch::Receiver<u64>) {
        let mut waits = BackOff::new(ATTEMPTS, self.host.settings().environment);
        loop {
            let Err(problem) = self.attempt(false).await else {
                self.places.iter_mut().for_each(Place::forget_told);
                return;
            };
            let Some(wait) = waits.next() else {
                error!(problem, "commands are not registered; the next reload tries again");
                return;
            };
            warn!(problem, again_in_ms = wait.as_millis(), "commands are not registered yet");
            tokio::select! {
                () = sleep(wait) => {}
                // What is live has changed; the next attempt looks at it afresh anyway.
                _ = swaps.changed() => {}
            }
        }
    }

    /// Removes every command that no live plugin defines any more.
    async fn prune(&mut self) -> Result<String, String> {
        let removed = self.attempt(true).await?;
        let left = self.host.withdrawn().len();
        match (removed, left) {
            (0, 0) => Ok("every registered command is defined by a live plugin".to_owned()),
            (_, 0) => Ok(format!("removed {}", sdk::text::count(removed, "command"))),
            _ => Err(format!("{} could not be removed; the log says why", sdk::text::count(left, "command"))),
        }
    }

    /// Makes the requests that are due and returns how many withdrawn commands were removed; an error is one that may
    /// pass.
    async fn attempt(&mut self, asked: bool) -> Result<usize, String> {
        let wanted = self.wanted();
        let live = self.host.registry().snapshot();
        self.left_out.retain(|plugin| !live.generations().contains_key(plugin));
        let moment = self.moment(asked);
        let mut outcome = Ok(0);
        for index in 0..self.places.len() {
            let elsewhere = wanted.iter().enumerate().filter(|(other, _)| *other != index);
            let elsewhere = elsewhere.flat_map(|(_, definitions)| definitions.keys().cloned()).collect();
            let place = &mut self.places[index];
            let updated = place.update(&self.requests, &wanted[index], &elsewhere, &moment).await;
            // What one scope fails in is no reason to leave the other as it is.
            outcome = outcome.and_then(|sum| updated.map(|removed| sum + removed));
        }
        if let Err(problem) = self.remove_moved(&wanted).await {
            outcome = outcome.and(Err(problem));
        }
        let withdrawn = self.places.iter().flat_map(|place| place.withdrawn(&moment)).collect();
        self.host.set_withdrawn(withdrawn);
        outcome
    }

    /// Removes commands from the scope that they have moved from, where the other one has them by now.
    async fn remove_moved(&mut self, wanted: &[Definitions]) -> Result<(), String> {
        let mut arrived = Vec::new();
        for (place, definitions) in self.places.iter().zip(wanted) {
            let shown = definitions.iter().filter(|(key, definition)| place.shows(key, definition));
            arrived.push(shown.map(|(key, _)| key.clone()).collect::<BTreeSet<_>>());
        }
        for (index, place) in self.places.iter_mut().enumerate() {
            let elsewhere = |key: &CommandKey| {
                let others = arrived.iter().enumerate().filter(|(other, _)| *other != index);
                !wanted[index].contains_key(key) && others.into_iter().any(|(_, keys)| keys.contains(key))
            };
            place.remove_moved(&self.requests, elsewhere).await?;
        }
        Ok(())
    }

    /// Returns the live definitions, by the scope that each goes to.
    fn wanted(&mut self) -> Vec<Definitions> {
        let mut wanted = vec![Definitions::new(); self.places.len()];
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

    /// Says once of which commands one scope is not the right one.
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

/// Says whether a registered command is of a kind that plugins define; Discord's own entry point is not.
fn kind_of(command: &Value) -> Option<CommandKind> {
    CommandKind::from_number(command["type"].as_u64())
}

#[cfg(test)]
mod sandboxed;
#[cfg(test)]
mod tests;
