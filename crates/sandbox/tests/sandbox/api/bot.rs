//! A minimal bot: reqwest for REST, tungstenite for the gateway.

use std::sync::LazyLock;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use reqwest::multipart::Form;
use sandbox::{Answer, Builder, Client, Sandbox};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::description::OpenApi;

/// Discord's description of its API, if this machine has it.
pub(crate) static DISCORD: LazyLock<Option<OpenApi>> = LazyLock::new(|| {
    let api = OpenApi::load();
    if api.is_none() {
        eprintln!("skipped: no openapi.json to hold answers against; set DISCORD_OPENAPI");
    }
    api
});

/// A picture of one pixel.
pub(crate) const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// A GIF of one pixel.
pub(crate) const GIF: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/// How long a test waits for an event before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A sandbox with a bot that is connected to it.
pub(crate) struct Bot {
    pub(crate) sandbox: Sandbox,
    pub(crate) user: Client,
    http: reqwest::Client,
    requests: mpsc::UnboundedSender<Message>,
    events: Events,
}

/// The events of one session.
pub(crate) struct Events(mpsc::UnboundedReceiver<Value>);

impl Events {
    /// Connects and identifies with these intents.
    pub(crate) async fn connect(sandbox: &Sandbox, intents: u64) -> Self {
        Self::connect_both(sandbox, intents).await.0
    }

    /// As [`connect`](Self::connect), with a sender of payloads.
    async fn connect_both(sandbox: &Sandbox, intents: u64) -> (Self, mpsc::UnboundedSender<Message>) {
        let (sender, events) = mpsc::unbounded_channel();
        let url = format!("{}/?v=10&encoding=json", sandbox.gateway_url());
        let (mut socket, _) =
            tokio_tungstenite::connect_async(url).await.expect("the gateway takes connections");
        let identify = json!({ "op": 2, "d": {
            "token": sandbox.token(), "intents": intents, "properties": { "os": "test" } } });
        socket.send(Message::text(identify.to_string())).await.expect("the gateway reads");
        let (mut sink, mut socket) = socket.split();
        let (requests, mut queued) = mpsc::unbounded_channel();
        // A test that only listens has dropped the sender; the connection stays open.
        tokio::spawn(async move {
            while let Some(message) = queued.recv().await {
                if sink.send(message).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        });
        tokio::spawn(async move {
            while let Some(Ok(frame)) = socket.next().await {
                let Message::Text(text) = frame else { continue };
                let payload: Value = serde_json::from_str(&text).expect("the gateway sends JSON");
                if payload["op"] == 0 && sender.send(payload).is_err() {
                    break;
                }
            }
        });
        (Self(events), requests)
    }

    /// Waits for the next event of this name and returns it. Those before it are dropped.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        loop {
            let event = self.next(name).await;
            if event["t"] == name {
                return event["d"].clone();
            }
        }
    }

    /// Waits for the next event while one of this name is awaited.
    async fn next(&mut self, name: &str) -> Value {
        let event = tokio::time::timeout(PATIENCE, self.0.recv()).await;
        event.unwrap_or_else(|_| panic!("no {name} came")).expect("the connection stays open")
    }
}

/// All intents.
pub(crate) const ALL_INTENTS: u64 = 0x0331_ffff;

impl Bot {
    /// Starts a sandbox without rate limits and connects. Its users wait for answers as long as the tests do, who share
    /// the machine's cores.
    pub(crate) async fn start() -> Self {
        let builder = Sandbox::builder().rate_limits(sandbox::ratelimit::Config::off());
        Self::start_with(builder.response_deadline(PATIENCE)).await
    }

    /// Starts this sandbox and connects.
    pub(crate) async fn start_with(builder: Builder) -> Self {
        let sandbox = builder.start().await.expect("a free port of the loopback interface");
        let (events, requests) = Events::connect_both(&sandbox, ALL_INTENTS).await;
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let user = sandbox.client();
        let mut bot = Self { sandbox, user, http, requests, events };
        bot.event("GUILD_CREATE").await;
        bot
    }

    /// Sends a payload to the gateway.
    pub(crate) fn send(&self, op: u8, data: &Value) {
        let payload = json!({ "op": op, "d": data });
        self.requests.send(Message::text(payload.to_string())).expect("the connection is open");
    }

    /// Waits for the next event of this name and returns it. Those before it are dropped.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        self.events.event(name).await
    }

    /// Waits for the next event of this name and returns the names of those before it.
    pub(crate) async fn names_until(&mut self, name: &str) -> Vec<String> {
        let before = self.events_until(name).await;
        before.iter().map(|event| text(&event["t"]).to_owned()).collect()
    }

    /// Waits for the next event of this name and returns those before it, whole.
    pub(crate) async fn events_until(&mut self, name: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.events.next(name).await;
            if event["t"] == name {
                return events;
            }
            events.push(event);
        }
    }

    /// Connects once more.
    pub(crate) async fn second_session(&self) -> Events {
        Events::connect(&self.sandbox, ALL_INTENTS).await
    }

    /// Returns the names of the events that have arrived and were not read.
    pub(crate) fn pending(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.events.0.try_recv().ok())
            .map(|event| event["t"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Calls REST and returns status and body, checked against Discord's description.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(method.clone(), path);
        let request = if body.is_null() { request } else { request.json(body) };
        self.finish(method, path, request).await
    }

    /// Calls REST for a feature that Discord documents in words but not yet in its description.
    pub(crate) async fn unjudged(&self, method: Method, path: &str, body: &Value) -> Value {
        let response = self.request(method, path).json(body).send().await.expect("the sandbox answers");
        response.json().await.expect("JSON")
    }

    /// Calls REST with a form.
    pub(crate) async fn upload(&self, method: Method, path: &str, form: Form) -> (u16, Value) {
        let request = self.request(method.clone(), path).multipart(form);
        self.finish(method, path, request).await
    }

    /// Returns a request to the control API, for routes without a method of its client.
    pub(crate) fn control(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/sandbox{path}", self.sandbox.url());
        self.http.request(method, url).bearer_auth(self.sandbox.control_secret())
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.sandbox.api_url()))
            .header("authorization", format!("Bot {}", self.sandbox.token()))
    }

    async fn finish(&self, method: Method, path: &str, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.expect("the sandbox answers");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") };
        if let Some(api) = &*DISCORD
            && status < 400
            && let Err(wrong) = api.response(method.as_str(), path, status, &body)
        {
            panic!("{wrong}");
        }
        (status, body)
    }

    /// Calls REST, checks the status, and returns the body.
    pub(crate) async fn expect(&self, status: u16, method: Method, path: &str, body: &Value) -> Value {
        let (got, answer) = self.call(method.clone(), path, body).await;
        assert_eq!(got, status, "{method} {path}: {answer}");
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.expect(200, Method::GET, path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.expect(200, Method::POST, path, &body).await
    }

    /// Returns the path of this channel.
    pub(crate) fn channel(&self, name: &str) -> String {
        format!("/channels/{}", self.sandbox.channel_id(name).expect("a channel of the default guild"))
    }

    /// Returns the path of the guild.
    pub(crate) fn guild(&self) -> String {
        format!("/guilds/{}", self.sandbox.guild_id())
    }

    /// Returns the path of the guild's commands.
    pub(crate) fn commands(&self) -> String {
        format!("/applications/{}/guilds/{}/commands", self.sandbox.bot_id(), self.sandbox.guild_id())
    }

    /// Gives the bot's role these permissions in place of ADMINISTRATOR, and @everyone none.
    pub(crate) async fn weaken(&self, allow: &[&str]) {
        let guild = self.sandbox.guild_id().to_string();
        let mut overview = self.user.overview().await.expect("an overview");
        let roles = overview["guilds"][0]["roles"].take();
        let everyone = sandbox::permissions::Permissions::ALL;
        for (role, allow) in [("Sandbot", allow), ("@everyone", &["VIEW_CHANNEL", "READ_MESSAGE_HISTORY"])] {
            assert!(roles.as_array().is_some_and(|roles| roles.iter().any(|known| known["name"] == role)));
            let deny: Vec<&str> = everyone.names().filter(|name| !allow.contains(name)).collect();
            let change = json!({ "allow": allow, "deny": deny });
            self.user.edit_role(&guild, role, &change).await.expect("a role");
        }
    }

    /// Registers a guild command.
    pub(crate) async fn register(&self, command: Value) -> Value {
        self.expect(201, Method::POST, &self.commands(), &command).await
    }

    /// Sends the initial response to an interaction.
    pub(crate) async fn callback(&self, interaction: &Value, body: Value) -> (u16, Value) {
        let (id, token) = (text(&interaction["id"]), text(&interaction["token"]));
        self.call(Method::POST, &format!("/interactions/{id}/{token}/callback"), &body).await
    }

    /// Returns the path of the interaction's webhook.
    pub(crate) fn webhook(&self, interaction: &Value) -> String {
        format!("/webhooks/{}/{}", self.sandbox.bot_id(), text(&interaction["token"]))
    }

    /// Runs a user's action while the bot answers the resulting interaction with `body`.
    pub(crate) async fn answers<F>(&mut self, act: F, body: Value) -> (Value, Answer)
    where
        F: Future<Output = Result<Answer, sandbox::client::Error>>,
    {
        let (interaction, answer) = tokio::join!(
            async {
                let interaction = self.event("INTERACTION_CREATE").await;
                let (status, answer) = self.callback(&interaction, body).await;
                assert_eq!(status, 204, "{answer}");
                interaction
            },
            act
        );
        (interaction, answer.expect("the user can act"))
    }
}

/// Returns a text of JSON.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// Returns an id of JSON.
pub(crate) fn id(value: &Value) -> sandbox::snowflake::Snowflake {
    text(value).parse().expect("an id")
}
