//! For tests: a bot with the test's own plugins, in the test's process, at a local Discord.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sandbox::client::Client as People;
use sandbox::server::{Builder, Sandbox};
use sdk::PluginEntry;
use sdk::dispatch::run_timers;
use sdk::generation::Generation;
use sdk::host::Host;
use sdk::registry::Change;
use sdk::serenity::all::{Cache, Client, EventHandler, GatewayIntents, ShardManager};
use sdk::settings::Settings;
use sdk::tokio;
use sdk::tokio::task::JoinSet;
use serde_json::Value;

use crate::api::Api;
use crate::config::{ApiUrl, CommandScope, Connection, Token};
use crate::register::{Development, Layout, Registrar};
use crate::run::{client, https_of_plugins};

/// Longest wait for anything. It is long because a busy machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Such a bot, with its commands registered. It ends when this is dropped.
pub(crate) struct LocalBot {
    pub(crate) sandbox: Sandbox,
    pub(crate) people: People,
    pub(crate) host: Host,
    pub(crate) api: Arc<Api>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) shards: Arc<ShardManager>,
    _work: JoinSet<()>,
}

struct NoHandler;

impl EventHandler for NoHandler {}

impl LocalBot {
    /// Starts a bot with these plugins and intents, and waits until `commands` of its commands are registered.
    pub(crate) async fn start(
        sandbox: Builder,
        entries: &[PluginEntry],
        intents: GatewayIntents,
        commands: usize,
    ) -> Self {
        let sandbox = sandbox.start().await.unwrap();
        let connection = Connection {
            token: Token::parse(sandbox.token(), false).unwrap(),
            api: ApiUrl::parse(sandbox.url()).unwrap(),
            gateway: None,
            plain: false,
        };
        let api = Arc::new(Api::new(connection.token.clone(), connection.api.as_ref(), false).await.unwrap());
        let application = sandbox.bot_id().to_string().parse().unwrap();
        let https = https_of_plugins(api.clone(), application);
        let host = Host::builder("1.0.0", Settings::default()).http_of(https).build();
        api.keep_answers(host.answers(), None);
        let install = entries.iter().map(|entry| Generation::new(entry, 1, &host).unwrap()).collect();
        assert!(host.registry().swap(Change { install, remove: Vec::new() }).is_ok());
        let mut client: Client = client(&host, &api, intents, &connection, NoHandler).await.unwrap();
        client.http.set_application_id(application);
        let (cache, shards, http) = (client.cache.clone(), client.shard_manager.clone(), client.http.clone());
        let guild = sandbox.guild_id().to_string().parse().unwrap();
        let development = Development { guild, scope: CommandScope::Guild, grace: Duration::ZERO };
        let layout = Layout { development: Some(development), installs: BTreeSet::from([0]) };
        let mut work = JoinSet::new();
        work.spawn(Registrar::new(host.clone(), &api, http, application, layout, BTreeSet::new()).run());
        work.spawn(run_timers(host.clone()));
        work.spawn(async move { client.start().await.unwrap() });
        let people = sandbox.client();
        let bot = Self { sandbox, people, host, api, cache, shards, _work: work };
        bot.until("its commands are there and its guild is known", async || {
            let there = bot.people.commands("alice", "bot-test").await.unwrap();
            (there.len() >= commands && bot.cache.guild(guild).is_some()).then_some(())
        })
        .await;
        bot
    }

    /// Calls `look` after each event at the local Discord, and every 20 ms, until it returns a value.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        self.until_within(PATIENCE, look).await.unwrap_or_else(|| panic!("waited in vain until {what}"))
    }

    /// As [`until`](Self::until), with another time limit; `None` when it has passed.
    pub(crate) async fn until_within<T>(
        &self,
        within: Duration,
        look: impl AsyncFn() -> Option<T>,
    ) -> Option<T> {
        let mut happenings = self.sandbox.event_log().subscribe(self.sandbox.event_log().newest() + 1);
        let found = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                // Changes in the bot itself are not in the record.
                let _ = tokio::time::timeout(Duration::from_millis(20), happenings.next()).await;
            }
        };
        tokio::time::timeout(within, found).await.ok()
    }

    /// Requests something from the local Discord with the bot's token, bypassing the bot.
    pub(crate) async fn truth(&self, path: &str) -> Value {
        self.ask("GET", path, None).await
    }

    /// Sends the local Discord a request with the bot's token, bypassing the bot.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/api/v10{path}", self.sandbox.url());
        let mut request = client.request(method.parse().unwrap(), url);
        request = request.header("authorization", format!("Bot {}", self.sandbox.token()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}
