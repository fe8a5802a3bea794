//! A small world behind the gateway, and a server that runs the gateway in front of it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};

use parking_lot::Mutex;
use sandbox::event_log::EventLog;
use sandbox::fault::{Faults, Listener};
use sandbox::gateway::{
    Backend, BotProfile, Dispatch, Hub, Intents, MemberQuery, Options, SessionInfo, VoiceStateUpdate,
};
use sandbox::snowflake::Snowflake;
use sandbox::state::clock::Clock;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::client::Client;

pub(crate) const TOKEN: &str = "a.secret.token";
pub(crate) const BOT: Snowflake = Snowflake(1000);
/// Guild whose shard is 1 of 2.
pub(crate) const GUILD: Snowflake = Snowflake(1 << 22);
/// Guild whose shard is 0 of 2.
pub(crate) const OTHER_GUILD: Snowflake = Snowflake(2 << 22);

/// One bot in two guilds, one of them with many members.
pub(crate) struct World {
    pub(crate) privileged: Mutex<Intents>,
    pub(crate) members: usize,
    /// The gateway's calls.
    pub(crate) told: Mutex<Vec<String>>,
    pub(crate) extra_guilds: usize,
    /// What the next calls for a GUILD_CREATE wait for, one each.
    pub(crate) gates: Mutex<VecDeque<Gate>>,
}

/// A place at which a call of the gateway waits until the test lets it go on.
pub(crate) struct Gate {
    reached: oneshot::Sender<()>,
    opened: mpsc::Receiver<()>,
}

impl Gate {
    /// Returns a gate, what is notified when a call has reached it, and what opens it.
    pub(crate) fn new() -> (Self, oneshot::Receiver<()>, mpsc::Sender<()>) {
        let ((reached, is_reached), (open, opened)) = (oneshot::channel(), mpsc::channel());
        (Self { reached, opened }, is_reached, open)
    }

    fn pass(self) {
        self.reached.send(()).unwrap();
        // Other tasks of this thread go on elsewhere.
        tokio::task::block_in_place(|| self.opened.recv().unwrap());
    }
}

impl Default for World {
    fn default() -> Self {
        let privileged = Mutex::new(Intents::all());
        Self { privileged, members: 5, told: Mutex::default(), extra_guilds: 0, gates: Mutex::default() }
    }
}

fn member(id: u64) -> Value {
    json!({"user": {"id": id.to_string(), "username": format!("user{id}")}, "roles": [], "nick": null})
}

impl World {
    fn all_members(&self) -> Vec<Value> {
        (BOT.0..BOT.0 + self.members as u64).map(member).collect()
    }
}

impl Backend for World {
    fn authenticate(&self, token: &str) -> Option<Snowflake> {
        (token == TOKEN).then_some(BOT)
    }

    fn profile(&self, bot: Snowflake) -> BotProfile {
        BotProfile {
            user: json!({"id": bot, "username": "tester", "bot": true}),
            application: json!({"id": bot, "flags": 0}),
        }
    }

    fn guilds(&self, _bot: Snowflake) -> Vec<Snowflake> {
        let extra = (0..self.extra_guilds as u64).map(|index| Snowflake((index + 10) << 22));
        [GUILD, OTHER_GUILD].into_iter().chain(extra).collect()
    }

    fn guild_create(&self, _bot: Snowflake, guild: Snowflake) -> Option<Value> {
        let gate = self.gates.lock().pop_front();
        if let Some(gate) = gate {
            gate.pass();
        }
        Some(json!({
            "id": guild, "name": "home", "member_count": self.members, "members": self.all_members(),
            "presences": [{"user": {"id": "1001"}, "status": "online"}], "voice_states": [],
        }))
    }

    fn privileged_intents(&self, _bot: Snowflake) -> Intents {
        *self.privileged.lock()
    }

    fn members(&self, _bot: Snowflake, guild: Snowflake, query: &MemberQuery) -> Option<Vec<Value>> {
        let members = self.all_members();
        (guild == GUILD || guild == OTHER_GUILD).then(|| match query {
            MemberQuery::Prefix { query, limit } => {
                let fits =
                    |member: &Value| member["user"]["username"].as_str().unwrap().starts_with(query.as_str());
                let limit = if *limit == 0 { usize::MAX } else { *limit };
                members.into_iter().filter(fits).take(limit).collect()
            }
            MemberQuery::Users(ids) => members
                .into_iter()
                .filter(|member| ids.iter().any(|id| member["user"]["id"] == json!(id)))
                .collect(),
        })
    }

    fn presences(&self, _guild: Snowflake, users: &[Snowflake]) -> Vec<Value> {
        let online = users.iter().filter(|user| user.0 == 1001);
        online.map(|user| json!({"user": {"id": user}, "status": "online"})).collect()
    }

    fn presence_update(&self, bot: Snowflake, presence: &Value) {
        self.told.lock().push(format!("presence {bot} {}", presence["status"]));
    }

    fn voice_state_update(&self, bot: Snowflake, _session: &str, update: &VoiceStateUpdate) {
        self.told.lock().push(format!("voice {bot} {:?}", update.channel_id.map(|id| id.0)));
    }

    fn session_started(&self, session: &SessionInfo) {
        self.told.lock().push(format!("started {:?}", session.shard));
    }

    fn session_ended(&self, session: &SessionInfo) {
        self.told.lock().push(format!("ended {:?}", session.shard));
    }
}

/// A gateway that listens on a port of its own.
pub(crate) struct Server {
    pub(crate) hub: Hub,
    pub(crate) log: EventLog,
    pub(crate) faults: Faults,
    pub(crate) world: Arc<World>,
    address: SocketAddr,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default(), World::default()).await
    }

    pub(crate) async fn with(options: Options, world: World) -> Self {
        let log = EventLog::default();
        let faults = Faults::default();
        let hub = Hub::new(options, log.clone(), faults.clone(), Clock::default());
        let world = Arc::new(world);
        let router = hub.router(world.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<sandbox::fault::Connection>();
        tokio::spawn(async move { axum::serve(Listener::new(listener), service).await.unwrap() });
        Self { hub, log, faults, world, address }
    }

    pub(crate) fn url(&self, query: &str) -> String {
        format!("ws://{}/?{query}", self.address)
    }

    /// Connects and reads HELLO.
    pub(crate) async fn connect(&self) -> Client {
        self.connect_with("v=10&encoding=json").await
    }

    pub(crate) async fn connect_with(&self, query: &str) -> Client {
        let mut client = Client::connect(&self.url(query)).await;
        let hello = client.payload().await;
        assert_eq!(hello["op"], 10, "{hello}");
        client
    }

    /// Connects, identifies with these intents and reads READY and, if they are due, both GUILD_CREATEs.
    pub(crate) async fn identified(&self, intents: Intents) -> Client {
        let mut client = self.connect().await;
        client.identify(intents).await;
        client.event("READY").await;
        if intents.contains(Intents::GUILDS) {
            client.event("GUILD_CREATE").await;
            client.event("GUILD_CREATE").await;
        }
        client
    }

    /// Dispatches message number `number` in the bot's guild.
    pub(crate) fn message(&self, number: usize) {
        let data = json!({
            "id": number.to_string(), "guild_id": GUILD, "author": {"id": "5"}, "mentions": [],
            "content": format!("message {number}"), "embeds": [], "attachments": [], "components": [],
        });
        self.hub.dispatch(&Dispatch::guild(GUILD, "MESSAGE_CREATE", data));
    }
}
