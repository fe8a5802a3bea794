//! The users' side in Rust: a typed client of the control API, for tests and the command line.

mod authorizations;
mod auto_moderation;
mod clock;
mod community;
mod endpoints;
mod expressions;
mod following;
mod guild;
mod integrations;
mod lobbies;
mod page;
mod polls;
mod run;
mod scheduled_events;
mod snapshots;
mod store;
mod voice;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::fault::Rule;
use crate::gateway::{Command, Target};
use crate::snowflake::Snowflake;

pub use self::run::Run;

/// Why a call to the control API failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No server listens there.
    #[error("there is no sandbox at {url}; start one with `sandbox serve`")]
    Unreachable {
        /// Its address.
        url: String,
        /// Error of the connection.
        #[source]
        source: reqwest::Error,
    },
    /// What should be its certificate is none.
    #[error(
        "the certificate for the sandbox at {url} cannot be read; take /sandbox/voice/root.pem of the sandbox"
    )]
    Certificate {
        /// Address of the sandbox.
        url: String,
        /// The error.
        #[source]
        source: reqwest::Error,
    },
    /// The sandbox refused. Contains its reason.
    #[error("{0}")]
    Refused(String),
    /// The answer is invalid.
    #[error("the sandbox at {url} gave no sensible answer")]
    Garbled {
        /// Address of the sandbox.
        url: String,
        /// The error.
        #[source]
        source: reqwest::Error,
    },
}

/// A client for all users. Each call names the user who acts.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    secret: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Client {
    /// Creates a client of the sandbox at this base address.
    pub fn new(url: impl Into<String>) -> Self {
        // Requests of a test to its own machine need no proxy from the environment.
        let http = reqwest::Client::builder().no_proxy().build().unwrap_or_default();
        Self { http, url: url.into().trim_end_matches('/').to_owned(), secret: None }
    }

    /// Creates a client of a sandbox with TLS, which trusts its [root certificate](crate::Sandbox::root_certificate), as PEM.
    pub fn trusting(url: impl Into<String>, root: &[u8]) -> Result<Self, Error> {
        let url = url.into();
        let http = reqwest::Certificate::from_pem(root).and_then(|root| {
            reqwest::Client::builder()
                .no_proxy()
                .tls_built_in_root_certs(false)
                .add_root_certificate(root)
                .build()
        });
        let http = http.map_err(|source| Error::Certificate { url: url.clone(), source })?;
        Ok(Self { http, ..Self::new(url) })
    }

    /// Sets the secret that the sandbox's control API requires: [`Sandbox::control_secret`], or `control_secret` of the
    /// [state file](crate::state_file).
    ///
    /// [`Sandbox::control_secret`]: crate::Sandbox::control_secret
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Returns the base address of the sandbox.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs a command and waits for its answer.
    pub async fn run(&self, command: Run) -> Result<Answer, Error> {
        self.call(Method::POST, "interactions/command", &command).await
    }

    /// Runs a slash command as typed, as alice in #bot-test.
    pub async fn say(&self, text: &str) -> Result<Answer, Error> {
        self.run(Run::typed(text)).await
    }

    /// Returns the choices of the option being typed: the last one of a text, or the one named as focused.
    pub async fn complete(&self, command: Run) -> Result<Answer, Error> {
        self.call(Method::POST, "interactions/autocomplete", &command).await
    }

    /// Presses a button, by custom id.
    pub async fn press(&self, user: &str, message: Snowflake, custom_id: &str) -> Result<Answer, Error> {
        self.component(&json!({ "as": user, "message": message, "custom_id": custom_id })).await
    }

    /// Chooses from a menu, by custom id. Values are values or labels in a string menu, and names or ids in others.
    pub async fn choose(
        &self,
        user: &str,
        message: Snowflake,
        custom_id: &str,
        values: &[&str],
    ) -> Result<Answer, Error> {
        self.component(&json!({ "as": user, "message": message, "custom_id": custom_id, "values": values }))
            .await
    }

    /// Uses a component, with all fields of the control API.
    pub async fn component(&self, asked: &Value) -> Result<Answer, Error> {
        self.call(Method::POST, "interactions/component", asked).await
    }

    /// Submits the modal of an answer, with inputs by custom id.
    pub async fn submit(&self, answer: &Answer, values: Map<String, Value>) -> Result<Answer, Error> {
        self.modal(&json!({ "interaction": answer.interaction, "values": values })).await
    }

    /// Submits a modal, with all fields of the control API.
    pub async fn modal(&self, asked: &Value) -> Result<Answer, Error> {
        self.call(Method::POST, "interactions/modal", asked).await
    }

    /// Returns the present state of an interaction.
    pub async fn interaction(&self, id: Snowflake) -> Result<Answer, Error> {
        self.get(&format!("interactions/{id}")).await
    }

    /// Returns the commands that a user can run in a channel.
    pub async fn commands(&self, user: &str, channel: &str) -> Result<Vec<Value>, Error> {
        self.get(&format!("commands?as={}&channel={}", escape(user), escape(channel))).await
    }

    /// Sends a message and returns the message object.
    pub async fn send(&self, user: &str, channel: &str, content: &str) -> Result<Value, Error> {
        self.call(Method::POST, "messages", &json!({ "as": user, "channel": channel, "content": content }))
            .await
    }

    /// Edits a user's own message and returns the message object.
    pub async fn edit(&self, user: &str, message: Snowflake, content: &str) -> Result<Value, Error> {
        self.call(Method::PATCH, &format!("messages/{message}"), &json!({ "as": user, "content": content }))
            .await
    }

    /// Deletes a message.
    pub async fn delete(&self, user: &str, message: Snowflake) -> Result<(), Error> {
        self.tell(Method::DELETE, &format!("messages/{message}"), &json!({ "as": user })).await
    }

    /// Returns the newest messages that a user sees in a channel, oldest first.
    pub async fn messages(&self, user: &str, channel: &str, limit: usize) -> Result<Vec<Value>, Error> {
        let (user, channel) = (escape(user), escape(channel));
        self.get(&format!("messages?as={user}&channel={channel}&limit={limit}")).await
    }

    /// Adds a reaction to a message.
    pub async fn react(&self, user: &str, message: Snowflake, emoji: &str) -> Result<(), Error> {
        let path = format!("messages/{message}/reactions");
        self.tell(Method::POST, &path, &json!({ "as": user, "emoji": emoji })).await
    }

    /// Removes a user's reaction.
    pub async fn unreact(&self, user: &str, message: Snowflake, emoji: &str) -> Result<(), Error> {
        let path = format!("messages/{message}/reactions");
        self.tell(Method::DELETE, &path, &json!({ "as": user, "emoji": emoji })).await
    }

    /// Adds a user or bot to a guild and returns the member object.
    pub async fn join(&self, guild: &str, user: &str) -> Result<Value, Error> {
        let path = format!("guilds/{}/members/{}", escape(guild), escape(user));
        self.call(Method::PUT, &path, &json!({})).await
    }

    /// Removes a member from a guild.
    pub async fn leave(&self, guild: &str, user: &str) -> Result<(), Error> {
        let path = format!("guilds/{}/members/{}", escape(guild), escape(user));
        self.tell(Method::DELETE, &path, &json!({})).await
    }

    /// Changes a member: `nick`, `roles` by name or id, `timeout_until`, `mute` and `deaf` in voice; null clears a
    /// field. Returns the member object.
    pub async fn edit_member(&self, guild: &str, user: &str, change: &Value) -> Result<Value, Error> {
        let path = format!("guilds/{}/members/{}", escape(guild), escape(user));
        self.call(Method::PATCH, &path, change).await
    }

    /// Creates a user and returns the user object.
    pub async fn create_user(&self, username: &str) -> Result<Value, Error> {
        self.call(Method::POST, "users", &json!({ "username": username })).await
    }

    /// Changes a user's account: `locale`, `last_seen`. Returns the user object.
    pub async fn edit_user(&self, user: &str, change: &Value) -> Result<Value, Error> {
        self.call(Method::PATCH, &format!("users/{}", escape(user)), change).await
    }

    /// Creates a bot that is in the oldest guild, and returns its id and token.
    pub async fn create_bot(&self, name: &str) -> Result<Value, Error> {
        self.call(Method::POST, "bots", &json!({ "name": name })).await
    }

    /// Replaces a bot's token, by this one or a new one, and returns it. The old one is void at once.
    pub async fn reset_token(&self, bot: &str, token: Option<&str>) -> Result<Value, Error> {
        let path = format!("bots/{}/token", escape(bot));
        self.call(Method::POST, &path, &json!({ "token": token })).await
    }

    /// Installs a bot's application to a user's account.
    pub async fn install_app(&self, user: &str, bot: &str) -> Result<(), Error> {
        self.tell(Method::PUT, &format!("users/{}/apps/{}", escape(user), escape(bot)), &Value::Null).await
    }

    /// Removes a bot's application from a user's account.
    pub async fn uninstall_app(&self, user: &str, bot: &str) -> Result<(), Error> {
        self.tell(Method::DELETE, &format!("users/{}/apps/{}", escape(user), escape(bot)), &Value::Null).await
    }

    /// Returns the privileged intents of a bot's application, by name in `privileged`, and its `flags`.
    pub async fn intents(&self, bot: &str) -> Result<Value, Error> {
        self.get(&format!("bots/{}/intents", escape(bot))).await
    }

    /// Switches privileged intents: `enable` and `disable`, lists of intents by name. Returns the resulting ones.
    pub async fn edit_intents(&self, bot: &str, change: &Value) -> Result<Value, Error> {
        self.call(Method::PATCH, &format!("bots/{}/intents", escape(bot)), change).await
    }

    /// Creates a guild with all bots in it and returns the guild object.
    pub async fn create_guild(&self, name: &str, owner: &str) -> Result<Value, Error> {
        self.call(Method::POST, "guilds", &json!({ "name": name, "owner": owner })).await
    }

    /// Creates a channel: `name`, `type`, `parent`, `topic`, `nsfw`. Returns the channel object.
    pub async fn create_channel(&self, guild: &str, channel: &Value) -> Result<Value, Error> {
        self.call(Method::POST, &format!("guilds/{}/channels", escape(guild)), channel).await
    }

    /// Creates a role: `name`, `permissions`, `color`, `mentionable`. Returns the role object.
    pub async fn create_role(&self, guild: &str, role: &Value) -> Result<Value, Error> {
        self.call(Method::POST, &format!("guilds/{}/roles", escape(guild)), role).await
    }

    /// Changes a channel: the fields of Discord's `PATCH /channels/{id}`. Returns the channel object.
    pub async fn edit_channel(&self, guild: &str, channel: &str, change: &Value) -> Result<Value, Error> {
        let path = format!("guilds/{}/channels/{}", escape(guild), escape(channel));
        self.call(Method::PATCH, &path, change).await
    }

    /// Changes a channel's permission overwrite for a role or (`@NAME`) member: `allow`, `deny` and `inherit`, lists of
    /// permissions by name. Returns the resulting overwrite.
    pub async fn edit_overwrite(
        &self,
        guild: &str,
        channel: &str,
        who: &str,
        change: &Value,
    ) -> Result<Value, Error> {
        let path =
            format!("guilds/{}/channels/{}/permissions/{}", escape(guild), escape(channel), escape(who));
        self.call(Method::PATCH, &path, change).await
    }

    /// Changes a role's permissions: `allow` and `deny`, lists of permissions by name. Returns the resulting
    /// permissions.
    pub async fn edit_role(&self, guild: &str, role: &str, change: &Value) -> Result<Value, Error> {
        let path = format!("guilds/{}/roles/{}/permissions", escape(guild), escape(role));
        self.call(Method::PATCH, &path, change).await
    }

    /// Returns an overview: addresses, bots, guilds, users.
    pub async fn overview(&self) -> Result<Value, Error> {
        self.get("").await
    }

    /// Returns statistics of all interactions, and counts of the log.
    pub async fn stats(&self) -> Result<Value, Error> {
        self.get("stats").await
    }

    /// Returns the gateway sessions.
    pub async fn sessions(&self) -> Result<Vec<Value>, Error> {
        self.get("sessions").await
    }

    /// Sends a command to live gateway connections, and returns their number.
    pub async fn gateway(&self, target: &Target, command: &Command) -> Result<Value, Error> {
        self.call(Method::POST, "sessions", &json!({ "target": target, "command": command })).await
    }

    /// Injects a fault and returns its number.
    pub async fn add_fault(&self, rule: &Rule) -> Result<Value, Error> {
        self.call(Method::POST, "faults", rule).await
    }

    /// Returns the faults in force.
    pub async fn faults(&self) -> Result<Value, Error> {
        self.get("faults").await
    }

    /// Removes one fault, or all.
    pub async fn remove_fault(&self, id: Option<u64>) -> Result<(), Error> {
        let path = id.map_or_else(|| "faults".to_owned(), |id| format!("faults/{id}"));
        self.tell(Method::DELETE, &path, &json!({})).await
    }

    /// Returns the log as a response whose body is JSON lines. With `follow` it does not end.
    pub async fn log(&self, from: u64, follow: bool) -> Result<reqwest::Response, Error> {
        let path = format!("log?from={from}&follow={follow}");
        self.respond(self.http.get(self.address(&path))).await
    }

    fn address(&self, path: &str) -> String {
        let slash = if path.is_empty() { "" } else { "/" };
        format!("{}/sandbox{slash}{path}", self.url)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let response = self.respond(self.http.get(self.address(path))).await?;
        self.read(response).await
    }

    /// Calls a route of the control API, by its path below `/sandbox/`, and returns its answer.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, Error> {
        let response = self.respond(self.http.request(method, self.address(path)).json(body)).await?;
        self.read(response).await
    }

    async fn tell(&self, method: Method, path: &str, body: &Value) -> Result<(), Error> {
        self.respond(self.http.request(method, self.address(path)).json(body)).await.map(|_| ())
    }

    async fn respond(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Error> {
        let request = match &self.secret {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        };
        let response =
            request.send().await.map_err(|source| Error::Unreachable { url: self.url.clone(), source })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body: Value = response.json().await.unwrap_or_default();
        let said = body["error"].as_str().map(str::to_owned);
        Err(Error::Refused(said.unwrap_or_else(|| format!("{} answered {status}", self.url))))
    }

    /// Sends bytes of a media type, and returns the response.
    async fn send_raw(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<reqwest::Response, Error> {
        let mut request = self.http.request(method, self.address(path));
        if let Some((content_type, bytes)) = body {
            request = request.header("content-type", content_type).body(bytes);
        }
        self.respond(request).await
    }

    fn garbled(&self, source: reqwest::Error) -> Error {
        Error::Garbled { url: self.url.clone(), source }
    }

    async fn read<T: DeserializeOwned>(&self, response: reqwest::Response) -> Result<T, Error> {
        response.json().await.map_err(|source| self.garbled(source))
    }
}

/// Characters that are not escaped in a path or query: RFC 3986's unreserved ones.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns a text percent-encoded for a path or query.
fn escape(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}
