//! The voice servers of `sandbox-voice`, connected to the sandbox's log and faults.

use std::sync::Arc;

use sandbox_voice::fault::{Direction, VoiceConnectEffect, VoiceEffect, VoicePlace};
pub use sandbox_voice::{
    Between, Command, Counts, Dave, Frame, Heard, Mode, Options, Root, StreamHeard, Target, Voice, close, wav,
};
use sandbox_voice::{Data, Event as VoiceEvent, Host};
pub(crate) use sandbox_voice::{Running, start};

use crate::event_log::{Body, Event, EventLog, Json};
use crate::fault::{Faults, Strike};

/// Creates voice without servers, which writes to this log and is subject to these faults.
pub(crate) fn voice(options: Options, log: EventLog, faults: Faults) -> Voice {
    Voice::new(options, Arc::new(Surroundings { log, faults }))
}

struct Surroundings {
    log: EventLog,
    faults: Faults,
}

impl Surroundings {
    fn event(&self, event: VoiceEvent) -> Event {
        match event {
            VoiceEvent::Connected { conn, region, version } => {
                Event::VoiceConnected { conn, region, version }
            }
            VoiceEvent::Identified { conn, guild, channel, user, session, ssrc, max_dave } => {
                Event::VoiceIdentified { conn, guild, channel, user, session, ssrc, max_dave }
            }
            VoiceEvent::Resumed { conn, guild, user, replayed } => {
                Event::VoiceResumed { conn, guild, user, replayed }
            }
            VoiceEvent::Sent { conn, user, op, seq, data } => {
                Event::VoiceSent { conn, user, op, seq, data: body(data, |json| json) }
            }
            VoiceEvent::Received { conn, user, op, data } => {
                let data = body(data, |json| self.log.redactor().shared(&json));
                Event::VoiceReceived { conn, user, op, data }
            }
            VoiceEvent::Heard { guild, channel, user, ssrc } => {
                Event::VoiceHeard { guild, channel, user, ssrc }
            }
            VoiceEvent::Closed { conn, guild, user, code, reason, by } => {
                Event::VoiceClosed { conn, guild, user, code, reason, by }
            }
            VoiceEvent::Ended { guild, channel, user, ssrc, reason } => {
                Event::VoiceEnded { guild, channel, user, ssrc, reason }
            }
            VoiceEvent::Fault { rule, place, effect } => Event::Fault { rule, place, effect },
        }
    }
}

impl Host for Surroundings {
    fn log(&self, event: VoiceEvent) {
        self.log.push(self.event(event));
    }

    fn mark(&self, secret: &str) -> String {
        self.log.redactor().mark(secret)
    }

    fn on_connect(&self) -> Option<Strike<VoiceConnectEffect>> {
        self.faults.on_voice_connect()
    }

    fn on_received(&self, place: VoicePlace) -> Option<Strike<VoiceEffect>> {
        self.faults.on_voice_received(place)
    }

    fn on_packet(&self, direction: Direction, place: VoicePlace) -> Option<Strike<()>> {
        self.faults.on_voice_packet(direction, place)
    }
}

/// Returns the data of a payload in the form of the log.
fn body(data: Data, redact: impl FnOnce(Json) -> Json) -> Body {
    match data {
        Data::Json(json) => Body::from(redact(Json::from(json))),
        Data::Omitted { what, bytes } => {
            Body::Omitted { content_type: what.into(), bytes: Some(bytes as u64) }
        }
    }
}
