//! People who use the bot.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Method;
use sandbox::snowflake::Snowflake;
use serde_json::{Value, json};

use crate::asked::{Completes, Hears, HearsNothing, Interacts, Place, Says, Sees};
use crate::seen::{Message, On, Reply};
use crate::{TestSandbox, fail};

/// One user. What waits for the bot takes at most [`PATIENCE`](crate::PATIENCE), unless `within` says otherwise.
///
/// What cannot be done, and what does not come, is a panic that names the line of the test.
pub struct Actor<'a> {
    pub(crate) sandbox: &'a TestSandbox,
    name: String,
    id: Snowflake,
    /// The newest message by channel that this user has sent or heard.
    heard: Mutex<HashMap<String, Snowflake>>,
}

impl std::fmt::Debug for Actor<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Actor").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a> Actor<'a> {
    pub(crate) fn new(sandbox: &'a TestSandbox, name: &str, id: Snowflake) -> Self {
        Self { sandbox, name: name.to_owned(), id, heard: Mutex::default() }
    }

    /// Returns the user's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the user's id.
    pub fn id(&self) -> Snowflake {
        self.id
    }

    pub(crate) fn heard(&self) -> MutexGuard<'_, HashMap<String, Snowflake>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn call(&self, at: &Location<'_>, method: Method, path: &str, mut body: Value) -> Value {
        body["as"] = self.name.clone().into();
        match self.sandbox.control().call(method, path, &body).await {
            Ok(answer) => answer,
            Err(error) => fail(at, error),
        }
    }

    /// Sends a message, in #bot-test unless `at` says otherwise.
    #[track_caller]
    pub fn says(&self, text: &str) -> Says<'_> {
        Says::new(Place::new(self), text)
    }

    /// Waits for the next message of a bot: after the last one that this user sent or heard in the channel.
    #[track_caller]
    pub fn hears(&self) -> Hears<'_> {
        Hears(Place::new(self))
    }

    /// Panics if a bot sends a message within half a second, or as `within` says.
    #[track_caller]
    pub fn hears_nothing(&self) -> HearsNothing<'_> {
        HearsNothing(Place::new(self).within(std::time::Duration::from_millis(500)))
    }

    /// Returns the newest messages of a channel, oldest first.
    #[track_caller]
    pub fn sees(&self) -> Sees<'_> {
        Sees(Place::new(self))
    }

    /// Runs a slash command and waits for the answer: as typed, `runs("/poll tea or:coffee")`, or with options,
    /// `runs("/poll new").option("question", "tea")`. It first waits until a bot has registered the command.
    #[track_caller]
    pub fn runs(&self, command: impl Into<String>) -> Interacts<'_> {
        Interacts::command(Place::new(self), command.into())
    }

    /// Runs a user command on a user.
    #[track_caller]
    pub fn uses(&self, command: &str, on: &Actor<'_>) -> Interacts<'_> {
        Interacts::on(Place::new(self), command, &on.name)
    }

    /// Runs a message command on a message.
    #[track_caller]
    pub fn uses_on(&self, command: &str, on: &impl On) -> Interacts<'_> {
        let place = Place::new(self);
        let target = place.message(on).to_string();
        Interacts::on(place, command, &target)
    }

    /// Returns the values offered for the option that is being typed, the last one of the text.
    #[track_caller]
    pub fn completes(&self, text: impl Into<String>) -> Completes<'_> {
        Completes(Interacts::command(Place::new(self), text.into()))
    }

    /// Presses a button, by custom id or label.
    #[track_caller]
    pub fn clicks(&self, on: &impl On, button: &str) -> Interacts<'_> {
        self.selects(on, button, &[])
    }

    /// Chooses from a menu, by custom id or placeholder: values, or for its kind names of users, roles and channels.
    #[track_caller]
    pub fn selects(&self, on: &impl On, menu: &str, values: &[&str]) -> Interacts<'_> {
        let place = Place::new(self);
        let body = json!({ "message": place.message(on), "component": menu, "values": values });
        Interacts::new(place, "component", body)
    }

    /// Submits the modal that an answer opened, with values by custom id: `json!({ "dish": "soup" })`.
    #[track_caller]
    pub fn submits(&self, opened: &Reply, values: &Value) -> Interacts<'_> {
        let body = json!({ "interaction": opened.interaction, "values": values });
        Interacts::new(Place::new(self), "modal", body)
    }

    /// Edits a message of this user's.
    pub async fn edits(&self, message: &Message, text: &str) -> Message {
        let path = format!("messages/{}", message.id);
        Message::of(self.call(Location::caller(), Method::PATCH, &path, json!({ "content": text })).await)
    }

    /// Deletes a message.
    pub async fn deletes(&self, message: &Message) {
        self.done(self.sandbox.control().delete(&self.name, message.id).await);
    }

    /// Adds a reaction.
    pub async fn reacts(&self, message: &Message, emoji: &str) {
        self.done(self.sandbox.control().react(&self.name, message.id, emoji).await);
    }

    /// Removes a reaction.
    pub async fn unreacts(&self, message: &Message, emoji: &str) {
        self.done(self.sandbox.control().unreact(&self.name, message.id, emoji).await);
    }

    /// Joins a voice channel of the guild "Sandbox".
    pub async fn joins_voice(&self, channel: &str) {
        self.done(self.sandbox.control().enter_voice("Sandbox", &self.name, channel).await);
    }

    /// Leaves voice.
    pub async fn leaves_voice(&self) {
        self.done(self.sandbox.control().leave_voice("Sandbox", &self.name).await);
    }

    /// Has these roles of the guild "Sandbox" from now on, by name, and no others.
    pub async fn gets_roles(&self, roles: &[&str]) {
        let change = json!({ "roles": roles });
        self.done(self.sandbox.control().edit_member("Sandbox", &self.name, &change).await);
    }

    fn done<T>(&self, result: Result<T, sandbox::client::Error>) {
        if let Err(error) = result {
            panic!("{}: {error}", self.name);
        }
    }
}
