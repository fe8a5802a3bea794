//! Reload events in the channel of `DEV_CHANNEL_ID`: one message per plugin, edited in place.
//!
//! # Theory of operation
//!
//! One task receives the events of the bus. Each event changes the text of a plugin's status. A status with a new text is
//! sent or edited, at most once a second, so that a burst of events ends in one edit with the last state. If Discord
//! temporarily refuses a message, it is tried again until it is shown. A deleted message is sent again. A channel that
//! cannot be written to is logged once. The reload engine never waits for any of this.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sdk::bus::ReloadEvent;
use sdk::host::Host;
use sdk::serenity::all::{
    ChannelId, CreateAllowedMentions, CreateMessage, EditMessage, Http, MessageFlags, MessageId,
};
use sdk::serenity::http::HttpError;
use sdk::store::PluginStore;
use sdk::tokio::sync::broadcast::error::RecvError;
use sdk::tokio::time::{Instant, sleep_until};
use sdk::tracing::warn;
use sdk::{PluginId, serenity, tokio};

use crate::log::redact;
use status_messages::StatusMessages;

mod render;
mod status_messages;

/// Shortest time between two changes of one message.
const EVERY: Duration = Duration::from_secs(1);
/// Longest wait between two attempts.
const PATIENCE: Duration = Duration::from_mins(1);
/// Discord's error codes for a deleted message and for one of another author. Source: "JSON Error Codes".
const MESSAGE_LOST: [isize; 2] = [10008, 50005];

/// Sends messages about reloads until the future is dropped.
pub(crate) async fn run(host: Host, http: Arc<Http>) {
    let mut heard = host.bus().listen();
    let mut feedback = Feedback::new(host, http);
    loop {
        let due = feedback.due();
        tokio::select! {
            biased;
            stamped = heard.recv() => match stamped {
                Ok(stamped) => feedback.hear(&stamped.event),
                Err(RecvError::Lagged(missed)) => warn!(missed, "feedback in Discord was too slow"),
                Err(RecvError::Closed) => return,
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => feedback.show_next().await,
        }
    }
}

/// Where a status is shown, and when it may be changed.
struct Shown {
    text: String,
    place: Option<(ChannelId, MessageId)>,
    /// Time from which on it may be changed again.
    at: Instant,
    /// Wait after the next failed attempt.
    wait: Duration,
}

struct Feedback {
    host: Host,
    http: Arc<Http>,
    store: PluginStore,
    statuses: StatusMessages,
    shown: BTreeMap<Option<PluginId>, Shown>,
    /// The last problem logged, so that it is logged once.
    told: Option<String>,
}

/// Why a message is not shown.
enum Trouble {
    /// The message was deleted.
    Lost,
    /// The bot is not allowed to.
    Refused(String),
    /// The problem may be temporary.
    Passing(String),
}

impl Feedback {
    fn new(host: Host, http: Arc<Http>) -> Self {
        let store = host.store().of(&PluginId::new("host"));
        Self { host, http, store, statuses: StatusMessages::default(), shown: BTreeMap::new(), told: None }
    }

    fn hear(&mut self, event: &ReloadEvent) {
        if self.host.settings().dev_channel.is_some() {
            self.statuses.note(event);
        }
    }

    /// Returns the time at which the next status may be changed, if one has to be.
    fn due(&self) -> Option<Instant> {
        self.next().map(|(_, at)| at)
    }

    fn next(&self) -> Option<(Option<PluginId>, Instant)> {
        self.statuses
            .texts()
            .filter_map(|(key, text)| match self.shown.get(key) {
                Some(shown) if shown.text == text => None,
                Some(shown) => Some((key.clone(), shown.at)),
                None => Some((key.clone(), Instant::now())),
            })
            .min_by_key(|(_, at)| *at)
    }

    /// Sends or edits the message of the status that has waited longest.
    async fn show_next(&mut self) {
        let Some((key, _)) = self.next() else { return };
        let Some(text) = self.statuses.text(&key).map(str::to_owned) else { return };
        let Some(channel) = self.host.settings().dev_channel else {
            // The channel was removed from the configuration meanwhile.
            self.statuses = StatusMessages::default();
            return;
        };
        let known = match self.shown.get(&key) {
            Some(shown) => shown.place,
            None => self.kept(key.as_ref()),
        };
        let known = known.filter(|(in_channel, _)| *in_channel == channel);
        let mut wait = self.shown.get(&key).map_or(EVERY, |shown| shown.wait);
        let content = redact::clean(&text);
        let mut outcome = match known {
            Some((_, message)) => self.edit(channel, message, &content).await,
            None => self.send(channel, &content).await,
        };
        if matches!(outcome, Err(Trouble::Lost)) {
            outcome = self.send(channel, &content).await;
        }
        let mut shows = text;
        let place = match outcome {
            Ok(message) => {
                self.told = None;
                wait = EVERY;
                if known.is_none_or(|(_, before)| before != message) {
                    self.keep(key.as_ref(), (channel, message));
                }
                Some((channel, message))
            }
            Err(Trouble::Passing(why)) => {
                if self.is_new(why.clone()) {
                    warn!(%why, "feedback in Discord is late");
                }
                shows = self.shown.get(&key).map(|shown| shown.text.clone()).unwrap_or_default();
                wait = (wait * 2).min(PATIENCE);
                known
            }
            Err(Trouble::Refused(why)) => {
                if self.is_new(format!("{channel}: {why}")) {
                    warn!(
                        %channel,
                        %why,
                        "the channel that DEV_CHANNEL_ID names cannot be written to; check that it exists and that the \
                         bot may view it and send messages there"
                    );
                }
                None
            }
            Err(Trouble::Lost) => None,
        };
        self.shown.insert(key, Shown { text: shows, place, at: Instant::now() + wait, wait });
    }

    async fn send(&self, channel: ChannelId, content: &str) -> Result<MessageId, Trouble> {
        let message = CreateMessage::new()
            .content(content)
            .allowed_mentions(CreateAllowedMentions::new())
            .flags(MessageFlags::SUPPRESS_EMBEDS);
        channel.send_message(&*self.http, message).await.map(|sent| sent.id).map_err(|error| trouble(&error))
    }

    async fn edit(
        &self,
        channel: ChannelId,
        message: MessageId,
        content: &str,
    ) -> Result<MessageId, Trouble> {
        let edit = EditMessage::new().content(content).allowed_mentions(CreateAllowedMentions::new());
        let edited = channel.edit_message(&*self.http, message, edit).await;
        edited.map(|edited| edited.id).map_err(|error| trouble(&error))
    }

    /// Returns the message that an earlier process has sent for a plugin.
    fn kept(&self, plugin: Option<&PluginId>) -> Option<(ChannelId, MessageId)> {
        self.store.get(&key(plugin)).ok().flatten()
    }

    fn keep(&mut self, plugin: Option<&PluginId>, place: (ChannelId, MessageId)) {
        if let Err(error) = self.store.put(&key(plugin), &place)
            && self.is_new(error.to_string())
        {
            warn!(%error, "a message of feedback will be sent anew after a restart");
        }
    }

    /// Returns whether a problem differs from the one that was logged last, and keeps it as that.
    fn is_new(&mut self, problem: String) -> bool {
        let is_new = self.told.as_ref() != Some(&problem);
        self.told = Some(problem);
        is_new
    }
}

fn key(plugin: Option<&PluginId>) -> String {
    format!("feedback, {}", plugin.map_or("workspace", PluginId::as_str))
}

fn trouble(error: &serenity::Error) -> Trouble {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => {
            let status = answer.status_code.as_u16();
            if MESSAGE_LOST.contains(&answer.error.code) {
                Trouble::Lost
            } else if status >= 500 || status == 429 {
                Trouble::Passing(format!("the answer was {status}"))
            } else {
                Trouble::Refused(format!("{} ({})", answer.error.message, answer.error.code))
            }
        }
        serenity::Error::Http(HttpError::Request(error)) => Trouble::Passing(crate::api::cause(error)),
        other => Trouble::Refused(other.to_string()),
    }
}
