//! A sandbox, a gateway in front of it, and hosts over websockets.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use gateway::{Discord, FindDiscord, Gateway, Options};
use sandbox::event_log::Kind;
use sandbox::{Builder, Client, Sandbox};
use serde_json::{Value, json};
use serenity::all::{CreateCommand, HttpBuilder};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longest wait for anything; a busy machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// All intents of the first 17 bits, the content of messages among them.
pub(crate) const INTENTS: u64 = 0x1_FFFF;

pub(crate) struct Rig {
    pub(crate) sandbox: Sandbox,
    pub(crate) people: Client,
    pub(crate) gateway: Gateway,
}

pub(crate) fn find(url: String) -> FindDiscord {
    Arc::new(move || {
        let url = url.clone();
        Box::pin(async move { Ok(Discord { url, max_concurrency: 1 }) })
    })
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(Sandbox::builder()).await
    }

    pub(crate) async fn with(builder: Builder) -> Self {
        let sandbox = builder.start().await.unwrap();
        let options = Options::new(sandbox.token(), find(sandbox.gateway_url()));
        let gateway = Gateway::start(options).await.unwrap();
        Self { people: sandbox.client(), sandbox, gateway }
    }

    pub(crate) fn count(&self, kind: Kind) -> u64 {
        self.sandbox.event_log().count(kind)
    }

    pub(crate) async fn host(&self) -> Host {
        Host::connect(self.gateway.url()).await
    }

    /// Returns a host with a session, after its guilds have arrived, and its session's id.
    pub(crate) async fn open(&self) -> (Host, String, Vec<Value>) {
        let mut host = self.host().await;
        host.identify(self.sandbox.token(), INTENTS, (0, 1)).await;
        let ready = host.event("READY").await;
        let mut guilds = Vec::new();
        for _ in ready["d"]["guilds"].as_array().unwrap() {
            guilds.push(host.event("GUILD_CREATE").await);
        }
        (host, ready["d"]["session_id"].as_str().unwrap().to_owned(), guilds)
    }

    /// Registers a command of this name.
    pub(crate) async fn register(&self, name: &str) {
        let http = HttpBuilder::new(self.sandbox.token())
            .proxy(self.sandbox.url())
            .ratelimiter_disabled(true)
            .build();
        http.set_application_id(self.sandbox.bot_id().to_string().parse().unwrap());
        let command = CreateCommand::new(name).description("A command.");
        http.create_global_command(&command).await.unwrap();
    }

    pub(crate) async fn say(&self, text: &str) {
        self.people.send("alice", "general", text).await.unwrap();
    }
}

/// A host of a few lines.
pub(crate) struct Host {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) sequence: u64,
}

impl Host {
    pub(crate) async fn connect(url: &str) -> Self {
        let (socket, _) = connect_async(format!("{url}/?v=10")).await.unwrap();
        let mut host = Self { socket, sequence: 0 };
        assert_eq!(host.next().await["op"], 10);
        host
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    pub(crate) async fn identify(&mut self, token: &str, intents: u64, shard: (u32, u32)) {
        let identify = json!({"token": token, "intents": intents, "shard": [shard.0, shard.1],
                              "properties": {}, "compress": true, "large_threshold": 250});
        self.send(json!({"op": 2, "d": identify})).await;
    }

    pub(crate) async fn resume(&mut self, token: &str, session: &str, after: u64) {
        self.send(json!({"op": 6, "d": {"token": token, "session_id": session, "seq": after}})).await;
    }

    /// Returns the next payload.
    pub(crate) async fn next(&mut self) -> Value {
        match timeout(PATIENCE, self.socket.next()).await.expect("a payload in time").unwrap().unwrap() {
            Message::Text(text) => {
                let payload: Value = serde_json::from_str(&text).unwrap();
                if let Some(sequence) = payload["s"].as_u64() {
                    assert_eq!(sequence, self.sequence + 1, "no event is missing: {payload}");
                    self.sequence = sequence;
                }
                payload
            }
            other => panic!("{other:?}"),
        }
    }

    /// Returns the close code.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a close in time") {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Returns the next event of this name, and skips others.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        loop {
            let payload = self.next().await;
            if payload["t"] == name {
                return payload;
            }
        }
    }

    /// Returns the content of the next messages.
    pub(crate) async fn messages(&mut self, number: usize) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..number {
            all.push(self.event("MESSAGE_CREATE").await["d"]["content"].as_str().unwrap().to_owned());
        }
        all
    }
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = timeout(PATIENCE, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}
