//! Keeps the commands that Discord shows equal to those that are live, by difference.
//!
//! # Theory of operation
//!
//! At the start the registered commands are fetched once; from then on the registrar knows them. After every swap
//! the live definitions are compared with what it knows: what is new or redefined is posted (a post replaces a
//! command of the same name), what is gone is deleted, and nothing else is touched, so an edit of a command's body
//! makes no request. Swaps that come while requests are under way are taken together. A failure changes nothing of
//! what is live: it is told, a passing one is tried again, and the next swap starts from what is known to be true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use sdk::PluginId;
use sdk::definition::{CommandKey, CommandKind, Definitions};
use sdk::host::Host;
use sdk::serenity::all::{ApplicationId, CommandId, Http};
use sdk::serenity::http::{LightMethod, Request, Route};
use sdk::tokio;
use sdk::tokio::sync::watch;
use sdk::tokio::time::{sleep, timeout};
use sdk::tracing::{debug, error, info, warn};
use serde_json::Value;

use crate::api::Api;
use crate::backoff::BackOff;
use budget::Budget;
use create::{Created, create};
use failure::Failure;
pub(crate) use plan::Scope;
use plan::{Plan, State};

mod budget;
mod create;
mod failure;
mod plan;

/// Swaps that follow each other faster than this are registered together.
const QUIET: Duration = Duration::from_millis(100);
/// Further attempts while Discord cannot be reached or is out of order.
const ATTEMPTS: u32 = 6;

/// Registers commands in one scope.
pub(crate) struct Registrar {
    host: Host,
    http: Arc<Http>,
    client: reqwest::Client,
    application: ApplicationId,
    scope: Scope,
    budget: Budget,
    /// Plugins whose commands are not known as long as they are not live, so that nothing is deleted meanwhile.
    left_out: BTreeSet<PluginId>,
    /// What is registered, as far as known.
    state: Option<State>,
    /// Definitions that Discord refused; they are not sent again unless they change.
    refused: BTreeMap<CommandKey, Value>,
    /// The last failure told, so that each swap does not repeat it.
    told: Option<String>,
}

impl Registrar {
    /// Makes a registrar; `left_out` are the plugins that should be live and are not.
    pub(crate) fn new(
        host: Host,
        api: &Api,
        http: Arc<Http>,
        application: ApplicationId,
        scope: Scope,
        left_out: BTreeSet<PluginId>,
    ) -> Self {
        let budget = Budget::new(host.clone(), scope.to_string());
        Self {
            host,
            http,
            client: api.client(),
            application,
            scope,
            budget,
            left_out,
            state: None,
            refused: BTreeMap::new(),
            told: None,
        }
    }

    /// Registers what is live, now and after every swap, until the future is dropped.
    pub(crate) async fn run(mut self) {
        let mut swaps = self.host.registry().swaps();
        swaps.mark_unchanged();
        self.register(&mut swaps).await;
        self.mention_global_commands().await;
        loop {
            let wait = self.budget.closed_for();
            tokio::select! {
                changed = swaps.changed() => if changed.is_err() { return },
                // What the day before had no room for.
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
            while timeout(QUIET, swaps.changed()).await.is_ok_and(|changed| changed.is_ok()) {}
            self.register(&mut swaps).await;
        }
    }

    /// Brings Discord up to date, again and again while it is out of reach, within bounds.
    async fn register(&mut self, swaps: &mut watch::Receiver<u64>) {
        let mut waits = BackOff::new(ATTEMPTS, self.host.settings().environment);
        loop {
            let Err(problem) = self.attempt().await else {
                self.told = None;
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

    /// Makes the requests that are due; an error is one that may pass.
    async fn attempt(&mut self) -> Result<(), String> {
        let wanted = self.wanted();
        let first = self.state.is_none();
        if first {
            match self.fetch(self.commands_route()).await {
                Ok(list) => self.state = Some(plan::state_of(&list, &self.scope)),
                Err(Failure::Passing(problem)) => return Err(problem),
                Err(failure) => {
                    self.tell(&failure.of_scope(&self.scope));
                    return Ok(());
                }
            }
        }
        let Some(state) = &self.state else { return Ok(()) };
        let plan = Plan::between(state, &wanted, &self.scope);
        if first {
            let (new, gone, same) = (plan.upserts.len(), plan.deletions.len(), plan.unchanged);
            info!(scope = %self.scope, unchanged = same, to_send = new, to_remove = gone, "commands compared");
        }
        self.delete(&plan).await?;
        self.upsert(plan).await
    }

    async fn delete(&mut self, plan: &Plan) -> Result<(), String> {
        let live = self.host.registry().snapshot();
        self.left_out.retain(|plugin| !live.generations().contains_key(plugin));
        if !plan.deletions.is_empty() && !self.left_out.is_empty() {
            let plugins = self.left_out.iter().map(PluginId::as_str).collect::<Vec<_>>().join(" ");
            debug!(plugins, "no command is removed while a plugin is left out, it may be one of its own");
            return Ok(());
        }
        for (key, id) in &plan.deletions {
            match self.delete_command(*id).await {
                Ok(()) | Err(Failure::Gone) => {
                    if let Some(state) = &mut self.state {
                        state.remove(key);
                    }
                    info!(command = %key, scope = %self.scope, "command removed");
                }
                Err(Failure::Passing(problem)) => return Err(self.uncertain(problem)),
                Err(failure) => self.tell(&failure.of_command(key)),
            }
        }
        Ok(())
    }

    async fn upsert(&mut self, plan: Plan) -> Result<(), String> {
        self.refused.retain(|key, _| plan.upserts.iter().any(|upsert| upsert.key == *key));
        let mut no_more_new = self.budget.closed_for().is_some();
        for upsert in plan.upserts {
            if self.refused.get(&upsert.key) == Some(&upsert.comparable) || (no_more_new && upsert.is_new) {
                continue;
            }
            match self.create(&upsert.body).await {
                Ok(created) => {
                    if created.is_new {
                        let used = self.budget.spend();
                        info!(command = %upsert.key, scope = %self.scope, "command added, {used}");
                    } else {
                        info!(command = %upsert.key, scope = %self.scope, "command redefined");
                    }
                    if let (Some(state), Some(id)) = (&mut self.state, plan::id_of(&created.command)) {
                        state.insert(upsert.key, plan::Registered { id, comparable: upsert.comparable });
                    }
                }
                Err(Failure::Passing(problem)) => return Err(self.uncertain(problem)),
                Err(Failure::NoMoreToday(wait)) => {
                    no_more_new = true;
                    let wait = self.budget.close(wait);
                    self.tell(&Failure::NoMoreToday(wait).of_command(&upsert.key));
                }
                Err(failure) => {
                    self.tell(&failure.of_command(&upsert.key));
                    self.refused.insert(upsert.key, upsert.comparable);
                }
            }
        }
        Ok(())
    }

    /// Says once that commands of an earlier production run are registered globally.
    async fn mention_global_commands(&self) {
        if !matches!(self.scope, Scope::Guild(_)) {
            return;
        }
        let route = Route::Commands { application_id: self.application };
        let Ok(list) = self.fetch(route).await else { return };
        let keys =
            plan::state_of(&list, &self.scope).into_keys().map(|key| key.to_string()).collect::<Vec<_>>();
        if !keys.is_empty() {
            let commands = keys.join(" ");
            info!(
                commands,
                "also registered globally, by an earlier run in production; these are left as they are"
            );
        }
    }

    fn wanted(&self) -> Definitions {
        self.host.registry().snapshot().definitions()
    }

    /// Forgets what is registered, since a request may or may not have arrived.
    fn uncertain(&mut self, problem: String) -> String {
        self.state = None;
        problem
    }

    fn tell(&mut self, sentence: &str) {
        if self.told.as_deref() != Some(sentence) {
            error!("{sentence}");
            self.told = Some(sentence.to_owned());
        }
    }

    fn commands_route(&self) -> Route<'static> {
        let application_id = self.application;
        match &self.scope {
            Scope::Guild(guild_id) => Route::GuildCommands { application_id, guild_id: *guild_id },
            Scope::Global { .. } => Route::Commands { application_id },
        }
    }

    fn command_route(&self, command_id: CommandId) -> Route<'static> {
        let application_id = self.application;
        match &self.scope {
            Scope::Guild(guild_id) => Route::GuildCommand { application_id, guild_id: *guild_id, command_id },
            Scope::Global { .. } => Route::Command { application_id, command_id },
        }
    }

    async fn create(&self, body: &Value) -> Result<Created, Failure> {
        let bytes = body.to_string().into_bytes();
        #[allow(clippy::result_large_err)] // serenity's own.
        let make = || {
            let request = Request::new(self.commands_route(), LightMethod::Post).body(Some(bytes.clone()));
            request.build(&self.client, self.http.token(), None)
        };
        create(make, body).await
    }

    async fn fetch(&self, route: Route<'static>) -> Result<Vec<Value>, Failure> {
        let request = Request::new(route, LightMethod::Get)
            .params(Some(vec![("with_localizations", "true".to_owned())]));
        self.http.fire(request).await.map_err(|error| Failure::new(&error, None))
    }

    async fn delete_command(&self, id: CommandId) -> Result<(), Failure> {
        let request = Request::new(self.command_route(id), LightMethod::Delete);
        self.http.request(request).await.map(|_| ()).map_err(|error| Failure::new(&error, None))
    }
}

/// Says whether a registered command is of a kind that plugins define; Discord's own entry point is not.
fn kind_of(command: &Value) -> Option<CommandKind> {
    CommandKind::from_number(command["type"].as_u64())
}

#[cfg(test)]
mod tests;
