//! Presses and modals that a call waits for.
//!
//! serenity's collectors put a closure of the plugin's into the shard, where it outlives the plugin's generation. Here
//! what is waited for is kept as data: dispatch looks here first and hands the interaction over. A generation that is
//! replaced ends its waits at once, and an interaction that comes later goes to the handler that is registered for its
//! custom id. While a call waits it runs no code, so no handover waits for it.

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
        // One whose call has ended is only not yet taken out.
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
    /// Waits for an interaction from this moment on; `None` when the time is up or the generation has been replaced.
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
        // Without an entry nobody holds the other end, and the wait ends at once.
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

    /// Says whether some call waits for an interaction.
    pub(crate) fn wants<T: Awaited>(&self, interaction: &T) -> bool {
        T::waits(&mut self.0.lock()).iter().any(|wait| wait.is_for(interaction))
    }

    /// Hands an interaction to the call that has waited longest for it, and says whether there was one.
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

    /// Ends every wait; none begins any more.
    pub(crate) fn close(&self) {
        let mut waits = self.0.lock();
        waits.closed = true;
        waits.presses.clear();
        waits.modals.clear();
    }

    /// Lets waits begin again, in a generation that goes live once more.
    pub(crate) fn open(&self) {
        self.0.lock().closed = false;
    }
}

/// Takes a wait out however its call ends.
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
