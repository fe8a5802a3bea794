//! Moderation while its plugin reloads and the host restarts.

use e2e::bot::PATIENCE;
use e2e::test_host::TestHost;
use e2e::{Bot, Playground};
use sandbox::event_log::{Entry, Event};

/// Source of the plugin that says that a user was kicked.
const ACT: &str = "commands/moderation/src/act.rs";

/// Waits until the bot has lifted the ban of a user.
async fn lifted(host: &TestHost, user: &str) {
    let user = host.sandbox.user_id(user).unwrap().to_string();
    let path = format!("/bans/{user}");
    let is_it = |entry: &Entry| match &entry.event {
        Event::Request(request) => request.method == "DELETE" && request.path.ends_with(&path),
        _ => false,
    };
    host.sandbox.event_log().wait_for(1, PATIENCE, is_it).await.unwrap();
}

/// Saves an edit of the plugin and waits until it is live as this generation.
async fn reload(host: &mut TestHost, from: &str, to: &str, generation: u32) {
    let lines = host.bot.line_count();
    host.playground.edit(ACT, from, to).unwrap();
    let live = format!("plugin=commands/moderation from={} to={generation} ", generation - 1);
    host.bot.wait_for_line(lines, &live).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_ban_ends_after_a_reload_and_a_restart() {
    let mut host = TestHost::on(Playground::new().unwrap(), &[]).await;
    let banned = host.say("/tempban user:@carol duration:20s reason:later").await.content;
    assert!(banned.starts_with("**carol** was banned until"), "{banned}");
    reload(&mut host, "\"kicked\"", "\"shown out\"", 2).await;
    lifted(&host, "carol").await;
    assert_eq!(host.say("/kick user:@bob").await.content, "**bob** was shown out (case 2).");

    // A case of the new generation, and then a new process.
    host.sandbox.client().join("Sandbox", "bob").await.unwrap();
    host.say("/tempban user:@bob duration:20s").await;
    let TestHost { playground, sandbox, bot } = host;
    bot.stop().await.unwrap();
    let bot = Bot::start(&playground, &sandbox, &[]).await.unwrap();
    let host = TestHost { playground, sandbox, bot };
    lifted(&host, "bob").await;
    assert_eq!(host.requests("DELETE", "/bans/"), 2, "each ban is lifted once");
}
