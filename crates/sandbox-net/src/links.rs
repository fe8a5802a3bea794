//! A gateway's live connections, each with the mailbox of its task.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc;

/// Live connections of a gateway with sessions `S`, whose tasks take orders `O`.
pub struct Links<S, O> {
    table: Mutex<Table<S, O>>,
}

struct Table<S, O> {
    links: HashMap<u64, Link<S, O>>,
    /// Number of the newest connection.
    last: u64,
}

struct Link<S, O> {
    mailbox: mpsc::UnboundedSender<O>,
    session: Option<Arc<S>>,
}

/// Which live connections a command is for: those whose session matches every field that is set.
///
/// The default sets none. It matches all connections, also those that have not identified yet.
pub trait Target<S>: Default + PartialEq {
    /// Returns whether a session matches every field that is set.
    fn matches(&self, session: &S) -> bool;
}

impl<S, O> Default for Links<S, O> {
    fn default() -> Self {
        Self { table: Mutex::new(Table { links: HashMap::new(), last: 0 }) }
    }
}

impl<S, O> Links<S, O> {
    /// Adds a connection and returns its number and its mailbox.
    pub fn add(&self) -> (u64, mpsc::UnboundedReceiver<O>) {
        let (mailbox, orders) = mpsc::unbounded_channel();
        let mut table = self.table.lock();
        table.last += 1;
        let conn = table.last;
        table.links.insert(conn, Link { mailbox, session: None });
        (conn, orders)
    }

    /// Removes a connection.
    pub fn remove(&self, conn: u64) {
        self.table.lock().links.remove(&conn);
    }

    /// Records which session a connection serves now.
    pub fn set_session(&self, conn: u64, session: Option<Arc<S>>) {
        if let Some(link) = self.table.lock().links.get_mut(&conn) {
            link.session = session;
        }
    }

    /// Sends an order to one connection, unless it has ended.
    pub fn send(&self, conn: u64, order: O) {
        if let Some(link) = self.table.lock().links.get(&conn) {
            // A connection that is ending does not need the order.
            let _ = link.mailbox.send(order);
        }
    }

    /// Sends an order to all connections of a target and returns their number, without those that are ending.
    pub fn send_to(&self, target: &impl Target<S>, order: impl Fn() -> O) -> usize {
        let table = self.table.lock();
        let is_of_target = |link: &&Link<S, O>| match &link.session {
            Some(session) => target.matches(session),
            None => *target == Default::default(),
        };
        table.links.values().filter(is_of_target).filter(|link| link.mailbox.send(order()).is_ok()).count()
    }
}

impl<S, O> fmt::Debug for Links<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("connections", &self.table.lock().links.keys()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Links, Target};

    #[derive(Default, PartialEq)]
    struct Owner(Option<&'static str>);

    impl Target<&'static str> for Owner {
        fn matches(&self, session: &&'static str) -> bool {
            self.0.is_none_or(|owner| owner == *session)
        }
    }

    #[test]
    fn an_order_reaches_the_connections_of_its_target_alone() {
        let links = Links::<&str, u8>::default();
        let (first, mut firsts) = links.add();
        let (second, mut seconds) = links.add();
        let (third, thirds) = links.add();
        assert!(first < second && second < third);
        links.set_session(first, Some(Arc::new("ann")));
        links.set_session(third, Some(Arc::new("ann")));
        // The second has no session, so only the default target has it; the third is ending.
        drop(thirds);
        assert_eq!(links.send_to(&Owner(Some("ann")), || 1), 1);
        assert_eq!(links.send_to(&Owner(Some("bob")), || 2), 0);
        assert_eq!(links.send_to(&Owner(None), || 3), 2);
        links.send(second, 4);
        links.set_session(first, None);
        assert_eq!(links.send_to(&Owner(Some("ann")), || 5), 0);
        links.remove(second);
        links.send(second, 6);
        assert_eq!(links.send_to(&Owner(None), || 7), 1);
        drop(links);
        assert_eq!(std::iter::from_fn(|| firsts.try_recv().ok()).collect::<Vec<_>>(), [1, 3, 7]);
        assert_eq!(std::iter::from_fn(|| seconds.try_recv().ok()).collect::<Vec<_>>(), [3, 4]);
    }
}
