//! Load: nothing is lost, nothing is answered twice, memory stays bounded.

use futures_util::future::join_all;
use serde_json::json;
use tokio::task::JoinSet;

use crate::api::bot::Bot;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_interactions_is_answered_each_once() {
    const BURST: usize = 200;
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    let mut users = JoinSet::new();
    for _ in 0..BURST {
        let user = bot.user.clone();
        users.spawn(async move { user.say("/ping").await.unwrap() });
    }
    let mut interactions = Vec::new();
    for _ in 0..BURST {
        interactions.push(bot.event("INTERACTION_CREATE").await);
    }
    // Concurrently, since one after the other can take longer than the three seconds on a busy machine.
    let (bot, answering) = (&bot, interactions.iter().enumerate());
    let statuses = join_all(answering.map(async |(n, interaction)| {
        let answer = json!({ "type": 4, "data": { "content": n.to_string() } });
        bot.callback(interaction, answer).await.0
    }));
    assert!(statuses.await.iter().all(|status| *status == 204));
    let answers = users.join_all().await;
    assert!(answers.iter().all(|answer| answer.is_ok() && answer.callbacks == 1));
    let mut contents: Vec<usize> = answers.iter().map(|answer| answer.content.parse().unwrap()).collect();
    contents.sort_unstable();
    assert!(contents.iter().copied().eq(0..BURST), "an answer went to someone else");
}
