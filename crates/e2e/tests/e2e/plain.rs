//! The plain mode, `./dev-env.sh dev`: every change rebuilds the whole bot and restarts it.

use e2e::bot::PATIENCE;
use e2e::playground::workspace;
use e2e::test_host::PING;
use e2e::{Playground, TestHost};
use sandbox::event_log::Kind;

/// Waits until a rebuilt and restarted bot is connected.
async fn started(host: &mut TestHost, from: usize) {
    host.bot.wait_for_line(from, "built and started anew in ").await.unwrap();
    host.bot.wait_for(from, "ready", |line| line.contains(": ready ")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_builds_the_whole_bot_and_starts_it_anew() {
    let playground = Playground::new().unwrap().with_plain_build().unwrap();
    // A bot without hot reload ignores its setting, with a message.
    let media = workspace().join("crates/e2e/media").display().to_string();
    let mut host = TestHost::on(playground, &[("HOTCORD_PLAIN", "1"), ("MUSIC_DIR", &media)]).await;
    host.bot
        .wait_for_line(0, "this binary was built without hot reload; ENABLE_HMR is ignored")
        .await
        .unwrap();
    assert_eq!(host.identifies(), 1);

    // It trusts the sandbox's voice servers.
    let (guild, bot) = (host.sandbox.guild_id().to_string(), host.sandbox.bot_id().to_string());
    let client = host.sandbox.client();
    client.enter_voice(&guild, "alice", "Lounge").await.unwrap();
    let answer = host.say("/join").await;
    assert!(answer.is_ok(), "{answer:?}");
    let answer = host.say("/play what:Melody").await;
    assert!(answer.content.starts_with("Playing **"), "{answer:?}");
    let heard = client.heard_packets(&guild, &bot, 50, PATIENCE).await.unwrap();
    assert!(heard.counts.packets >= 50, "{heard:?}");

    // A mistake does not affect the running bot.
    let lines = host.bot.line_count();
    let source = host.playground.read(PING).unwrap();
    host.playground.save(PING, &source.replace("Context<'_>", "Contxt<'_>")).unwrap();
    host.bot.wait_for_line(lines, "the bot does not build; the one before runs on").await.unwrap();
    assert!(host.ping().await.starts_with("Pong!"));
    assert_eq!(host.identifies(), 1);

    let lines = host.bot.line_count();
    host.playground.save(PING, &source.replace("Pong!", "Pang!")).unwrap();
    started(&mut host, lines).await;
    assert!(host.ping().await.starts_with("Pang!"));
    assert_eq!(host.identifies(), 2, "a session of its own");

    // A file that no program is built from triggers nothing.
    host.playground.save("commands/general/README.md", "Notes.").unwrap();
    let lines = host.bot.line_count();
    host.playground.save(PING, &source.replace("Pong!", "Peng!")).unwrap();
    started(&mut host, lines).await;
    assert!(host.ping().await.starts_with("Peng!"));
    assert_eq!(host.identifies(), 3);

    // A bot that dies is not restarted until the next save.
    let lines = host.bot.line_count();
    host.bot.kill_host().unwrap();
    host.bot.wait_for_line(lines, "(SIGKILL); the next save starts it again").await.unwrap();
    host.playground.save(PING, &source.replace("Pong!", "Ping!")).unwrap();
    started(&mut host, lines).await;
    assert!(host.ping().await.starts_with("Ping!"));
    assert_eq!(host.identifies(), 4);

    let TestHost { bot, sandbox, playground } = host;
    assert_eq!(bot.stop().await.unwrap().code(), Some(0));
    assert_eq!(sandbox.event_log().count(Kind::Identified), 4);
    drop(playground);
}
