//! What a user is about to do, with its details, done by `.await`.

use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use sandbox::Answer;
use sandbox::snowflake::Snowflake;
use serde_json::{Map, Value, json};

use crate::actor::Actor;
use crate::seen::{Message, On, Reply};
use crate::{PATIENCE, fail};

type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Who, where, how long, and which line of the test asks.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    actor: &'a Actor<'a>,
    line: &'static Location<'static>,
    channel: String,
    within: Duration,
}

impl<'a> Place<'a> {
    #[track_caller]
    pub(crate) fn new(actor: &'a Actor<'a>) -> Self {
        Self { actor, line: Location::caller(), channel: "bot-test".to_owned(), within: PATIENCE }
    }

    pub(crate) fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Returns the id of a message that is to be used.
    pub(crate) fn message(&self, on: &impl On) -> Snowflake {
        on.message_id()
            .unwrap_or_else(|| fail(self.line, "this answer is no message, so it has nothing to use"))
    }

    async fn messages(&self) -> Vec<Message> {
        match self.actor.sandbox.control().messages(self.actor.name(), &self.channel, 50).await {
            Ok(messages) => messages.into_iter().map(Message::of).collect(),
            Err(error) => fail(self.line, error),
        }
    }

    /// Returns the first message of a bot that the user has not heard yet.
    async fn unheard(&self) -> Option<Message> {
        let last = self.actor.heard().get(&self.channel).copied().unwrap_or_default();
        self.messages().await.into_iter().find(|message| message.by_bot && message.id > last)
    }

    fn hear(&self, message: &Message) {
        let mut heard = self.actor.heard();
        let last = heard.entry(self.channel.clone()).or_default();
        *last = (*last).max(message.id);
    }
}

macro_rules! placed {
    ($($name:ident: $($field:tt).+;)*) => {$(
        impl $name<'_> {
            /// Sets the channel, by name or id; `@NAME` for direct messages with the bot of this name.
            pub fn at(mut self, channel: impl Into<String>) -> Self {
                self.$($field).+.channel = channel.into();
                self
            }

            /// Sets how long to wait for the bot.
            pub fn within(mut self, time: Duration) -> Self {
                self.$($field).+.within = time;
                self
            }
        }
    )*};
}

placed! {
    Says: place;
    Hears: 0;
    HearsNothing: 0;
    Sees: 0;
    Interacts: place;
    Completes: 0.place;
}

/// A message to send.
#[derive(Debug)]
#[must_use = "it is sent by `.await`"]
pub struct Says<'a> {
    place: Place<'a>,
    body: Value,
}

impl<'a> Says<'a> {
    pub(crate) fn new(place: Place<'a>, text: &str) -> Self {
        Self { place, body: json!({ "content": text }) }
    }

    /// Makes it a reply.
    pub fn reply_to(mut self, message: &Message) -> Self {
        self.body["reply_to"] = json!(message.id);
        self
    }

    /// Attaches a file.
    pub fn file(mut self, name: &str, bytes: &[u8]) -> Self {
        self.body["files"][name] = json!({ "base64": STANDARD.encode(bytes) });
        self
    }
}

impl<'a> IntoFuture for Says<'a> {
    type Output = Message;
    type IntoFuture = Doing<'a, Message>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { place, mut body } = self;
            body["channel"] = place.channel.clone().into();
            let message = Message::of(place.actor.call(place.line, Method::POST, "messages", body).await);
            place.hear(&message);
            message
        })
    }
}

/// A wait for a message of a bot.
#[derive(Debug)]
#[must_use = "it waits by `.await`"]
pub struct Hears<'a>(pub(crate) Place<'a>);

impl<'a> IntoFuture for Hears<'a> {
    type Output = Message;
    type IntoFuture = Doing<'a, Message>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let place = self.0;
            let heard = place.actor.sandbox.until(place.within, async || place.unheard().await).await;
            let Some(message) = heard else {
                let (name, channel, within) = (place.actor.name(), &place.channel, place.within);
                fail(place.line, format!("{name} heard no bot in {channel} within {within:?}"))
            };
            place.hear(&message);
            message
        })
    }
}

/// A wait in which no bot sends a message.
#[derive(Debug)]
#[must_use = "it waits by `.await`"]
pub struct HearsNothing<'a>(pub(crate) Place<'a>);

impl<'a> IntoFuture for HearsNothing<'a> {
    type Output = ();
    type IntoFuture = Doing<'a, ()>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let place = self.0;
            let heard = place.actor.sandbox.until(place.within, async || place.unheard().await).await;
            if let Some(message) = heard {
                let (name, channel) = (place.actor.name(), &place.channel);
                fail(
                    place.line,
                    format!("{name} heard {} in {channel}: {:?}", message.author, message.content),
                );
            }
        })
    }
}

/// A look at a channel.
#[derive(Debug)]
#[must_use = "it looks by `.await`"]
pub struct Sees<'a>(pub(crate) Place<'a>);

impl<'a> IntoFuture for Sees<'a> {
    type Output = Vec<Message>;
    type IntoFuture = Doing<'a, Vec<Message>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.0.messages().await })
    }
}

/// An interaction that is about to happen.
#[derive(Debug)]
#[must_use = "it happens by `.await`"]
pub struct Interacts<'a> {
    place: Place<'a>,
    how: &'static str,
    body: Value,
    /// Words of a command, and its options, if they are apart.
    command: Option<String>,
    options: Map<String, Value>,
    allow_error: bool,
}

impl<'a> Interacts<'a> {
    pub(crate) fn new(place: Place<'a>, how: &'static str, body: Value) -> Self {
        Self { place, how, body, command: None, options: Map::new(), allow_error: false }
    }

    pub(crate) fn command(place: Place<'a>, text: String) -> Self {
        Self { command: Some(text), ..Self::new(place, "command", json!({})) }
    }

    pub(crate) fn on(place: Place<'a>, name: &str, target: &str) -> Self {
        let body = json!({ "name": name, "target": target });
        Self { body, command: Some(name.to_owned()), ..Self::new(place, "command", Value::Null) }
    }

    /// Sets an option of a command: a text, a number, a truth value, or the name of a user, role or channel.
    pub fn option(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.options.insert(name.to_owned(), value.into());
        self
    }

    /// Sets an option of a command to a file.
    pub fn file(mut self, option: &str, name: &str, bytes: &[u8]) -> Self {
        self.body["files"][name] = json!({ "base64": STANDARD.encode(bytes) });
        self.option(option, name)
    }

    /// Returns the error that the user sees as [`Answer::error`] instead of a panic.
    pub fn allow_error(mut self) -> Self {
        self.allow_error = true;
        self
    }

    /// Waits until a bot has registered a command. If it does not come, the sandbox's own sentence says what there is.
    async fn registered(&self, command: &str) {
        let (control, place) = (self.place.actor.sandbox.control(), &self.place);
        let known = async || {
            let commands = control.commands(place.actor.name(), &place.channel).await.ok()?;
            let is_it = |known: &Value| known["name"] == command || known["name_localized"] == command;
            commands.iter().any(is_it).then_some(())
        };
        place.actor.sandbox.until(place.within, known).await;
    }

    async fn answer(mut self) -> Reply {
        if let Some(text) = self.command.take() {
            // A command on a target is named whole; others are typed.
            let typed = self.body["target"].is_null();
            let mut words = text.trim_start_matches('/').split_whitespace();
            let name = if typed { words.next().unwrap_or_default() } else { text.as_str() };
            self.registered(name).await;
            if typed && self.options.is_empty() {
                self.body["text"] = text.into();
            } else if typed {
                let options = Value::Object(std::mem::take(&mut self.options));
                let nested = words.rev().fold(options, |inner, word| json!({ word: inner }));
                self.body["name"] = name.into();
                self.body["options"] = nested;
            }
            self.body["channel"] = self.place.channel.clone().into();
        }
        self.body["deadline_ms"] = json!(u64::try_from(self.place.within.as_millis()).unwrap_or(u64::MAX));
        let path = format!("interactions/{}", self.how);
        let answer = self.place.actor.call(self.place.line, Method::POST, &path, self.body).await;
        let answer: Answer =
            serde_json::from_value(answer).unwrap_or_else(|error| fail(self.place.line, error));
        if let (Some(error), false) = (&answer.error, self.allow_error) {
            self.place.actor.sandbox.check_bots();
            let hint = answer.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            fail(self.place.line, format!("{error}{hint}"));
        }
        Reply(answer)
    }
}

impl<'a> IntoFuture for Interacts<'a> {
    type Output = Reply;
    type IntoFuture = Doing<'a, Reply>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.answer())
    }
}

/// An option that is being typed.
#[derive(Debug)]
#[must_use = "the choices come by `.await`"]
pub struct Completes<'a>(pub(crate) Interacts<'a>);

impl<'a> IntoFuture for Completes<'a> {
    type Output = Vec<Value>;
    type IntoFuture = Doing<'a, Vec<Value>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let reply = Interacts { how: "autocomplete", ..self.0 }.answer().await;
            reply.0.choices.into_iter().flatten().map(|choice| choice["value"].clone()).collect()
        })
    }
}
