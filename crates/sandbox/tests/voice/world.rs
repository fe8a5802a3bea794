//! A sandbox with bots in voice.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use sandbox::event_log::{Entry, Event};
use sandbox::snowflake::Snowflake;
use sandbox::voice::{Dave, Mode, Options};
use sandbox::{Builder, Client as Control, Sandbox};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, Ticket};

/// Longer than anything here takes. Only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// The guild that exists from the start.
pub(crate) const GUILD: &str = "Sandbox";

/// A sandbox and its first bot.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) control: Control,
    pub(crate) bot: Bot,
    pub(crate) lounge: Snowflake,
    /// A second voice channel.
    pub(crate) attic: Snowflake,
}

/// A bot that is connected to the gateway.
pub(crate) struct Bot {
    pub(crate) id: Snowflake,
    token: String,
    api: String,
    pub(crate) session_id: String,
    sender: mpsc::UnboundedSender<Message>,
    events: mpsc::UnboundedReceiver<Value>,
}

impl World {
    /// Returns options for clients that cannot encrypt end to end.
    pub(crate) fn plain() -> Options {
        Options { dave: Dave::Off, ..Options::default() }
    }

    pub(crate) async fn start() -> Self {
        Self::start_with(Self::plain()).await
    }

    pub(crate) async fn start_offering(mode: Mode) -> Self {
        Self::start_with(Options { modes: vec![mode], ..Self::plain() }).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        Self::build(Sandbox::builder().voice(options)).await
    }

    pub(crate) async fn build(builder: Builder) -> Self {
        let builder = builder.rate_limits(sandbox::ratelimit::Config::off());
        let sandbox = builder.start().await.unwrap();
        let control = sandbox.client();
        let attic = control.create_channel(GUILD, &json!({ "name": "Attic", "type": 2 })).await.unwrap();
        let attic = attic["id"].as_str().unwrap().parse().unwrap();
        let bot = Bot::connect(&sandbox, sandbox.token()).await;
        let lounge = sandbox.channel_id("Lounge").unwrap();
        Self { sandbox, control, bot, lounge, attic }
    }

    /// Creates another bot in the same guild.
    pub(crate) async fn another(&self, name: &str) -> Bot {
        let made = self.control.create_bot(name).await.unwrap();
        Bot::connect(&self.sandbox, made["token"].as_str().unwrap()).await
    }

    /// Creates a bot that is no administrator, with these permissions beyond those of everyone.
    pub(crate) async fn plain_bot(&self, permissions: u64) -> Bot {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let body = json!({ "name": "plain", "permissions": permissions.to_string() });
        let request = http.post(format!("{}/sandbox/bots", self.sandbox.url()));
        let request = request.bearer_auth(self.sandbox.control_secret());
        let made = request.json(&body).send().await.unwrap();
        let made: Value = made.json().await.unwrap();
        Bot::connect(&self.sandbox, made["token"].as_str().unwrap()).await
    }

    pub(crate) fn guild(&self) -> Snowflake {
        self.sandbox.guild_id()
    }

    /// Joins the lounge with the first bot.
    pub(crate) async fn join(&mut self) -> Ticket {
        self.bot.join(self.sandbox.guild_id(), self.lounge).await
    }

    /// Connects a voice client that has sent nothing yet.
    pub(crate) async fn dial(&self, ticket: &Ticket, version: u8) -> Client {
        Client::connect(&self.sandbox, &ticket.endpoint, &format!("v={version}")).await
    }

    /// Joins the lounge with the first bot and connects up to audio.
    pub(crate) async fn talk(&mut self) -> (Ticket, Client, crate::audio::Audio) {
        let ticket = self.join().await;
        let (client, audio) = self.call(&ticket).await;
        (ticket, client, audio)
    }

    /// Connects a voice client up to audio, in the mode that is offered first.
    pub(crate) async fn call(&self, ticket: &Ticket) -> (Client, crate::audio::Audio) {
        let mut client = self.dial(ticket, 8).await;
        let ready = client.identified(ticket).await;
        let mode = ready["modes"][0].as_str().unwrap().to_owned();
        let audio = crate::audio::Audio::open(&mut client, &ready, &mode).await;
        (client, audio)
    }

    /// Waits for the first entry of the log that fits, from the beginning on, and returns it.
    pub(crate) async fn recorded(&self, fits: impl FnMut(&Event) -> bool) -> Arc<Entry> {
        let mut fits = fits;
        self.sandbox.event_log().wait_for(1, PATIENCE, |entry| fits(&entry.event)).await.unwrap()
    }
}

impl Bot {
    async fn connect(sandbox: &Sandbox, token: &str) -> Self {
        let url = format!("{}/?v=10&encoding=json", sandbox.gateway_url());
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let (mut sink, mut stream) = socket.split();
        let (sender, mut outbox) = mpsc::unbounded_channel();
        let (inbox, events) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(message) = outbox.recv().await {
                if sink.send(message).await.is_err() {
                    break;
                }
            }
            // Without a close frame, as when the process is killed.
        });
        tokio::spawn(async move {
            while let Some(Ok(frame)) = stream.next().await {
                let Message::Text(text) = frame else { continue };
                let payload: Value = serde_json::from_str(&text).unwrap();
                if payload["op"] == 0 && inbox.send(payload).is_err() {
                    break;
                }
            }
        });
        let api = sandbox.api_url();
        let mut bot = Self {
            id: Snowflake(0),
            token: token.to_owned(),
            api,
            session_id: String::new(),
            sender,
            events,
        };
        bot.send(2, &json!({ "token": token, "intents": 0x81, "properties": {} }));
        let ready = bot.event("READY").await;
        bot.session_id = ready["session_id"].as_str().unwrap().to_owned();
        bot.id = ready["user"]["id"].as_str().unwrap().parse().unwrap();
        bot.event("GUILD_CREATE").await;
        bot
    }

    /// Sends a payload to the gateway.
    pub(crate) fn send(&self, op: u8, data: &Value) {
        self.sender.send(Message::text(json!({ "op": op, "d": data }).to_string())).unwrap();
    }

    /// Closes the gateway's connection so that the session ends.
    pub(crate) fn quit(&self) {
        self.sender.send(Message::Close(None)).unwrap();
    }

    /// Waits for the next event of any kind and returns it.
    ///
    /// Start times of calls are left out; a test of their own waits for them.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        loop {
            let event = timeout(PATIENCE, self.events.recv()).await.expect("an event in time").unwrap();
            if event["t"] != "VOICE_CHANNEL_START_TIME_UPDATE" {
                return (event["t"].as_str().unwrap().to_owned(), event["d"].clone());
            }
        }
    }

    /// Waits for the next event of this name and returns it. Those before it are dropped.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        loop {
            let (found, data) = self.next().await;
            if found == name {
                return data;
            }
        }
    }

    /// Returns the names of the events up to an answer to REQUEST CHANNEL INFO, which comes after those of all earlier
    /// requests, without that of the first and the last in a channel.
    pub(crate) async fn until_now(&mut self, guild: Snowflake) -> Vec<String> {
        self.send(43, &json!({ "guild_id": guild, "fields": [] }));
        let mut names = Vec::new();
        loop {
            let (name, _) = self.next().await;
            match name.as_str() {
                "CHANNEL_INFO" => return names,
                "VOICE_CHANNEL_START_TIME_UPDATE" => {}
                _ => names.push(name),
            }
        }
    }

    /// Asks to join a channel, or to leave.
    pub(crate) fn ask(&self, guild: Snowflake, channel: Option<Snowflake>) {
        let data =
            json!({ "guild_id": guild, "channel_id": channel, "self_mute": false, "self_deaf": false });
        self.send(4, &data);
    }

    /// Joins a channel and returns the data of the two events.
    pub(crate) async fn join(&mut self, guild: Snowflake, channel: Snowflake) -> Ticket {
        self.ask(guild, Some(channel));
        self.ticket(guild, channel).await
    }

    /// Returns the data of the next two events of voice, which must come one after the other.
    pub(crate) async fn ticket(&mut self, guild: Snowflake, channel: Snowflake) -> Ticket {
        let state = loop {
            let state = self.event("VOICE_STATE_UPDATE").await;
            if state["user_id"] == self.id.to_string() {
                break state;
            }
        };
        assert_eq!(state["channel_id"], channel.to_string());
        let (name, server) = self.next().await;
        assert_eq!(name, "VOICE_SERVER_UPDATE");
        assert_eq!(server["guild_id"], guild.to_string());
        self.redeem(&state, &server)
    }

    pub(crate) fn redeem(&self, state: &Value, server: &Value) -> Ticket {
        Ticket {
            guild: server["guild_id"].as_str().unwrap().parse().unwrap(),
            user: self.id,
            session_id: state["session_id"].as_str().unwrap().to_owned(),
            token: server["token"].as_str().unwrap().to_owned(),
            endpoint: server["endpoint"].as_str().unwrap().to_owned(),
        }
    }

    /// Calls REST and returns the status.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> u16 {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.request(method, format!("{}{path}", self.api));
        let request = request.header("authorization", format!("Bot {}", self.token)).json(body);
        request.send().await.unwrap().status().as_u16()
    }
}
