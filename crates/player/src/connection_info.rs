//! Builds the driver's connection info from the voice events of Discord's gateway, without any network.
//!
//! Source: "Connecting to Voice" in Discord's documentation: a voice state contains channel and session, a voice server
//! update contains endpoint and token, and both together are needed for a connection. They may arrive in either order.

use std::num::NonZeroU64;

use serenity::all::{ChannelId, GuildId, UserId};
use songbird::ConnectionInfo;

/// The known parts of a connection to a channel.
#[derive(Clone, Debug)]
pub(super) struct ConnectionInfoBuilder {
    guild: GuildId,
    channel: Option<ChannelId>,
    session: Option<String>,
    server: Option<Server>,
    /// The info that the driver last connected with.
    used: Option<(ChannelId, String, Server)>,
}

/// Where a driver is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The voice channel.
    pub(super) channel: ChannelId,
    /// Session in which the bot is in it.
    pub(super) session: String,
    /// The voice server.
    pub(super) endpoint: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    endpoint: String,
    token: String,
}

impl ConnectionInfoBuilder {
    /// Creates a builder without any part.
    pub(super) fn new(guild: GuildId) -> Self {
        Self { guild, channel: None, session: None, server: None, used: None }
    }

    /// Returns the channel that the bot is in or is joining.
    pub(super) fn channel(&self) -> Option<ChannelId> {
        self.channel
    }

    /// Clears all parts, because the bot asks for this channel.
    pub(super) fn ask(&mut self, channel: ChannelId) {
        *self = Self { channel: Some(channel), ..Self::new(self.guild) };
    }

    /// Clears all parts, because the bot has left.
    pub(super) fn leave(&mut self) {
        *self = Self::new(self.guild);
    }

    /// Sets the bot's own voice state. A channel other than the one before needs a new server.
    pub(super) fn state(&mut self, channel: ChannelId, session: &str) {
        if self.channel != Some(channel) && self.used.is_some() {
            self.server = None;
        }
        self.channel = Some(channel);
        self.session = Some(session.to_owned());
    }

    /// Sets the guild's voice server. Without an endpoint, the server is gone and another one follows.
    pub(super) fn server(&mut self, endpoint: Option<&str>, token: &str) {
        self.server =
            endpoint.map(|endpoint| Server { endpoint: endpoint.to_owned(), token: token.to_owned() });
    }

    /// Returns whether the driver last connected there.
    pub(super) fn is_used(&self, place: &Place) -> bool {
        self.used.as_ref().is_some_and(|(channel, session, server)| {
            (channel, session, &server.endpoint) == (&place.channel, &place.session, &place.endpoint)
        })
    }

    /// Returns the info to connect with, once it is complete and whenever it has changed.
    pub(super) fn complete(&mut self, user: UserId) -> Option<ConnectionInfo> {
        let ready = (self.channel?, self.session.clone()?, self.server.clone()?);
        if self.used.as_ref() == Some(&ready) {
            return None;
        }
        let (channel, session_id, Server { endpoint, token }) = self.used.insert(ready).clone();
        Some(ConnectionInfo {
            channel_id: nonzero(channel.get()).into(),
            endpoint,
            guild_id: nonzero(self.guild.get()).into(),
            session_id,
            token,
            user_id: nonzero(user.get()).into(),
        })
    }
}

/// serenity's ids are never zero, and are returned as numbers.
fn nonzero(id: u64) -> NonZeroU64 {
    NonZeroU64::new(id).unwrap_or(NonZeroU64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: UserId = UserId::new(7);

    fn asked() -> ConnectionInfoBuilder {
        let mut signal = ConnectionInfoBuilder::new(GuildId::new(1));
        signal.ask(ChannelId::new(10));
        signal
    }

    fn connected() -> ConnectionInfoBuilder {
        let mut signal = asked();
        signal.state(ChannelId::new(10), "session");
        signal.server(Some("one"), "token");
        assert!(signal.complete(USER).is_some());
        signal
    }

    #[test]
    fn state_and_server_make_a_connection_in_either_order() {
        for state_first in [true, false] {
            let mut signal = asked();
            if state_first {
                signal.state(ChannelId::new(10), "session");
            } else {
                signal.server(Some("one"), "token");
            }
            assert!(signal.complete(USER).is_none());
            if state_first {
                signal.server(Some("one"), "token");
            } else {
                signal.state(ChannelId::new(10), "session");
            }
            let info = signal.complete(USER).unwrap();
            assert_eq!((info.endpoint.as_str(), info.token.as_str()), ("one", "token"));
            assert_eq!((info.channel_id.0.get(), info.user_id.0.get()), (10, 7));
        }
    }

    #[test]
    fn what_has_not_changed_is_no_new_connection() {
        let mut signal = connected();
        signal.state(ChannelId::new(10), "session");
        signal.server(Some("one"), "token");
        assert!(signal.complete(USER).is_none());
        signal.server(Some("one"), "another");
        assert_eq!(signal.complete(USER).unwrap().token, "another");
    }

    #[test]
    fn a_move_waits_for_its_server() {
        let mut signal = connected();
        signal.state(ChannelId::new(20), "session");
        assert!(signal.complete(USER).is_none());
        signal.server(Some("one"), "token");
        assert_eq!(signal.complete(USER).unwrap().channel_id.0.get(), 20);
    }

    #[test]
    fn a_server_that_goes_is_waited_for() {
        let mut signal = connected();
        signal.server(None, "token");
        assert!(signal.complete(USER).is_none());
        signal.server(Some("two"), "token");
        assert_eq!(signal.complete(USER).unwrap().endpoint, "two");
    }

    #[test]
    fn asking_again_needs_both_again() {
        let mut signal = connected();
        signal.ask(ChannelId::new(10));
        signal.state(ChannelId::new(10), "session");
        assert!(signal.complete(USER).is_none());
        signal.server(Some("one"), "token");
        assert!(signal.complete(USER).is_some());
    }
}
