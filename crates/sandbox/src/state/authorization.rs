//! Users' authorizations of applications (OAuth2), Activities, and accounts elsewhere.

use time::OffsetDateTime;

use super::{World, secret};
use crate::snowflake::Snowflake;

/// What users can authorize an application for.
pub const SCOPES: &[&str] = &[
    "activities.invites.write",
    "activities.read",
    "activities.write",
    "applications.builds.read",
    "applications.builds.upload",
    "applications.commands",
    "applications.commands.permissions.update",
    "applications.commands.update",
    "applications.entitlements",
    "applications.store.update",
    "bot",
    "connections",
    "dm_channels.read",
    "email",
    "gdm.join",
    "guilds",
    "guilds.join",
    "guilds.members.read",
    "identify",
    "messages.read",
    "openid",
    "relationships.read",
    "role_connections.write",
    "rpc",
    "rpc.activities.write",
    "rpc.notifications.read",
    "rpc.voice.read",
    "rpc.voice.write",
    "sdk.social_layer",
    "sdk.social_layer_presence",
    "voice",
    "webhook.incoming",
];

/// Validity of an access token.
pub const LIFETIME: time::Duration = time::Duration::days(7);

/// A user's authorization of an application: what stands behind `Bearer ...`.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Authorization {
    /// The application.
    pub application: Snowflake,
    /// The user.
    pub user: Snowflake,
    /// What the user allows.
    pub scopes: Vec<String>,
    /// Until when the token is valid.
    pub expires: OffsetDateTime,
}

impl Authorization {
    /// Returns whether the user allows this.
    pub fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }
}

/// A running Activity.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Activity {
    /// Its application.
    pub application: Snowflake,
    /// The interaction that launched it.
    pub launch: Snowflake,
    /// Guild in which it runs.
    pub guild: Option<Snowflake>,
    /// Channel in which it runs.
    pub channel: Snowflake,
    /// Users who take part.
    pub users: Vec<Snowflake>,
}

impl World {
    /// Authorizes an application by a user, and returns the access token.
    pub fn authorize(&mut self, application: Snowflake, user: Snowflake, scopes: Vec<String>) -> String {
        let token = secret(30);
        let expires = self.clock.now() + LIFETIME;
        self.authorizations.insert(token.clone(), Authorization { application, user, scopes, expires });
        token
    }

    /// Returns the authorization behind an access token, while it is valid.
    pub fn authorization(&self, token: &str) -> Option<&Authorization> {
        self.authorizations.get(token).filter(|found| found.expires > self.clock.now())
    }
}
