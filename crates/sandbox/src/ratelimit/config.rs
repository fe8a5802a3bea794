//! Configuration of the limits.

use std::time::Duration;

/// Limits in force. The defaults are near those that were observed on Discord, and generous where it does not matter.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether there are limits at all. Without them there are no headers either.
    pub enabled: bool,
    /// Requests that a bot may make in a second, in all routes together; `None`: no limit.
    pub global_per_second: Option<u32>,
    /// Buckets. The first that matches a request counts it.
    pub buckets: Vec<BucketRule>,
    /// Requests and window for each method and route that no bucket matches.
    pub other: (u32, Duration),
    /// Application commands that may be created in a day, in each guild and globally; `None`: no limit.
    pub command_creates_per_day: Option<u32>,
    /// Answers with 401, 403 or 429 in ten minutes after which an address is banned, as by Cloudflare; `None`: never.
    pub invalid_requests: Option<u32>,
}

/// One bucket: requests that count together, for each top-level resource.
#[derive(Clone, Debug)]
pub struct BucketRule {
    /// Methods that it counts; empty: all.
    pub methods: Vec<String>,
    /// Route as in [`Route::template`](super::Route::template), for example `/channels/{channel.id}/messages`.
    pub route: String,
    /// Requests in a window.
    pub limit: u32,
    /// Window, which starts with its first request.
    pub window: Duration,
}

impl BucketRule {
    /// Creates a bucket for these methods of a route.
    pub fn new(methods: &[&str], route: &str, limit: u32, window: Duration) -> Self {
        let methods = methods.iter().map(|&method| method.to_owned()).collect();
        Self { methods, route: route.to_owned(), limit, window }
    }

    pub(super) fn counts(&self, method: &str, route: &str) -> bool {
        self.route == route
            && (self.methods.is_empty() || self.methods.iter().any(|counted| counted == method))
    }

    /// Returns the text that its public name is derived from.
    pub(super) fn identity(&self) -> String {
        format!("{} {}", self.methods.join(","), self.route)
    }
}

impl Config {
    /// Returns a configuration without limits and headers.
    pub fn off() -> Self {
        Self { enabled: false, ..Self::default() }
    }
}

/// Limits of lobbies: method, route, and requests in two hours.
const LOBBIES: &[(&str, &str, u32)] = &[
    ("POST", "/lobbies", 100),
    ("PUT", "/lobbies", 100),
    ("PATCH", "/lobbies/{lobby.id}", 100),
    ("PUT", "/lobbies/{lobby.id}/members/{user.id}", 100),
    ("DELETE", "/lobbies/{lobby.id}/members/{user.id}", 100),
    ("POST", "/lobbies/{lobby.id}/members/bulk", 100),
    ("POST", "/lobbies/{lobby.id}/members/@me/invites", 100),
    ("POST", "/lobbies/{lobby.id}/members/{user.id}/invites", 100),
    ("PATCH", "/lobbies/{lobby.id}/channel-linking", 20),
    ("POST", "/lobbies/{lobby.id}/messages", 100),
];

impl Default for Config {
    fn default() -> Self {
        const MESSAGES: &str = "/channels/{channel.id}/messages";
        const MESSAGE: &str = "/channels/{channel.id}/messages/{message.id}";
        const OWN_REACTION: &str = "/channels/{channel.id}/messages/{message.id}/reactions/{emoji}/@me";
        const WEBHOOK: &str = "/webhooks/{webhook.id}/{webhook.token}";
        let five_seconds = Duration::from_secs(5);
        let mut buckets = vec![
            BucketRule::new(&["POST"], MESSAGES, 5, five_seconds),
            BucketRule::new(&["PATCH"], MESSAGE, 5, five_seconds),
            BucketRule::new(&["DELETE"], MESSAGE, 5, Duration::from_secs(1)),
            BucketRule::new(&["PUT", "DELETE"], OWN_REACTION, 1, Duration::from_millis(250)),
            BucketRule::new(&["POST"], "/channels/{channel.id}/typing", 5, five_seconds),
            BucketRule::new(&["POST"], WEBHOOK, 5, Duration::from_secs(2)),
        ];
        // Applications in development (Lobby Resource, "Development Rate Limits").
        let lobby = |&(methods, route, limit): &(_, &str, _)| {
            BucketRule::new(&[methods], route, limit, Duration::from_hours(2))
        };
        buckets.extend(LOBBIES.iter().map(lobby));
        Self {
            enabled: true,
            global_per_second: Some(50),
            buckets,
            other: (50, Duration::from_secs(1)),
            command_creates_per_day: Some(200),
            invalid_requests: None,
        }
    }
}
