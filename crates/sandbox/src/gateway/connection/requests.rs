//! Requests of an identified client. Answers are events of its session.

use serde_json::{Value, json};

use super::Connection;
use crate::gateway::event::Event;
use crate::gateway::members::{self, Unanswered};
use crate::gateway::payload::{MembersRequest, Request};
use crate::gateway::session::Session;

impl Connection {
    /// Handles a request of an identified client. Answers are events of its session.
    pub(super) fn ask(&self, request: Request, session: &Session) {
        let viewer = &session.viewer;
        match request {
            Request::Heartbeat | Request::Identify(_) | Request::Resume(_) => {}
            Request::Presence(presence) => self.backend.presence_update(viewer.bot, &presence),
            Request::VoiceState(update) => {
                if session.has_guild(update.guild_id) {
                    self.backend.voice_state_update(viewer.bot, &session.id, &update);
                } else {
                    self.note("VOICE_STATE_UPDATE", Unanswered::NoGuild);
                }
            }
            Request::Members(request) => self.members(&request, session),
            Request::Soundboard(guilds) => {
                for guild in guilds.into_iter().filter(|guild| session.has_guild(*guild)) {
                    let sounds = self.backend.soundboard_sounds(viewer.bot, guild);
                    self.answer(
                        session,
                        "SOUNDBOARD_SOUNDS",
                        &json!({"guild_id": guild, "soundboard_sounds": sounds}),
                    );
                }
            }
            Request::ChannelInfo(request) if session.has_guild(request.guild_id) => {
                let guild = request.guild_id;
                let channels = self.backend.channel_info(viewer.bot, guild, &request.fields);
                self.answer(session, "CHANNEL_INFO", &json!({"guild_id": guild, "channels": channels}));
            }
            Request::ChannelInfo(_) => self.note("REQUEST_CHANNEL_INFO", Unanswered::NoGuild),
        }
    }

    fn members(&self, request: &MembersRequest, session: &Session) {
        let guild = request.guild_id;
        if !session.has_guild(guild) {
            return self.note("REQUEST_GUILD_MEMBERS", Unanswered::NoGuild);
        }
        let chunks = match members::chunks(&*self.backend, &session.viewer, request) {
            Ok(chunks) => chunks,
            // Discord does not answer either. The log contains the reason.
            Err(why) => return self.note("REQUEST_GUILD_MEMBERS", why),
        };
        if let Some(every) = self.hub.options().member_list_every
            && members::wants_all(request)
            && let Err(wait) =
                self.hub.listings().ask(self.hub.clock().instant(), session.viewer.bot, guild, every)
        {
            let mut meta = json!({"guild_id": guild});
            if let Some(nonce) = request.nonce() {
                meta["nonce"] = nonce.into();
            }
            let limited = json!({"opcode": 8, "retry_after": wait.as_secs_f64(), "meta": meta});
            return self.answer(session, "RATE_LIMITED", &limited);
        }
        for chunk in &chunks {
            self.answer(session, "GUILD_MEMBERS_CHUNK", chunk);
        }
    }

    fn answer(&self, session: &Session, name: &'static str, data: &Value) {
        session.push(Event::new(name, data, self.hub.log()), self.hub.options());
    }

    fn note(&self, request: &str, why: Unanswered) {
        self.hub.log().note(format!("connection {}: {request} gets no answer: {why}", self.id), None);
    }
}
