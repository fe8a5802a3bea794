//! IDENTIFY, SELECT PROTOCOL, SPEAKING and RESUME: how a session is created and receives audio.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use sandbox_net::ws::Ending;
use serde_json::{Value, json};

use super::connection::Connection;
use crate::call::Job;
use crate::close;
use crate::host::Event;
use crate::payload::{BUFFERED, Identify, Resume, Select, Speaking, op};
use crate::session::Session;
use crate::state::Voice;

impl Connection {
    pub(super) fn identify(&mut self, identify: Identify) -> Result<(), Ending> {
        let session = self.voice.identify(self.region, identify)?;
        let Session { guild, channel, user, ssrc, max_dave, .. } = *session;
        let identified = Event::Identified {
            conn: self.id,
            guild,
            channel,
            user,
            session: session.session_id.clone(),
            ssrc,
            max_dave,
        };
        self.voice.host().log(identified);
        session.attach(self.id);
        self.voice.relink(self.id, Some(session.clone()));
        self.written = 0;
        let modes = &self.voice.options().modes;
        let ready = json!({
            "ssrc": ssrc,
            "ip": self.local.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            "port": self.voice.servers().get(self.region).map(|server| server.port),
            "modes": modes,
            // "An erroneous field and should be ignored" (Voice); a client that does not is noticed here.
            "heartbeat_interval": 1,
        });
        self.voice.send(&session, op::READY, ready);
        session.call.queue(Job::Connect(session.clone()));
        self.session = Some(session);
        Ok(())
    }

    pub(super) fn select(&self, session: &Arc<Session>, select: &Select) -> Result<(), Ending> {
        if !self.voice.options().modes.contains(&select.mode) {
            return Err(close::unknown_mode().into());
        }
        let key = Voice::key();
        session.select(select.mode, SocketAddr::new(select.address, select.port), &key);
        session.call.queue(Job::Describe(session.clone(), select.mode, key));
        Ok(())
    }

    pub(super) fn speaking(session: &Arc<Session>, speaking: &Speaking) -> Result<(), Ending> {
        if speaking.ssrc.is_some_and(|ssrc| ssrc != session.ssrc) {
            return Err(close::bad_request("SPEAKING names an SSRC that READY did not give").into());
        }
        session.announce();
        let data = json!({
            "speaking": speaking.speaking,
            "delay": speaking.delay.unwrap_or(0),
            "ssrc": session.ssrc,
            "user_id": session.user,
        });
        session.call.queue(Job::Speaking(session.clone(), data));
        Ok(())
    }

    pub(super) async fn resume(&mut self, resume: &Resume) -> Result<(), Ending> {
        let session = self.voice.resume(resume).ok_or_else(close::invalid_session)?;
        let buffered = self.version >= BUFFERED;
        let Some(written) = session.resume_at(resume.seq_ack, buffered) else {
            self.voice.end(&session, close::forgotten());
            return Err(close::forgotten().into());
        };
        if session.attach(self.id).is_some() {
            // The connection that had it learns that it was replaced.
            session.changed.notify_one();
        }
        self.written = written;
        self.voice.relink(self.id, Some(session.clone()));
        let (guild, user) = (session.guild, session.user);
        let replayed = session.newest().saturating_sub(written);
        self.voice.host().log(Event::Resumed { conn: self.id, guild, user, replayed });
        self.session = Some(session);
        self.send(op::RESUMED, Value::Null).await
    }
}
