//! Applications that users authorize and deauthorize, with the webhook events of both.

use serde_json::json;

use super::Live;
use crate::snowflake::Snowflake;
use crate::state::guild::Guild;

/// Where an authorization installs the application.
#[derive(Debug, Clone, Copy)]
pub(super) enum Installed {
    /// Nowhere.
    Nowhere,
    /// To the user's account.
    ForUser,
    /// In a guild.
    In(Snowflake),
}

impl Live<'_> {
    /// Authorizes an application in the name of a user, and returns the access token.
    pub fn authorize_as(&mut self, application: Snowflake, user: Snowflake, scopes: &[String]) -> String {
        let token = self.authorize(application, user, scopes.to_vec());
        self.authorized(application, user, scopes, Installed::Nowhere);
        token
    }

    /// Installs an application to a user's account, unless it is there.
    pub fn install_for(&mut self, application: Snowflake, user: Snowflake) {
        let found = self.applications.get_mut(&application);
        if found.is_some_and(|found| found.users.insert(user)) {
            self.authorized(application, user, &["applications.commands"], Installed::ForUser);
        }
    }

    /// Takes all that a user has allowed an application back: its installation to their account and its access tokens.
    pub fn deauthorize(&mut self, application: Snowflake, user: Snowflake) {
        let installed =
            self.applications.get_mut(&application).is_some_and(|found| found.users.remove(&user));
        if self.revoke(application, user) || installed {
            self.deauthorized(application, user);
        }
    }

    /// Sends the event of an application that a user has authorized.
    pub(super) fn authorized(
        &mut self,
        application: Snowflake,
        user: Snowflake,
        scopes: &[impl AsRef<str>],
        installed: Installed,
    ) {
        let Ok(user) = self.user(user) else { return };
        let scopes: Vec<&str> = scopes.iter().map(AsRef::as_ref).collect();
        let mut data = json!({ "user": user.json(), "scopes": scopes });
        match installed {
            Installed::Nowhere => {}
            Installed::ForUser => data["integration_type"] = 1.into(),
            Installed::In(guild) => {
                data["integration_type"] = 0.into();
                data["guild"] = self.guilds.get(&guild).map(Guild::json).unwrap_or_default();
            }
        }
        self.notify(application, "APPLICATION_AUTHORIZED", data);
    }

    /// Sends the event of an application that a user has deauthorized.
    pub(super) fn deauthorized(&mut self, application: Snowflake, user: Snowflake) {
        if let Ok(user) = self.user(user) {
            let data = json!({ "user": user.json() });
            self.notify(application, "APPLICATION_DEAUTHORIZED", data);
        }
    }
}
