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
            let calls = calls(&control.discord.lock(), user);
            let pages = self.all.of(user);
            if calls.is_empty() || pages.open > 0 {
                continue;
            }
            let (all, control) = (self.all.clone(), control.clone());
            if closed {
                leave(&control, user, &calls);
                continue;
            }
            tokio::spawn(async move {
                tokio::time::sleep(BACK_WITHIN).await;
                if all.of(user).ever == pages.ever {
                    leave(&control, user, &calls);
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

/// Returns the guilds in which a user is in voice, with the id of the voice session.
fn calls(live: &Live<'_>, user: Snowflake) -> Vec<(Snowflake, String)> {
    let state = |guild: &crate::state::guild::Guild| {
        guild.voice_states.get(&user).map(|state| (guild.id, state.session_id.clone()))
    };
    live.guilds.values().filter_map(state).collect()
}

/// Removes a user from these calls, unless they have left them since.
fn leave(control: &Control, user: Snowflake, before: &[(Snowflake, String)]) {
    let mut live = control.discord.lock();
    for call in calls(&live, user) {
        if before.contains(&call) {
            live.set_voice(call.0, user, None);
        }
    }
}
