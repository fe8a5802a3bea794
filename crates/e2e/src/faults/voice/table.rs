//! All rows of voice: all close codes, and other faults of a call.

use super::scenarios::{self, Scenario};
use super::{Ending, Fault, Row};

/// Creates a row of a connection that is closed with a code, once.
const fn closed(name: &'static str, code: u16, ending: Ending, told: &'static str) -> Row {
    let joins = if matches!(ending, Ending::Rejoins) { 1 } else { 0 };
    Row { name, fault: Fault::Close(code), ending, joins, told }
}

/// Creates any other row.
const fn scenario(name: &'static str, run: Scenario, ending: Ending, joins: u64, told: &'static str) -> Row {
    Row { name, fault: Fault::Scenario(run), ending, joins, told }
}

/// All rows, in the order in which they are printed.
pub const ROWS: &[Row] = &[
    closed("voice closed: 4001 unknown opcode", 4001, Ending::Rejoins, "(close code 4001)"),
    closed("voice closed: 4002 failed to decode", 4002, Ending::Rejoins, "(close code 4002)"),
    closed("voice closed: 4003 not authenticated", 4003, Ending::Rejoins, "(close code 4003)"),
    closed("voice closed: 4004 authentication failed", 4004, Ending::GivesUp, "(close code 4004)"),
    closed("voice closed: 4005 already authenticated", 4005, Ending::Rejoins, "(close code 4005)"),
    closed("voice closed: 4006 session invalid", 4006, Ending::Rejoins, "(close code 4006)"),
    closed("voice closed: 4009 session timeout", 4009, Ending::PlaysOn, ""),
    closed("voice closed: 4011 server not found", 4011, Ending::Rejoins, "(close code 4011)"),
    closed("voice closed: 4012 unknown protocol", 4012, Ending::Rejoins, "(close code 4012)"),
    closed(
        "voice closed: 4014, and no word of a move",
        4014,
        Ending::Leaves,
        "disconnected from the voice channel",
    ),
    closed("voice closed: 4015 server crashed", 4015, Ending::PlaysOn, ""),
    closed("voice closed: 4016 unknown encryption", 4016, Ending::GivesUp, "(close code 4016)"),
    closed("voice closed: 4017 encryption required", 4017, Ending::GivesUp, "(close code 4017)"),
    closed("voice closed: 4020 bad request", 4020, Ending::Rejoins, "(close code 4020)"),
    closed("voice closed: 4021 rate limited", 4021, Ending::GivesUp, "(close code 4021)"),
    closed("voice closed: 4022 call ended", 4022, Ending::GivesUp, "(close code 4022)"),
    Row {
        name: "voice closed: 4006, at each attempt again",
        fault: Fault::CloseAlways(4006),
        ending: Ending::GivesUp,
        joins: 0,
        told: "(close code 4006)",
    },
    Row {
        name: "voice closed: 4006, then 4017 at the rejoin",
        fault: Fault::Scenario(scenarios::refused_at_rejoin),
        ending: Ending::GivesUp,
        joins: 0,
        told: "(close code 4017)",
    },
    scenario("voice gateway dropped", scenarios::severed, Ending::PlaysOn, 0, ""),
    scenario("voice packets lost, 5 %", scenarios::lossy, Ending::PlaysOn, 0, ""),
    scenario("voice UDP dead for 5 s", scenarios::dead_socket, Ending::PlaysOn, 0, ""),
    scenario(
        "voice UDP dead at a rejoin",
        scenarios::dead_socket_at_join,
        Ending::Rejoins,
        3,
        "(close code 4006)",
    ),
    scenario("voice server answers no heartbeat", scenarios::unanswered_heartbeats, Ending::PlaysOn, 0, ""),
    scenario(
        "voice server stalls at a rejoin",
        scenarios::stalled_server,
        Ending::Rejoins,
        1,
        "(close code 4006)",
    ),
    scenario(
        "voice server refuses for good",
        scenarios::refusing_server,
        Ending::GivesUp,
        0,
        "cannot be reached",
    ),
    scenario(
        "no VOICE_SERVER_UPDATE, once",
        scenarios::no_server_update_once,
        Ending::Rejoins,
        1,
        "(close code 4006)",
    ),
    scenario(
        "no VOICE_SERVER_UPDATE, ever",
        scenarios::no_server_update,
        Ending::GivesUp,
        0,
        "did not answer",
    ),
    scenario(
        "voice region changed: endpoint null, then new",
        scenarios::region_change,
        Ending::Rejoins,
        1,
        "connection restored",
    ),
    scenario("bot moved by a moderator", scenarios::moved, Ending::Moves, 1, ""),
    scenario("bot disconnected by a moderator", scenarios::disconnected, Ending::Leaves, 0, "disconnected"),
    scenario("voice channel deleted", scenarios::channel_deleted, Ending::Leaves, 0, "disconnected"),
];
