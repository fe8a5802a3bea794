use sandbox::event_log::Kind;
use serenity::all::{
    ClientBuilder, Context, EventHandler, GatewayIntents, GuildId, HttpBuilder, Message, Ready,
};
use serenity::async_trait;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::rig::{PATIENCE, Rig};

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Ready(usize),
    Guilds(Vec<GuildId>, usize),
    Message(String),
}

struct Handler(mpsc::UnboundedSender<Seen>);

#[async_trait]
impl EventHandler for Handler {
    async fn ready(&self, _: Context, ready: Ready) {
        let _ = self.0.send(Seen::Ready(ready.guilds.len()));
    }

    async fn cache_ready(&self, ctx: Context, guilds: Vec<GuildId>) {
        let channels = ctx.cache.guild(guilds[0]).map_or(0, |guild| guild.channels.len());
        let _ = self.0.send(Seen::Guilds(guilds, channels));
    }

    async fn message(&self, _: Context, message: Message) {
        let _ = self.0.send(Seen::Message(message.content));
    }
}

struct Bot {
    seen: mpsc::UnboundedReceiver<Seen>,
    /// A runtime of its own, which takes all tasks of the client with it, as the end of a process does.
    process: Option<Runtime>,
}

impl Drop for Bot {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.shutdown_background();
        }
    }
}

impl Bot {
    async fn start(rig: &Rig) -> Self {
        let (sender, seen) = mpsc::unbounded_channel();
        let http =
            HttpBuilder::new(rig.sandbox.token()).proxy(rig.sandbox.url()).ratelimiter_disabled(true).build();
        let intents = GatewayIntents::non_privileged() | GatewayIntents::MESSAGE_CONTENT;
        let mut client =
            ClientBuilder::new_with_http(http, intents).event_handler(Handler(sender)).await.unwrap();
        rig.gateway.url().clone_into(&mut *client.ws_url.lock().await);
        let process = Runtime::new().unwrap();
        process.spawn(async move { client.start_shards(1).await.unwrap() });
        Self { seen, process: Some(process) }
    }

    async fn next(&mut self) -> Seen {
        timeout(PATIENCE, self.seen.recv()).await.expect("an event in time").unwrap()
    }

    /// Returns how many guilds, and channels of the first, it has after the start.
    async fn started(&mut self) -> (usize, usize) {
        let (mut ready, mut cache) = (None, None);
        while ready.is_none() || cache.is_none() {
            match self.next().await {
                Seen::Ready(guilds) => ready = Some(guilds),
                Seen::Guilds(_, channels) => cache = Some(channels),
                Seen::Message(content) => panic!("{content}"),
            }
        }
        (ready.unwrap(), cache.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serenity_starts_and_hears_messages() {
    let rig = Rig::new().await;
    let mut bot = Bot::start(&rig).await;
    let first = bot.started().await;
    assert!(first.0 == 1 && first.1 > 1, "{first:?}");
    rig.say("hello").await;
    assert_eq!(bot.next().await, Seen::Message("hello".to_owned()));
    assert_eq!((rig.count(Kind::Identified), rig.count(Kind::Closed)), (1, 0));
}
