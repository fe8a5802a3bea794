//! The messages of a player's task besides commands: from Discord, the driver, sources, and the host.

use std::sync::Arc;
use std::time::Duration;

use sdk_core::voice::{SavedPlayer, Track};
use serenity::all::ChannelId;
use serenity::async_trait;
use songbird::events::context_data::DisconnectKind;
use songbird::events::{Event, EventContext, EventHandler};
use songbird::tracks::PlayMode;
use tokio::sync::{mpsc, oneshot, watch};

use super::clock::Hand;
use super::connection_info::Place;
use super::open::{OpenError, Opened};
use super::rejoin::Loss;
use super::source::TrackUpdate;
use super::stage_speaker::Asked;

/// A message of a player's task besides commands.
pub(super) enum TaskMessage {
    /// The bot's own voice state.
    State { session: String, channel: Option<ChannelId>, suppressed: bool },
    /// The guild's voice server.
    Server { endpoint: Option<String>, token: String },
    /// The guild's shard has a new session.
    Session,
    /// The result of becoming a speaker on the stage in that channel.
    Asked { channel: ChannelId, outcome: Asked },
    /// A user may have joined or left.
    Listeners,
    /// The driver is connected there.
    Connected { driver: u64, place: Place },
    /// An attempt of the driver to connect has failed.
    Failed { attempt: u64, loss: Loss },
    /// The driver's connection is gone.
    Disconnected { driver: u64, loss: Loss },
    /// The source of a job is open, or has failed with a reason.
    Opened { job: u64, outcome: Result<Opened, OpenError> },
    /// A source has new information about its track.
    TrackUpdate,
    /// The mixer has finished a job's audio.
    Ended { job: u64, how: Ended },
    /// The guild's settings may have changed.
    Settings,
    /// Restores the player from before a restart. It joins again if `rejoin` is set. `culprit` is the removed track
    /// that the bot may have died on.
    Restore { kept: Box<SavedPlayer>, rejoin: bool, culprit: Option<Arc<Track>> },
    /// The bot is not in the guild any more, which ends the task.
    Gone,
    /// Makes the task panic.
    #[cfg(test)]
    Break,
    /// The bot ends: the player changes nothing any more.
    Close(oneshot::Sender<()>),
}

/// The sender of messages to a player's task.
pub(super) type TaskSender = mpsc::UnboundedSender<TaskMessage>;

/// How the mixer ended a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Finished,
    Failed(String),
}

/// Reports a driver's connections, in order.
pub(super) struct Connections {
    pub(super) sender: TaskSender,
    pub(super) driver: u64,
}

#[async_trait]
impl EventHandler for Connections {
    async fn act(&self, ctx: &EventContext<'_>) -> Option<Event> {
        let driver = self.driver;
        let message = match ctx {
            EventContext::DriverConnect(data) => TaskMessage::Connected {
                driver,
                place: Place {
                    channel: data.channel_id.0.into(),
                    session: data.session_id.to_owned(),
                    endpoint: data.server.to_owned(),
                },
            },
            // A failed attempt reports itself.
            EventContext::DriverDisconnect(data) if !matches!(data.kind, DisconnectKind::Connect) => {
                TaskMessage::Disconnected { driver, loss: Loss::of(data.reason.as_ref())? }
            }
            _ => return None,
        };
        let _ = self.sender.send(message);
        None
    }
}

/// Reports the end of a track.
pub(super) struct Ends {
    pub(super) sender: TaskSender,
    pub(super) job: u64,
    /// The source's updates: to the mixer, a source that breaks off looks like one that has ended.
    pub(super) updates: watch::Receiver<TrackUpdate>,
}

#[async_trait]
impl EventHandler for Ends {
    async fn act(&self, ctx: &EventContext<'_>) -> Option<Event> {
        if let EventContext::Track([(state, _), ..]) = ctx {
            let how = match &state.playing {
                PlayMode::Errored(error) => Ended::Failed(super::open::words(error)),
                _ => match &self.updates.borrow().failure {
                    Some(failure) => Ended::Failed(failure.to_string()),
                    None => Ended::Finished,
                },
            };
            let _ = self.sender.send(TaskMessage::Ended { job: self.job, how });
        }
        None
    }
}

/// Records how much of a track was mixed.
pub(super) struct Ticks(pub(super) Arc<Hand>);

impl Ticks {
    /// Period of the event: one mixed frame.
    pub(super) const PERIOD: Duration = Duration::from_millis(20);
}

#[async_trait]
impl EventHandler for Ticks {
    async fn act(&self, ctx: &EventContext<'_>) -> Option<Event> {
        if let EventContext::Track([(state, _), ..]) = ctx {
            self.0.set(state.position);
        }
        None
    }
}
