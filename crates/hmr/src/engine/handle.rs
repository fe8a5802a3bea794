//! The interface of the engine for commands and other programs.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sdk_core::PluginId;
use sdk_core::bus::{Bus, ReloadEvent};
use sdk_core::host::{Reloader, RequestError};
use sdk_core::status::{ReloadStatus, Reloaded, milliseconds};
use tokio::sync::{mpsc, oneshot};

use super::Loop;
use super::builds::Answer;
use crate::watch::Control;

/// A request.
pub(super) enum Request {
    /// A build and a swap of a plugin, or of all.
    Reload { plugin: Option<PluginId>, answer: Answer },
    /// Earlier code of a plugin.
    RollBack { plugin: PluginId, to: Option<u64>, answer: oneshot::Sender<Result<String, RequestError>> },
}

/// The handle that the host hands out.
pub(super) struct Handle {
    pub(super) requests: mpsc::UnboundedSender<Request>,
    /// The channel for restart requests; `None` if no supervisor would start the host again.
    pub(super) restarts: Option<mpsc::UnboundedSender<bool>>,
    pub(super) watching: Control,
    pub(super) status: Arc<Mutex<ReloadStatus>>,
    pub(super) bus: Bus,
}

const STOPPED: &str = "the reload engine has stopped";

impl Reloader for Handle {
    fn status(&self) -> ReloadStatus {
        let poll_ms = self.watching.mode().poll.map(milliseconds);
        ReloadStatus { poll_ms, ..self.status.lock().clone() }
    }

    fn reload(&self, plugin: Option<PluginId>) -> BoxFuture<'static, Vec<Result<Reloaded, RequestError>>> {
        let (answer, answered) = oneshot::channel();
        let stopped = || vec![Err(STOPPED.into())];
        if self.requests.send(Request::Reload { plugin, answer }).is_err() {
            return std::future::ready(stopped()).boxed();
        }
        async move { answered.await.unwrap_or_else(|_| stopped()) }.boxed()
    }

    fn rollback(
        &self,
        plugin: PluginId,
        generation: Option<u64>,
    ) -> BoxFuture<'static, Result<String, RequestError>> {
        let (answer, answered) = oneshot::channel();
        let stopped = || Err(STOPPED.into());
        if self.requests.send(Request::RollBack { plugin, to: generation, answer }).is_err() {
            return std::future::ready(stopped()).boxed();
        }
        async move { answered.await.unwrap_or_else(|_| stopped()) }.boxed()
    }

    fn watch(&self, on: bool) -> BoxFuture<'static, Result<String, RequestError>> {
        let answer = if self.requests.is_closed() {
            Err(STOPPED.into())
        } else if self.watching.set_paused(!on) {
            let words = if on { WATCHING_ON } else { WATCHING_OFF }.to_owned();
            self.status.lock().watching = on;
            if on {
                tracing::info!("{WATCHING_ON}");
            } else {
                tracing::info!("{WATCHING_OFF}");
            }
            self.bus.emit(ReloadEvent::Note { plugin: None, message: words.clone() });
            Ok(words)
        } else {
            Ok(format!("watching was {} already", if on { "on" } else { "stopped" }))
        };
        std::future::ready(answer).boxed()
    }

    fn restart(&self, when_quiet: bool) -> Result<(), RequestError> {
        let restarts =
            self.restarts.as_ref().ok_or("this bot is not supervised; end it and start it again")?;
        restarts.send(when_quiet).map_err(|_| STOPPED.into())
    }
}

const WATCHING_ON: &str = "watching goes on; what was saved meanwhile comes in now";
const WATCHING_OFF: &str = "watching is stopped; what is saved comes in when it goes on";

impl Loop {
    /// Publishes the status before anything is live.
    pub(super) fn publish_start(&self) {
        self.publish_folders();
        let mut status = self.status.lock();
        (status.on, status.watching) = (true, true);
        status.building = vec![self.members.workspace.plugins.keys().cloned().collect()];
    }

    /// Publishes the status after any change.
    pub(super) fn publish(&self) {
        let building = self.builds.plugins();
        let held = self
            .failed_groups
            .iter()
            .chain(self.replacement.waiting())
            .map(|group| group.plugins.iter().cloned().collect())
            .collect();
        let awaiting_restart = self.replacement.because();
        let mut status = self.status.lock();
        status.building = building;
        status.held = held;
        status.awaiting_restart = awaiting_restart;
        status.rebuilding = self.replacement.rebuilding().cloned();
    }

    /// Publishes which folders are watched.
    pub(super) fn publish_folders(&self) {
        let scope = self.members.workspace.scope();
        let inside = |path: &PathBuf| path.strip_prefix(&scope.root).unwrap_or(path).display().to_string();
        let folders = scope.trees.keys().map(inside).collect();
        self.status.lock().folders = folders;
    }
}
