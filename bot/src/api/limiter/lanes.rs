//! The state of Discord's rate limits: which requests may be sent now, which wait, and until when.
//!
//! Everything here is data: the caller passes the time, and reports what was sent and answered.
//!
//! # Theory of operation
//!
//! A lane is a bucket and a top-level resource. Its requests are sent in the order of their arrival. Nothing is known
//! about a lane until its first response, so one request is sent alone and the others wait for its response. From then
//! on, as many are sent as the window has room for. Requests that change something are sent one after the other, so
//! that they arrive in the order in which they were made; reads are sent concurrently.
//!
//! Discord sends the time until the end of a window, counted from when it wrote the response. Here it is counted from
//! when the response arrived, which is later, so no request arrives too early.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sdk::tokio::time::Instant;

use super::headers::Standing;
use super::route::Route;

/// Requests in a second, all routes together. Source: "Global Rate Limit" in Discord's documentation.
pub(super) const GLOBAL: usize = 50;
const GLOBAL_WINDOW: Duration = Duration::from_secs(1);
/// Added to the end of a window, because Discord rounds it to milliseconds.
const ROUNDING: Duration = Duration::from_millis(10);
/// Number of lanes from which on idle ones are removed.
const SWEEP_FROM: usize = 512;

/// A place in a queue, and later the permission to send.
pub(super) type Ticket = u64;

/// A request to be sent.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) route: Arc<Route>,
    /// Whether it has to arrive after the ones before it.
    pub(super) ordered: bool,
    /// Plugin that sends it, if known.
    pub(super) plugin: Option<Arc<str>>,
}

/// All lanes.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// Buckets of routes, as far as known from responses.
    buckets: HashMap<Arc<str>, Arc<str>>,
    lanes: HashMap<Key, Lane>,
    /// Lanes in which a request waits.
    busy: HashSet<Key>,
    waiting: usize,
    global: Global,
    next: Ticket,
    sweep_at: usize,
}

/// Bucket and top-level resource. The route stands for a bucket that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    name: Name,
    major: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Name {
    Route(Arc<str>),
    Bucket(Arc<str>),
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<(Ticket, Wish)>,
    /// Sent requests without a response so far.
    under_way: BTreeMap<Ticket, Wish>,
    room: Room,
    /// End of a 429.
    blocked_until: Option<Instant>,
}

/// The window of a lane.
#[derive(Clone, Copy, Debug, Default)]
enum Room {
    /// No response has arrived yet.
    #[default]
    Unknown,
    /// Responses contain no limit.
    Unlimited,
    Window {
        limit: u32,
        remaining: u32,
        ends: Instant,
        /// Whether no response has contained its end yet. It is then counted from the first request.
        assumed: bool,
        /// Longest window seen.
        length: Duration,
    },
}

/// Why a request may not be sent yet.
enum Wait {
    Until(Instant),
    /// Until a response arrives.
    Answer,
}

/// The state of a lane's queue, for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) waiting: usize,
    /// Requests in a window, if known.
    pub(super) limit: Option<u32>,
    /// Plugin with most requests in the queue, if any is known.
    pub(super) plugin: Option<Arc<str>>,
    /// Minimum time until a request that arrives now is sent.
    pub(super) wait: Duration,
}

impl Lanes {
    /// Adds a request to its lane and returns its ticket, which [`admit`](Self::admit) returns when it may be sent.
    pub(super) fn enter(&mut self, wish: Wish) -> Ticket {
        self.next += 1;
        let key = self.key(&wish.route);
        self.lanes.entry(key.clone()).or_default().waiting.push_back((self.next, wish));
        self.busy.insert(key);
        self.waiting += 1;
        self.next
    }

    /// Returns how many requests have arrived.
    #[cfg(test)]
    pub(super) fn entered(&self) -> u64 {
        self.next
    }

    /// Returns how many requests wait in all lanes.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Returns the state of the queue of a route's lane.
    pub(super) fn queue(&self, now: Instant, route: &Route) -> Queue {
        let Some(lane) = self.lanes.get(&self.key(route)) else {
            return Queue { waiting: 0, limit: None, plugin: None, wait: Duration::ZERO };
        };
        let mut plugins = BTreeMap::<&Arc<str>, usize>::new();
        for plugin in lane.waiting.iter().filter_map(|(_, wish)| wish.plugin.as_ref()) {
            *plugins.entry(plugin).or_default() += 1;
        }
        let plugin = plugins.into_iter().max_by_key(|(_, count)| *count).map(|(plugin, _)| plugin.clone());
        let limit = match lane.room {
            Room::Window { limit, .. } => Some(limit),
            Room::Unknown | Room::Unlimited => None,
        };
        Queue { waiting: lane.waiting.len(), limit, plugin, wait: lane.least_wait(now) }
    }

    /// Admits all requests that may be sent, the oldest first. Returns them, and when to call this again.
    pub(super) fn admit(&mut self, now: Instant) -> (Vec<Ticket>, Option<Instant>) {
        let front =
            |lanes: &HashMap<Key, Lane>, key: &Key| lanes[key].waiting.front().map(|(ticket, _)| *ticket);
        let mut fronts: BTreeMap<Ticket, Key> =
            self.busy.iter().filter_map(|key| Some((front(&self.lanes, key)?, key.clone()))).collect();
        let (mut admitted, mut again) = (Vec::new(), None::<Instant>);
        let mut look_again = |at: Instant| again = Some(again.map_or(at, |earlier| earlier.min(at)));
        while let Some((ticket, key)) = fronts.pop_first() {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            let Some((_, wish)) = lane.waiting.front() else { continue };
            let (ordered, outside_global) = (wish.ordered, wish.route.is_outside_global());
            if let Err(free_at) = self.global.has_room(now, outside_global) {
                look_again(free_at);
                continue;
            }
            match lane.may_send(now, ordered) {
                Err(Wait::Until(at)) => look_again(at),
                Err(Wait::Answer) => {}
                Ok(()) => {
                    lane.under_way.extend(lane.waiting.pop_front());
                    self.waiting -= 1;
                    if !outside_global {
                        self.global.sent(now, ticket);
                    }
                    admitted.push(ticket);
                    match lane.waiting.front() {
                        Some((next, _)) => drop(fronts.insert(*next, key)),
                        None => drop(self.busy.remove(&key)),
                    }
                }
            }
        }
        (admitted, again)
    }

    /// Removes a waiting request, or records that a sent one has ended.
    pub(super) fn leave(&mut self, now: Instant, ticket: Ticket, wish: &Wish) {
        let key = self.key(&wish.route);
        if let Some(lane) = self.lanes.get_mut(&key) {
            if let Some(place) = lane.waiting.iter().position(|(waiting, _)| *waiting == ticket) {
                lane.waiting.remove(place);
                self.waiting -= 1;
                if lane.waiting.is_empty() {
                    self.busy.remove(&key);
                }
            } else {
                lane.under_way.remove(&ticket);
            }
        }
        self.global.answered(now, ticket);
        self.sweep(now);
    }

    /// Records what a response says about its bucket.
    pub(super) fn learn(&mut self, now: Instant, route: &Route, standing: &Standing) {
        if self.buckets.get(route.template()).is_none_or(|known| **known != *standing.bucket) {
            self.name(route.template(), &standing.bucket.as_str().into());
        }
        let key = self.key(route);
        self.lanes.entry(key).or_default().learn(now, standing);
    }

    /// Records that a successful response of a route contains no limit.
    pub(super) fn learn_unlimited(&mut self, route: &Route) {
        let key = self.key(route);
        if let Some(lane) = self.lanes.get_mut(&key)
            && matches!(lane.room, Room::Unknown)
        {
            lane.room = Room::Unlimited;
        }
    }

    /// Blocks a route's lane after a 429.
    pub(super) fn block(&mut self, route: &Route, until: Instant) {
        let key = self.key(route);
        let blocked = &mut self.lanes.entry(key).or_default().blocked_until;
        *blocked = Some(blocked.map_or(until, |earlier| earlier.max(until)));
    }

    /// Blocks all lanes after a 429; those of interactions only if `interactions`.
    pub(super) fn block_all(&mut self, until: Instant, interactions: bool) {
        self.global.blocked_until = Some(until);
        self.global.blocks_interactions = interactions;
    }

    /// Counts a request that is sent again.
    pub(super) fn sent_again(&mut self, now: Instant, ticket: Ticket, route: &Route) {
        if !route.is_outside_global() {
            self.global.answered(now, ticket);
            self.global.sent(now, ticket);
        }
    }

    fn key(&self, route: &Route) -> Key {
        let name = match self.buckets.get(route.template()) {
            Some(bucket) => Name::Bucket(bucket.clone()),
            None => Name::Route(route.template().clone()),
        };
        Key { name, major: route.major().clone() }
    }

    /// Sets the bucket of a route. Its waiting requests move there and keep their order.
    fn name(&mut self, template: &Arc<str>, bucket: &Arc<str>) {
        let old = match self.buckets.insert(template.clone(), bucket.clone()) {
            Some(bucket) => Name::Bucket(bucket),
            None => Name::Route(template.clone()),
        };
        let moved: Vec<Key> = self.lanes.keys().filter(|key| key.name == old).cloned().collect();
        for key in moved {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            let goes = |(_, wish): &(Ticket, Wish)| wish.route.template() == template;
            let (going, staying): (VecDeque<_>, _) =
                std::mem::take(&mut lane.waiting).into_iter().partition(goes);
            lane.waiting = staying;
            let (under_way, stays): (BTreeMap<_, _>, _) =
                std::mem::take(&mut lane.under_way).into_iter().partition(goes);
            lane.under_way = stays;
            let blocked_until = lane.blocked_until;
            if lane.waiting.is_empty() {
                self.busy.remove(&key);
            }
            let new = Key { name: Name::Bucket(bucket.clone()), major: key.major };
            let lane = self.lanes.entry(new.clone()).or_default();
            lane.waiting.extend(going);
            lane.waiting.make_contiguous().sort_by_key(|(ticket, _)| *ticket);
            lane.under_way.extend(under_way);
            lane.blocked_until = lane.blocked_until.max(blocked_until);
            if !lane.waiting.is_empty() {
                self.busy.insert(new);
            }
        }
    }

    /// Removes idle lanes.
    fn sweep(&mut self, now: Instant) {
        if self.lanes.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.lanes.retain(|_, lane| !lane.is_idle(now));
            self.sweep_at = self.lanes.len() * 2;
        }
    }
}

impl Lane {
    /// Takes room for one request, or returns what it has to wait for.
    fn may_send(&mut self, now: Instant, ordered: bool) -> Result<(), Wait> {
        if let Some(until) = self.blocked_until {
            if until > now {
                return Err(Wait::Until(until));
            }
            self.blocked_until = None;
        }
        if ordered && self.under_way.values().any(|wish| wish.ordered) {
            return Err(Wait::Answer);
        }
        let under_way = u32::try_from(self.under_way.len()).unwrap_or(u32::MAX);
        match &mut self.room {
            Room::Unknown if under_way > 0 => Err(Wait::Answer),
            Room::Unknown | Room::Unlimited => Ok(()),
            Room::Window { limit, remaining, ends, assumed, length } => {
                if *ends <= now {
                    // Requests in progress may count in the new window.
                    *remaining = limit.saturating_sub(under_way);
                    (*ends, *assumed) = (now + *length, true);
                }
                if *remaining == 0 {
                    return Err(Wait::Until(*ends));
                }
                *remaining -= 1;
                Ok(())
            }
        }
    }

    fn learn(&mut self, now: Instant, standing: &Standing) {
        let said_ends = now + standing.reset_after + ROUNDING;
        // Discord has already counted the request that belongs to this response.
        let others = u32::try_from(self.under_way.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let Standing { limit: new_limit, remaining: said, reset_after, .. } = *standing;
        let (mut remaining, mut ends, mut new_length) = (said.saturating_sub(others), said_ends, reset_after);
        if let Room::Window { limit, remaining: counted, ends: known, assumed, length } = self.room {
            new_length = length.max(reset_after);
            // Responses take time, so two in the same window differ a little.
            let is_same_window = said_ends <= known + new_length / 2;
            if is_same_window || assumed {
                remaining = said.min(counted + new_limit.saturating_sub(limit));
            }
            if is_same_window && !assumed {
                // Both are late by the time of the response, so the earlier one is more accurate.
                ends = known.min(said_ends);
            }
        }
        self.room = Room::Window { limit: new_limit, remaining, ends, assumed: false, length: new_length };
    }

    /// Returns the minimum time until a request at the end of the queue is sent.
    fn least_wait(&self, now: Instant) -> Duration {
        let blocked = self.blocked_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let Room::Window { limit, remaining, ends, length, .. } = self.room else { return blocked };
        let now_free = if ends <= now { limit } else { remaining };
        let ahead = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        let Some(late) = ahead.checked_sub(now_free) else { return blocked };
        let windows = late / limit.max(1);
        (ends.saturating_duration_since(now) + length.saturating_mul(windows)).max(blocked)
    }

    fn is_idle(&self, now: Instant) -> bool {
        let is_over = match self.room {
            Room::Window { ends, .. } => ends <= now,
            Room::Unknown | Room::Unlimited => true,
        };
        is_over
            && self.under_way.is_empty()
            && self.waiting.is_empty()
            && self.blocked_until.is_none_or(|until| until <= now)
    }
}

/// The global limit, for all routes together.
///
/// A request counts until a second after its response, by which it must have reached Discord. So no second at Discord
/// contains more requests than the limit, whenever it begins and however long requests take to arrive. A request
/// without a response is assumed to arrive within a second.
#[derive(Debug, Default)]
struct Global {
    /// Sent requests without a response so far, by ticket, with the time after which they are assumed to have arrived.
    under_way: BTreeMap<Ticket, Instant>,
    /// Ends of the requests that still count.
    counted: BTreeSet<(Instant, Ticket)>,
    blocked_until: Option<Instant>,
    blocks_interactions: bool,
}

impl Global {
    /// Returns an error with the time at which there will be room, if there is none.
    fn has_room(&mut self, now: Instant, is_outside: bool) -> Result<(), Instant> {
        if let Some(until) = self.blocked_until {
            if until <= now {
                self.blocked_until = None;
            } else if !is_outside || self.blocks_interactions {
                return Err(until);
            }
        }
        if is_outside {
            return Ok(());
        }
        let (under_way, counted) = (&mut self.under_way, &mut self.counted);
        under_way.retain(|ticket, arrives| {
            let is_late = *arrives <= now;
            if is_late {
                counted.insert((*arrives + GLOBAL_WINDOW, *ticket));
            }
            !is_late
        });
        while counted.first().is_some_and(|(end, _)| *end <= now) {
            counted.pop_first();
        }
        if under_way.len() + counted.len() < GLOBAL {
            return Ok(());
        }
        let by_count = counted.first().map(|(end, _)| *end);
        let by_arrival = under_way.values().min().map(|arrives| *arrives + GLOBAL_WINDOW);
        Err([by_count, by_arrival].into_iter().flatten().min().unwrap_or(now + GLOBAL_WINDOW))
    }

    fn sent(&mut self, now: Instant, ticket: Ticket) {
        self.under_way.insert(ticket, now + GLOBAL_WINDOW);
    }

    fn answered(&mut self, now: Instant, ticket: Ticket) {
        if self.under_way.remove(&ticket).is_some() {
            self.counted.insert((now + GLOBAL_WINDOW, ticket));
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::*;

    fn wish(method: &Method, path: &str) -> Wish {
        let route = Arc::new(Route::parse(method, path));
        Wish { route, ordered: *method != Method::GET, plugin: None }
    }

    fn message(channel: u32) -> Wish {
        wish(&Method::POST, &format!("/api/v10/channels/{channel}/messages"))
    }

    fn standing(remaining: u32, reset_after: Duration) -> Standing {
        Standing { bucket: "messages".to_owned(), limit: 5, remaining, reset_after }
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// A server with Discord's count of one bucket: windows begin with their first request.
    struct Server {
        window: Duration,
        used: u32,
        ends: Instant,
    }

    impl Server {
        fn new(now: Instant, window: Duration) -> Self {
            Self { window, used: 0, ends: now }
        }

        fn take(&mut self, now: Instant) -> Standing {
            if self.ends <= now {
                (self.used, self.ends) = (0, now + self.window);
            }
            self.used += 1;
            assert!(self.used <= 5, "too many in a window");
            standing(5 - self.used, self.ends - now)
        }
    }

    #[test]
    fn fifty_messages_go_five_in_a_window_in_their_order_and_nothing_is_refused() {
        let start = Instant::now();
        let (mut lanes, mut now) = (Lanes::default(), start);
        let mut server = Server::new(now, Duration::from_secs(5));
        let tickets: Vec<_> = (0..50).map(|_| lanes.enter(message(1))).collect();
        let mut sent = Vec::new();
        while sent.len() < tickets.len() {
            let (admitted, again) = lanes.admit(now);
            if let [ticket] = admitted[..] {
                // 20 ms for the request and 20 ms for the response.
                let standing = server.take(now + ms(20));
                now += ms(40);
                lanes.learn(now, &message(1).route, &standing);
                lanes.leave(now, ticket, &message(1));
                sent.push(ticket);
            } else {
                assert!(admitted.is_empty(), "side by side");
                now = again.unwrap();
            }
        }
        assert_eq!(sent, tickets);
        let took = now - start;
        assert!((Duration::from_secs(45)..Duration::from_secs(47)).contains(&took), "{took:?}");
        assert_eq!(lanes.waiting(), 0);
    }

    #[test]
    fn the_first_request_of_a_route_goes_alone_and_its_answer_decides() {
        let (mut lanes, now) = (Lanes::default(), Instant::now());
        let read = wish(&Method::GET, "/api/v10/channels/1/messages/2");
        let tickets: Vec<_> = (0..10).map(|_| lanes.enter(read.clone())).collect();
        assert_eq!(lanes.admit(now).0, tickets[..1]);
        lanes.learn(now, &read.route, &standing(4, ms(1000)));
        lanes.leave(now, tickets[0], &read);
        let (admitted, again) = lanes.admit(now);
        assert_eq!(admitted, tickets[1..5]);
        assert_eq!(again, Some(now + ms(1000) + ROUNDING));
    }

    #[test]
    fn lanes_do_not_wait_for_each_other() {
        let (mut lanes, now) = (Lanes::default(), Instant::now());
        let first = lanes.enter(message(1));
        assert_eq!(lanes.admit(now).0, [first]);
        lanes.learn(now, &message(1).route, &standing(0, ms(5000)));
        lanes.leave(now, first, &message(1));
        lanes.enter(message(1));
        let other = lanes.enter(message(2));
        assert_eq!(lanes.admit(now).0, [other]);
        assert_eq!(lanes.queue(now, &message(1).route).wait, ms(5000) + ROUNDING);
    }

    #[test]
    fn routes_of_one_bucket_share_its_room() {
        let (mut lanes, now) = (Lanes::default(), Instant::now());
        let (edit, delete) = (
            wish(&Method::PATCH, "/api/v10/channels/1/messages/2"),
            wish(&Method::DELETE, "/api/v10/channels/1/messages/3"),
        );
        for wish in [&edit, &delete] {
            let ticket = lanes.enter(wish.clone());
            assert_eq!(lanes.admit(now).0, [ticket]);
            lanes.learn(now, &wish.route, &standing(0, ms(5000)));
            lanes.leave(now, ticket, wish);
        }
        // Requests that waited for the first response are in the common lane by now, in their order.
        let tickets = [lanes.enter(edit.clone()), lanes.enter(delete.clone())];
        assert!(lanes.admit(now).0.is_empty());
        let later = now + ms(6000);
        assert_eq!(lanes.admit(later).0, tickets[..1]);
        lanes.leave(later, tickets[0], &edit);
        assert_eq!(lanes.admit(later).0, tickets[1..]);
    }

    #[test]
    fn a_429_holds_its_lane_alone_and_a_global_one_all_but_interactions() {
        let (mut lanes, now) = (Lanes::default(), Instant::now());
        lanes.block(&message(1).route, now + ms(300));
        let (held, other) = (lanes.enter(message(1)), lanes.enter(message(2)));
        assert_eq!(lanes.admit(now), (vec![other], Some(now + ms(300))));
        lanes.block_all(now + ms(500), false);
        let follow_up = wish(&Method::PATCH, "/api/v10/webhooks/1/token/messages/@original");
        let answer = lanes.enter(follow_up);
        assert_eq!(lanes.admit(now + ms(300)), (vec![answer], Some(now + ms(500))));
        assert_eq!(lanes.admit(now + ms(500)).0, [held]);
    }

    #[test]
    fn no_second_holds_more_than_the_global_limit_and_interactions_do_not_count() {
        let (mut lanes, start) = (Lanes::default(), Instant::now());
        let tickets: Vec<_> = (0..120).map(|channel| lanes.enter(message(channel))).collect();
        let (first, again) = lanes.admit(start);
        assert_eq!(first, tickets[..GLOBAL]);
        // Answered after 100 ms, so they count until 1100 ms: the last may have arrived with its response.
        for ticket in &first {
            lanes.leave(start + ms(100), *ticket, &message(0));
        }
        assert!(again.is_some());
        assert!(lanes.admit(start + ms(1099)).0.is_empty());
        let callback = lanes.enter(wish(&Method::POST, "/api/v10/webhooks/1/token"));
        assert_eq!(lanes.admit(start + ms(1099)).0, [callback]);
        assert_eq!(lanes.admit(start + ms(1100)).0, tickets[GLOBAL..2 * GLOBAL]);
        // Without any response they are assumed to have arrived after a second.
        assert!(lanes.admit(start + ms(3099)).0.is_empty());
        assert_eq!(lanes.admit(start + ms(3100)).0.len(), 20);
    }

    #[test]
    fn one_that_gives_up_makes_room_and_what_is_idle_is_forgotten() {
        let (mut lanes, mut now) = (Lanes::default(), Instant::now());
        let first = lanes.enter(message(1));
        let (second, third) = (lanes.enter(message(1)), lanes.enter(message(1)));
        assert_eq!(lanes.admit(now).0, [first]);
        lanes.leave(now, second, &message(1));
        lanes.leave(now, first, &message(1));
        assert_eq!(lanes.admit(now).0, [third]);
        lanes.leave(now, third, &message(1));
        for channel in 0..10_000 {
            now += ms(25);
            let ticket = lanes.enter(message(channel));
            assert_eq!(lanes.admit(now).0, [ticket]);
            lanes.learn(now, &message(channel).route, &standing(4, ms(1000)));
            lanes.leave(now, ticket, &message(channel));
        }
        assert!(lanes.lanes.len() <= SWEEP_FROM, "{}", lanes.lanes.len());
        assert_eq!((lanes.waiting(), lanes.busy.len()), (0, 0));
    }

    #[test]
    fn the_plugin_that_fills_a_lane_is_known() {
        let (mut lanes, now) = (Lanes::default(), Instant::now());
        for plugin in ["events/loud", "commands/quiet", "events/loud"] {
            lanes.enter(Wish { plugin: Some(plugin.into()), ..message(1) });
        }
        let queue = lanes.queue(now, &message(1).route);
        assert_eq!((queue.waiting, queue.plugin.as_deref()), (3, Some("events/loud")));
    }
}
