//! A call: the clients in one channel, which hear of each other in the order in which things happen.
//!
//! Everything that concerns more than one client goes through the call's own task, and so does everything of its DAVE
//! group: a slow step of MLS delays only the call itself, and no lock is held meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Instant;

use discord_rules::snowflake::Snowflake;
use parking_lot::Mutex;
use sandbox_net::Close;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::crypto::Mode;
use super::dave::{self, Dave, Frame, Group, Out, Unopened};
use super::payload::op;
use super::session::Session;
use super::state::{Shared, Voice};

/// Handle of a call for sessions and packets.
pub(crate) struct Call {
    jobs: mpsc::UnboundedSender<Job>,
    group: Arc<Mutex<Option<Box<dyn Group>>>>,
}

/// Something that happens in a call.
pub(crate) enum Job {
    /// A client has identified.
    Connect(Arc<Session>),
    /// A client has selected its protocol and receives its SESSION DESCRIPTION.
    Describe(Arc<Session>, Mode, [u8; super::crypto::KEY]),
    /// A client has left for good.
    Disconnect(Arc<Session>),
    /// A client announces how it speaks.
    Speaking(Arc<Session>, Value),
    /// A user without a client entered.
    Enter(Snowflake),
    /// A user without a client left.
    Exit(Snowflake),
    /// A text frame of DAVE came from a client.
    Json(Snowflake, u8, Value),
    /// A binary frame came from a client.
    Binary(Snowflake, u8, Vec<u8>),
}

impl Call {
    /// Starts a call without clients, in which these users without clients are.
    pub(crate) fn start(
        voice: &Voice,
        guild: Snowflake,
        channel: Snowflake,
        people: BTreeSet<Snowflake>,
        dave: Dave,
    ) -> Arc<Self> {
        let (jobs, orders) = mpsc::unbounded_channel();
        let group = Arc::new(Mutex::new(dave::group(guild, channel, dave)));
        let call = Arc::new(Self { jobs, group: group.clone() });
        for person in people {
            call.queue(Job::Enter(person));
        }
        let task =
            CallTask { voice: voice.downgrade(), group, clients: BTreeMap::new(), people: BTreeSet::new() };
        tokio::spawn(task.run(orders));
        call
    }

    /// Queues a job, which is done after everything queued before.
    pub(crate) fn queue(&self, job: Job) {
        // The task ends after the last session has dropped the call, so it still runs.
        let _ = self.jobs.send(job);
    }

    /// Returns the Opus frame in a payload, or why it cannot be heard.
    pub(crate) fn open<'a>(&self, user: Snowflake, payload: &'a [u8]) -> Result<Frame<'a>, Unopened> {
        match &mut *self.group.lock() {
            Some(group) => group.open(user, payload),
            None => Ok(Frame::plain(payload)),
        }
    }
}

struct CallTask {
    voice: Weak<Shared>,
    group: Arc<Mutex<Option<Box<dyn Group>>>>,
    clients: BTreeMap<Snowflake, Client>,
    people: BTreeSet<Snowflake>,
}

struct Client {
    session: Arc<Session>,
    /// Data of the newest SPEAKING, as the others receive it.
    speaking: Option<Value>,
}

impl CallTask {
    async fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        loop {
            let deadline = self.group.lock().as_ref().and_then(|group| group.deadline());
            let tick = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            let job = tokio::select! {
                job = jobs.recv() => job,
                () = tick => {
                    let Some(voice) = Voice::upgrade(&self.voice) else { return };
                    self.group(&voice, |group| group.tick(Instant::now()));
                    continue;
                }
            };
            let (Some(job), Some(voice)) = (job, Voice::upgrade(&self.voice)) else { return };
            self.act(&voice, job);
        }
    }

    fn act(&mut self, voice: &Voice, job: Job) {
        match job {
            Job::Connect(session) => {
                let user = session.user;
                let others: Vec<_> =
                    self.clients.keys().chain(&self.people).filter(|id| **id != user).collect();
                if !others.is_empty() {
                    voice.send(&session, op::CLIENTS_CONNECT, json!({ "user_ids": others }));
                }
                for speaking in self.clients.values().filter_map(|client| client.speaking.as_ref()) {
                    voice.send(&session, op::SPEAKING, speaking.clone());
                }
                self.send_to_others(voice, user, op::CLIENTS_CONNECT, &json!({ "user_ids": [user] }));
                let max = session.max_dave;
                self.clients.insert(user, Client { session, speaking: None });
                self.group(voice, |group| group.connect(user, max));
            }
            Job::Describe(session, mode, key) => {
                let user = session.user;
                let version = self.group.lock().as_ref().map_or(0, |group| group.version(user));
                voice.describe(&session, mode, &key, version);
                self.group(voice, |group| group.describe(user));
            }
            Job::Disconnect(session) => {
                let user = session.user;
                if self.clients.get(&user).is_some_and(|client| Arc::ptr_eq(&client.session, &session)) {
                    self.clients.remove(&user);
                    self.send_to_others(voice, user, op::CLIENT_DISCONNECT, &json!({ "user_id": user }));
                    self.group(voice, |group| group.disconnect(user));
                }
            }
            Job::Speaking(session, data) => {
                self.send_to_others(voice, session.user, op::SPEAKING, &data);
                if let Some(client) = self.clients.get_mut(&session.user) {
                    client.speaking = Some(data);
                }
            }
            Job::Enter(person) => {
                if self.people.insert(person) {
                    self.send_to_others(voice, person, op::CLIENTS_CONNECT, &json!({ "user_ids": [person] }));
                    self.group(voice, |group| group.enter(person));
                }
            }
            Job::Exit(person) => {
                if self.people.remove(&person) {
                    self.send_to_others(voice, person, op::CLIENT_DISCONNECT, &json!({ "user_id": person }));
                    self.group(voice, |group| group.exit(person));
                }
            }
            Job::Json(user, op, data) => self.group(voice, |group| group.json(user, op, &data)),
            Job::Binary(user, op, payload) => self.group(voice, |group| group.binary(user, op, &payload)),
        }
    }

    fn send_to_others(&self, voice: &Voice, user: Snowflake, op: u8, data: &Value) {
        for (_, client) in self.clients.iter().filter(|(id, _)| **id != user) {
            voice.send(&client.session, op, data.clone());
        }
    }

    /// Calls the group, if there is one, and sends what it returns.
    fn group(&mut self, voice: &Voice, ask: impl FnOnce(&mut dyn Group) -> Vec<Out>) {
        let outs = match &mut *self.group.lock() {
            Some(group) => ask(&mut **group),
            None => return,
        };
        for Out { to, message } in outs {
            let Some(client) = self.clients.get(&to) else { continue };
            match message {
                dave::Message::Json { op, data } => voice.send(&client.session, op, data),
                dave::Message::Binary { op, payload } => voice.send_binary(&client.session, op, payload),
                dave::Message::Close { code, reason } => voice.end(&client.session, Close::new(code, reason)),
            }
        }
    }
}
