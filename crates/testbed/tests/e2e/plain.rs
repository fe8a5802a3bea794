//! The plain mode, `./dev-env.sh dev`: every change builds the whole bot and starts it anew.

use sandbox::record::Kind;
use testbed::bot::PATIENCE;
use testbed::ground::PING;
use testbed::playground::workspace;
use testbed::{Ground, Playground};

/// Waits until a bot that was built and started anew is connected.
async fn started(ground: &mut Ground, from: usize) {
    ground.bot.wait_for_line(from, "built and started anew in ").await.unwrap();
    ground.bot.wait_for(from, "ready", |line| line.contains(": ready ")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_builds_the_whole_bot_and_starts_it_anew() {
    let playground = Playground::new().unwrap().with_plain_build().unwrap();
    // Its own setting is ignored by a bot without hot reload, which says so.
    let media = workspace().join("crates/testbed/media").display().to_string();
    let mut ground = Ground::on(playground, &[("HOTCORD_PLAIN", "1"), ("MUSIC_DIR", &media)]).await;
    ground
        .bot
        .wait_for_line(0, "this binary was built without hot reload; ENABLE_HMR is ignored")
        .await
        .unwrap();
    assert_eq!(ground.identifies(), 1);

    // It trusts the sandbox's voice servers.
    let (guild, bot) = (ground.sandbox.guild_id().to_string(), ground.sandbox.bot_id().to_string());
    let client = ground.sandbox.client();
    client.enter_voice(&guild, "alice", "Lounge").await.unwrap();
    let answer = ground.say("/join").await;
    assert!(answer.is_ok(), "{answer:?}");
    let answer = ground.say("/play what:Melody").await;
    assert!(answer.content.starts_with("Playing **"), "{answer:?}");
    let heard = client.heard_packets(&guild, &bot, 50, PATIENCE).await.unwrap();
    assert!(heard.counts.packets >= 50, "{heard:?}");

    // A mistake leaves the bot that runs.
    let lines = ground.bot.line_count();
    let source = ground.playground.read(PING).unwrap();
    ground.playground.save(PING, &source.replace("Context<'_>", "Contxt<'_>")).unwrap();
    ground.bot.wait_for_line(lines, "the bot does not build; the one before runs on").await.unwrap();
    assert!(ground.ping().await.starts_with("Pong!"));
    assert_eq!(ground.identifies(), 1);

    let lines = ground.bot.line_count();
    ground.playground.save(PING, &source.replace("Pong!", "Pang!")).unwrap();
    started(&mut ground, lines).await;
    assert!(ground.ping().await.starts_with("Pang!"));
    assert_eq!(ground.identifies(), 2, "a session of its own");

    // What no program is built from starts nothing.
    ground.playground.save("commands/general/README.md", "Notes.").unwrap();
    let lines = ground.bot.line_count();
    ground.playground.save(PING, &source.replace("Pong!", "Peng!")).unwrap();
    started(&mut ground, lines).await;
    assert!(ground.ping().await.starts_with("Peng!"));
    assert_eq!(ground.identifies(), 3);

    // A bot that dies stays away until the next save.
    let lines = ground.bot.line_count();
    ground.bot.kill_host().unwrap();
    ground.bot.wait_for_line(lines, "(SIGKILL); the next save starts it again").await.unwrap();
    ground.playground.save(PING, &source.replace("Pong!", "Ping!")).unwrap();
    started(&mut ground, lines).await;
    assert!(ground.ping().await.starts_with("Ping!"));
    assert_eq!(ground.identifies(), 4);

    let Ground { bot, sandbox, playground } = ground;
    assert_eq!(bot.stop().await.unwrap().code(), Some(0));
    assert_eq!(sandbox.record().count(Kind::Identified), 4);
    drop(playground);
}
