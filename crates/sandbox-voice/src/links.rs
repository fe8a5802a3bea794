//! Live voice connections, and commands to them from outside.

use std::sync::Arc;

use discord_rules::snowflake::Snowflake;
use sandbox_net::Close;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;

use super::host::Event;
use super::session::Session;
use super::state::Voice;

/// Order to a connection's task from outside.
pub(super) enum Order {
    /// Drop the connection.
    Sever,
    /// Close it.
    Close(Close),
}

/// Which live voice connections a command is for: those whose session fits every field that is given.
///
/// Without a field, also those that have not identified yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// Guild.
    pub guild: Option<Snowflake>,
    /// User.
    pub user: Option<Snowflake>,
}

/// Command that is executed once on live voice connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Drops the connection without a close frame; the session can be resumed.
    Sever,
    /// Closes the connection with a code; after 4009 and 4015 the session can be resumed.
    Close {
        /// Close code.
        code: u16,
        /// Reason for the close frame.
        #[serde(default)]
        reason: String,
    },
}

impl sandbox_net::Target<Session> for Target {
    fn matches(&self, session: &Session) -> bool {
        self.guild.is_none_or(|guild| guild == session.guild)
            && self.user.is_none_or(|user| user == session.user)
    }
}

impl Voice {
    /// Sends a command to all live voice connections of a target and returns how many there were.
    pub fn command(&self, target: Target, command: &Command) -> usize {
        let sent = self.shared().links.send_to(&target, || match command.clone() {
            Command::Sever => Order::Sever,
            Command::Close { code, reason } => Order::Close(Close::new(code, reason)),
        });
        let place = format!("{sent} voice connections");
        self.host().log(Event::Fault { rule: None, place, effect: json!(command) });
        sent
    }

    /// Registers a connection; returns its number and its mailbox.
    pub(super) fn link(&self) -> (u64, mpsc::UnboundedReceiver<Order>) {
        self.shared().links.add()
    }

    pub(super) fn unlink(&self, conn: u64) {
        self.shared().links.remove(conn);
    }

    /// Records which session a connection serves now.
    pub(super) fn relink(&self, conn: u64, session: Option<Arc<Session>>) {
        self.shared().links.set_session(conn, session);
    }
}
