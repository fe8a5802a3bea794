//! Presses and modals that a call waits for.
//!
//! serenity's collectors move a closure of the plugin into the shard, where it outlives the plugin's generation. Here a
//! wait is kept as data: dispatch looks here first and delivers the interaction. When a generation is replaced, its
//! waits end at once, and a later interaction goes to the handler registered for its custom id. A waiting call runs no
//! code, so no handover waits for it.

use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use parking_lot::Mutex;
use serenity::all::{ComponentInteraction, ModalInteraction, UserId};
use tokio::sync::oneshot;

use crate::gate::wait_for_user;

/// What the calls of one generation wait for.
#[derive(Default)]
pub(crate) struct Collectors(Mutex<Waits>);

#[derive(Default)]
pub(crate) struct Waits {
    closed: bool,
    next: u64,
    presses: Vec<Wait<ComponentInteraction>>,
    modals: Vec<Wait<ModalInteraction>>,
}

/// One wait, for an interaction whose custom id begins with `prefix`.
pub(crate) struct Wait<T> {
    id: u64,
    prefix: String,
    by: Option<UserId>,
    give: oneshot::Sender<T>,
}

impl<T: Awaited> Wait<T> {
    fn is_for(&self, interaction: &T) -> bool {
        // A wait whose call has ended stays in the list until it is removed.
        interaction.custom_id().starts_with(&self.prefix)
            && self.by.is_none_or(|by| by == interaction.user())
            && !self.give.is_closed()
    }
}

/// An interaction that can be waited for.
pub(crate) trait Awaited: Clone {
    fn custom_id(&self) -> &str;
    fn user(&self) -> UserId;
    fn waits(waits: &mut Waits) -> &mut Vec<Wait<Self>>;
}

impl Awaited for ComponentInteraction {
    fn custom_id(&self) -> &str {
        &self.data.custom_id
    }

    fn user(&self) -> UserId {
        self.user.id
    }

    fn waits(waits: &mut Waits) -> &mut Vec<Wait<Self>> {
        &mut waits.presses
    }
}

impl Awaited for ModalInteraction {
    fn custom_id(&self) -> &str {
        &self.data.custom_id
    }

    fn user(&self) -> UserId {
        self.user.id
    }

    fn waits(waits: &mut Waits) -> &mut Vec<Wait<Self>> {
        &mut waits.modals
    }
}

impl Collectors {
    /// Waits for an interaction from this moment on. Returns `None` when the time is up or the generation has been
    /// replaced.
    pub(crate) fn next<T: Awaited>(
        &self,
        prefix: &str,
        by: Option<UserId>,
        within: Duration,
    ) -> impl Future<Output = Option<T>> + use<'_, T> {
        let (give, given) = oneshot::channel();
        let mut waits = self.0.lock();
        waits.next += 1;
        let id = waits.next;
        // Without an entry the sender is dropped, and the wait ends at once.
        if !waits.closed {
            T::waits(&mut waits).push(Wait { id, prefix: prefix.to_owned(), by, give });
        }
        drop(waits);
        let entry = Entry::<T> { collectors: self, id, of: PhantomData };
        async move {
            let _entry = entry;
            wait_for_user(tokio::time::timeout(within, given)).await.ok()?.ok()
        }
    }

    /// Returns whether a call waits for the interaction.
    pub(crate) fn wants<T: Awaited>(&self, interaction: &T) -> bool {
        T::waits(&mut self.0.lock()).iter().any(|wait| wait.is_for(interaction))
    }

    /// Delivers an interaction to the call that has waited longest for it. Returns whether there was one.
    pub(crate) fn give<T: Awaited>(&self, interaction: &T) -> bool {
        loop {
            let taken = {
                let mut waits = self.0.lock();
                let waits = T::waits(&mut waits);
                let index = waits.iter().position(|wait| wait.is_for(interaction));
                index.map(|index| waits.remove(index))
            };
            let Some(wait) = taken else { return false };
            if wait.give.send(interaction.clone()).is_ok() {
                return true;
            }
        }
    }

    /// Ends all waits. Later ones end at once.
    pub(crate) fn close(&self) {
        let mut waits = self.0.lock();
        waits.closed = true;
        waits.presses.clear();
        waits.modals.clear();
    }

    /// Allows waits again, in a generation that goes live once more.
    pub(crate) fn open(&self) {
        self.0.lock().closed = false;
    }
}

/// Removes a wait when its call ends, in whichever way.
struct Entry<'a, T: Awaited> {
    collectors: &'a Collectors,
    id: u64,
    of: PhantomData<fn() -> T>,
}

impl<T: Awaited> Drop for Entry<'_, T> {
    fn drop(&mut self) {
        T::waits(&mut self.collectors.0.lock()).retain(|wait| wait.id != self.id);
    }
}
