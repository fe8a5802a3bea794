//! Provisional accounts: made for players, merged into Discord accounts, and separated from them again.

use serde_json::{Value, json};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::authorization::LIFETIME;
use crate::state::identity::{Account, Identity, OWN};
use crate::state::secret;
use crate::state::user::User;
use crate::validate::partner::{self, BOT_ISSUED, Claims, External};

/// What a player's access token is for.
const SCOPE: &str = "sdk.social_layer";

impl Live<'_> {
    /// Returns the player of an external token, and their name if the token has it.
    pub fn external_player(&self, external: &External) -> ApiResult<(Identity, Option<String>)> {
        let application = external.client_id;
        if !self.applications.contains_key(&application) {
            return Err(ApiError::unknown_application());
        }
        if external.auth_type == BOT_ISSUED {
            let own = self.authorization(&external.auth_token).filter(|own| own.application == application);
            let identity = own.and_then(|own| self.identities.of(application, own.user));
            return Ok((identity.cloned().ok_or_else(ApiError::invalid_access_token)?, None));
        }
        let Claims { subject, name } =
            partner::claims(external.auth_type, &external.auth_token, self.clock.now())?;
        Ok((Identity { application, provider: external.auth_type.into(), subject }, name))
    }

    /// Returns an application's own player.
    pub fn own_player(application: Snowflake, id: String) -> Identity {
        Identity { application, provider: OWN.into(), subject: id }
    }

    /// Returns an access token of a player, whose provisional account is made if there is none.
    pub fn player_token(&mut self, identity: Identity, name: Option<String>) -> ApiResult<Value> {
        let application = identity.application;
        let user = match self.identities.get(&identity) {
            Some(Account { provisional: false, .. }) => return Err(ApiError::not_provisional()),
            Some(account) => account.user,
            None => self.new_player(identity, None),
        };
        let named = self.users.get_mut(&user).filter(|user| name.is_some() && user.global_name != name);
        if let Some(player) = named {
            player.global_name = name;
            self.user_changed(user);
        }
        Ok(self.issue(application, user, vec![SCOPE.to_owned()]))
    }

    /// Authorizes an application by a user, and returns the answer of a token endpoint, with an ID token without signature.
    fn issue(&mut self, application: Snowflake, user: Snowflake, scopes: Vec<String>) -> Value {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let now = self.clock.now().unix_timestamp();
        let header = part(&json!({ "alg": "none", "typ": "JWT" }));
        let claims = part(&json!({
            "iss": self.base_url,
            "sub": user,
            "aud": application,
            "iat": now,
            "exp": now + LIFETIME.whole_seconds(),
        }));
        let scope = scopes.join(" ");
        json!({
            "access_token": self.authorize(application, user, scopes),
            "id_token": format!("{header}.{claims}."),
            "token_type": "Bearer",
            "expires_in": LIFETIME.whole_seconds(),
            "scope": scope,
        })
    }

    /// Makes a provisional account for a player.
    fn new_player(&mut self, identity: Identity, name: Option<&str>) -> Snowflake {
        let user = self.next_id();
        let username = format!("player_{}", secret(12).to_lowercase());
        let now = self.clock.now();
        self.users.insert(user, User::person(user, &username, name, now));
        self.identities.set(identity, Account { user, provisional: true });
        user
    }

    /// Merges the provisional account of a player into a user's. Its lobbies and messages become the user's, and it is
    /// deleted (Merging Accounts, "Data Migration During Merging").
    pub fn merge(&mut self, identity: &Identity, user: Snowflake) -> ApiResult<()> {
        let application = identity.application;
        let account = self.identities.get(identity).ok_or_else(ApiError::invalid_access_token)?;
        if !account.provisional {
            return Err(ApiError::invalid_merge_source());
        }
        if self.identities.is_provisional(user) {
            return Err(ApiError::invalid_merge_destination());
        }
        if self.identities.of(application, user).is_some() {
            return Err(ApiError::too_many_identities());
        }
        self.revoke(application, account.user);
        self.move_lobbies(application, account.user, user);
        self.absorb(account.user, user);
        self.identities.set(identity.clone(), Account { user, provisional: false });
        Ok(())
    }

    /// Separates a player from the user's account that theirs was merged into. They get a new provisional account with the
    /// user's name and lobbies (Unmerging Accounts, "Data Migration During Unmerging").
    pub fn unmerge(&mut self, identity: Identity) -> ApiResult<()> {
        let application = identity.application;
        let account = self.identities.get(&identity).ok_or_else(ApiError::unknown_user)?;
        if account.provisional {
            return Err(ApiError::invalid_user_type());
        }
        let name = self.users.get(&account.user).and_then(|user| user.global_name.clone());
        self.revoke(application, account.user);
        let player = self.new_player(identity, name.as_deref());
        self.move_lobbies(application, account.user, player);
        self.deauthorized(application, account.user);
        Ok(())
    }
}
