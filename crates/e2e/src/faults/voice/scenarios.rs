//! Scenarios of voice, for rows of the table.

use std::future::Future;
use std::io;
use std::pin::Pin;

use sandbox::event_log::Kind;
use sandbox::fault::{
    Direction, On, Rule, VoiceConnectEffect, VoiceConnectRule, VoiceEffect, VoicePacketRule, VoiceRule,
    VoiceServerEffect, VoiceServerRule,
};
use sandbox::voice::{Command, Target};
use serde_json::json;

use super::Stage;
use crate::faults::scenarios::until;
use crate::song::RATE;

/// A scenario on a stage, which ends when the fault has happened.
pub type Scenario = fn(&mut Stage) -> ScenarioFuture<'_>;

/// A scenario in progress.
pub type ScenarioFuture<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// Opcode with which a client begins a session.
const IDENTIFY: u64 = 0;
/// Opcode of a heartbeat.
const HEARTBEAT: u64 = 3;
/// Close code after which the bot requests a new session.
const INVALID_SESSION: u16 = 4006;

async fn command(stage: &Stage, command: &Command) -> io::Result<()> {
    let closed = stage.host.sandbox.event_log().count(Kind::VoiceClosed);
    let client = stage.host.sandbox.client();
    client.voice_command(Target::default(), command).await.map_err(io::Error::other)?;
    happened(stage, Kind::VoiceClosed, closed).await
}

/// Waits until the record contains more than `before` entries of a kind.
async fn happened(stage: &Stage, kind: Kind, before: u64) -> io::Result<()> {
    let record = stage.host.sandbox.event_log();
    until(&format!("{kind:?} happens"), || record.count(kind) > before).await
}

async fn add(stage: &Stage, rule: Rule) -> io::Result<()> {
    stage.host.sandbox.client().add_fault(&rule).await.map(|_| ()).map_err(io::Error::other)
}

async fn mend(stage: &Stage) -> io::Result<()> {
    stage.host.sandbox.client().remove_fault(None).await.map_err(io::Error::other)
}

/// Closes the voice connection with a code.
pub(super) async fn close(stage: &Stage, code: u16) -> io::Result<()> {
    command(stage, &Command::Close { code, reason: String::new() }).await
}

/// Closes every session that begins from now on with a code.
pub(super) async fn close_at_identify(stage: &Stage, code: u16) -> io::Result<()> {
    let effect = VoiceEffect::Close { code, reason: String::new() };
    add(stage, Rule::new(On::VoiceReceived(VoiceRule { op: Some(IDENTIFY), effect, ..VoiceRule::default() })))
        .await
}

/// Closes the connection, and then the next session with a final code.
pub fn refused_at_rejoin(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        close_at_identify(stage, 4017).await?;
        close(stage, INVALID_SESSION).await
    })
}

/// Drops the voice gateway's connection without closing it.
pub fn severed(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async { command(stage, &Command::Sever).await })
}

/// Loses every twentieth packet for three seconds.
pub fn lossy(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        let direction = Some(Direction::Received);
        add(
            stage,
            Rule::new(On::VoicePacket(VoicePacketRule {
                direction,
                percent: 5.0,
                ..VoicePacketRule::default()
            })),
        )
        .await?;
        let room = &stage.host.rooms[0];
        stage.host.until_heard(room, stage.host.position(room) + 3 * u64::from(RATE)).await?;
        let lost = stage.host.heard(room).map_or(0, |heard| heard.counts.lost);
        if lost == 0 { Err(io::Error::other("no packet was lost")) } else { Ok(()) }
    })
}

/// Drops all packets in both directions for five seconds.
pub fn dead_socket(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        add(stage, Rule::new(On::VoicePacket(VoicePacketRule::default()))).await?;
        // The time is part of the fault.
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        mend(stage).await
    })
}

/// Drops all packets in both directions while the bot joins again, until its second attempt.
pub fn dead_socket_at_join(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        add(stage, Rule::new(On::VoicePacket(VoicePacketRule::default()))).await?;
        close(stage, INVALID_SESSION).await?;
        let joins = stage.host.joins();
        happened(stage, Kind::VoiceIdentified, joins).await?;
        happened(stage, Kind::VoiceIdentified, joins + 1).await?;
        mend(stage).await
    })
}

/// Stops acknowledging heartbeats.
pub fn unanswered_heartbeats(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        let closed = stage.host.sandbox.event_log().count(Kind::VoiceClosed);
        let effect = VoiceEffect::Ignore;
        add(
            stage,
            Rule::new(On::VoiceReceived(VoiceRule { op: Some(HEARTBEAT), effect, ..VoiceRule::default() })),
        )
        .await?;
        happened(stage, Kind::VoiceClosed, closed).await?;
        mend(stage).await
    })
}

/// Lets the next websocket open, but sends nothing on it.
pub fn stalled_server(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        let effect = VoiceConnectEffect::Stall;
        add(stage, Rule::new(On::VoiceConnect(VoiceConnectRule { effect })).times(1)).await?;
        close(stage, INVALID_SESSION).await
    })
}

/// Refuses every websocket.
pub fn refusing_server(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        let effect = VoiceConnectEffect::Refuse { status: 503 };
        add(stage, Rule::new(On::VoiceConnect(VoiceConnectRule { effect }))).await?;
        close(stage, INVALID_SESSION).await
    })
}

fn voice_server(effect: VoiceServerEffect) -> Rule {
    Rule::new(On::VoiceServer(VoiceServerRule { effect, ..VoiceServerRule::default() }))
}

/// Withholds the voice server from the bot, once.
pub fn no_server_update_once(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        add(stage, voice_server(VoiceServerEffect::Withhold).times(1)).await?;
        close(stage, INVALID_SESSION).await
    })
}

/// Always withholds the voice server from the bot.
pub fn no_server_update(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        add(stage, voice_server(VoiceServerEffect::Withhold)).await?;
        close(stage, INVALID_SESSION).await
    })
}

/// Moves the call to another server: an update without an endpoint, then one with.
pub fn region_change(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        let joins = stage.host.joins();
        let room = &stage.host.rooms[0];
        let client = stage.host.sandbox.client();
        let (guild, channel) = (room.guild.to_string(), room.channel.to_string());
        client.change_region(&guild, &channel, None).await.map_err(io::Error::other)?;
        happened(stage, Kind::VoiceIdentified, joins).await
    })
}

/// Moves the bot as a moderator does, to a channel with a listener.
pub fn moved(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        let client = stage.host.sandbox.client();
        let room = &stage.host.rooms[0];
        let (guild, bot) = (room.guild.to_string(), stage.host.sandbox.bot_id().to_string());
        client.enter_voice(&guild, "bob", "Lounge").await.map_err(io::Error::other)?;
        client.enter_voice(&guild, &bot, "Lounge").await.map_err(io::Error::other)
    })
}

/// Disconnects the bot as a moderator does.
pub fn disconnected(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        let client = stage.host.sandbox.client();
        let guild = stage.host.rooms[0].guild.to_string();
        let bot = stage.host.sandbox.bot_id().to_string();
        client.leave_voice(&guild, &bot).await.map_err(io::Error::other)
    })
}

/// Deletes the voice channel.
pub fn channel_deleted(stage: &mut Stage) -> ScenarioFuture<'_> {
    Box::pin(async {
        let path = format!("channels/{}", stage.host.rooms[0].channel);
        let gone = stage.host.rest("DELETE", &path, None).await?;
        if gone["type"] == json!(2) { Ok(()) } else { Err(io::Error::other(format!("deleted {gone}"))) }
    })
}
