//! One scope: its registered commands, and the requests that update them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sdk::PluginId;
use sdk::definition::{CommandKey, CommandKind, Definitions};
use sdk::host::Host;
use sdk::serenity::all::CommandId;
use sdk::status::{WithdrawnCommand, since_1970};
use sdk::store::PluginStore;
use sdk::tracing::{debug, error, info, warn};
use serde_json::Value;

use super::Scope;
use super::budget::{Budget, LIMIT};
use super::failure::{Failure, Passing};
use super::plan::{self, Plan, State, Upsert};
use super::requests::Requests;
use super::withdrawn::{Terms, Withdrawn};

/// Whose commands a scope contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Only this bot's. Commands that it does not define are removed.
    Ours,
    /// Possibly also those of a run in production, which stay unchanged. The ids of this bot's own are kept in its
    /// store.
    OursAndOthers,
}

/// Conditions that are the same for all scopes at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// How long a command stays that no plugin defines any more.
    pub(super) grace: Duration,
    /// Whether a plugin that should be live is not.
    pub(super) incomplete: bool,
    /// Whether to remove all commands that no plugin defines any more.
    pub(super) asked: bool,
}

/// One scope.
pub(super) struct ScopeCommands {
    pub(super) scope: Scope,
    holds: Holds,
    remembers: bool,
    store: PluginStore,
    budget: Budget,
    /// Ids of this bot's own commands, if there may be others.
    own: BTreeSet<CommandId>,
    /// The registered commands, if known.
    state: Option<State>,
    /// Whether nothing at all is registered, as far as known.
    is_vacant: bool,
    withdrawn: Withdrawn,
    /// Definitions that were refused. They are not sent again until they change.
    refused: BTreeMap<CommandKey, Value>,
    /// Whether commands registered by others have been logged.
    mentioned: bool,
    /// The last failure logged, so that attempts do not repeat it.
    told: Option<String>,
}

impl ScopeCommands {
    /// Creates the state of a scope. `remembers`: it stores which commands are this bot's own, for later runs.
    pub(super) fn new(host: &Host, scope: Scope, holds: Holds, remembers: bool) -> Self {
        let store = host.store().of(&PluginId::new("host"));
        let own: BTreeSet<u64> = store.get(&own_key(&scope)).ok().flatten().unwrap_or_default();
        Self {
            holds,
            remembers,
            budget: Budget::new(host.clone(), scope.to_string()),
            withdrawn: Withdrawn::new(host, scope.to_string()),
            own: own.into_iter().filter(|id| *id != 0).map(CommandId::new).collect(),
            store,
            scope,
            state: None,
            is_vacant: false,
            refused: BTreeMap::new(),
            mentioned: false,
            told: None,
        }
    }

    /// Shows the record of creations in the status, even if nothing has been created.
    pub(super) fn show_budget(&self) {
        self.budget.show();
    }

    /// Returns whether a command is registered here with this definition.
    pub(super) fn shows(&self, key: &CommandKey, definition: &Value) -> bool {
        let registered = self.state.as_ref().and_then(|state| state.get(key));
        registered.is_some_and(|registered| registered.comparable == self.scope.comparable(definition))
    }

    /// Returns the time until the next action that is due here without a swap.
    pub(super) fn next_look(&self, moment: &Moment) -> Option<Duration> {
        let removal = self.state.as_ref().and_then(|_| self.withdrawn.next_look(&self.terms(moment)));
        removal.into_iter().chain(self.budget.closed_for()).min()
    }

    /// Returns the state of the commands that no plugin defines any more.
    pub(super) fn withdrawn(&self, moment: &Moment) -> Vec<WithdrawnCommand> {
        self.withdrawn.account(&self.terms(moment))
    }

    /// Sends the requests that are due. Returns how many commands were removed. An error is one that may be temporary.
    ///
    /// `elsewhere` are the commands that belong to another scope. If they are here, they move, see
    /// [`remove_moved`](Self::remove_moved). `publish` gets the withdrawn commands of this scope as soon as there are new ones.
    pub(super) async fn update(
        &mut self,
        requests: &Requests,
        wanted: &Definitions,
        elsewhere: &BTreeSet<CommandKey>,
        moment: &Moment,
        publish: &(dyn Fn(Vec<WithdrawnCommand>) + Sync),
    ) -> Result<usize, Passing> {
        let first = self.state.is_none();
        if first && !self.fetch(requests).await? {
            return Ok(0);
        }
        let Some(state) = &self.state else { return Ok(0) };
        let mut plan = Plan::between(state, wanted, &self.scope);
        self.mention_others(&plan);
        plan.missing.retain(|(_, id)| self.is_own(*id));
        if first {
            let (new, gone, same) = (plan.upserts.len(), plan.missing.len(), plan.unchanged);
            if self.holds == Holds::Ours || new + gone > 0 {
                info!(scope = %self.scope, unchanged = same, to_send = new, to_remove = gone, "commands compared");
            }
        }
        plan.missing.retain(|(key, _)| !elsewhere.contains(key));
        let missing = std::mem::take(&mut plan.missing);
        let new = self.withdrawn.note(missing, since_1970());
        // Before any request and before the log line: from now on the answer to these commands is that they are being worked on.
        if !new.is_empty() {
            publish(self.withdrawn(moment));
        }
        let removed = self.remove_withdrawn(requests, &plan, moment).await?;
        let is_kept = |key: &&CommandKey| self.state.as_ref().is_some_and(|state| state.contains_key(*key));
        let kept: Vec<_> = new.iter().filter(is_kept).map(ToString::to_string).collect();
        if !kept.is_empty() {
            let (commands, grace_ms) = (kept.join(" "), moment.grace.as_millis());
            info!(commands, scope = %self.scope, grace_ms, "commands withdrawn, they stay registered for a while");
        }
        self.upsert(requests, plan).await?;
        Ok(removed)
    }

    /// Removes commands that another scope has by now, so that none is shown twice.
    pub(super) async fn remove_moved(
        &mut self,
        requests: &Requests,
        moved: impl Fn(&CommandKey) -> bool,
    ) -> Result<(), Passing> {
        let here = self.state.iter().flatten();
        let moved: Vec<_> = here
            .filter(|(key, registered)| moved(key) && self.is_own(registered.id))
            .map(|(key, registered)| (key.clone(), registered.id))
            .collect();
        for (key, id) in moved {
            self.delete(requests, &key, id).await?;
        }
        Ok(())
    }

    /// Allows a failure to be logged again.
    pub(super) fn forget_told(&mut self) {
        self.told = None;
    }

    /// Reads the registered commands. Returns whether they are known then.
    async fn fetch(&mut self, requests: &Requests) -> Result<bool, Passing> {
        match requests.list(&self.scope).await {
            Ok(list) => {
                self.is_vacant = list.is_empty();
                self.state = Some(plan::state_of(&list, &self.scope));
                Ok(true)
            }
            Err(Failure::Passing(problem)) => Err(problem),
            Err(failure) => {
                self.tell(&failure.of_scope(&self.scope));
                Ok(false)
            }
        }
    }

    /// Logs once which commands were registered by others.
    fn mention_others(&mut self, plan: &Plan) {
        if std::mem::replace(&mut self.mentioned, true) {
            return;
        }
        let others = plan.missing.iter().filter(|(_, id)| !self.is_own(*id));
        let commands: Vec<_> = others.map(|(key, _)| key.to_string()).collect();
        if !commands.is_empty() {
            let commands = commands.join(" ");
            info!(
                commands,
                "also registered globally, by an earlier run in production; these are left as they are"
            );
        }
    }

    async fn remove_withdrawn(
        &mut self,
        requests: &Requests,
        plan: &Plan,
        moment: &Moment,
    ) -> Result<usize, Passing> {
        let terms = Terms { needed: self.places_needed(plan), ..self.terms(moment) };
        let due = self.withdrawn.due(&terms);
        if due.is_empty() && self.withdrawn.len() > 0 && terms.incomplete {
            debug!("no command is removed while a plugin is left out, it may be one of its own");
        }
        let mut removed = 0;
        for (key, id) in due {
            if self.delete(requests, &key, id).await? {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Removes a command. Returns whether it is gone.
    async fn delete(
        &mut self,
        requests: &Requests,
        key: &CommandKey,
        id: CommandId,
    ) -> Result<bool, Passing> {
        match requests.delete(&self.scope, id).await {
            Ok(()) | Err(Failure::Gone) => {
                if let Some(state) = &mut self.state {
                    state.remove(key);
                }
                self.withdrawn.removed(key);
                self.disown(id);
                info!(command = %key, scope = %self.scope, "command removed");
                Ok(true)
            }
            Err(Failure::Passing(problem)) => Err(self.uncertain(problem)),
            Err(failure) => {
                self.withdrawn.put_off(key, since_1970());
                self.tell(&failure.of_command(key));
                Ok(false)
            }
        }
    }

    async fn upsert(&mut self, requests: &Requests, mut plan: Plan) -> Result<(), Passing> {
        self.refused.retain(|key, _| plan.upserts.iter().any(|upsert| upsert.key == *key));
        if std::mem::take(&mut self.is_vacant) && plan.upserts.len() > 1 && self.budget.closed_for().is_none()
        {
            self.fill(requests, &mut plan).await?;
        }
        let mut no_more_new = self.budget.closed_for().is_some();
        for upsert in plan.upserts {
            if self.refused.get(&upsert.key) == Some(&upsert.comparable) || (no_more_new && upsert.is_new) {
                continue;
            }
            if self.is_others(&upsert.key) {
                self.tell(&format!(
                    "{} is registered globally by an earlier run in production, and defined differently there; it \
                     stays as it is. Remove it there, or develop with an application of its own.",
                    upsert.key
                ));
                self.refused.insert(upsert.key, upsert.comparable);
                continue;
            }
            match requests.create(&self.scope, &upsert.body).await {
                Ok(created) => {
                    self.accepted(upsert, plan::id_of(&created.json), created.is_new);
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

    /// Registers all commands of a plan with one request, where nothing is registered yet: commands one by one meet
    /// Discord's rate limit. If they are refused together, nothing is registered, and the plan stays as it is, because one of
    /// them alone may be wrong.
    async fn fill(&mut self, requests: &Requests, plan: &mut Plan) -> Result<(), Passing> {
        let bodies = plan.upserts.iter().map(|upsert| upsert.body.clone()).collect();
        let made = match requests.overwrite(&self.scope, bodies).await {
            Ok(made) => plan::state_of(&made, &self.scope),
            Err(Failure::Passing(problem)) => return Err(self.uncertain(problem)),
            Err(failure) => {
                debug!(scope = %self.scope, ?failure, "commands are refused together");
                return Ok(());
            }
        };
        for upsert in std::mem::take(&mut plan.upserts) {
            match made.get(&upsert.key).map(|registered| registered.id) {
                Some(id) => self.accepted(upsert, Some(id), true),
                None => plan.upserts.push(upsert),
            }
        }
        Ok(())
    }

    /// Records a command that Discord has accepted.
    fn accepted(&mut self, upsert: Upsert, id: Option<CommandId>, is_new: bool) {
        if is_new {
            let used = self.budget.spend();
            info!(command = %upsert.key, scope = %self.scope, used, of = LIMIT, "command added");
        } else {
            info!(command = %upsert.key, scope = %self.scope, "command redefined");
        }
        let Some(id) = id else { return };
        if is_new {
            self.own(id);
        }
        if let Some(state) = &mut self.state {
            state.insert(upsert.key, plan::Registered { id, comparable: upsert.comparable });
        }
    }

    fn terms(&self, moment: &Moment) -> Terms {
        Terms {
            now: since_1970(),
            grace: moment.grace,
            incomplete: moment.incomplete,
            room_in: self.budget.room_in(self.withdrawn.len()),
            asked: moment.asked,
            needed: BTreeMap::new(),
        }
    }

    /// Returns how many commands of each kind have to be removed to make room for the new ones of a plan.
    fn places_needed(&self, plan: &Plan) -> BTreeMap<CommandKind, usize> {
        let kinds = [CommandKind::Slash, CommandKind::User, CommandKind::Message];
        let needed = kinds.map(|kind| {
            let here = self.state.iter().flatten().filter(|(key, _)| key.kind == kind).count();
            let new = plan.upserts.iter().filter(|upsert| upsert.is_new && upsert.key.kind == kind).count();
            (kind, if new == 0 { 0 } else { (here + new).saturating_sub(plan::most_of(kind)) })
        });
        needed.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    fn is_own(&self, id: CommandId) -> bool {
        self.holds == Holds::Ours || self.own.contains(&id)
    }

    fn is_others(&self, key: &CommandKey) -> bool {
        let registered = self.state.as_ref().and_then(|state| state.get(key));
        registered.is_some_and(|registered| !self.is_own(registered.id))
    }

    fn own(&mut self, id: CommandId) {
        if self.remembers && self.own.insert(id) {
            self.keep_own();
        }
    }

    fn disown(&mut self, id: CommandId) {
        if self.own.remove(&id) {
            self.keep_own();
        }
    }

    fn keep_own(&self) {
        let ids: Vec<u64> = self.own.iter().map(|id| id.get()).collect();
        if let Err(error) = self.store.put(&own_key(&self.scope), &ids) {
            warn!(%error, "which global commands are this bot's own is not kept");
        }
    }

    /// Discards the registered commands, because a request may or may not have arrived. Returns `problem`.
    fn uncertain(&mut self, problem: Passing) -> Passing {
        self.state = None;
        problem
    }

    fn tell(&mut self, sentence: &str) {
        if self.told.as_deref() != Some(sentence) {
            error!(scope = %self.scope, problem = %sentence, "not registered as defined");
            self.told = Some(sentence.to_owned());
        }
    }
}

fn own_key(scope: &Scope) -> String {
    format!("own commands, {scope}")
}
