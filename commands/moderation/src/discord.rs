//! Discord's refusals as sentences, and requests that serenity 0.12.5 has no function for.

use std::time::Duration;

use sdk::prelude::*;
use serde_json::json;
use serenity::http::{LightMethod, Request, Route};
use serenity::{GuildId, Http, HttpError, UserId};

/// Error codes of Discord: unknown guild, member, user and ban; missing access and permissions.
///
/// Source: "JSON Error Codes" in Discord's documentation.
const UNKNOWN_GUILD: isize = 10_004;
const UNKNOWN_MEMBER: isize = 10_007;
const UNKNOWN_USER: isize = 10_013;
const UNKNOWN_BAN: isize = 10_026;
const MISSING_ACCESS: isize = 50_001;
const MISSING_PERMISSIONS: isize = 50_013;

fn code(error: &serenity::Error) -> Option<isize> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => Some(answer.error.code),
        _ => None,
    }
}

/// Returns whether the user, or the member, does not exist.
pub(crate) fn is_unknown(error: &serenity::Error) -> bool {
    matches!(code(error), Some(UNKNOWN_MEMBER | UNKNOWN_USER))
}

/// Returns whether a user to be unbanned is not banned.
pub(crate) fn is_not_banned(error: &serenity::Error) -> bool {
    code(error) == Some(UNKNOWN_BAN)
}

/// Returns whether an attempt soon after would fail as well, because the bot has no permission or is not in the server.
pub(crate) fn is_forbidden(error: &serenity::Error) -> bool {
    matches!(code(error), Some(MISSING_ACCESS | MISSING_PERMISSIONS | UNKNOWN_GUILD))
}

/// Returns whether Discord answered that it did not do what was asked. After any other error, it may have done it.
pub(crate) fn is_refused(error: &Error) -> bool {
    match error.downcast_ref() {
        Some(serenity::Error::Http(HttpError::UnsuccessfulRequest(answer))) => {
            answer.status_code.is_client_error()
        }
        _ => false,
    }
}

/// Returns an error of Discord as a sentence for a moderator, if it has one; `what` is what was not done, for example
/// "ban **carol**".
pub(crate) fn explained(error: serenity::Error, what: &str) -> Error {
    let words = match code(&error) {
        Some(UNKNOWN_MEMBER) => format!("I cannot {what}, who is not in this server any more."),
        Some(UNKNOWN_USER) => format!("I cannot {what}, because Discord knows no such user any more."),
        Some(UNKNOWN_BAN) => format!("I cannot {what}, who is not banned here."),
        Some(MISSING_ACCESS | MISSING_PERMISSIONS) => {
            format!("Discord does not let me {what}; check my permissions and the place of my role.")
        }
        Some(_) => match &error {
            serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => {
                let said = foreign(&answer.error.message, Surface::Line, 200);
                format!("Discord did not let me {what}: {said}")
            }
            _ => return error.into(),
        },
        None => return error.into(),
    };
    Refusal::new(words).into()
}

/// Bans a user and deletes their messages of the last time.
///
/// serenity's own function sends that time as a parameter of the address, and Discord documents it as a field of the
/// body: "Create Guild Ban".
pub(crate) async fn ban(
    http: &Http,
    guild: GuildId,
    user: UserId,
    delete: Duration,
    reason: &str,
) -> Result<(), serenity::Error> {
    let body = json!({ "delete_message_seconds": delete.as_secs() }).to_string();
    let route = Route::GuildBan { guild_id: guild, user_id: user };
    #[allow(clippy::default_trait_access)] // The type belongs to a crate that plugins do not name.
    let mut request =
        Request::new(route, LightMethod::Put).body(Some(body.into_bytes())).headers(Some(Default::default()));
    if let (Some(headers), Ok(reason)) = (request.headers_mut(), percent_encoded(reason).parse()) {
        headers.insert("x-audit-log-reason", reason);
    }
    http.request(request).await.map(drop)
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(byte.into());
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_becomes_a_header() {
        assert_eq!(percent_encoded("spam: ä%"), "spam%3A%20%C3%A4%25");
    }
}
