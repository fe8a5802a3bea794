//! The relay at a local Discord with Discord's limits in shorter windows.

use std::sync::atomic::AtomicUsize;

use futures_util::future::join_all;
use sandbox::Sandbox;
use sandbox::event_log::{Event, Request as Recorded};
use sandbox::fault::{LimitScope, On, RequestEffect, RequestRule, Rule};
use sandbox::ratelimit::{BucketRule, Config};
use sdk::serenity::all::{ChannelId, GatewayIntents};
use sdk::{Command, Context, Error, Plugin, PluginEntry, poise};

use super::*;
use crate::local_bot::{LocalBot, PATIENCE};
use crate::shutdown::shut_down;

const WINDOW: Duration = Duration::from_millis(500);
const BURST: usize = 50;
static SENT: AtomicUsize = AtomicUsize::new(0);

fn limits() -> Config {
    let message = BucketRule::new(&["POST"], "/channels/{channel.id}/messages", 5, WINDOW);
    Config { buckets: vec![message], ..Config::default() }
}

fn requests(sandbox: &Sandbox) -> Vec<Recorded> {
    let page = sandbox.event_log().read(0, 100_000);
    let request = |event: &Event| match event {
        Event::Request(request) => Some((**request).clone()),
        _ => None,
    };
    page.entries.iter().filter_map(|entry| request(&entry.event)).collect()
}

fn command(
    name: &'static str,
    action: fn(poise::ApplicationContext<'_, sdk::Data, Error>) -> Ran<'_>,
) -> Command {
    Command {
        name: name.into(),
        description: Some("For a test.".into()),
        slash_action: Some(action),
        ..Command::default()
    }
}

type Ran<'a> = futures_util::future::BoxFuture<'a, Result<(), poise::FrameworkError<'a, sdk::Data, Error>>>;

/// Sends many messages at once to its channel.
struct Loud;

impl Plugin for Loud {
    fn commands(&self) -> Vec<Command> {
        vec![command("burst", |ctx| {
            Box::pin(async move {
                let context = Context::from(ctx);
                let (http, channel) = (context.serenity_context().http.clone(), context.channel_id());
                ctx.data().spawn("burst", async move {
                    let send = |number: usize| channel.say(&http, number.to_string());
                    let sent = join_all((0..BURST).map(send)).await;
                    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
                    SENT.store(sent.len(), Ordering::SeqCst);
                });
                context.say("they are on their way").await.unwrap();
                Ok(())
            })
        })]
    }
}

/// Answers, and sends a message to the channel of its command.
struct Quiet;

impl Plugin for Quiet {
    fn commands(&self) -> Vec<Command> {
        vec![command("hello", |ctx| {
            Box::pin(async move {
                let context = Context::from(ctx);
                context.say("hello").await.unwrap();
                context.channel_id().say(context, "hello, channel").await.unwrap();
                Ok(())
            })
        })]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_one_plugin_goes_in_discords_time_and_disturbs_no_other() {
    let entries = [
        PluginEntry::new("commands-loud", "1.0.0", "", || Box::new(Loud)),
        PluginEntry::new("commands-quiet", "1.0.0", "", || Box::new(Quiet)),
    ];
    let sandbox = Sandbox::builder().rate_limits(limits());
    let bot = LocalBot::start(sandbox, &entries, GatewayIntents::GUILDS, 2).await;
    let began = Instant::now();
    let answer = bot.people.run(sandbox::client::Run::typed("/burst")).await.unwrap();
    assert!(answer.is_ok(), "{answer:?}");
    bot.until("they wait", async || (bot.api.waiting() > 20).then_some(())).await;

    // Another plugin in another channel: its message is sent immediately. In the same channel: its answer is.
    let elsewhere = bot.people.run(sandbox::client::Run::typed("/hello").at("general")).await.unwrap();
    assert_eq!(elsewhere.content, "hello");
    let written = async || {
        let messages = bot.people.messages("alice", "general", 10).await.unwrap();
        messages.iter().any(|message| message["content"] == "hello, channel").then_some(())
    };
    bot.until("the other channel has its message", written).await;
    assert!(bot.api.waiting() > 10, "the other channel has waited for the burst");
    let here = bot.people.run(sandbox::client::Run::typed("/hello")).await.unwrap();
    assert_eq!(here.content, "hello");
    assert!(bot.api.waiting() > 5, "the answer has waited for the burst");

    let messages = async || {
        let messages = bot.people.messages("alice", "bot-test", 100).await.unwrap();
        let contents: Vec<_> =
            messages.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect();
        (contents.iter().filter(|content| content.parse::<usize>().is_ok()).count() == BURST
            && contents.iter().any(|content| content == "hello, channel"))
        .then_some(contents)
    };
    let contents = bot.until("all messages are there", messages).await;
    let took = began.elapsed();
    let windows = u32::try_from(BURST / 5).unwrap();
    assert!(took >= WINDOW * (windows - 1) && took < WINDOW * windows * 3, "{took:?}");
    let numbers: BTreeSet<usize> = contents.iter().filter_map(|content| content.parse().ok()).collect();
    assert_eq!(numbers, (0..BURST).collect());
    bot.until("the plugin has all answers", async || (SENT.load(Ordering::SeqCst) == BURST).then_some(()))
        .await;
    let refused: Vec<_> =
        requests(&bot.sandbox).into_iter().filter(|request| request.status == Some(429)).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

/// The requests reach the relay one after the other, each before the response to the one before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_arrive_in_the_order_in_which_they_come_to_the_relay() {
    let sandbox = Sandbox::builder().rate_limits(limits()).start().await.unwrap();
    let api = Arc::new(at(&sandbox).await);
    let channel = ChannelId::new(sandbox.channel_id("general").unwrap().0);
    let mut sending = JoinSet::new();
    for number in 0..BURST {
        let http = api.http();
        let known = api.entered();
        sending.spawn(async move { channel.say(&http, number.to_string()).await.unwrap() });
        let came = async {
            while api.entered() == known {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, came).await.unwrap();
    }
    sending.join_all().await;
    let messages = sandbox.client().messages("alice", "general", 100).await.unwrap();
    let numbers: Vec<_> = messages
        .iter()
        .map(|message| message["content"].as_str().unwrap().parse::<usize>().unwrap())
        .collect();
    assert_eq!(numbers, (0..BURST).collect::<Vec<_>>());
    assert!(requests(&sandbox).iter().all(|request| request.status != Some(429)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_channels_at_once_keep_the_global_limit() {
    let limits = Config { global_per_second: Some(50), other: (1000, Duration::from_secs(1)), ..limits() };
    let sandbox = Sandbox::builder().rate_limits(limits).start().await.unwrap();
    let api = at(&sandbox).await;
    let http = api.http();
    let channel = ChannelId::new(sandbox.channel_id("general").unwrap().0);
    let answers = join_all((0..130).map(|_| http.get_channel(channel))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert!(requests(&sandbox).iter().all(|request| request.status != Some(429)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_that_others_use_up_are_waited_for_and_the_request_goes_first_again() {
    for scope in [LimitScope::User, LimitScope::Shared, LimitScope::Global, LimitScope::Cloudflare] {
        let sandbox = Sandbox::builder().rate_limits(limits()).start().await.unwrap();
        let api = at(&sandbox).await;
        let effect = RequestEffect::RateLimit { retry_after: 0.4, scope };
        let messages = Some("/channels/*/messages".to_owned());
        let rule = RequestRule { path: messages, effect, ..RequestRule::default() };
        sandbox.faults().add(Rule::new(On::Request(rule)).times(1));
        let (http, channel) = (api.http(), ChannelId::new(sandbox.channel_id("general").unwrap().0));
        let began = Instant::now();
        let first = {
            let http = api.http();
            tokio::spawn(async move { channel.say(&http, "first").await.unwrap() })
        };
        while requests(&sandbox).is_empty() {
            tokio::task::yield_now().await;
        }
        channel.say(&http, "second").await.unwrap();
        first.await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(400), "{scope:?}: {:?}", began.elapsed());
        let messages = sandbox.client().messages("alice", "general", 2).await.unwrap();
        let contents: Vec<_> = messages.iter().map(|message| message["content"].as_str().unwrap()).collect();
        assert_eq!(contents, ["first", "second"], "{scope:?}");
        let statuses: Vec<_> = requests(&sandbox).iter().map(|request| request.status.unwrap()).collect();
        assert_eq!(statuses[..3], [429, 200, 200], "{scope:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_upload_that_met_a_429_arrives_whole() {
    let sandbox = Sandbox::builder().rate_limits(limits()).start().await.unwrap();
    let api = at(&sandbox).await;
    let effect = RequestEffect::RateLimit { retry_after: 0.05, scope: LimitScope::User };
    sandbox.faults().add(Rule::new(On::Request(RequestRule { effect, ..RequestRule::default() })).times(1));
    let channel = ChannelId::new(sandbox.channel_id("general").unwrap().0);
    let file: Vec<u8> = (0..3_000_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let message = CreateMessage::new().add_file(CreateAttachment::bytes(file.clone(), "data.bin"));
    let sent = channel.send_message(&api.http(), message).await.unwrap();
    assert_eq!(sent.attachments[0].size as usize, file.len());
    let stored = reqwest::Client::builder().no_proxy().build().unwrap().get(&sent.attachments[0].url);
    assert_eq!(stored.send().await.unwrap().bytes().await.unwrap(), file);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_does_not_hold_up_the_end() {
    let message = BucketRule::new(&["POST"], "/channels/{channel.id}/messages", 5, Duration::from_secs(10));
    let limits = Config { buckets: vec![message], ..Config::default() };
    let entries = [PluginEntry::new("commands-loud", "1.0.0", "", || Box::new(Loud))];
    let bot =
        LocalBot::start(Sandbox::builder().rate_limits(limits), &entries, GatewayIntents::GUILDS, 1).await;
    bot.people.run(sandbox::client::Run::typed("/burst")).await.unwrap();
    bot.until("they wait", async || (bot.api.waiting() > 20).then_some(())).await;
    let began = Instant::now();
    shut_down(&bot.host, Some(&bot.shards), None).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    bot.until("what the plugin had asked for is given up", async || (bot.api.waiting() == 0).then_some(()))
        .await;
}

async fn at(sandbox: &Sandbox) -> Api {
    let token = Token::parse(sandbox.token(), false).unwrap();
    Api::new(token, ApiUrl::parse(sandbox.url()).unwrap().as_ref(), false).await.unwrap()
}
