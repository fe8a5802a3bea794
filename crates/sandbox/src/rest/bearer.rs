//! Requests in the name of users, with the access tokens of their authorizations.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::Rest;
use super::request::Bot;
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::authorization::Authorization;

/// The user's authorization in `Authorization: Bearer ...`.
#[derive(Debug, Clone)]
pub(super) struct Bearer(pub(super) Authorization);

impl Bearer {
    /// Checks that the user allows this.
    pub(super) fn require(&self, scope: &str) -> ApiResult<()> {
        if self.0.allows(scope) { Ok(()) } else { Err(ApiError::missing_scope()) }
    }
}

impl FromRequestParts<Rest> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> ApiResult<Self> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) =
            header.and_then(|header| header.split_once(' ')).ok_or_else(ApiError::unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::invalid_access_token());
        }
        let live = rest.discord.lock();
        live.authorization(token.trim()).cloned().map(Self).ok_or_else(ApiError::unauthorized)
    }
}

/// Either a bot, or a user's authorization.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// A bot with its token.
    Bot(Snowflake),
    /// A user, by an application.
    User(Bearer),
}

impl Caller {
    /// Returns the account that calls; a user only with this scope.
    pub(super) fn account(&self, scope: &str) -> ApiResult<Snowflake> {
        match self {
            Self::Bot(bot) => Ok(*bot),
            Self::User(bearer) => bearer.require(scope).map(|()| bearer.0.user),
        }
    }
}

impl FromRequestParts<Rest> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> ApiResult<Self> {
        if let Ok(Bot(bot)) = Bot::from_request_parts(parts, rest).await {
            return Ok(Self::Bot(bot));
        }
        match Bearer::from_request_parts(parts, rest).await {
            Ok(bearer) => Ok(Self::User(bearer)),
            Err(_) => Err(ApiError::unauthorized()),
        }
    }
}
