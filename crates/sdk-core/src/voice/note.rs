//! What a player's task hears beside commands: Discord, the driver, sources, and the host.

use std::time::Duration;

use serenity::all::ChannelId;
use serenity::async_trait;
use songbird::events::context_data::DisconnectKind;
use songbird::events::{Event, EventContext, EventHandler};
use songbird::tracks::PlayMode;
use tokio::sync::{mpsc, oneshot, watch};

use super::clock::Hand;
use super::kept::KeptPlayer;
use super::open::Opened;
use super::rejoin::Loss;
use super::source::News;

/// What a player's task hears beside commands.
pub(super) enum Note {
    /// The bot's own voice state.
    State { session: String, channel: Option<ChannelId> },
    /// The guild's voice server.
    Server { endpoint: Option<String>, token: String },
    /// The guild's shard has a new session.
    Session,
    /// Somebody may have come or gone.
    Listeners,
    /// An attempt of the driver to connect is over; `None` when another took its place.
    Connected { attempt: u64, outcome: Result<(), Option<Loss>> },
    /// The driver's connection is gone.
    Disconnected { driver: u64, loss: Loss },
    /// The source of a job is open, or why not.
    Opened { job: u64, outcome: Result<Opened, String> },
    /// A source says something new of itself.
    News,
    /// The mixer is done with a job's audio.
    Ended { job: u64, how: Ended },
    /// The guild's settings may have changed.
    Settings,
    /// The player is as it was before a restart; it joins again if that is asked for.
    Restore { kept: Box<KeptPlayer>, rejoin: bool },
    /// The bot ends: nothing moves any more.
    Close(oneshot::Sender<()>),
}

pub(super) type Notes = mpsc::UnboundedSender<Note>;

/// How the mixer ended a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Finished,
    Failed(String),
}

/// Tells of a driver's lost connections.
pub(super) struct Disconnects {
    pub(super) notes: Notes,
    pub(super) driver: u64,
}

#[async_trait]
impl EventHandler for Disconnects {
    async fn act(&self, ctx: &EventContext<'_>) -> Option<Event> {
        if let EventContext::DriverDisconnect(data) = ctx
            // The outcome of an attempt comes by itself.
            && !matches!(data.kind, DisconnectKind::Connect)
            && let Some(loss) = Loss::of(data.reason.as_ref())
        {
            let _ = self.notes.send(Note::Disconnected { driver: self.driver, loss });
        }
        None
    }
}

/// Tells of a track's end.
pub(super) struct Ends {
    pub(super) notes: Notes,
    pub(super) job: u64,
    /// What the source says: to the mixer one that breaks off looks like one that is over.
    pub(super) news: watch::Receiver<News>,
}

#[async_trait]
impl EventHandler for Ends {
    async fn act(&self, ctx: &EventContext<'_>) -> Option<Event> {
        if let EventContext::Track([(state, _), ..]) = ctx {
            let how = match &state.playing {
                PlayMode::Errored(error) => Ended::Failed(super::open::words(error)),
                _ => match &self.news.borrow().failure {
                    Some(failure) => Ended::Failed(failure.to_string()),
                    None => Ended::Finished,
                },
            };
            let _ = self.notes.send(Note::Ended { job: self.job, how });
        }
        None
    }
}

/// Writes how much of a track was mixed.
pub(super) struct Ticks(pub(super) std::sync::Arc<Hand>);

impl Ticks {
    /// One mixed frame.
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
