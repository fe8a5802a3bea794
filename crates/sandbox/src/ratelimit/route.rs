//! REST paths: the template, the top-level resource, and the position of a token.

use std::ops::Range;

use crate::event_log::Redactor;

/// A parsed path under `/api/v10`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    path: String,
    template: String,
    major: Option<String>,
    token: Option<Range<usize>>,
}

impl Route {
    /// Parses a path without its query. A prefix of `/api` and a version is removed.
    pub fn parse(path: &str) -> Self {
        let path = without_version(path);
        let mut template = String::with_capacity(path.len());
        let mut token = None;
        let mut major = None;
        let (mut before, mut resource) = ("", "");
        let mut start = 0;
        for (index, segment) in path.split('/').enumerate() {
            let range = start..start + segment.len();
            start = range.end + 1;
            if segment.is_empty() {
                continue;
            }
            // Segments count from 1, since the path begins with a slash.
            if index == 1 {
                resource = segment;
            }
            let carries_token = matches!(resource, "webhooks" | "interactions");
            template.push('/');
            if index == 3 && carries_token {
                template.push_str(if resource == "webhooks" {
                    "{webhook.token}"
                } else {
                    "{interaction.token}"
                });
                if resource == "webhooks" {
                    major = Some(path[1..range.end].to_owned());
                }
                token = Some(range);
            } else if is_id(segment) {
                template.push_str(id_name(before));
                if index == 2 && matches!(resource, "channels" | "guilds" | "webhooks") {
                    major = Some(path[1..range.end].to_owned());
                }
            } else {
                template.push_str(free_name(before).filter(|_| !segment.starts_with('@')).unwrap_or(segment));
            }
            before = segment;
        }
        Self { path: path.to_owned(), template, major, token }
    }

    /// Returns the path without `/api` and version, with its token; only for matching, never for output.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the path with ids and tokens replaced by their names.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// Returns the top-level resource that limits are counted by: a channel, a guild, a webhook with its token.
    pub fn major(&self) -> Option<&str> {
        self.major.as_deref()
    }

    /// Returns the path with its token replaced by a mark.
    pub fn shown(&self, redactor: &Redactor) -> String {
        match &self.token {
            Some(token) => {
                let (before, rest) = self.path.split_at(token.start);
                let (secret, after) = rest.split_at(token.len());
                format!("{before}{}{after}", redactor.mark(secret))
            }
            None => self.path.clone(),
        }
    }

    /// Returns whether this answers or follows up an interaction, or runs a webhook by its token. Such requests have
    /// their own authorisation and do not count against the bot's global limit.
    pub fn is_token_authorised(&self) -> bool {
        self.token.is_some()
    }

    /// Returns whether this is the first answer to an interaction, which has no bucket, since each interaction takes
    /// only one.
    pub fn is_interaction_callback(&self) -> bool {
        self.template.starts_with("/interactions/")
    }
}

fn without_version(path: &str) -> &str {
    let path = match path.strip_prefix("/api") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path,
    };
    let Some(versioned) = path.strip_prefix("/v") else { return path };
    let digits = versioned.bytes().take_while(u8::is_ascii_digit).count();
    match versioned.get(digits..) {
        Some(rest) if digits > 0 && (rest.is_empty() || rest.starts_with('/')) => rest,
        _ => path,
    }
}

fn is_id(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the documented name of an id by the segment before it.
fn id_name(collection: &str) -> &'static str {
    match collection {
        "channels" | "threads" | "stage-instances" | "followers" => "{channel.id}",
        "guilds" => "{guild.id}",
        "webhooks" => "{webhook.id}",
        "applications" => "{application.id}",
        "interactions" => "{interaction.id}",
        "messages" | "pins" | "polls" => "{message.id}",
        "users" | "members" | "bans" | "thread-members" | "recipients" | "voice-states" => "{user.id}",
        "roles" => "{role.id}",
        "commands" => "{command.id}",
        "emojis" => "{emoji.id}",
        "lobbies" => "{lobby.id}",
        "stickers" => "{sticker.id}",
        "sticker-packs" => "{pack.id}",
        "soundboard-sounds" => "{sound.id}",
        "integrations" => "{integration.id}",
        "permissions" => "{overwrite.id}",
        "scheduled-events" => "{event.id}",
        "rules" => "{rule.id}",
        "entitlements" => "{entitlement.id}",
        "skus" => "{sku.id}",
        "subscriptions" => "{subscription.id}",
        "answers" => "{answer.id}",
        "reactions" => "{emoji}",
        _ => "{id}",
    }
}

/// Returns the documented name of a free text by the segment before it.
fn free_name(collection: &str) -> Option<&'static str> {
    match collection {
        "invites" => Some("{invite.code}"),
        "reactions" => Some("{emoji}"),
        "templates" => Some("{template.code}"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Route;
    use crate::event_log::Redactor;

    #[test]
    fn paths_become_templates_with_their_top_level_resource() {
        for (path, template, major) in [
            (
                "/api/v10/channels/12/messages/34",
                "/channels/{channel.id}/messages/{message.id}",
                Some("channels/12"),
            ),
            (
                "/v10/guilds/1/members/2/roles/3",
                "/guilds/{guild.id}/members/{user.id}/roles/{role.id}",
                Some("guilds/1"),
            ),
            ("/api/users/@me", "/users/@me", None),
            (
                "/api/v10/channels/1/messages/2/reactions/%F0%9F%91%8D/@me",
                "/channels/{channel.id}/messages/{message.id}/reactions/{emoji}/@me",
                Some("channels/1"),
            ),
            (
                "/api/v10/applications/5/guilds/6/commands",
                "/applications/{application.id}/guilds/{guild.id}/commands",
                None,
            ),
            (
                "/api/v10/webhooks/7/aToken/messages/@original",
                "/webhooks/{webhook.id}/{webhook.token}/messages/@original",
                Some("webhooks/7/aToken"),
            ),
            ("/api/v10/webhooks/7", "/webhooks/{webhook.id}", Some("webhooks/7")),
            ("/voice/regions", "/voice/regions", None),
            ("/api", "", None),
        ] {
            let route = Route::parse(path);
            assert_eq!((route.template(), route.major()), (template, major), "{path}");
        }
    }

    #[test]
    fn a_shown_path_holds_no_token() {
        let redactor = Redactor::default();
        let route = Route::parse("/api/v10/interactions/1/aToken/callback");
        assert_eq!(route.shown(&redactor), format!("/interactions/1/{}/callback", redactor.mark("aToken")));
        assert!(route.is_token_authorised() && route.is_interaction_callback());
        // Digits only are a token too in the position of one.
        assert!(!Route::parse("/webhooks/1/999").shown(&redactor).contains("999"));
    }
}
