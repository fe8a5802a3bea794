//! Access tokens of OAuth2: what a user lets an application do in their name.

use time::OffsetDateTime;

use super::{World, clock, secret};
use crate::snowflake::Snowflake;

/// Time for which Discord's access tokens are valid.
const LIFETIME: time::Duration = time::Duration::days(7);

/// An access token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// Application that it was granted to.
    pub application: Snowflake,
    /// User who granted it.
    pub user: Snowflake,
    /// Scopes, such as `guilds.join`.
    pub scopes: Vec<String>,
    /// When it expires.
    pub expires_at: OffsetDateTime,
}

impl AccessToken {
    /// Returns whether it has a scope.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

impl World {
    /// Grants an application these scopes of a user and returns the new token.
    pub fn grant(&mut self, application: Snowflake, user: Snowflake, scopes: Vec<String>) -> String {
        let token = secret(30);
        let expires_at = clock::now() + LIFETIME;
        self.access_tokens.insert(token.clone(), AccessToken { application, user, scopes, expires_at });
        token
    }

    /// Returns an access token that has not expired.
    pub fn access_token(&self, token: &str) -> Option<&AccessToken> {
        self.access_tokens.get(token).filter(|granted| granted.expires_at > clock::now())
    }
}
