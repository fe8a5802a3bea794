//! Limits of users' requests in progress.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use sdk_core::voice::source::{Caller, SourceError};
use serenity::all::{GuildId, UserId};

use super::Bounds;

/// Counts requests in progress.
#[derive(Clone, Default)]
pub(super) struct Admission(Arc<Mutex<UnderWay>>);

#[derive(Default)]
struct UnderWay {
    all: usize,
    guilds: HashMap<GuildId, usize>,
    users: HashMap<UserId, usize>,
}

/// A request in progress. Dropping it makes room for another one.
#[must_use]
pub struct Permit {
    admission: Admission,
    caller: Caller,
}

impl Admission {
    /// Counts a request, unless there are too many of its user, its Discord server or all.
    pub(super) fn admit(&self, caller: Caller, bounds: &Bounds) -> Result<Permit, SourceError> {
        let mut under_way = self.0.lock();
        let of_user = under_way.users.get(&caller.user).copied().unwrap_or_default();
        let of_guild = under_way.guilds.get(&caller.guild).copied().unwrap_or_default();
        if of_user >= bounds.resolves_of_user {
            return Err(SourceError::BusyUser(bounds.resolves_of_user));
        }
        if of_guild >= bounds.resolves_of_guild {
            return Err(SourceError::BusyGuild(bounds.resolves_of_guild));
        }
        if under_way.all >= bounds.resolves {
            return Err(SourceError::Busy);
        }
        under_way.all += 1;
        under_way.users.insert(caller.user, of_user + 1);
        under_way.guilds.insert(caller.guild, of_guild + 1);
        Ok(Permit { admission: self.clone(), caller })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut under_way = self.admission.0.lock();
        under_way.all -= 1;
        forget_one(&mut under_way.users, &self.caller.user);
        forget_one(&mut under_way.guilds, &self.caller.guild);
    }
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Permit").field(&self.caller).finish()
    }
}

/// Decrements a count, and removes it at zero.
fn forget_one<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn caller(guild: u64, user: u64) -> Caller {
        Caller { guild: GuildId::new(guild), user: UserId::new(user) }
    }

    fn bounds() -> Bounds {
        Bounds { resolves_of_user: 2, resolves_of_guild: 3, resolves: 4, ..Bounds::default() }
    }

    #[test]
    fn a_user_a_guild_and_all_have_so_many_and_no_more() {
        let (admission, bounds) = (Admission::default(), bounds());
        let admit = |guild, user| admission.admit(caller(guild, user), &bounds);
        let first = admit(1, 1).unwrap();
        let _second = admit(1, 1).unwrap();
        // The limit of a user applies to all Discord servers together.
        assert_eq!(admit(2, 1).unwrap_err(), SourceError::BusyUser(2));
        let _third = admit(1, 2).unwrap();
        assert_eq!(admit(1, 3).unwrap_err(), SourceError::BusyGuild(3));
        let _fourth = admit(2, 4).unwrap();
        assert_eq!(admit(3, 5).unwrap_err(), SourceError::Busy);
        drop(first);
        let _fifth = admit(3, 1).unwrap();
        assert_eq!(admit(3, 5).unwrap_err(), SourceError::Busy);
    }

    #[tokio::test]
    async fn what_panics_or_is_cancelled_makes_room() {
        let (admission, bounds) = (Admission::default(), bounds());
        for _ in 0..5 {
            let permit = admission.admit(caller(1, 1), &bounds).unwrap();
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let _permit = permit;
                panic!("as a plugin may");
            }));
            assert!(panicked.is_err());
            let permit = admission.admit(caller(1, 1), &bounds).unwrap();
            let task = tokio::spawn(async move {
                let _permit = permit;
                std::future::pending::<()>().await;
            });
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
        let under_way = admission.0.lock();
        assert!(under_way.all == 0 && under_way.users.is_empty() && under_way.guilds.is_empty());
    }
}
