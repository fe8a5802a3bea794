//! Counting requests against their buckets.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{Config, Route};
use crate::error::ApiError;
use crate::snowflake::Snowflake;
use crate::state::clock::Clock;

const DAY: Duration = Duration::from_hours(24);
const TEN_MINUTES: Duration = Duration::from_mins(10);
/// Number of windows above which those that have ended are removed. It doubles when all of them still run.
const SWEEP_FROM: usize = 4096;

/// Handle to the limits and their counts. Clones share them.
#[derive(Clone, Debug)]
pub struct Limits {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    /// Public name of each configured bucket, in the same order.
    names: Vec<String>,
    windows: Mutex<Windows>,
    key: RandomState,
    clock: Clock,
}

#[derive(Debug)]
struct Windows {
    /// By a keyed 64-bit hash of the counted client and bucket. A collision would only merge two counts.
    open: HashMap<u64, Window>,
    sweep_at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    used: u32,
    ends: Instant,
}

/// The state of a bucket after a request.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketState {
    /// Requests in a window.
    pub limit: u32,
    /// Requests left in this one.
    pub remaining: u32,
    /// Time until the window ends.
    pub reset_after: Duration,
    /// Public name of the bucket.
    pub bucket: String,
}

/// The kind of limit that was exceeded, as in `X-RateLimit-Scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Bucket of this bot.
    User,
    /// Bucket shared with others.
    Shared,
    /// Global limit of this bot.
    Global,
    /// Ban of the address by the proxy in front of Discord.
    Cloudflare,
}

/// A request that must not be handled now.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Time to wait.
    pub retry_after: Duration,
    /// Limit that was exceeded.
    pub scope: Scope,
    /// Bucket, if it was one.
    pub state: Option<BucketState>,
}

/// The verdict on a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It may be handled. The state of its bucket is for the headers of the answer.
    Allowed(Option<BucketState>),
    /// It must be answered with a 429.
    Refused(Refusal),
}

impl Limits {
    /// Creates limits with a configuration. Their windows end by this clock.
    pub fn new(config: Config, clock: Clock) -> Self {
        let names = config.buckets.iter().map(|rule| bucket_name(&rule.identity())).collect();
        let windows = Windows { open: HashMap::new(), sweep_at: SWEEP_FROM };
        let shared = Shared { config, names, windows: Mutex::new(windows), key: RandomState::new(), clock };
        Self { shared: Arc::new(shared) }
    }

    /// Forgets all counts.
    pub fn clear(&self) {
        self.shared.windows.lock().open.clear();
    }

    /// Returns the clock by which windows end.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Counts a request of `who` (a token, or the lack of one) at a moment, and returns whether it may be handled.
    pub fn check(&self, now: Instant, who: Option<&str>, method: &str, route: &Route) -> Verdict {
        let config = &self.shared.config;
        if !config.enabled {
            return Verdict::Allowed(None);
        }
        if let Some(banned) = self.ban(now, who) {
            return Verdict::Refused(banned);
        }
        if let Some(limit) = config.global_per_second.filter(|_| !route.is_token_authorised()) {
            let window = self.count(("global", who), limit, Duration::from_secs(1), now, 1);
            if let Err(wait) = window {
                return Verdict::Refused(Refusal { retry_after: wait, scope: Scope::Global, state: None });
            }
        }
        if route.is_interaction_callback() {
            return Verdict::Allowed(None);
        }
        let (limit, window, bucket) = self.bucket(method, route);
        let counted = self.count(("bucket", who, &bucket, route.major()), limit, window, now, 1);
        match counted {
            Ok(Window { used, ends }) => {
                let reset_after = ends.saturating_duration_since(now);
                Verdict::Allowed(Some(BucketState {
                    limit,
                    remaining: limit.saturating_sub(used),
                    reset_after,
                    bucket,
                }))
            }
            Err(wait) => Verdict::Refused(Refusal {
                retry_after: wait,
                scope: Scope::User,
                state: Some(BucketState { limit, remaining: 0, reset_after: wait, bucket }),
            }),
        }
    }

    /// Returns the requests in a window, the window, and the public name of a request's bucket.
    pub(super) fn bucket(&self, method: &str, route: &Route) -> (u32, Duration, String) {
        let config = &self.shared.config;
        let rule = config.buckets.iter().position(|rule| rule.counts(method, route.template()));
        match rule {
            Some(index) => {
                let rule = &config.buckets[index];
                (rule.limit, rule.window, self.shared.names[index].clone())
            }
            None => (config.other.0, config.other.1, bucket_name(&format!("{method} {}", route.template()))),
        }
    }

    /// Counts an answer that counts as invalid for Cloudflare: 401, 403, and 429 unless its scope is shared.
    pub fn answered(&self, now: Instant, who: Option<&str>, status: StatusCode, shared: bool) {
        let invalid = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            || (status == StatusCode::TOO_MANY_REQUESTS && !shared);
        if invalid && self.shared.config.enabled && self.shared.config.invalid_requests.is_some() {
            // The limit is too high to be exceeded, so that counting continues. `ban` compares.
            let _ = self.count(("invalid", who), u32::MAX, TEN_MINUTES, now, 1);
        }
    }

    /// Counts the creation of application commands in a guild, or globally. Fails if those of the day are used up.
    ///
    /// For handlers, since only they know whether a command is new. An overwrite that creates none passes `count` 0.
    pub fn create_commands(
        &self,
        now: Instant,
        application: Snowflake,
        guild: Option<Snowflake>,
        count: u32,
    ) -> Result<(), ApiError> {
        let config = &self.shared.config;
        let Some(limit) = config.command_creates_per_day.filter(|_| config.enabled && count > 0) else {
            return Ok(());
        };
        match self.count(("commands", application.0, guild.map(|id| id.0)), limit, DAY, now, count) {
            Ok(_) => Ok(()),
            Err(_) => Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                30034,
                format!("Max number of daily application command creates has been reached ({limit})"),
            )),
        }
    }

    fn ban(&self, now: Instant, who: Option<&str>) -> Option<Refusal> {
        let limit = self.shared.config.invalid_requests?;
        let key = self.shared.key.hash_one(("invalid", who));
        let window = *self.shared.windows.lock().open.get(&key)?;
        (window.used >= limit && window.ends > now).then(|| Refusal {
            retry_after: window.ends - now,
            scope: Scope::Cloudflare,
            state: None,
        })
    }

    /// Counts `amount` in a window. If it does not fit, nothing is counted, and the error is the time to wait.
    fn count(
        &self,
        what: impl Hash,
        limit: u32,
        length: Duration,
        now: Instant,
        amount: u32,
    ) -> Result<Window, Duration> {
        let key = self.shared.key.hash_one(what);
        let mut windows = self.shared.windows.lock();
        windows.sweep(now);
        let window = windows.open.entry(key).or_insert(Window { used: 0, ends: now + length });
        if window.ends <= now {
            *window = Window { used: 0, ends: now + length };
        }
        let used = window.used.saturating_add(amount);
        if used > limit {
            return Err(window.ends - now);
        }
        window.used = used;
        Ok(*window)
    }
}

impl Windows {
    fn sweep(&mut self, now: Instant) {
        if self.open.len() >= self.sweep_at {
            self.open.retain(|_, window| window.ends > now);
            self.sweep_at = (self.open.len() * 2).max(SWEEP_FROM);
        }
    }
}

impl BucketState {
    /// Writes the headers of every answer of this bucket, at a time since 1970.
    pub fn write_headers(&self, headers: &mut HeaderMap, now: Duration) {
        let reset = now + self.reset_after;
        let mut put = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        put("x-ratelimit-limit", self.limit.to_string());
        put("x-ratelimit-remaining", self.remaining.to_string());
        put("x-ratelimit-reset", seconds(reset));
        put("x-ratelimit-reset-after", seconds(self.reset_after));
        put("x-ratelimit-bucket", self.bucket.clone());
    }
}

impl Scope {
    /// Returns the value of `X-RateLimit-Scope`. Cloudflare sends none.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Shared => "shared",
            Self::Global => "global",
            Self::Cloudflare => "cloudflare",
        }
    }
}

impl Refusal {
    /// Writes the headers of the 429, at a time since 1970.
    pub fn write_headers(&self, headers: &mut HeaderMap, now: Duration) {
        // Whole seconds, rounded up: the header takes no fractions, and a retry that is too early would be refused
        // again.
        let wait = self.retry_after.as_millis().div_ceil(1000);
        headers.insert("retry-after", HeaderValue::from(u64::try_from(wait).unwrap_or(u64::MAX)));
        if self.scope == Scope::Cloudflare {
            headers.insert("server", HeaderValue::from_static("cloudflare"));
            return;
        }
        if let Some(state) = &self.state {
            state.write_headers(headers, now);
        }
        headers.insert("x-ratelimit-scope", HeaderValue::from_static(self.scope.name()));
        if self.scope == Scope::Global {
            headers.insert("x-ratelimit-global", HeaderValue::from_static("true"));
        }
    }

    /// Returns the JSON of the 429; `None` for Cloudflare, which answers with a page.
    pub fn body(&self) -> Option<Value> {
        let message = match self.scope {
            Scope::User | Scope::Global => "You are being rate limited.",
            Scope::Shared => "The resource is being rate limited.",
            Scope::Cloudflare => return None,
        };
        let retry_after = self.retry_after.as_secs_f64();
        Some(json!({"message": message, "retry_after": retry_after, "global": self.scope == Scope::Global}))
    }
}

/// Formats seconds with three decimals.
fn seconds(duration: Duration) -> String {
    format!("{}.{:03}", duration.as_secs(), duration.subsec_millis())
}

/// Returns the public name of a bucket: 32 hexadecimal digits that depend only on its routes, so that it is the same
/// after a restart.
fn bucket_name(identity: &str) -> String {
    // FNV-1a with 128 bits: stable, short, and not a secret.
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    const START: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let hash = identity.bytes().fold(START, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Config, Limits, Scope, Verdict};
    use crate::ratelimit::Route;
    use crate::snowflake::Snowflake;
    use crate::state::clock::Clock;

    fn send(limits: &Limits, now: Instant, channel: u32) -> Verdict {
        limits.check(now, Some("bot"), "POST", &Route::parse(&format!("/channels/{channel}/messages")))
    }

    #[test]
    fn a_sixth_message_in_five_seconds_waits_but_another_channel_does_not() {
        let limits = Limits::new(Config::default(), Clock::default());
        let start = Instant::now();
        for sent in 1..=5 {
            let Verdict::Allowed(Some(state)) = send(&limits, start, 1) else { panic!("{sent}") };
            assert_eq!((state.limit, state.remaining), (5, 5 - sent));
        }
        let Verdict::Refused(refusal) = send(&limits, start + Duration::from_secs(1), 1) else { panic!() };
        assert_eq!((refusal.scope, refusal.retry_after), (Scope::User, Duration::from_secs(4)));
        assert!(matches!(send(&limits, start, 2), Verdict::Allowed(_)));
        assert!(matches!(send(&limits, start + Duration::from_secs(5), 1), Verdict::Allowed(_)));
    }

    #[test]
    fn interactions_are_outside_the_global_limit() {
        let limits =
            Limits::new(Config { global_per_second: Some(1), ..Config::default() }, Clock::default());
        let now = Instant::now();
        let me = Route::parse("/users/@me");
        assert!(matches!(limits.check(now, Some("bot"), "GET", &me), Verdict::Allowed(Some(_))));
        for _ in 0..300 {
            let callback = Route::parse("/interactions/1/token/callback");
            assert_eq!(limits.check(now, Some("bot"), "POST", &callback), Verdict::Allowed(None));
        }
        let Verdict::Refused(refusal) = limits.check(now, Some("bot"), "GET", &me) else { panic!() };
        assert_eq!(refusal.scope, Scope::Global);
        assert_eq!(refusal.body().unwrap()["global"], true);
        assert!(matches!(limits.check(now, Some("another"), "GET", &me), Verdict::Allowed(_)));
    }

    #[test]
    fn commands_beyond_the_day_s_two_hundred_are_refused_with_their_code() {
        let limits = Limits::new(Config::default(), Clock::default());
        let now = Instant::now();
        let (application, guild) = (Snowflake(1), Some(Snowflake(2)));
        limits.create_commands(now, application, guild, 199).unwrap();
        let error = limits.create_commands(now, application, guild, 2).unwrap_err();
        assert_eq!(error.code(), 30034);
        limits.create_commands(now, application, guild, 1).unwrap();
        limits.create_commands(now, application, None, 200).unwrap();
        limits.create_commands(now + super::DAY, application, guild, 200).unwrap();
    }

    #[test]
    fn windows_that_have_passed_are_thrown_away() {
        let limits = Limits::new(Config::default(), Clock::default());
        let mut now = Instant::now();
        for token in 0..20_000 {
            now += Duration::from_millis(10);
            limits.check(now, None, "POST", &Route::parse(&format!("/webhooks/1/{token}")));
        }
        assert!(limits.shared.windows.lock().open.len() <= super::SWEEP_FROM);
    }

    #[test]
    fn an_address_with_too_many_invalid_requests_is_banned_for_a_while() {
        let limits = Limits::new(Config { invalid_requests: Some(2), ..Config::default() }, Clock::default());
        let now = Instant::now();
        let unauthorised = axum::http::StatusCode::UNAUTHORIZED;
        limits.answered(now, None, unauthorised, false);
        let me = Route::parse("/users/@me");
        assert!(matches!(limits.check(now, None, "GET", &me), Verdict::Allowed(_)));
        limits.answered(now, None, unauthorised, false);
        let Verdict::Refused(refusal) = limits.check(now, None, "GET", &me) else { panic!() };
        assert_eq!((refusal.scope, refusal.body()), (Scope::Cloudflare, None));
        assert!(matches!(limits.check(now + super::TEN_MINUTES, None, "GET", &me), Verdict::Allowed(_)));
    }
}
