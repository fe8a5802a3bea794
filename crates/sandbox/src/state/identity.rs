//! Players of games: identities that applications know, and the accounts that they lead to.

use std::borrow::Cow;
use std::collections::HashMap;

use super::World;
use super::message::Author;
use crate::snowflake::Snowflake;

/// Provider of identities that are an application's own ids of its players.
pub const OWN: &str = "";

/// A player, as an application knows them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// The application.
    pub application: Snowflake,
    /// Type of the provider's tokens, or [`OWN`].
    pub provider: Cow<'static, str>,
    /// The provider's id of the player.
    pub subject: String,
}

/// The account of a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Account {
    /// The user.
    pub user: Snowflake,
    /// Whether it was made for the application, and is no Discord account.
    pub provisional: bool,
}

/// All players of all applications.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Identities(#[serde(with = "super::pairs")] HashMap<Identity, Account>);

impl Identities {
    /// Returns the account of a player.
    pub fn get(&self, identity: &Identity) -> Option<Account> {
        self.0.get(identity).copied()
    }

    /// Sets the account of a player.
    pub fn set(&mut self, identity: Identity, account: Account) {
        self.0.insert(identity, account);
    }

    /// Returns whether a user is a provisional account.
    pub fn is_provisional(&self, user: Snowflake) -> bool {
        self.0.values().any(|account| account.user == user && account.provisional)
    }

    /// Returns the identity of a user in an application.
    pub fn of(&self, application: Snowflake, user: Snowflake) -> Option<&Identity> {
        let found =
            self.0.iter().find(|(own, account)| own.application == application && account.user == user);
        found.map(|(identity, _)| identity)
    }
}

impl World {
    /// Makes all access tokens of a user for an application void. Returns whether there were any.
    pub fn revoke(&mut self, application: Snowflake, user: Snowflake) -> bool {
        let before = self.authorizations.len();
        self.authorizations.retain(|_, own| own.application != application || own.user != user);
        self.authorizations.len() < before
    }

    /// Moves a user's memberships of an application's lobbies to another user, whose game connects to them anew.
    pub fn move_lobbies(&mut self, application: Snowflake, from: Snowflake, to: Snowflake) {
        for lobby in self.lobbies.values_mut().filter(|lobby| lobby.application == application) {
            let Some(member) = lobby.members.get(&from).cloned() else { continue };
            lobby.remove(from);
            lobby.members.entry(to).or_insert(member);
        }
    }

    /// Moves a provisional account's messages and direct messages to a user, and deletes the account.
    pub fn absorb(&mut self, from: Snowflake, to: Snowflake) {
        for message in self.channels.values_mut().flat_map(|channel| channel.messages.values_mut()) {
            if message.author_id() == Some(from) {
                message.author = Author::User(to);
            }
        }
        for lobby in self.lobbies.values_mut() {
            lobby.reattribute(from, to);
        }
        let own: Vec<_> = self.dms.extract_if(|(a, b), _| *a == from || *b == from).collect();
        for ((a, b), old) in own {
            let other = if a == from { b } else { a };
            let new = self.open_dm(other, to);
            let Some(channel) = self.channels.swap_remove(&old) else { continue };
            let Some(kept) = self.channels.get_mut(&new) else { continue };
            for (id, mut message) in channel.messages {
                message.channel_id = new;
                kept.messages.insert(id, message);
            }
            kept.last_message_id = kept.last_message_id.max(channel.last_message_id);
        }
        self.users.shift_remove(&from);
    }
}
