//! A host with players at a local Discord, without any plugin.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use database::{Database, DatabaseAddress};
use player::source::SourceConfig;
use player::{Engine, Sources};
use sandbox::client::Client as People;
use sandbox::fault::{On, Rule, VoiceConnectEffect, VoiceConnectRule};
use sandbox::server::Sandbox;
use sandbox::voice::{Command, Options, Target};
use sdk_core::checkpoint::Checkpoint;
use sdk_core::dispatch::Dispatcher;
use sdk_core::host::Host;
use sdk_core::settings::Settings;
use sdk_core::voice::{Playable, Player, PlayerStatus, Track, VoiceEvent, VoiceEventKind};
use serde_json::json;
use serenity::all::{ChannelId, Client, ClientBuilder, GatewayIntents, GuildId, HttpBuilder};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::sound::{self, Place};

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The file of root certificates that songbird trusts.
pub(crate) static ROOTS: OnceLock<PathBuf> = OnceLock::new();

/// A local Discord with voice channels, a host at it, and a folder of sounds.
pub(crate) struct Rig {
    pub(crate) sandbox: Sandbox,
    pub(crate) people: People,
    pub(crate) folder: tempfile::TempDir,
    state: tempfile::TempDir,
    pub(crate) guild: GuildId,
    bot: String,
    channels: Vec<ChannelId>,
    running: Option<Running>,
    events: Option<broadcast::Receiver<VoiceEvent>>,
}

struct Running {
    host: Host,
    engine: Engine,
    checkpoint: Arc<Checkpoint>,
    database: Arc<Database>,
    client: JoinHandle<()>,
    cache: Arc<serenity::all::Cache>,
    shards: Arc<serenity::all::ShardManager>,
    keep: JoinHandle<()>,
}

impl Rig {
    /// Starts everything. alice is in the first voice channel.
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// Starts everything with these voice servers.
    pub(crate) async fn start_with(options: Options) -> Self {
        let sandbox = Sandbox::builder().voice(options).start().await.unwrap();
        let mut roots = OpenOptions::new().append(true).open(ROOTS.get().unwrap()).unwrap();
        roots.write_all(sandbox.voice().root_certificate().as_bytes()).unwrap();
        let people = sandbox.client();
        let guild = GuildId::new(sandbox.guild_id().0);
        let mut channels = Vec::new();
        for name in ["stage-one", "stage-two"] {
            let channel = json!({ "name": name, "type": 2 });
            let made = people.create_channel(&guild.to_string(), &channel).await.unwrap();
            channels.push(ChannelId::new(made["id"].as_str().unwrap().parse().unwrap()));
        }
        let bot = sandbox.bot_id().to_string();
        let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut rig =
            Self { sandbox, people, folder, state, guild, bot, channels, running: None, events: None };
        rig.enter("alice", 0).await;
        rig.boot().await;
        rig
    }

    /// Starts the host, and waits for its guild.
    pub(crate) async fn boot(&mut self) {
        let builder = Host::builder("0", Settings::default());
        let engine = Engine::new(builder.changes(), builder.voice_events());
        let database = Arc::new(Database::lazy(DatabaseAddress::file(self.state.path().join("bot.db"))));
        let host = builder.player(Arc::new(engine.clone())).database(Some(database.clone())).build();
        let checkpoint = Checkpoint::open(&host, None, self.sandbox.bot_id().0).await.unwrap();
        self.events = Some(host.voice().listen());
        let music = Some(self.folder.path().to_owned());
        engine.set_sources(Sources::new(SourceConfig { music, ..SourceConfig::default() }));
        let http = HttpBuilder::new(self.sandbox.token())
            .proxy(self.sandbox.url())
            .ratelimiter_disabled(true)
            .build();
        let intents = GatewayIntents::GUILDS | GatewayIntents::GUILD_VOICE_STATES;
        let mut client: Client = ClientBuilder::new_with_http(http, intents)
            .framework(Dispatcher::new(host.clone()))
            .voice_manager_arc(Arc::new(engine.clone()))
            .await
            .unwrap();
        let shards = client.shard_manager.clone();
        let cache = client.cache.clone();
        let client = tokio::spawn(async move { client.start().await.unwrap() });
        let keep = tokio::spawn(checkpoint.clone().keep());
        self.running = Some(Running { host, engine, checkpoint, database, client, cache, shards, keep });
        self.knows_its_guild().await;
    }

    /// Waits until the bot knows its guild.
    pub(crate) async fn knows_its_guild(&self) {
        let (guild, cache) = (self.guild, &self.running.as_ref().unwrap().cache);
        until("the guild is there", async || cache.guild(guild).is_some().then_some(())).await;
    }

    /// Ends the host as a restart does.
    pub(crate) async fn shut_down(&mut self) {
        let running = self.running.take().unwrap();
        running.host.close();
        running.host.voice().close().await;
        running.keep.abort();
        running.checkpoint.save().await;
        running.database.close().await;
        running.shards.shutdown_all().await;
        running.client.abort();
    }

    pub(crate) fn host(&self) -> &Host {
        &self.running.as_ref().unwrap().host
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.running.as_ref().unwrap().engine
    }

    pub(crate) fn player(&self) -> Player {
        self.host().voice().player(self.guild)
    }

    pub(crate) fn channel(&self, index: usize) -> ChannelId {
        self.channels[index]
    }

    /// Returns a sound of `seconds` as a track.
    pub(crate) fn sound(&self, voice: u32, seconds: u32) -> Track {
        let path = self.folder.path().join(format!("{voice}.wav"));
        if !path.exists() {
            sound::write(&path, seconds, voice);
        }
        Self::file(&format!("{voice}.wav"))
    }

    /// Returns a file of the folder as a track.
    pub(crate) fn file(name: &str) -> Track {
        Track::new(name, Playable::Library { path: name.to_owned() })
    }

    /// Joins the first channel.
    pub(crate) async fn join(&self) {
        self.player().join(self.channel(0)).await.unwrap();
    }

    /// Creates another channel of that type, and returns its index.
    pub(crate) async fn open(&mut self, name: &str, kind: u8) -> usize {
        let channel = json!({ "name": name, "type": kind });
        let made = self.people.create_channel(&self.guild.to_string(), &channel).await.unwrap();
        let id = ChannelId::new(made["id"].as_str().unwrap().parse().unwrap());
        let running = self.running.as_ref().unwrap();
        until("the channel is known", async || {
            running.cache.guild(self.guild)?.channels.contains_key(&id).then_some(())
        })
        .await;
        self.channels.push(id);
        self.channels.len() - 1
    }

    /// Moves a user, or the bot as a moderator would, into a channel.
    pub(crate) async fn enter(&self, user: &str, channel: usize) {
        let (guild, channel) = (self.guild.to_string(), self.channels[channel].to_string());
        self.people.enter_voice(&guild, user, &channel).await.unwrap();
    }

    /// Makes voice servers refuse every connection until faults are removed.
    pub(crate) async fn refuse_connections(&self) {
        let refused = VoiceConnectRule { effect: VoiceConnectEffect::Refuse { status: 503 } };
        self.people.add_fault(&Rule::new(On::VoiceConnect(refused))).await.unwrap();
    }

    pub(crate) async fn leave(&self, user: &str) {
        self.people.leave_voice(&self.guild.to_string(), user).await.unwrap();
    }

    /// Returns the bot's id, for actions of moderators on it.
    pub(crate) fn bot(&self) -> &str {
        &self.bot
    }

    /// Closes the bot's voice connection with a code.
    pub(crate) async fn close(&self, code: u16) {
        let command = Command::Close { code, reason: String::new() };
        self.people.voice_command(Target::default(), &command).await.unwrap();
    }

    /// Waits for `more` packets, whatever they contain.
    pub(crate) async fn packets(&self, more: u64) {
        let (guild, bot) = (self.guild.to_string(), self.bot());
        let before = self.people.heard(&guild, bot).await.map_or(0, |heard| heard.counts.packets);
        let heard = self.people.heard_packets(&guild, bot, before + more, PATIENCE).await.unwrap();
        assert!(heard.counts.packets >= before + more, "{heard:?}");
    }

    /// Waits for a second of audio from now on, and finds it in a sound.
    pub(crate) async fn hear(&self, voice: u32, seconds: usize) -> Place {
        let (guild, bot) = (self.guild.to_string(), self.bot());
        let from = self.people.heard(&guild, bot).await.unwrap().position;
        let mut wanted = 48_000;
        let heard = until("a second is heard", async || {
            let so_far = self.people.heard(&guild, bot).await.ok()?.position;
            if so_far < from + wanted {
                return None;
            }
            let heard = self.people.heard_samples(&guild, bot, from).await.ok()?;
            // Audio after a silence begins with some of it, and the track before may still be received at first.
            let begin = heard.iter().position(|sample| sample.unsigned_abs() > 1000).unwrap_or(heard.len());
            let heard = &heard[begin - begin % 2..];
            wanted += 9_600;
            (heard.len() >= 96_000).then(|| heard[48_000..].to_vec())
        })
        .await;
        sound::find(&heard, seconds, voice)
    }

    /// Waits for the next event of a player for which `wanted` returns a value, and returns that.
    pub(crate) async fn event<T>(&mut self, what: &str, wanted: impl Fn(&VoiceEventKind) -> Option<T>) -> T {
        let events = self.events.as_mut().unwrap();
        let mut others = Vec::new();
        let search = async {
            loop {
                let event = events.recv().await.unwrap();
                if let Some(found) = wanted(&event.kind) {
                    return found;
                }
                others.push(event.kind.to_string());
            }
        };
        let found = timeout(PATIENCE, search).await;
        found.unwrap_or_else(|_| panic!("waited in vain for the event: {what}; others came: {others:?}"))
    }

    /// Returns the events that have not been waited for yet.
    pub(crate) fn events(&mut self) -> Vec<VoiceEventKind> {
        let events = self.events.as_mut().unwrap();
        std::iter::from_fn(|| events.try_recv().ok()).map(|event| event.kind).collect()
    }

    /// Waits until the player's status satisfies `fits`, and returns it.
    pub(crate) async fn status(&self, what: &str, fits: impl Fn(&PlayerStatus) -> bool) -> PlayerStatus {
        let player = self.player();
        let mut updates = player.updates();
        let wait = async {
            loop {
                let status = player.status();
                if fits(&status) {
                    return status;
                }
                updates.next().await.unwrap();
            }
        };
        timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("waited in vain until {what}: {:?}", player.status()))
    }
}

/// Calls `look` repeatedly until it returns a value, and returns that.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("waited in vain until {what}"))
}
