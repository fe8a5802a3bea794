//! Raw events for plugins: reads those that plugins listen to from the held gateway.

use std::collections::BTreeSet;
use std::time::Duration;

use gateway::client::Events;
use sdk::dispatch::Dispatcher;
use sdk::host::Host;
use sdk::tokio;
use sdk::tokio::task::JoinSet;
use sdk::tokio::time::sleep;
use sdk::tracing::{debug, warn};

use crate::config::Token;

/// Time between two attempts to connect.
const AGAIN: Duration = Duration::from_millis(500);

/// Where raw events come from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// Address of the held gateway.
    pub(crate) gateway: String,
    pub(crate) token: Token,
}

/// Dispatches raw events to the plugins that listen to them, until the future is dropped. Without a held gateway there are
/// no raw events, and a warning is logged when a plugin listens.
pub(crate) async fn follow(host: Host, origin: Option<Origin>) {
    let dispatcher = Dispatcher::new(host.clone());
    let mut changes = dispatcher.raw_changes();
    let mut known = BTreeSet::new();
    // Names that are added later are read on a connection of their own, so that a reload loses no event of the others. The
    // dispatcher ignores events without a listener.
    let mut readers = JoinSet::new();
    loop {
        changes.borrow_and_update();
        let mut added = dispatcher.raw_names();
        added.retain(|name| known.insert(name.clone()));
        let names: Vec<_> = added.into_iter().collect();
        match &origin {
            _ if names.is_empty() => {}
            Some(origin) => {
                readers.spawn(read(host.clone(), origin.clone(), names));
            }
            None => warn!(
                events = names.join(" "),
                "plugins listen to raw events, which only a held gateway gives: set HOLD_GATEWAY=true"
            ),
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Reads events of these names, and connects again whenever the connection is lost.
async fn read(host: Host, origin: Origin, names: Vec<String>) {
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut is_told = false;
    loop {
        match Events::subscribe(&origin.gateway, origin.token.expose(), &names).await {
            Ok(mut events) => {
                is_told = false;
                debug!(events = names.join(" "), "raw events are read");
                while let Some(event) = events.recv().await {
                    let dispatcher = Dispatcher::new(host.clone());
                    tokio::spawn(async move { dispatcher.raw(&event.name, event.shard, &event.data).await });
                }
            }
            Err(problem) if !std::mem::replace(&mut is_told, true) => {
                warn!(problem, "raw events cannot be read yet");
            }
            Err(_) => {}
        }
        sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, OnceLock};

    use ::gateway::{Discord, Gateway, Options};
    use sandbox::Sandbox;
    use sdk::generation::Generation;
    use sdk::registry::Change;
    use sdk::serenity::all::{ClientBuilder, GatewayIntents};
    use sdk::settings::Settings;
    use sdk::tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
    use sdk::tokio::time::timeout;
    use sdk::{Plugin, PluginEntry, Subscriptions};
    use serde_json::Value;

    use super::*;
    use crate::api::Api;
    use crate::config::ApiUrl;

    /// Where the plugin says what it hears. A plugin is created by a function without context.
    static HEARD: OnceLock<UnboundedSender<(String, String)>> = OnceLock::new();
    /// Names that the next generation listens to.
    static NAMES: Mutex<Vec<&str>> = Mutex::new(Vec::new());

    struct Listener(Vec<&'static str>);

    impl Plugin for Listener {
        fn subscriptions(&self, on: &mut Subscriptions) {
            for name in &self.0 {
                on.raw(name, async |_, raw| {
                    let data: Value = serde_json::from_str(raw.json())?;
                    let words = data["content"].as_str().unwrap_or_default();
                    HEARD.get().unwrap().send((raw.name().to_owned(), words.to_owned()))?;
                    Ok(())
                });
            }
        }
    }

    fn swap(host: &Host, names: &[&'static str]) {
        *NAMES.lock().unwrap() = names.to_vec();
        let entry = PluginEntry::new("events-listener", "1.0.0", "", || {
            Box::new(Listener(NAMES.lock().unwrap().clone()))
        });
        let number = host.registry().next_number(&entry.id());
        let generation = Generation::new(&entry, number, host).unwrap();
        assert!(host.registry().swap(Change { install: vec![generation], remove: Vec::new() }).is_ok());
    }

    /// Returns whether an event of this name is what is heard soon.
    async fn is_heard(heard: &mut UnboundedReceiver<(String, String)>, name: &str) -> bool {
        timeout(AGAIN, heard.recv()).await.is_ok_and(|event| event.unwrap().0 == name)
    }

    async fn next(heard: &mut UnboundedReceiver<(String, String)>) -> (String, String) {
        timeout(Duration::from_secs(30), heard.recv()).await.expect("the event is heard").unwrap()
    }

    #[tokio::test]
    async fn plugins_hear_raw_events_of_the_held_gateway_also_those_they_ask_for_later() {
        let (sender, mut heard) = unbounded_channel();
        HEARD.set(sender).unwrap();
        let sandbox = Sandbox::builder().start().await.unwrap();
        let (url, max_concurrency) = (sandbox.gateway_url().clone(), 1);
        let find = Arc::new(move || -> std::pin::Pin<Box<dyn Future<Output = _> + Send>> {
            let url = url.clone();
            Box::pin(async move { Ok(Discord { url, max_concurrency }) })
        });
        let gateway = Gateway::start(Options::new(sandbox.token().to_owned(), find)).await.unwrap();
        let token = Token::parse(sandbox.token(), false).unwrap();
        let api = ApiUrl::parse(sandbox.url()).unwrap();
        let api = Api::new(token.clone(), api.as_ref(), false).await.unwrap();
        let host = Host::new("1.0.0", Settings::default());
        swap(&host, &["MESSAGE_CREATE"]);
        let origin = Origin { gateway: gateway.url().to_owned(), token };
        tokio::spawn(follow(host.clone(), Some(origin)));
        let intents =
            GatewayIntents::GUILDS | GatewayIntents::GUILD_MESSAGES | GatewayIntents::MESSAGE_CONTENT;
        let mut client = ClientBuilder::new_with_http(api.http(), intents)
            .framework(Dispatcher::new(host.clone()))
            .await
            .unwrap();
        gateway.url().clone_into(&mut *client.ws_url.lock().await);
        tokio::spawn(async move { client.start().await.unwrap() });

        // Events before the first session, and before the plugin listens to them, are not dispatched.
        let people = sandbox.client();
        let message = loop {
            let message = people.send("alice", "general", "early").await.unwrap();
            if is_heard(&mut heard, "MESSAGE_CREATE").await {
                break message["id"].as_str().unwrap().parse().unwrap();
            }
        };
        swap(&host, &["MESSAGE_CREATE", "MESSAGE_UPDATE"]);
        let mut number = 0;
        while number == 0 || !is_heard(&mut heard, "MESSAGE_UPDATE").await {
            number += 1;
            people.edit("alice", message, &format!("early {number}")).await.unwrap();
        }
        for words in ["once", "twice", "thrice"] {
            people.send("alice", "general", words).await.unwrap();
            let mut told = next(&mut heard).await;
            while told.1.starts_with("early") {
                told = next(&mut heard).await;
            }
            assert_eq!(told, ("MESSAGE_CREATE".to_owned(), words.to_owned()));
        }
        people.edit("alice", message, "changed").await.unwrap();
        assert_eq!(next(&mut heard).await, ("MESSAGE_UPDATE".to_owned(), "changed".to_owned()));
    }
}
