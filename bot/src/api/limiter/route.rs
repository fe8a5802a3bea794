//! The rate limit of a request, as far as its method and path determine it.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use hyper::Method;

/// A request's method and path, parsed for rate limits.
///
/// Source: "Rate Limits" in Discord's documentation: a limit is per method and route, and separate for each top-level
/// resource, which is a channel, a guild, or a webhook with its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// Method and path with ids and free texts replaced, such as `POST /channels/{}/messages`. It contains no token.
    template: Arc<str>,
    /// Top-level resource, such as `channels/12`; empty if there is none.
    major: Arc<str>,
    /// Whether it is authorised by an interaction's or a webhook's token instead of the bot's.
    has_own_token: bool,
    /// Interaction to which this is the initial response.
    callback: Option<NonZeroU64>,
}

impl Route {
    /// Parses a path. `/api`, a version and the query are ignored.
    pub(crate) fn parse(method: &Method, path: &str) -> Self {
        let path = path.split('?').next().unwrap_or_default();
        let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        if segments.first() == Some(&"api") {
            segments.remove(0);
            if segments.first().is_some_and(|version| is_version(version)) {
                segments.remove(0);
            }
        }
        let resource = segments.first().copied().unwrap_or_default();
        let has_token = matches!(resource, "webhooks" | "interactions") && segments.len() > 2;
        let mut template = format!("{method} ");
        let mut before = "";
        for (index, &segment) in segments.iter().enumerate() {
            let is_token = has_token && index == 2;
            template.push('/');
            template.push_str(if is_token || is_variable(before, segment) { "{}" } else { segment });
            before = segment;
        }
        let major = match resource {
            "webhooks" if has_token => segments[..3].join("/"),
            "channels" | "guilds" | "webhooks" if segments.len() > 1 => segments[..2].join("/"),
            _ => String::new(),
        };
        Self {
            template: template.into(),
            major: major.into(),
            has_own_token: has_token,
            callback: match segments[..] {
                ["interactions", id, _, "callback"] => id.parse().ok(),
                _ => None,
            },
        }
    }

    /// Returns the interaction to which this is the initial response. No limit of the bot applies to it: each
    /// interaction accepts one, within 3 seconds.
    pub(crate) fn callback(&self) -> Option<NonZeroU64> {
        self.callback
    }

    /// Returns whether the bot's global limit does not apply to it.
    ///
    /// Source: "Global Rate Limit" in Discord's documentation, and "Endpoints" of interactions, which lists their
    /// follow-ups, `/webhooks/{application.id}/{interaction.token}`.
    pub(crate) fn is_outside_global(&self) -> bool {
        self.has_own_token
    }

    /// Returns method and route without ids, which is safe to log.
    pub(crate) fn template(&self) -> &Arc<str> {
        &self.template
    }

    pub(super) fn major(&self) -> &Arc<str> {
        &self.major
    }
}

impl fmt::Display for Route {
    /// Writes the route and its channel or guild, without a webhook's token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.template)?;
        if self.major.is_empty() || self.has_own_token { Ok(()) } else { write!(f, " of {}", self.major) }
    }
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|digits| digits.parse::<u8>().is_ok())
}

/// Returns whether a segment varies between requests of one route.
fn is_variable(before: &str, segment: &str) -> bool {
    // Longer than any name in Discord's routes, so that the number of stored routes stays small for any requests.
    const LONGEST_NAME: usize = 40;
    let free_text = matches!(before, "reactions" | "invites" | "templates") && !segment.starts_with('@');
    free_text || segment.len() > LONGEST_NAME || segment.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: &Method, path: &str) -> (String, String) {
        let route = Route::parse(method, path);
        (route.template().to_string(), route.major().to_string())
    }

    #[test]
    fn a_limit_counts_by_route_and_top_level_resource() {
        for (path, template, major) in [
            ("/api/v10/channels/12/messages/34?x=1", "GET /channels/{}/messages/{}", "channels/12"),
            ("/api/v10/guilds/1/members/2/roles/3", "GET /guilds/{}/members/{}/roles/{}", "guilds/1"),
            (
                "/api/v10/channels/1/messages/2/reactions/%F0%9F%91%8D/@me",
                "GET /channels/{}/messages/{}/reactions/{}/@me",
                "channels/1",
            ),
            (
                "/api/v10/webhooks/7/to.ken/messages/@original",
                "GET /webhooks/{}/{}/messages/@original",
                "webhooks/7/to.ken",
            ),
            ("/api/v10/webhooks/7", "GET /webhooks/{}", "webhooks/7"),
            ("/api/v10/applications/5/guilds/6/commands", "GET /applications/{}/guilds/{}/commands", ""),
            ("/api/users/@me", "GET /users/@me", ""),
            ("/api/v10/invites/abc", "GET /invites/{}", ""),
        ] {
            assert_eq!(parts(&Method::GET, path), (template.to_owned(), major.to_owned()), "{path}");
        }
        let delete = parts(&Method::DELETE, "/api/v10/channels/1/messages/2").0;
        assert_eq!(delete, "DELETE /channels/{}/messages/{}");
    }

    #[test]
    fn interactions_are_outside_the_global_limit_and_their_tokens_are_not_shown() {
        let callback = Route::parse(&Method::POST, "/api/v10/interactions/1/secret/callback");
        assert!(callback.callback().is_some() && callback.is_outside_global());
        let follow_up = Route::parse(&Method::PATCH, "/api/v10/webhooks/1/secret/messages/@original");
        assert!(follow_up.callback().is_none() && follow_up.is_outside_global());
        assert!(!callback.to_string().contains("secret") && !follow_up.to_string().contains("secret"));
        assert!(!Route::parse(&Method::GET, "/api/v10/webhooks/1").is_outside_global());
        let message = Route::parse(&Method::POST, "/api/v10/channels/5/messages");
        assert_eq!(message.to_string(), "POST /channels/{}/messages of channels/5");
    }
}
