//! IDENTIFY and RESUME: how a connection gets its session.

use std::sync::Arc;

use rand::Rng;
use serde_json::json;

use super::{Connection, Ending};
use crate::event_log;
use crate::gateway::event::Event;
use crate::gateway::payload::{Identify, Resume, op};
use crate::gateway::session::{NoResume, Session};
use crate::gateway::starts::TooMany;
use crate::gateway::viewer::Viewer;
use crate::gateway::{Intents, close, roster};
use crate::snowflake::Snowflake;

impl Connection {
    pub(super) async fn identify(&mut self, identify: Identify) -> Result<(), Ending> {
        let Some(bot) = self.authenticate(&identify.token) else {
            return Err(close::authentication_failed().into());
        };
        let shard = identify.shard.unwrap_or([0, 1]);
        let intents = identify.intents;
        let options = self.hub.options().clone();
        // Discord limits IDENTIFY calls, whatever their result.
        match self.hub.starts().start(self.hub.clock().instant(), bot, shard[0], &options) {
            Ok(()) => {}
            Err(TooMany::AtOnce) => return self.send(op::INVALID_SESSION, false.into()).await,
            Err(TooMany::Today) => {
                for session in self.hub.sessions_of(bot) {
                    self.hub.end(&session, "the bot started too many sessions in a day");
                }
                return Err(close::authentication_failed().into());
            }
        }
        if !self.backend.privileged_intents(bot).contains(intents & Intents::PRIVILEGED) {
            return Err(close::disallowed_intents().into());
        }
        let viewer = Viewer { bot, shard, intents, large_threshold: identify.large_threshold };
        let mine = |guild: &Snowflake| viewer.is_on_shard(Some(*guild));
        if self.backend.guilds(bot).iter().filter(|guild| mine(guild)).count() > options.guilds_per_shard {
            return Err(close::sharding_required().into());
        }

        let id: Arc<str> = format!("{:032x}", rand::rng().random::<u128>()).into();
        // Before the session is there, so that it is not told of its own bot, which GUILD_CREATE shows as online.
        match &identify.presence {
            Some(presence) => self.backend.presence_update(bot, presence),
            None if self.hub.sessions_of(bot).is_empty() => {
                self.backend.presence_update(bot, &json!({ "status": "online", "activities": [] }));
            }
            None => {}
        }
        let session = Arc::new(Session::new(id.clone(), viewer, identify.compress, &self.backend));
        session.attach(self.id);
        self.hub.add(session.clone());
        session.connection_changed();
        // From here on events wait in the session, so it misses none of the events after the backend's answers.
        let guilds: Vec<_> = self.backend.guilds(bot).into_iter().filter(mine).collect();
        let ready = self.ready(&session, identify.shard, &guilds);
        let pending = if intents.contains(Intents::GUILDS) { &guilds[..] } else { &[] };
        self.enter_session(session.clone(), 0);
        self.hub.log().push(event_log::Event::Identified {
            conn: self.id,
            session: id,
            bot,
            shard,
            intents,
            compress: identify.compress,
        });
        session.open(ready, guilds.iter().copied().collect(), pending, self.hub.log(), &options);
        self.backend.session_started(&session.info());
        Ok(())
    }

    /// Makes the next GUILD_CREATE of a session that has just been opened. Returns whether there was one to make.
    pub(super) fn next_guild(&self, session: &Session) -> bool {
        let Some(guild) = session.next_pending() else { return false };
        let create = self.backend.guild_create(session.viewer.bot, guild).map(|mut data| {
            // This distinguishes a guild that was there from one that the bot has just been added to.
            data["unavailable"] = false.into();
            roster::reduce(&mut data, &session.viewer);
            Event::new("GUILD_CREATE", &data, self.hub.log())
        });
        session.available(guild, create, self.hub.log(), self.hub.options());
        true
    }

    fn ready(&self, session: &Session, shard: Option<[u32; 2]>, guilds: &[Snowflake]) -> Event {
        let profile = self.backend.profile(session.viewer.bot);
        let guilds: Vec<_> = guilds.iter().map(|id| json!({"id": id, "unavailable": true})).collect();
        let mut ready = json!({
            "v": self.version,
            "user": profile.user,
            "guilds": guilds,
            "session_id": &*session.id,
            "resume_gateway_url": self.resume_url,
            "application": profile.application,
            // Not documented, but Discord sends them to bots too, and older libraries (eris) read them.
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "guild_join_requests": [],
            "geo_ordered_rtc_regions": [],
            "user_settings": {},
            "auth": {},
            "session_type": "normal",
            "_trace": [],
        });
        if let Some(shard) = shard {
            ready["shard"] = json!(shard);
        }
        Event::new("READY", &ready, self.hub.log())
    }

    pub(super) async fn resume(&mut self, resume: Resume) -> Result<(), Ending> {
        let Some(bot) = self.authenticate(&resume.token) else {
            return Err(close::authentication_failed().into());
        };
        let session = self.hub.session(&resume.session_id).filter(|session| session.viewer.bot == bot);
        let Some(session) = session else {
            return self.send(op::INVALID_SESSION, false.into()).await;
        };
        let resumed = Event::new("RESUMED", &json!({}), self.hub.log());
        match session.resume(self.id, resume.seq, resumed, self.hub.options()) {
            Ok((before, replayed)) => {
                if let Some(before) = before {
                    self.hub.replace(before);
                }
                self.enter_session(session.clone(), resume.seq);
                self.hub.log().push(event_log::Event::Resumed {
                    conn: self.id,
                    session: session.id.clone(),
                    bot,
                    seq: resume.seq,
                    replayed,
                });
                Ok(())
            }
            Err(NoResume::Unknown) => {
                // "Reconnect and start a new session" (Opcodes and Status Codes, 4007).
                self.hub.end(&session, "resumed with an invalid sequence number");
                Err(close::invalid_seq().into())
            }
            Err(NoResume::Gone) => {
                self.hub.end(&session, "resumed too late");
                self.send(op::INVALID_SESSION, false.into()).await
            }
        }
    }

    fn authenticate(&self, token: &str) -> Option<Snowflake> {
        self.backend.authenticate(token.strip_prefix("Bot ").unwrap_or(token))
    }

    fn enter_session(&mut self, session: Arc<Session>, written: u64) {
        if session.compress {
            self.transport.compress_payloads(self.hub.options().compress_from);
        }
        self.written = written;
        self.held = None;
        self.hub.relink(self.id, Some(session.clone()));
        self.session = Some(session);
    }
}
