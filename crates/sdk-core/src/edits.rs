//! Edits and deletions of messages that were text commands: one tracker for all plugins, which outlives every reload.
//!
//! poise's tracker holds messages and no code of a plugin, so an edit finds the first answer, whichever generation sent
//! it. poise would process an edit once for each framework, which changes the tracker each time. Here it is processed
//! once, and each plugin's options then decide whether it concerns the plugin.

use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use poise::{EditTracker, MessageDispatchTrigger, PrefixFrameworkOptions};
use serenity::all::{Message, MessageId, MessageUpdateEvent, Timestamp};

/// How long a text command and its answer are remembered.
const KEPT: Duration = Duration::from_hours(1);
/// How often older ones are forgotten, as poise's own framework does.
const PURGED_EVERY: Duration = Duration::from_mins(1);

/// The host's record of text commands and their answers.
pub(crate) struct Edits {
    tracker: Arc<RwLock<EditTracker>>,
    purged: Mutex<Instant>,
}

/// A message that its author has edited.
pub(crate) struct Edit {
    /// The message as it is now.
    pub(crate) message: Message,
    was_command: bool,
    was_answered: bool,
    is_as_cached: bool,
    age: Duration,
}

impl Default for Edits {
    fn default() -> Self {
        Self { tracker: Arc::new(EditTracker::for_timespan(KEPT)), purged: Mutex::new(Instant::now()) }
    }
}

impl Edits {
    /// Returns poise's tracker, for a plugin's options.
    pub(crate) fn tracker(&self) -> Arc<RwLock<EditTracker>> {
        self.tracker.clone()
    }

    /// Returns what an update of a message means; `None` when its author has not changed its text.
    ///
    /// Discord also sends an update when it adds an embed or when the message is pinned. `edited_timestamp` is null
    /// until the author edits it. Source: Discord's Message object.
    pub(crate) fn edited(&self, old: Option<&Message>, update: &MessageUpdateEvent) -> Option<Edit> {
        update.edited_timestamp?;
        let mut tracker = self.locked();
        let was_answered = tracker.find_bot_response(update.id).is_some();
        let (message, was_command) = tracker.process_message_update(update, false, None)?;
        // Of a message that is not tracked, only what the update contains is known.
        if !was_command && (update.author.is_none() || update.content.is_none()) {
            return None;
        }
        let created = update.id.created_at().unix_timestamp();
        let age = Timestamp::now().unix_timestamp().abs_diff(created);
        let is_as_cached = old.is_some_and(|old| update.content.as_ref() == Some(&old.content));
        Some(Edit { message, was_command, was_answered, is_as_cached, age: Duration::from_secs(age) })
    }

    /// Forgets a message. Returns the answer that is to be deleted with it.
    pub(crate) fn deleted(&self, message: MessageId) -> Option<Message> {
        self.locked().process_message_delete(message)
    }

    /// Forgets old entries, at most once per [`PURGED_EVERY`].
    pub(crate) fn purge(&self) {
        let mut purged = self.purged.lock();
        if purged.elapsed() >= PURGED_EVERY {
            *purged = Instant::now();
            drop(purged);
            self.locked().purge();
        }
    }

    fn locked(&self) -> RwLockWriteGuard<'_, EditTracker> {
        // No code of a plugin runs under the lock.
        self.tracker.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Edit {
    /// Returns the edit's trigger for poise.
    pub(crate) fn trigger(&self) -> MessageDispatchTrigger {
        if self.was_command {
            MessageDispatchTrigger::MessageEdit
        } else {
            MessageDispatchTrigger::MessageEditFromInvalid
        }
    }

    /// Returns whether a plugin with these options handles the edit, by poise's rules.
    pub(crate) fn concerns<U, E>(&self, options: &PrefixFrameworkOptions<U, E>) -> bool {
        options.edit_tracker.is_some()
            && !(options.check_edits_against_cache && self.is_as_cached)
            && (self.was_answered || !options.ignore_edits_if_not_yet_responded)
            && options.tracking_initiation_window.is_none_or(|window| self.age.as_secs() <= window.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Data, Error};

    fn message(id: u64, content: &str) -> Message {
        let author = json!({ "id": "5", "username": "bob", "discriminator": "0", "avatar": null });
        let message = json!({
            "id": id.to_string(), "channel_id": "2", "author": author, "content": content, "type": 0,
            "timestamp": "2026-01-01T00:00:00Z", "edited_timestamp": null, "tts": false, "pinned": false,
            "mention_everyone": false, "mentions": [], "mention_roles": [], "attachments": [], "embeds": [],
        });
        serde_json::from_value(message).unwrap()
    }

    fn update(id: u64, change: &serde_json::Value) -> MessageUpdateEvent {
        let mut whole = serde_json::to_value(message(id, "!add 1 2")).unwrap();
        for (name, value) in change.as_object().unwrap() {
            whole[name] = value.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    /// Returns the id of a message of that age.
    fn id_of(age: Duration) -> u64 {
        const EPOCH_MS: u64 = 1_420_070_400_000;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        (u64::try_from(now.checked_sub(age).unwrap().as_millis()).unwrap() - EPOCH_MS) << 22
    }

    const EDITED: &str = "2026-01-01T00:01:00Z";

    #[test]
    fn what_discord_adds_to_a_message_is_no_edit() {
        let edits = Edits::default();
        let id = id_of(Duration::ZERO);
        assert!(edits.edited(None, &update(id, &json!({ "embeds": [], "content": "!add 1 3" }))).is_none());
        let edited = update(id, &json!({ "edited_timestamp": EDITED, "content": "!add 1 3" }));
        assert_eq!(edits.edited(None, &edited).unwrap().message.content, "!add 1 3");
        let anonymous = update(id, &json!({ "edited_timestamp": EDITED, "author": null }));
        assert!(edits.edited(None, &anonymous).is_none(), "it cannot be told who has edited it");
    }

    #[test]
    fn options_of_a_plugin_say_which_edits_concern_it() {
        type Prefixes = PrefixFrameworkOptions<Data, Error>;
        let edits = Edits::default();
        let with = |change: fn(&mut Prefixes)| {
            let mut prefixes =
                Prefixes { edit_tracker: Some(edits.tracker()), ..PrefixFrameworkOptions::default() };
            change(&mut prefixes);
            prefixes
        };
        let (plain, patient) = (with(|_| ()), with(|on| on.tracking_initiation_window = None));
        let answered = with(|on| on.ignore_edits_if_not_yet_responded = true);
        let uncached = with(|on| on.check_edits_against_cache = false);
        let off = with(|on| on.edit_tracker = None);

        let id = id_of(Duration::ZERO);
        edits.tracker().write().unwrap().track_command(&message(id, "!add 1 2"), true);
        let change = |content: &str| update(id, &json!({ "edited_timestamp": EDITED, "content": content }));
        assert!(edits.edited(None, &change("!add 1 2")).is_none(), "the text is the same");
        let edit = edits.edited(Some(&message(id, "!add 1 3")), &change("!add 1 3")).unwrap();
        assert_eq!(edit.trigger(), MessageDispatchTrigger::MessageEdit);
        assert!(!edit.concerns(&plain) && edit.concerns(&uncached), "the cache has that text already");
        let edit = edits.edited(None, &change("!add 1 4")).unwrap();
        assert!(edit.concerns(&plain) && !edit.concerns(&answered) && !edit.concerns(&off));
        edits.tracker().write().unwrap().set_bot_response(&message(id, ""), message(9, "5"), true);
        assert!(edits.edited(None, &change("!add 1 5")).unwrap().concerns(&answered));

        let old = update(id_of(Duration::from_mins(20)), &json!({ "edited_timestamp": EDITED }));
        let edit = edits.edited(None, &old).unwrap();
        assert_eq!(edit.trigger(), MessageDispatchTrigger::MessageEditFromInvalid);
        assert!(!edit.concerns(&plain) && edit.concerns(&patient));

        assert_eq!(edits.deleted(MessageId::new(id)).unwrap().id, MessageId::new(9));
        assert!(edits.deleted(MessageId::new(id)).is_none());
    }
}
