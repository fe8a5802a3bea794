//! One dispatched event in the shapes for different sessions.
//!
//! The whole event is serialised once for all sessions. Only a session that must not see all of it gets a shape of its
//! own, since what is removed depends on the bot.

use std::cell::OnceCell;
use std::sync::Arc;

use serde_json::Value;

use super::viewer::{Viewer, is_user};
use super::{Dispatch, Intents, content, roster};
use crate::event_log::{Body, EventLog, Json};
use crate::snowflake::Snowflake;

/// An event as sessions store it: its data as text, ready for a sequence number.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) data: Json,
    /// The same without tokens.
    pub(super) recorded: Body,
}

/// A dispatch, and its whole shape once that was needed.
pub(super) struct Outgoing<'a> {
    pub(super) dispatch: &'a Dispatch,
    log: &'a EventLog,
    full: OnceCell<Arc<Event>>,
}

impl Event {
    pub(super) fn new(name: &'static str, data: &Value, log: &EventLog) -> Self {
        let json = Json::from(data);
        let longest = log.capacity().body;
        let shown = if json.get().len() > longest {
            Body::omitted(Some("application/json"), json.get().len())
        } else {
            Body::from(match name {
                // The two frequent events with a token have it in one known field.
                "INTERACTION_CREATE" | "VOICE_SERVER_UPDATE" => {
                    log.redactor().without(&json, data["token"].as_str().unwrap_or_default())
                }
                _ => log.redactor().shared(&json),
            })
        };
        Self { name, data: json, recorded: shown }
    }

    /// Returns the payload of this event with a sequence number.
    pub(super) fn payload(&self, seq: u64) -> String {
        let data = self.data.get();
        let mut payload = String::with_capacity(data.len() + self.name.len() + 48);
        payload.push_str(r#"{"t":""#);
        payload.push_str(self.name);
        payload.push_str(r#"","s":"#);
        payload.push_str(&seq.to_string());
        payload.push_str(r#","op":0,"d":"#);
        payload.push_str(data);
        payload.push('}');
        payload
    }
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(dispatch: &'a Dispatch, log: &'a EventLog) -> Self {
        Self { dispatch, log, full: OnceCell::new() }
    }

    /// Returns the event for a viewer; `None` if it may not see it. `in_guild` returns whether the viewer's bot is in a
    /// guild.
    pub(super) fn for_viewer(
        &self,
        viewer: &Viewer,
        in_guild: impl Fn(Snowflake) -> bool,
    ) -> Option<Arc<Event>> {
        let Dispatch { bot, name, data, guild_id, intents } = self.dispatch;
        let addressed = match (bot, guild_id) {
            (Some(bot), _) => *bot == viewer.bot,
            (None, Some(guild)) => in_guild(*guild),
            (None, None) => true,
        };
        if !addressed || !viewer.is_on_shard(*guild_id) {
            return None;
        }
        // "Guild Member Update is sent for current-user updates regardless" (Gateway, "Caveats").
        let about_self = || *name == "GUILD_MEMBER_UPDATE" && is_user(&data["user"], viewer.bot);
        if !intents.is_empty() && !intents.intersects(viewer.intents) && !about_self() {
            return None;
        }
        match *name {
            "GUILD_CREATE" => {
                let mut data = data.clone();
                roster::reduce(&mut data, viewer);
                Some(Arc::new(Event::new(name, &data, self.log)))
            }
            "THREAD_MEMBERS_UPDATE" if !viewer.intents.contains(Intents::GUILD_MEMBERS) => {
                let data = roster::own_thread_membership(data, viewer.bot)?;
                Some(Arc::new(Event::new(name, &data, self.log)))
            }
            _ if content::hides_any(name, data, viewer) => {
                let mut data = data.clone();
                content::hide(name, &mut data, viewer);
                Some(Arc::new(Event::new(name, &data, self.log)))
            }
            _ => Some(self.full().clone()),
        }
    }

    fn full(&self) -> &Arc<Event> {
        let dispatch = self.dispatch;
        self.full.get_or_init(|| Arc::new(Event::new(dispatch.name, &dispatch.data, self.log)))
    }
}
