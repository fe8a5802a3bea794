use sandbox::Sandbox;
use sandbox::event_log::Kind;
use sandbox::gateway::{Command, Intents, Target};
use serde_json::json;

use crate::rig::{INTENTS, Rig, until};

async fn inject(rig: &Rig, command: Command) {
    rig.people.gateway(&Target::default(), &command).await.unwrap();
}

#[tokio::test]
async fn a_lost_connection_to_discord_is_resumed_and_the_host_does_not_notice() {
    let rig = Rig::new().await;
    let (mut host, _, _) = rig.open().await;
    for (number, command) in [Command::Sever, Command::Reconnect, Command::InvalidSession { resumable: true }]
        .into_iter()
        .enumerate()
    {
        inject(&rig, command).await;
        rig.say(&format!("after {number}")).await;
        assert_eq!(host.messages(1).await, [format!("after {number}")]);
        until("it is resumed", || rig.count(Kind::Resumed) == number as u64 + 1).await;
    }
    assert_eq!(rig.count(Kind::Identified), 1);
}

#[tokio::test]
async fn a_new_session_of_discord_is_one_of_the_host_as_well() {
    let rig = Rig::new().await;
    let (mut host, _, _) = rig.open().await;
    inject(&rig, Command::InvalidSession { resumable: false }).await;
    loop {
        let payload = host.next().await;
        if payload["op"] == 9 {
            assert_eq!(payload["d"], false);
            break;
        }
    }
    host.sequence = 0;
    host.identify(rig.sandbox.token(), INTENTS, (0, 1)).await;
    host.event("READY").await;
    host.event("GUILD_CREATE").await;
    assert_eq!(rig.count(Kind::Identified), 2);
}

#[tokio::test]
async fn a_final_refusal_reaches_the_host() {
    let rig = Rig::with(Sandbox::builder().privileged_intents(Intents::empty())).await;
    let mut host = rig.host().await;
    host.identify(rig.sandbox.token(), INTENTS, (0, 1)).await;
    assert_eq!(host.closed().await, 4014);
    for code in [4004, 4010, 4011, 4012, 4013, 4014] {
        let rig = Rig::new().await;
        let (mut host, _, _) = rig.open().await;
        inject(&rig, Command::Close { code, reason: String::new() }).await;
        assert_eq!(host.closed().await, code);
        // The next attempt is a new one.
        rig.open().await;
        assert_eq!(rig.count(Kind::Identified), 2);
    }
}

#[tokio::test]
async fn a_host_is_told_what_it_does_wrong() {
    let rig = Rig::new().await;
    let mut host = rig.host().await;
    host.send(json!({"op": 99})).await;
    assert_eq!(host.closed().await, 4001);
    let mut host = rig.host().await;
    host.send(json!({"op": 2, "d": {"token": 7}})).await;
    assert_eq!(host.closed().await, 4002);
    let (mut host, _, _) = rig.open().await;
    host.identify(rig.sandbox.token(), INTENTS, (0, 1)).await;
    assert_eq!(host.closed().await, 4005);
    let (mut host, _, _) = rig.open().await;
    host.send(json!({"op": 1, "d": null})).await;
    while host.next().await["op"] != 11 {}
    for _ in 0..1000 {
        host.send(json!({"op": 3, "d": {"since": null, "activities": [], "status": "idle", "afk": false}}))
            .await;
    }
    assert_eq!(host.closed().await, 4008);
    assert_eq!(rig.count(Kind::Closed), 0, "Discord's limit is kept");
}
