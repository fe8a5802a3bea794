//! A bot in this process, with plugins that a test names, at a local Discord of its own.

use std::time::Duration;

use sandbox::answer::Answer;
use sandbox::client::{Client as People, Run};
use sandbox::ratelimit::Config;
use sandbox::server::Sandbox;
use sandbox::snowflake::Snowflake;
use sdk::definition::{CommandKey, CommandKind};
use sdk::dispatch::Dispatcher;
use sdk::generation::Generation;
use sdk::handover::{self, HandoverPolicy, OnIncompatible};
use sdk::host::Host;
use sdk::registry::Change;
use sdk::serenity::all::{
    Client, ClientBuilder, Command, FullEvent, GatewayIntents, GuildId, HttpBuilder, UserId,
};
use sdk::serenity::framework::Framework as _;
use sdk::settings::{Environment, Settings};
use sdk::{Plugin, PluginEntry, PluginId, poise, tokio};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Longest wait for anything; generous, since a busy machine is no failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the next generation of a plugin takes over, as a development host has it.
const HANDOVER: HandoverPolicy = HandoverPolicy {
    preserve: true,
    deadline: Duration::from_secs(5),
    on_incompatible: OnIncompatible::Default,
};

/// What the bot asks for when its text commands have a prefix.
pub(crate) const TEXT: GatewayIntents = GatewayIntents::GUILD_MESSAGES
    .union(GatewayIntents::DIRECT_MESSAGES)
    .union(GatewayIntents::MESSAGE_CONTENT);

pub(crate) struct Bot {
    pub(crate) people: People,
    sandbox: Sandbox,
    host: Host,
    client: JoinHandle<()>,
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.client.abort();
    }
}

/// Describes a plugin of this test.
pub(crate) const fn plugin(package: &'static str, make: fn() -> Box<dyn Plugin>) -> PluginEntry {
    PluginEntry::new(package, "1.0.0", "", make)
}

impl Bot {
    /// Starts a bot with these plugins, whose owner is alice and whose prefix is `!`.
    pub(crate) async fn start(entries: &[PluginEntry]) -> Self {
        Self::start_with(entries, Some("!"), TEXT).await
    }

    /// Starts a bot with these plugins, to which the gateway brings no messages.
    pub(crate) async fn start_deaf(entries: &[PluginEntry]) -> Self {
        Self::start_with(entries, Some("!"), GatewayIntents::empty()).await
    }

    /// Starts a bot with these plugins in another mode than testing.
    pub(crate) async fn start_in(environment: Environment, entries: &[PluginEntry]) -> Self {
        Self::begin(environment, entries, Some("!"), TEXT).await
    }

    /// Starts a bot with these intents, and with those that its plugins need unless there are none.
    pub(crate) async fn start_with(
        entries: &[PluginEntry],
        prefix: Option<&str>,
        intents: GatewayIntents,
    ) -> Self {
        Self::begin(Environment::Testing, entries, prefix, intents).await
    }

    async fn begin(
        environment: Environment,
        entries: &[PluginEntry],
        prefix: Option<&str>,
        mut intents: GatewayIntents,
    ) -> Self {
        let sandbox = Sandbox::builder().rate_limits(Config::off()).start().await.unwrap();
        let host = Host::new(
            "1.0.0",
            Settings {
                environment,
                owners: [UserId::new(sandbox.user_id("alice").unwrap().0)].into(),
                prefix: prefix.map(str::to_owned),
                ..Settings::default()
            },
        );
        swap(&host, entries).await;
        let live = host.registry().snapshot();
        if !intents.is_empty() {
            intents |= live.intents();
        }
        let http = HttpBuilder::new(sandbox.token()).proxy(sandbox.url()).ratelimiter_disabled(true).build();
        let mut client: Client = ClientBuilder::new_with_http(http, intents | GatewayIntents::GUILDS)
            .framework(Dispatcher::new(host.clone()))
            .await
            .unwrap();
        client.http.set_application_id(sandbox.bot_id().0.into());
        let plugins = live.generations().values();
        let commands = plugins
            .flat_map(|generation| poise::builtins::create_application_commands(generation.commands()));
        Command::set_global_commands(&client.http, commands.collect()).await.unwrap();
        let cache = client.cache.clone();
        let client = tokio::spawn(async move { client.start().await.unwrap() });
        let bot = Self { people: sandbox.client(), sandbox, host, client };
        let guild: GuildId = bot.sandbox.guild_id().0.into();
        bot.until("the bot knows its guild", async || {
            (cache.guild(guild).is_some() && bot.host.serenity_context().is_some()).then_some(())
        })
        .await;
        bot
    }

    /// Makes these plugins live, each in the place of its generation before.
    pub(crate) async fn swap(&self, entries: &[PluginEntry]) {
        swap(&self.host, entries).await;
    }

    /// Returns the bot's own user.
    pub(crate) fn id(&self) -> String {
        self.sandbox.bot_id().to_string()
    }

    /// Returns the guild's id.
    pub(crate) fn guild(&self) -> String {
        self.sandbox.guild_id().to_string()
    }

    /// Runs a slash command as typed by a user in #bot-test.
    pub(crate) async fn run(&self, user: &str, text: &str) -> Answer {
        self.ask(Run::typed(text).by(user)).await
    }

    /// Runs a command.
    pub(crate) async fn ask(&self, run: Run) -> Answer {
        self.people.run(run).await.unwrap()
    }

    /// Returns the values that are suggested for the option that is being typed.
    pub(crate) async fn complete(&self, user: &str, text: &str) -> Vec<Value> {
        let answer = self.people.complete(Run::typed(text).by(user)).await.unwrap();
        assert!(answer.is_ok() && answer.message.is_none(), "{answer:?}");
        answer.choices.unwrap().into_iter().map(|choice| choice["value"].clone()).collect()
    }

    /// Sends a message to #bot-test, and gives the bot's next one.
    pub(crate) async fn say(&self, user: &str, text: &str) -> Value {
        self.say_in(user, "bot-test", text).await
    }

    /// Sends a message, and gives the bot's next one in that channel.
    pub(crate) async fn say_in(&self, user: &str, channel: &str, text: &str) -> Value {
        let sent = self.people.send(user, channel, text).await.unwrap();
        self.after(user, channel, &sent).await
    }

    /// Waits for the bot's first message in a channel after `sent`.
    pub(crate) async fn after(&self, user: &str, channel: &str, sent: &Value) -> Value {
        let newer = async || self.newer(user, channel, sent).await.into_iter().next();
        self.until(&format!("{:?} is answered", sent["content"].as_str()), newer).await
    }

    /// Returns the bot's messages in a channel after `sent`.
    async fn newer(&self, user: &str, channel: &str, sent: &Value) -> Vec<Value> {
        let mut messages = self.people.messages(user, channel, 50).await.unwrap();
        messages.retain(|message| id(message) > id(sent) && message["author"]["bot"] == true);
        messages
    }

    /// Sends a message in #bot-test, has it handled to the end, and gives it with the texts of the bot's answers.
    ///
    /// The bot must have been started deaf, so that the gateway brings it no messages.
    pub(crate) async fn handle(&self, user: &str, text: &str) -> (Value, Vec<String>) {
        let mut sent = self.people.send(user, "bot-test", text).await.unwrap();
        let answers = self.handle_message(&mut sent).await;
        (sent, answers)
    }

    /// Has a message handled that somebody has sent.
    pub(crate) async fn handle_message(&self, sent: &mut Value) -> Vec<String> {
        sent["guild_id"] = self.guild().into();
        let new_message = serde_json::from_value(sent.clone()).unwrap();
        self.dispatch(FullEvent::Message { new_message }).await;
        self.answers(sent).await
    }

    /// Edits a message in #bot-test, has that handled to the end, and gives the texts of the bot's answers.
    pub(crate) async fn handle_edit(&self, user: &str, sent: &Value, text: &str) -> Vec<String> {
        let mut edited = self.people.edit(user, id(sent), text).await.unwrap();
        edited["guild_id"] = self.guild().into();
        let event = serde_json::from_value(edited).unwrap();
        self.dispatch(FullEvent::MessageUpdate { old_if_available: None, new: None, event }).await;
        self.answers(sent).await
    }

    /// Returns the texts of what the bot has written in #bot-test since a message.
    async fn answers(&self, sent: &Value) -> Vec<String> {
        let answers = self.newer("alice", "bot-test", sent).await;
        answers.iter().map(|message| self::text(message).to_owned()).collect()
    }

    /// Deletes a message in #bot-test, has that handled to the end, and gives the texts of the bot's answers.
    pub(crate) async fn handle_deletion(&self, user: &str, sent: &Value) -> Vec<String> {
        self.people.delete(user, id(sent)).await.unwrap();
        self.dispatch(FullEvent::MessageDelete {
            channel_id: sent["channel_id"].as_str().unwrap().parse().unwrap(),
            deleted_message_id: id(sent).0.into(),
            guild_id: None,
        })
        .await;
        self.answers(sent).await
    }

    /// Has an event handled to the end, as serenity does it for one from the gateway.
    async fn dispatch(&self, event: FullEvent) {
        let context = self.host.serenity_context().unwrap();
        let dispatched = Dispatcher::new(self.host.clone());
        dispatched.dispatch((*context).clone(), event).await;
    }

    /// Has a raw event handled to the end, as a reader of the gateway gives it.
    pub(crate) async fn raw(&self, name: &str, json: &Value) {
        Dispatcher::new(self.host.clone()).raw(name, 3, &json.to_string()).await;
    }

    /// Returns the names of the raw events that plugins listen to.
    pub(crate) fn raw_names(&self) -> Vec<String> {
        Dispatcher::new(self.host.clone()).raw_names().into_iter().collect()
    }

    /// Returns the definition of a slash command as Discord gets it.
    pub(crate) fn definition(&self, name: &str) -> Value {
        let key = CommandKey { kind: CommandKind::Slash, name: name.to_owned() };
        self.host.registry().snapshot().definitions()[&key].clone()
    }

    /// Returns a value that a plugin has stored.
    pub(crate) fn stored<T: serde::de::DeserializeOwned>(&self, plugin: &str, key: &str) -> Option<T> {
        self.host.store().of(&PluginId::new(plugin)).get(key).unwrap()
    }

    /// Asks the local Discord for something that its client has no method for.
    pub(crate) async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/sandbox/{path}", self.sandbox.url());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.post(url).bearer_auth(self.sandbox.control_secret()).json(&body);
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    /// Waits until a message of #bot-test, as it is now, is as `is` wants it.
    pub(crate) async fn message(&self, one: &Value, is: impl Fn(&Value) -> bool) -> Value {
        let found = async || {
            let messages = self.people.messages("alice", "bot-test", 50).await.unwrap();
            messages.into_iter().find(|message| message["id"] == one["id"] && is(message))
        };
        self.until("a message is edited", found).await
    }

    /// Looks again and again until `look` gives something.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                // What the bot does with an event is nothing that the local Discord can tell of.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("waited in vain until {what}"))
    }

    /// Makes a channel.
    pub(crate) async fn channel(&self, name: &str, more: Value) {
        let mut channel = json!({ "name": name, "type": 0 });
        channel.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.people.create_channel(&self.guild(), &channel).await.unwrap();
    }
}

async fn swap(host: &Host, entries: &[PluginEntry]) {
    let generations = entries.iter().map(|entry| {
        let number = host.registry().next_number(&entry.id());
        let made = Generation::new(entry, number, host);
        made.unwrap_or_else(|problems| panic!("{problems:?}"))
    });
    let change = Change { install: generations.collect(), remove: Vec::new() };
    if let Err(error) = handover::swap(host, change, HANDOVER).await {
        panic!("{error}");
    }
}

pub(crate) fn id(message: &Value) -> Snowflake {
    message["id"].as_str().unwrap().parse().unwrap()
}

pub(crate) fn text(message: &Value) -> &str {
    message["content"].as_str().unwrap()
}
