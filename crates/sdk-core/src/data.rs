//! A generation's handle to the host: poise's user data, and what hooks and handlers get.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::flight::Flight;
use crate::host::Host;
use crate::settings::Settings;
use crate::store::PluginStore;
use crate::tasks::Tasks;
use crate::{Error, PluginId};

/// What a command finds in `ctx.data()`; cheap to clone.
#[derive(Clone)]
pub struct Data(Arc<Inner>);

struct Inner {
    plugin: PluginId,
    generation: u64,
    host: Host,
    tasks: Tasks,
}

impl Data {
    pub(crate) fn new(plugin: PluginId, generation: u64, host: Host) -> Self {
        Self(Arc::new(Inner { plugin, generation, host, tasks: Tasks::default() }))
    }

    /// Gives the plugin that this handle belongs to.
    pub fn plugin(&self) -> &PluginId {
        &self.0.plugin
    }

    /// Gives the generation that this handle belongs to, from 1.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// Gives the host: registry, gateway, uptime.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// Gives the settings of this moment.
    pub fn settings(&self) -> Arc<Settings> {
        self.0.host.settings()
    }

    /// Gives this plugin's values in the host, which outlive every reload.
    pub fn store(&self) -> PluginStore {
        self.0.host.store().of(&self.0.plugin)
    }

    /// Spawns a task that belongs to this generation and is cancelled when the generation stops.
    #[track_caller]
    pub fn spawn(&self, name: &str, future: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(name, self.flight(name).follow(future));
    }

    fn flight(&self, task: &str) -> Flight {
        self.0.host.flight(&self.0.plugin, self.0.generation, format_args!("task {task}"))
    }

    /// Calls `work` every `period` until this generation stops; the first call is one period from now.
    #[track_caller]
    pub fn every<F>(&self, name: &str, period: Duration, work: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = Result<(), Error>> + Send,
    {
        let (plugin, task) = (self.0.plugin.clone(), name.to_owned());
        let spawned_at = Location::caller();
        self.0.tasks.spawn(name, self.flight(name).follow(async move {
            let mut ticks = tokio::time::interval(period.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                if let Err(error) = work().await {
                    tracing::error!(%plugin, task, %spawned_at, %error, "a repeated task failed");
                }
            }
        }));
    }

    /// Asks the host to call this plugin's timer handler `name` after `delay`, in whichever generation is then
    /// live; a timer of the same name and key is replaced.
    ///
    /// While testing the delay is cut short, see [`Environment::delay`](crate::settings::Environment::delay).
    ///
    /// # Errors
    /// When `payload` cannot be serialised.
    pub fn schedule(
        &self,
        name: &str,
        key: &str,
        delay: Duration,
        payload: &impl Serialize,
    ) -> Result<(), Error> {
        let delay = self.settings().environment.delay(delay);
        self.0.host.scheduler().set(&self.0.plugin, name, key, delay, serde_json::to_value(payload)?);
        Ok(())
    }

    /// Takes back a timer and says whether it was still to come.
    pub fn unschedule(&self, name: &str, key: &str) -> bool {
        self.0.host.scheduler().remove(&self.0.plugin, name, key)
    }

    /// Gives the tasks that this generation has started.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }
}
