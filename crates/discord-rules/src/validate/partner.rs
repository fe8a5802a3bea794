//! Provisional accounts, which games make for players without a Discord account (Social SDK, "Provisional Accounts").

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::form::{Form, Object};
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;

/// Type of a token that Discord itself issued for an application's own id of a player.
pub const BOT_ISSUED: &str = "DISCORD_BOT_ISSUED_ACCESS_TOKEN";

/// Types of tokens of identity providers (Identity Providers, "External Auth Types").
const AUTH_TYPES: &[&str] = &[
    "OIDC",
    "EPIC_ONLINE_SERVICES_ACCESS_TOKEN",
    "EPIC_ONLINE_SERVICES_ID_TOKEN",
    "STEAM_SESSION_TICKET",
    "UNITY_SERVICES_ID_TOKEN",
    BOT_ISSUED,
    "APPLE_ID_TOKEN",
    "PLAYSTATION_NETWORK_ID_TOKEN",
];

/// Algorithms with which an ID token may be signed.
const ALGORITHMS: &[&str] =
    &["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];

/// Age above which an ID token is refused.
const MAX_AGE: Duration = Duration::days(7);

/// A token of an identity provider, as an application presents it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// Application.
    pub client_id: Snowflake,
    /// Type of the token.
    pub auth_type: &'static str,
    /// The token.
    pub auth_token: String,
}

/// A player, by an application's own id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Player {
    /// The application's id of the player.
    pub external_user_id: String,
    /// Display name.
    pub preferred_global_name: Option<String>,
}

/// A player, as an identity provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The provider's id of the player.
    pub subject: String,
    /// Display name.
    pub name: Option<String>,
}

/// Reads a body with a token of an identity provider.
pub fn external(body: &Value) -> ApiResult<External> {
    Form::read_object(body, |form, body| {
        let client_id = form.required(body, "client_id", Form::snowflake);
        form.optional(body, "client_secret", |form, value| form.text(value, 0..=1024));
        let auth_token =
            form.required(body, "external_auth_token", |form, value| form.text(value, 1..=10_240));
        let auth_type = form.required(body, "external_auth_type", |form, value| form.word(value, AUTH_TYPES));
        Some(External { client_id: client_id?, auth_type: auth_type?, auth_token: auth_token? })
    })
}

/// Reads a body with an application's own id of a player, for a token.
pub fn player(body: &Value) -> ApiResult<Player> {
    Form::read_object(body, |form, body| {
        let id = player_id(form, body);
        form.check(body, "provisional_user_id", Form::snowflake);
        let name = form.optional(body, "preferred_global_name", |form, value| form.text(value, 1..=32));
        Some(Player { external_user_id: id?, preferred_global_name: name })
    })
}

/// Reads a body with an application's own id of a player, and nothing else.
pub fn unmerge(body: &Value) -> ApiResult<String> {
    Form::read_object(body, player_id)
}

fn player_id(form: &mut Form, body: &Object) -> Option<String> {
    form.required(body, "external_user_id", |form, value| form.text(value, 1..=1024))
}

/// Reads what a token of an identity provider says of a player, at this moment. Its signature, issuer and audience are not
/// checked, which would need the provider.
///
/// Access tokens and session tickets say nothing that can be read, so each stands for a player of its own.
///
/// # Errors
/// If an ID token is none (530020), has no key id (530027), has expired (530001) or is too old (530004).
pub fn claims(auth_type: &str, token: &str, now: OffsetDateTime) -> ApiResult<Claims> {
    if auth_type != "OIDC" && !auth_type.ends_with("_ID_TOKEN") {
        return Ok(Claims { subject: token.to_owned(), name: None });
    }
    let mut parts = token.split('.');
    let mut next = || decoded(parts.next()?);
    let (Some(header), Some(claims)) = (next(), next()) else { return Err(ApiError::invalid_id_token()) };
    let signed = parts.next().is_some_and(|signature| !signature.is_empty()) && parts.next().is_none();
    let algorithm = header["alg"].as_str().unwrap_or_default();
    if !signed || !ALGORITHMS.contains(&algorithm) {
        return Err(ApiError::invalid_id_token());
    }
    if auth_type == "OIDC" && !header["kid"].is_string() {
        return Err(ApiError::id_token_without_key_id());
    }
    let moment = |key: &str| claims[key].as_i64().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    let subject = claims["sub"].as_str().filter(|subject| !subject.is_empty());
    let (Some(subject), Some(expires), Some(issued)) = (subject, moment("exp"), moment("iat")) else {
        return Err(ApiError::invalid_id_token());
    };
    if expires <= now {
        return Err(ApiError::expired_id_token());
    }
    if now - issued > MAX_AGE {
        return Err(ApiError::id_token_too_old());
    }
    let name = claims["preferred_username"].as_str().filter(|name| (1..=32).contains(&name.chars().count()));
    Ok(Claims { subject: subject.to_owned(), name: name.map(str::to_owned) })
}

fn decoded(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(header), part(claims))
    }

    fn read(auth_type: &str, token: &str) -> Result<Claims, u32> {
        let now = OffsetDateTime::from_unix_timestamp(NOW).unwrap();
        claims(auth_type, token, now).map_err(|error| error.code())
    }

    #[test]
    fn an_id_token_names_a_player_until_it_expires() {
        let header = json!({ "alg": "ES256", "kid": "1" });
        let good = json!({ "sub": "p1", "exp": NOW + 1, "iat": NOW - 604_800, "preferred_username": "Pat" });
        let with = |key: &str, value: Value| {
            let mut claims = good.clone();
            claims[key] = value;
            read("OIDC", &token(&header, &claims))
        };
        assert_eq!(with("aud", json!("x")), Ok(Claims { subject: "p1".into(), name: Some("Pat".into()) }));
        assert_eq!(with("exp", json!(NOW)), Err(530_001));
        assert_eq!(with("iat", json!(NOW - 604_801)), Err(530_004));
        assert_eq!(with("sub", Value::Null), Err(530_020));
        assert_eq!(with("preferred_username", json!("n".repeat(33))).unwrap().name, None);
        assert_eq!(read("OIDC", &token(&json!({ "alg": "ES256" }), &good)), Err(530_027));
        assert!(read("APPLE_ID_TOKEN", &token(&json!({ "alg": "ES256" }), &good)).is_ok());
        assert_eq!(read("OIDC", &token(&json!({ "alg": "HS256", "kid": "1" }), &good)), Err(530_020));
        for wrong in ["", "a.b.c", ".", &token(&header, &good).replace("c2ln", ""), "e30.e30"] {
            assert_eq!(read("OIDC", wrong), Err(530_020), "{wrong}");
        }
    }

    #[test]
    fn a_ticket_is_a_player_of_its_own() {
        assert_eq!(read("STEAM_SESSION_TICKET", "14ab").unwrap().subject, "14ab");
    }

    #[test]
    fn bodies_are_refused_by_the_name_of_what_is_wrong() {
        let good = json!({ "client_id": "1", "external_auth_type": "OIDC", "external_auth_token": "t" });
        assert_eq!(external(&good).unwrap().auth_type, "OIDC");
        for (key, value) in [
            ("client_id", json!("x")),
            ("external_auth_type", json!("XBOX")),
            ("external_auth_token", json!("t".repeat(10_241))),
            ("client_secret", json!("s".repeat(1025))),
        ] {
            let mut wrong = good.clone();
            wrong[key] = value;
            let error = external(&wrong).unwrap_err();
            assert!(!error.errors().unwrap().at(&[key]).is_empty(), "{key}: {}", error.to_json());
        }
        assert!(player(&json!({ "external_user_id": "1", "preferred_global_name": "n".repeat(32) })).is_ok());
        assert!(player(&json!({ "external_user_id": "1", "preferred_global_name": "" })).is_err());
        assert!(unmerge(&json!({ "external_user_id": "i".repeat(1025) })).is_err());
        assert_eq!(unmerge(&json!({ "external_user_id": "i" })).unwrap(), "i");
    }
}
