//! Discord's rate limits, applied before a request is sent.
//!
//! # Theory of operation
//!
//! Every request of the bot waits here before it is sent. [`lanes`] tracks each bucket from Discord's responses, and
//! admits requests in the order of their arrival when the bucket's window has room. So Discord refuses only requests
//! whose limit others have used up: a 429 blocks the lane, and the refused request is sent first afterwards. Initial
//! responses to interactions pass immediately, because no limit of the bot applies to them and they have 3 seconds.
//!
//! Waits and queues are bounded: a request that would wait longer than [`WAIT_WITHIN`], or for which there is no room,
//! is refused with a message.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hyper::StatusCode;
use sdk::tokio::sync::{Notify, oneshot};
use sdk::tokio::task::JoinSet;
use sdk::tokio::time::{Instant, sleep_until, timeout_at};
use sdk::{tokio, tracing};

pub(crate) use headers::{Exceeded, Scope, Standing};
use invalid::Invalid;
use lanes::{Lanes, Ticket, Wish};
pub(crate) use route::Route;

mod headers;
mod invalid;
mod lanes;
mod route;

/// Longest wait of a request for its limit.
pub(crate) const WAIT_WITHIN: Duration = Duration::from_mins(2);
/// Requests that may wait at the same time. Each holds two sockets of the process, whose limit is often 1024.
const WAITING: usize = 256;

/// Called when a request has waited for its limit, or for the global one.
pub(crate) type Waited = Box<dyn Fn(Scope, Duration) + Send + Sync>;

/// Applies Discord's rate limits.
pub(crate) struct Limiter {
    shared: Arc<Shared>,
    /// Admits requests when a window ends. Aborted when this is dropped.
    _clock: JoinSet<()>,
}

struct Shared {
    state: Mutex<State>,
    /// Notified when [`State::again`] has changed.
    changed: Notify,
    waited: OnceLock<Waited>,
}

#[derive(Default)]
struct State {
    lanes: Lanes,
    invalid: Invalid,
    /// Senders that admit the waiting requests.
    waiting: HashMap<Ticket, oneshot::Sender<()>>,
    /// End of the next window that a request waits for.
    again: Option<Instant>,
    /// Routes for whose queue a warning was logged, until the queue is short again, with the queue's length then.
    warned: HashMap<String, usize>,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) sentence: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// A place in a queue, and later the permission to send. The next request goes when it is dropped.
pub(crate) struct Permit {
    shared: Arc<Shared>,
    ticket: Ticket,
    wish: Wish,
    /// Latest time until which the request may wait, in all its waits together.
    deadline: Instant,
}

impl Limiter {
    pub(crate) fn new() -> Self {
        let shared =
            Arc::new(Shared { state: Mutex::default(), changed: Notify::new(), waited: OnceLock::new() });
        let mut clock = JoinSet::new();
        clock.spawn(tick(shared.clone()));
        Self { shared, _clock: clock }
    }

    /// Sets the function that is called for each request that had to wait. Only the first call has an effect.
    pub(crate) fn tell_waits(&self, waited: Waited) {
        let _ = self.shared.waited.set(waited);
    }

    /// Waits until a request may be sent.
    ///
    /// Requests that are `ordered` arrive in the order of these calls.
    ///
    /// # Errors
    /// A message, if the wait would be too long.
    pub(crate) async fn enter(
        &self,
        route: Arc<Route>,
        ordered: bool,
        plugin: Option<Arc<str>>,
    ) -> Result<Permit, Refusal> {
        let began = Instant::now();
        let deadline = began + WAIT_WITHIN;
        let (mut turn, permit) = {
            let mut state = self.shared.state();
            state.check(began, &route)?;
            let wish = Wish { route, ordered, plugin };
            let ticket = state.lanes.enter(wish.clone());
            let (tell, turn) = oneshot::channel();
            state.waiting.insert(ticket, tell);
            self.shared.admit(&mut state);
            if state.waiting.contains_key(&ticket) {
                state.warn(began, &wish.route);
            }
            (turn, Permit { shared: self.shared.clone(), ticket, wish, deadline })
        };
        // Most requests are admitted immediately.
        if turn.try_recv().is_ok() {
            return Ok(permit);
        }
        if timeout_at(deadline, turn).await.is_err() {
            let queue = self.shared.state().lanes.queue(Instant::now(), &permit.wish.route);
            return Err(Refusal::too_long(&permit.wish.route, queue.wait));
        }
        self.shared.waited(Scope::User, began.elapsed());
        Ok(permit)
    }

    /// Returns how many requests have arrived.
    #[cfg(test)]
    pub(crate) fn entered(&self) -> u64 {
        self.shared.state().lanes.entered()
    }

    /// Returns how many requests wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.shared.state().lanes.waiting()
    }
}

impl Permit {
    /// Records a response that is not a 429.
    pub(crate) fn answered(&self, status: StatusCode, standing: Option<&Standing>) {
        let mut state = self.shared.state();
        match standing {
            Some(standing) => state.lanes.learn(Instant::now(), &self.wish.route, standing),
            None if status.is_success() => state.lanes.learn_unlimited(&self.wish.route),
            None => {}
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            state.count_invalid(self.wish.plugin.clone());
        }
    }

    /// Records a 429 and waits until the request may be sent again. Returns whether it may.
    ///
    /// It may not if the wait would be too long, or if no wait helps.
    pub(crate) async fn exceeded(&self, exceeded: &Exceeded, standing: Option<&Standing>) -> bool {
        let Exceeded { scope, retry_after, is_quota } = *exceeded;
        let (now, route) = (Instant::now(), &self.wish.route);
        let until = now + retry_after;
        let again = !is_quota && until <= self.deadline;
        {
            let mut state = self.shared.state();
            if let Some(standing) = standing {
                state.lanes.learn(now, route, standing);
            }
            match scope {
                Scope::Global | Scope::Address => state.lanes.block_all(until, scope == Scope::Address),
                // A longer wait concerns only this request: the bucket itself may have room.
                Scope::User | Scope::Shared if again => state.lanes.block(route, until),
                Scope::User | Scope::Shared => {}
            }
            if scope != Scope::Shared {
                state.count_invalid(self.wish.plugin.clone());
            }
        }
        let retry_after_ms = retry_after.as_millis();
        let (plugin, scope_name) = (self.wish.plugin.as_deref().unwrap_or("unknown"), scope.name());
        tracing::warn!(plugin, %route, scope = scope_name, retry_after_ms, again, "Discord has refused a request for its rate");
        if again {
            self.shared.waited(scope, retry_after);
            sleep_until(until).await;
            self.shared.state().lanes.sent_again(Instant::now(), self.ticket, route);
        }
        again
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.waiting.remove(&self.ticket);
        state.lanes.leave(Instant::now(), self.ticket, &self.wish);
        self.shared.admit(&mut state);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held leaves counts that the next responses correct.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waited(&self, scope: Scope, wait: Duration) {
        if let Some(waited) = self.waited.get() {
            waited(scope, wait);
        }
    }

    /// Admits all requests that may be sent.
    fn admit(&self, state: &mut State) {
        let (admitted, again) = state.lanes.admit(Instant::now());
        for ticket in admitted {
            if let Some(tell) = state.waiting.remove(&ticket) {
                // A request that has been given up leaves the queue by itself.
                let _ = tell.send(());
            }
        }
        if state.again != again {
            state.again = again;
            self.changed.notify_one();
        }
    }
}

impl State {
    /// Returns an error if a new request cannot be accepted now.
    fn check(&mut self, now: Instant, route: &Route) -> Result<(), Refusal> {
        if let Some(held_for) = self.invalid.held_for(now) {
            return Err(Refusal::invalid(held_for));
        }
        let queue = self.lanes.queue(now, route);
        if queue.wait > WAIT_WITHIN {
            return Err(Refusal::too_long(route, queue.wait));
        }
        if self.lanes.waiting() >= WAITING {
            return Err(Refusal {
                status: StatusCode::SERVICE_UNAVAILABLE,
                sentence: format!(
                    "not sent: {WAITING} requests wait for Discord's rate limits already; {route} is to be tried later"
                ),
            });
        }
        Ok(())
    }

    /// Logs a warning, once, about a queue that needs more than a window, until it is over.
    fn warn(&mut self, now: Instant, route: &Route) {
        let queue = self.lanes.queue(now, route);
        let Some(limit) = queue.limit else { return };
        let key = route.to_string();
        let is_long = queue.waiting > limit as usize;
        if !is_long {
            self.warned.remove(&key);
            return;
        }
        // Another warning follows when it has grown tenfold.
        let told = self.warned.get(&key).copied().unwrap_or_default();
        if told > 0 && queue.waiting < told * 10 {
            return;
        }
        // Entries whose queues have ended long ago.
        if self.warned.len() > WAITING {
            self.warned.clear();
        }
        self.warned.insert(key, queue.waiting);
        let plugin = queue.plugin.as_deref().unwrap_or("unknown");
        let (waiting, wait_ms) = (queue.waiting, queue.wait.as_millis());
        tracing::warn!(plugin, %route, waiting, limit, wait_ms, "requests wait for Discord's rate limit");
    }

    fn count_invalid(&mut self, plugin: Option<Arc<str>>) {
        if let Some(number) = self.invalid.count(Instant::now(), plugin) {
            let most = self.invalid.most();
            let plugin = most.as_deref().unwrap_or("unknown");
            tracing::warn!(
                plugin,
                number,
                held_from = invalid::HELD_FROM,
                "Discord refuses many requests (401, 403, 429); it bans this address at 10,000 in ten minutes"
            );
        }
    }
}

impl Refusal {
    fn too_long(route: &Route, wait: Duration) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            sentence: format!(
                "not sent: {route} would have to wait {} s for Discord's rate limit, and {} s is the most",
                wait.as_secs().max(WAIT_WITHIN.as_secs()),
                WAIT_WITHIN.as_secs()
            ),
        }
    }

    fn invalid(held_for: Duration) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            sentence: format!(
                "not sent: Discord has refused {} requests within ten minutes (401, 403, 429) and would ban this \
                 address; requests go on in {} s",
                invalid::HELD_FROM,
                held_for.as_secs().max(1)
            ),
        }
    }
}

/// Admits requests whenever a window ends.
async fn tick(shared: Arc<Shared>) {
    loop {
        let again = shared.state().again;
        let end = async {
            match again {
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = end => {
                let mut state = shared.state();
                state.again = None;
                shared.admit(&mut state);
            }
            () = shared.changed.notified() => {}
        }
    }
}

#[cfg(test)]
mod tests;
