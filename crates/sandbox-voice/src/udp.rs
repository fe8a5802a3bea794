//! Audio: one thread for each server receives its packets, records what it hears and forwards it to the others in the
//! call.
//!
//! A thread rather than a task, so that the times between packets are those of the sender and not of a busy runtime.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;

use super::dave::Unopened;
use super::receive::Packet;
use super::rtp::{self, Header};
use super::session::{Opened, Session};
use super::state::{Frame, Voice};
use super::{close, discovery};
use crate::fault::{Direction, VoicePlace};
use crate::host::Event;

/// Longest datagram that is read whole, in bytes; voice packets are far below it.
const LONGEST: usize = 4096;
/// Longest keepalive, in bytes: a counter of 8 bytes, or an SSRC of 4.
const KEEPALIVE: usize = 8;
/// How long the thread may sleep before it checks whether it is to end.
const NAP: Duration = Duration::from_millis(500);

/// Running thread of a server; dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Running {
    ended: Arc<AtomicBool>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

/// Starts the thread of a server.
pub(super) fn start(voice: &Voice, socket: Arc<UdpSocket>) -> io::Result<Running> {
    socket.set_read_timeout(Some(NAP))?;
    let address = socket.local_addr()?;
    let ended = Arc::new(AtomicBool::new(false));
    let (end, voice) = (ended.clone(), voice.downgrade());
    let thread = std::thread::Builder::new().name("sandbox-voice".into()).spawn(move || {
        let mut buffer = [0; LONGEST];
        while !end.load(Ordering::Acquire) {
            // An error of one datagram, or of a client that is gone, does not concern the others.
            let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
            let at = Instant::now();
            let Some(voice) = Voice::upgrade(&voice) else { return };
            Ears { voice: &voice, socket: &socket }.take(&buffer[..length], from, at);
        }
    })?;
    Ok(Running { ended, address, thread: Some(thread) })
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // An empty datagram wakes the thread; if it is lost, the thread wakes by itself soon.
        let _ = UdpSocket::bind((self.address.ip(), 0)).and_then(|socket| socket.send_to(&[], self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Ears<'a> {
    voice: &'a Voice,
    socket: &'a UdpSocket,
}

impl Ears<'_> {
    fn take(&self, packet: &[u8], from: SocketAddr, at: Instant) {
        let header = Header::read(packet);
        let asked = discovery::request(packet);
        let ssrc = asked.or(header.map(|header| header.ssrc)).or_else(|| keepalive_ssrc(packet));
        let session = ssrc.and_then(|ssrc| self.voice.by_ssrc(ssrc));
        if self.is_lost(Direction::Received, session.as_deref()) {
            return;
        }
        if let Some(ssrc) = asked {
            if session.is_some() {
                self.send(&discovery::response(ssrc, from), from, session.as_deref());
            }
        } else if let (Some(header), Some(session)) = (header, &session) {
            self.audio(&header, packet, session, at);
            self.voice.ring();
        } else if !packet.is_empty() && packet.len() <= KEEPALIVE && !rtp::is_control(packet) {
            self.send(packet, from, session.as_deref());
        }
    }

    fn audio(&self, header: &Header, packet: &[u8], session: &Arc<Session>, at: Instant) {
        let (clear, sealed) = packet.split_at(header.clear);
        let grace = self.voice.options().speaking_grace;
        let (opened, announced) = session.open(clear, sealed, at, grace);
        let body = match opened {
            Opened::Body(body) => body,
            Opened::Sealed => {
                return session.receiver.lock().count(session.ssrc, |counts| counts.undecryptable += 1);
            }
            Opened::Muted => return session.receiver.lock().count(session.ssrc, |counts| counts.muted += 1),
            Opened::Unannounced => return self.voice.end(session, close::invalid_ssrc()),
        };
        let Some(payload) = header.payload(&body) else {
            return session.receiver.lock().count(session.ssrc, |counts| counts.undecryptable += 1);
        };
        let frame = session.call.open(session.user, payload);
        let heard = Packet {
            at,
            sequence: header.sequence,
            timestamp: header.timestamp,
            bytes: packet.len(),
            frame: frame.as_ref().ok().map(|frame| &*frame.opus),
        };
        let mut receiver = session.receiver.lock();
        receiver.count(session.ssrc, |counts| match &frame {
            Ok(frame) => counts.encrypted += u64::from(frame.encrypted),
            Err(Unopened::Undecryptable) => {}
            Err(Unopened::Plain) => counts.unopened_plain += 1,
            Err(Unopened::Unheard) => counts.unopened_unheard += 1,
        });
        if !announced {
            receiver.count(session.ssrc, |counts| counts.unannounced += 1);
        }
        let is_first = receiver.receive(session.ssrc, &heard);
        drop(receiver);
        if let Ok(frame) = &frame {
            let Session { guild, channel, user, ssrc, .. } = **session;
            let (sequence, timestamp) = (header.sequence, header.timestamp);
            let opus = || frame.opus.to_vec();
            self.voice.publish(|| Frame { guild, channel, user, ssrc, sequence, timestamp, opus: opus() });
        }
        if is_first {
            let Session { guild, channel, user, ssrc, .. } = **session;
            self.voice.host().log(Event::Heard { guild, channel, user, ssrc });
        }
        for other in self.voice.others(session) {
            if let Some((sealed, address)) = other.seal(clear, &body) {
                self.send(&sealed, address, Some(&other));
            }
        }
    }

    fn send(&self, packet: &[u8], to: SocketAddr, session: Option<&Session>) {
        if !self.is_lost(Direction::Sent, session) {
            // A client that is gone cannot be reached; its websocket reports it.
            let _ = self.socket.send_to(packet, to);
        }
    }

    /// Returns whether an injected fault drops a packet.
    fn is_lost(&self, way: Direction, session: Option<&Session>) -> bool {
        let place = VoicePlace {
            op: None,
            guild: session.map(|session| session.guild),
            user: session.map(|session| session.user),
        };
        let Some(strike) = self.voice.host().on_packet(way, place) else { return false };
        if strike.times == 1 {
            let place = "voice packets".to_owned();
            let effect = json!({ "lost": way });
            self.voice.host().log(Event::Fault { rule: Some(strike.rule), place, effect });
        }
        true
    }
}

/// Returns the SSRC of a keepalive that carries one.
fn keepalive_ssrc(packet: &[u8]) -> Option<u32> {
    packet.try_into().ok().map(u32::from_be_bytes)
}
