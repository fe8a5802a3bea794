//! Presses and modals that a call waits for.
//!
//! serenity's collectors put a closure of the plugin's into the shard, where it outlives the plugin's generation. Here
//! what is waited for is kept as data: dispatch looks here first and hands the interaction over. A generation that is
//! replaced ends its waits at once, and an interaction that comes later goes to the handler that is registered for its
//! custom id. While a call waits it runs no code, so no handover waits for it.

use std::time::Duration;

use parking_lot::Mutex;
use serenity::all::{ComponentInteraction, MessageId, ModalInteraction, UserId};
use tokio::sync::oneshot;

use crate::gate::wait_for_user;

/// What the calls of one generation wait for.
#[derive(Default)]
pub(crate) struct Collectors(Mutex<Waits>);

#[derive(Default)]
pub(crate) struct Waits {
    closed: bool,
    next: u64,
    presses: Vec<Wait<MessageId, ComponentInteraction>>,
    modals: Vec<Wait<String, ModalInteraction>>,
}

/// One wait, for an interaction at a place.
pub(crate) struct Wait<K, T> {
    id: u64,
    place: K,
    by: Option<UserId>,
    give: oneshot::Sender<T>,
}

impl<K: PartialEq, T> Wait<K, T> {
    fn is_for(&self, place: &K, user: UserId) -> bool {
        // One whose call has ended is only not yet taken out.
        self.place == *place && self.by.is_none_or(|by| by == user) && !self.give.is_closed()
    }
}

/// An interaction that can be waited for.
pub(crate) trait Awaited: Sized {
    type Place: PartialEq;

    fn place(&self) -> Self::Place;
    fn user(&self) -> UserId;
    fn waits(waits: &mut Waits) -> &mut Vec<Wait<Self::Place, Self>>;
}

impl Awaited for ComponentInteraction {
    type Place = MessageId;

    fn place(&self) -> MessageId {
        self.message.id
    }

    fn user(&self) -> UserId {
        self.user.id
    }

    fn waits(waits: &mut Waits) -> &mut Vec<Wait<MessageId, Self>> {
        &mut waits.presses
    }
}

impl Awaited for ModalInteraction {
    type Place = String;

    fn place(&self) -> String {
        self.data.custom_id.clone()
    }

    fn user(&self) -> UserId {
        self.user.id
    }

    fn waits(waits: &mut Waits) -> &mut Vec<Wait<String, Self>> {
        &mut waits.modals
    }
}

impl Collectors {
    /// Waits for an interaction; `None` when the time is up or the generation has been replaced.
    pub(crate) async fn next<T: Awaited>(
        &self,
        place: T::Place,
        by: Option<UserId>,
        within: Duration,
    ) -> Option<T> {
        struct Entry<'a, T: Awaited>(&'a Collectors, u64, std::marker::PhantomData<T>);
        impl<T: Awaited> Drop for Entry<'_, T> {
            fn drop(&mut self) {
                T::waits(&mut self.0.0.lock()).retain(|wait| wait.id != self.1);
            }
        }
        let (give, given) = oneshot::channel();
        let id = {
            let mut waits = self.0.lock();
            if waits.closed {
                return None;
            }
            waits.next += 1;
            let id = waits.next;
            T::waits(&mut waits).push(Wait { id, place, by, give });
            id
        };
        let _entry = Entry::<T>(self, id, std::marker::PhantomData);
        wait_for_user(tokio::time::timeout(within, given)).await.ok()?.ok()
    }

    /// Says whether some call waits for an interaction.
    pub(crate) fn wants<T: Awaited>(&self, interaction: &T) -> bool {
        let (place, user) = (interaction.place(), interaction.user());
        T::waits(&mut self.0.lock()).iter().any(|wait| wait.is_for(&place, user))
    }

    /// Hands an interaction to the call that has waited longest for it, and says whether there was one.
    pub(crate) fn give<T: Awaited + Clone>(&self, interaction: &T) -> bool {
        let (place, user) = (interaction.place(), interaction.user());
        loop {
            let taken = {
                let mut waits = self.0.lock();
                let waits = T::waits(&mut waits);
                let index = waits.iter().position(|wait| wait.is_for(&place, user));
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
