//! Pages that hear the voice channel of their user. Who closes the last one leaves voice, as in Discord's client.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::Control;
use crate::live::Live;
use crate::snowflake::Snowflake;

/// Time in which a page whose connection was lost, not closed, may come back.
const BACK_WITHIN: Duration = Duration::from_secs(3);

/// Handle to the listening pages by user. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listeners(Arc<Mutex<HashMap<Snowflake, Pages>>>);

#[derive(Clone, Copy, Debug, Default)]
struct Pages {
    /// Pages that listen now.
    open: usize,
    /// All that ever did.
    ever: usize,
}

impl Listeners {
    fn of(&self, user: Snowflake) -> Pages {
        self.0.lock().get(&user).copied().unwrap_or_default()
    }

    fn close(&self, user: Snowflake) {
        self.0.lock().entry(user).or_default().open -= 1;
    }
}

/// The users for whom one connection listens.
#[derive(Debug)]
pub(super) struct Listener {
    all: Listeners,
    users: HashSet<Snowflake>,
}

impl Listener {
    pub(super) fn new(all: Listeners) -> Self {
        Self { all, users: HashSet::new() }
    }

    /// Listens for a user.
    pub(super) fn add(&mut self, user: Snowflake) {
        if self.users.insert(user) {
            let mut all = self.all.0.lock();
            let pages = all.entry(user).or_default();
            pages.open += 1;
            pages.ever += 1;
        }
    }

    /// Listens for a user no longer, who stays in voice.
    pub(super) fn remove(&mut self, user: Snowflake) {
        if self.users.remove(&user) {
            self.all.close(user);
        }
    }

    /// Ends a connection: those for whom no other one listens leave voice. If it was lost and not closed, they have some
    /// time to come back.
    pub(super) fn end(mut self, control: &Control, closed: bool) {
        for user in std::mem::take(&mut self.users) {
            self.all.close(user);
            let sessions = sessions(&control.discord.lock(), user);
            let pages = self.all.of(user);
            if sessions.is_empty() || pages.open > 0 {
                continue;
            }
            let (all, control) = (self.all.clone(), control.clone());
            if closed {
                leave(&control, user, &sessions);
                continue;
            }
            tokio::spawn(async move {
                tokio::time::sleep(BACK_WITHIN).await;
                if all.of(user).ever == pages.ever {
                    leave(&control, user, &sessions);
                }
            });
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for user in &self.users {
            self.all.close(*user);
        }
    }
}

/// Returns the ids of a user's voice sessions.
fn sessions(live: &Live<'_>, user: Snowflake) -> Vec<String> {
    let states = live.guilds.values().filter_map(|guild| guild.voice_states.get(&user));
    states.map(|state| state.session_id.clone()).collect()
}

/// Ends these voice sessions of a user, as far as they still exist.
fn leave(control: &Control, user: Snowflake, sessions: &[String]) {
    let mut live = control.discord.lock();
    for session in sessions {
        live.drop_voice(user, session);
    }
}
