//! `sandbox fault voice`: faults of voice.

use clap::{Args, Subcommand, ValueEnum};
use sandbox::Client;
use sandbox::fault::{
    Direction, On, Rule, VoiceConnectEffect, VoiceConnectRule, VoiceEffect, VoicePacketRule, VoiceRule,
    VoiceServerEffect, VoiceServerRule,
};
use sandbox::snowflake::Snowflake;
use sandbox::voice::{Command, Target};

use super::super::{Failure, Outcome, terminal};
use super::{add, find};

#[derive(Debug, Args)]
pub(in crate::cli) struct Voice {
    #[command(subcommand)]
    what: What,
    /// Bot that is meant, by name or id; any unless given.
    #[arg(long, global = true)]
    user: Option<String>,
    /// How often a rule strikes; always unless given.
    #[arg(long, global = true)]
    count: Option<u64>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Drop voice connections without a close frame, now.
    Drop,
    /// Close voice connections with a code, now.
    Close {
        /// Close code, as in 4014.
        code: u16,
    },
    /// Lose UDP packets at random.
    Loss {
        /// How many of a hundred.
        percent: f64,
        /// Way that they go; both unless given.
        #[arg(long)]
        direction: Option<Way>,
    },
    /// Lose every UDP packet, those of IP discovery too.
    Dead,
    /// Never send this to new connections.
    Stall {
        /// What never comes.
        #[arg(default_value = "hello")]
        before: Stage,
    },
    /// Send no VOICE_SERVER_UPDATE to bots that join.
    NoServer,
    /// Send a VOICE_SERVER_UPDATE without an endpoint to bots that join.
    NullEndpoint,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Way {
    Received,
    Sent,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Stage {
    /// The first message of the server.
    Hello,
    /// The answer to IDENTIFY.
    Ready,
    /// The answer to SELECT PROTOCOL.
    SessionDescription,
    /// The answer to a heartbeat.
    HeartbeatAck,
}

pub(super) async fn run(client: &Client, voice: Voice) -> Result<Outcome, Failure> {
    let user = match &voice.user {
        Some(name) => Some(find(client, name).await?),
        None => None,
    };
    let packets =
        |percent, direction| On::VoicePacket(VoicePacketRule { direction, guild: None, user, percent });
    let server = |effect| On::VoiceServer(VoiceServerRule { guild: None, user, effect });
    let on = match voice.what {
        What::Drop => return now(client, user, Command::Sever).await,
        What::Close { code } => {
            return now(client, user, Command::Close { code, reason: String::new() }).await;
        }
        What::Loss { percent, direction } => packets(
            percent,
            direction.map(|way| match way {
                Way::Received => Direction::Received,
                Way::Sent => Direction::Sent,
            }),
        ),
        What::Dead => packets(100.0, None),
        What::Stall { before } => stall(before),
        What::NoServer => server(VoiceServerEffect::Withhold),
        What::NullEndpoint => server(VoiceServerEffect::NullEndpoint),
    };
    let mut rule = Rule::new(on);
    rule.count = voice.count;
    add(client, &rule).await
}

fn stall(before: Stage) -> On {
    let op = match before {
        Stage::Hello => {
            return On::VoiceConnect(VoiceConnectRule { effect: VoiceConnectEffect::Stall });
        }
        Stage::Ready => 0,
        Stage::SessionDescription => 1,
        Stage::HeartbeatAck => 3,
    };
    On::VoiceReceived(VoiceRule { op: Some(op), effect: VoiceEffect::Ignore, ..VoiceRule::default() })
}

async fn now(client: &Client, user: Option<Snowflake>, command: Command) -> Result<Outcome, Failure> {
    let sent = client.voice_command(Target { guild: None, user }, &command).await?;
    terminal::json_line(&sent["connections"])?;
    Ok(Outcome::Good)
}
