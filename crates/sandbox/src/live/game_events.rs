//! Webhook events of messages in games: those of lobbies, and direct messages of users who play.

use serde_json::{Value, json};

use super::Live;
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::state::message::Message;

impl Live<'_> {
    /// Sends the event of a message that was sent to a lobby, or to the channel that it is linked to.
    pub(super) fn lobby_message_sent(&mut self, lobby: Snowflake, message: Value) {
        self.notify_of_lobby(lobby, "LOBBY_MESSAGE_CREATE", message);
    }

    /// Sends the event of a new direct message of users who play.
    pub(super) fn direct_message_sent(&mut self, channel: Snowflake, id: Snowflake) {
        if let Some(message) = self.played_message(channel, id) {
            self.notify_players("GAME_DIRECT_MESSAGE_CREATE", &message);
        }
    }

    /// Sends the events of an edited message.
    pub(super) fn message_edited(&mut self, channel: Snowflake, id: Snowflake) {
        if let Some(message) = self.played_message(channel, id) {
            self.notify_players("GAME_DIRECT_MESSAGE_UPDATE", &message);
        }
        let Some(lobby) = self.lobby_with(channel, id) else { return };
        let Some(message) = self.message(channel, id) else { return };
        let (edited, sent) = (json!(message.edited), id.created_at());
        let Some(Ok(mut data)) = self.lobbies.get(&lobby).map(|found| self.one_lobby_message(found, id))
        else {
            return;
        };
        data["edited_timestamp"] = edited;
        data["timestamp"] = json!(crate::state::clock::iso(sent));
        self.notify_of_lobby(lobby, "LOBBY_MESSAGE_UPDATE", data);
    }

    /// Sends the events of a message that was deleted.
    pub(super) fn message_deleted(&mut self, message: &Message) {
        let (channel, id) = (message.channel_id, message.id);
        if self.is_between_people(channel) {
            self.notify_players("GAME_DIRECT_MESSAGE_DELETE", message);
        }
        if let Some(lobby) = self.lobby_with(channel, id) {
            self.notify_of_lobby(lobby, "LOBBY_MESSAGE_DELETE", json!({ "id": id, "lobby_id": lobby }));
        }
    }

    /// Returns the lobby that is linked to a channel, if it shows this message of it.
    fn lobby_with(&self, channel: Snowflake, message: Snowflake) -> Option<Snowflake> {
        let lobby = self.linked_lobby(channel)?;
        let shown = self.lobbies.get(&lobby)?.messages.iter().rev().any(|(id, _)| *id == message);
        shown.then_some(lobby)
    }

    /// Returns whether a channel is that of direct messages between two users who are no bots.
    fn is_between_people(&self, channel: Snowflake) -> bool {
        let found = self.channels.get(&channel).filter(|found| found.kind == kind::DM);
        found.is_some_and(|found| !found.recipients.iter().any(|id| self.applications.contains_key(id)))
    }

    /// Returns a direct message between two users who are no bots.
    fn played_message(&self, channel: Snowflake, id: Snowflake) -> Option<Message> {
        self.message(channel, id).filter(|_| self.is_between_people(channel)).cloned()
    }

    /// Sends an event of a direct message to the applications whose game is connected for one of the two users.
    fn notify_players(&mut self, name: &'static str, message: &Message) {
        let Some(channel) = self.channels.get(&message.channel_id) else { return };
        let plays = |user: &Snowflake| channel.recipients.contains(user);
        let active = self.lobbies.values().filter(|lobby| lobby.connected.iter().any(plays));
        let mut applications: Vec<Snowflake> = active.map(|lobby| lobby.application).collect();
        applications.sort_unstable();
        applications.dedup();
        let shown = self.channel_json(channel, None);
        let provisional = channel.recipients.iter().all(|user| self.identities.is_provisional(*user));
        let whole = message.json(self, None);
        for application in applications {
            let mut data = if provisional {
                // Webhook Events, "SDK DM Message Object".
                let field = |name: &str| (name.to_owned(), whole[name].clone());
                ["id", "type", "content", "author", "flags"].map(field).into_iter().collect()
            } else {
                whole.clone()
            };
            data["application_id"] = json!(application);
            data["channel"] = shown.clone();
            self.notify(application, name, data);
        }
    }
}
