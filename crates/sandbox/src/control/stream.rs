//! A websocket with everything that a user's client shows, live; with the log and the sound of voice channels on request.
//!
//! Browsers cannot send a header with a websocket, so the first message carries the secret. All that a slow client has not
//! read yet is bounded: notices of changes are rendered when there is room for them, and a client that is too far behind
//! gets a whole view in their place.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use futures_util::stream::{SplitSink, StreamExt};
use futures_util::{FutureExt, SinkExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::listeners::Listener;
use super::secret::Secret;
use super::{Control, find, view};
use crate::event_log::Subscription;
use crate::live::{Live, Notice};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::voice::Frame as Spoken;

/// Longest message of a client.
const LONGEST: usize = 64 * 1024;
/// Time in which a client must say who it is.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Shortest time between two messages with changes, so that a busy channel costs a client 30 drawings a second and not
/// one for each message.
const PACE: Duration = Duration::from_millis(33);
/// What each change of a message adds to the time before the next one: above 50 changes a second messages become rarer and
/// larger, so that a flood costs a client few drawings a second.
const PACE_PER_CHANGE: Duration = Duration::from_millis(20);
/// Longest time between two messages with changes.
const LONGEST_PACE: Duration = Duration::from_millis(400);
/// Most notices that are rendered while the world stands still for bots.
const RENDERED_AT_ONCE: usize = 8;
/// Most entries of the log in one message.
const ENTRIES: usize = 200;

/// Returns the route, which is no secret's behind: it asks for the secret itself.
pub(super) fn routes(secret: Secret) -> Router<Control> {
    let connect = async |State(control): State<Control>, upgrade: WebSocketUpgrade| -> Response {
        upgrade
            .max_message_size(LONGEST)
            .max_frame_size(LONGEST)
            .on_upgrade(move |socket| serve(control, secret, socket))
    };
    Router::new().route("/sandbox/stream", any(connect))
}

/// First message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    secret: String,
    #[serde(rename = "as")]
    user: String,
    /// Where an earlier connection of the same user ended.
    resume: Option<Resume>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resume {
    run: String,
    n: u64,
}

/// Later messages.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Wish {
    /// Be another user. Answered by a view.
    As { user: String },
    /// The log, from an entry on, or no longer.
    Log { from: Option<u64> },
    /// The sound of the voice channel that the user is in.
    Listen { on: bool },
    /// Events of the bot whose control socket the sandbox knows, the last ones first, or no longer.
    Bot { last: Option<usize> },
}

/// One client.
struct Client {
    control: Control,
    sink: SplitSink<WebSocket, Frame>,
    user: Snowflake,
    /// Number of the newest notice that it has.
    at: u64,
    /// When it gets the next changes at the earliest.
    next_changes: Instant,
    log: Option<Subscription>,
    /// When it gets the next entries of the log at the earliest.
    next_log: Instant,
    sound: Option<Receiver<Arc<Spoken>>>,
    listener: Listener,
    bot: Option<mpsc::Receiver<Value>>,
}

/// The connection is over.
enum Gone {
    /// The client has closed it.
    Closed,
    /// It was lost, or the client is too far behind.
    Lost,
}

async fn serve(control: Control, secret: Secret, socket: WebSocket) {
    let (sink, mut frames) = socket.split();
    let mut signal = control.discord.feed().signal();
    let now = Instant::now();
    let mut client = Client {
        listener: Listener::new(control.listeners.clone()),
        control,
        sink,
        user: Snowflake(0),
        at: 0,
        next_changes: now,
        log: None,
        next_log: now,
        sound: None,
        bot: None,
    };
    let Ok(Some(Ok(Frame::Text(hello)))) = tokio::time::timeout(HELLO_WITHIN, frames.next()).await else {
        return;
    };
    if client.greet(&secret, &hello).await.is_err() {
        return;
    }
    let gone = loop {
        let done = tokio::select! {
            biased;
            frame = frames.next() => match frame {
                Some(Ok(Frame::Text(text))) => client.handle(&text).await,
                Some(Ok(Frame::Close(_))) => Err(Gone::Closed),
                Some(Err(_)) | None => Err(Gone::Lost),
                Some(Ok(_)) => Ok(()),
            },
            spoken = next_sound(&mut client.sound) => client.play(&spoken).await,
            () = wait_newer(&mut signal, client.at, client.next_changes) => client.update().await,
            entries = follow(&mut client.log, client.next_log) => client.log(entries).await,
            event = bot_event(&mut client.bot) => client.send(&json!({ "type": "bot", "event": event })).await,
        };
        if let Err(gone) = done {
            break gone;
        }
    };
    client.listener.end(&client.control, matches!(gone, Gone::Closed));
    // Whether the client hears of it or not, it is over.
    let _ = client.sink.close().await;
}

/// Waits until there is a notice after this one, but at least until this time.
async fn wait_newer(signal: &mut watch::Receiver<u64>, at: u64, earliest: Instant) {
    // First the time, so that a client that waits is not woken by every notice.
    tokio::time::sleep_until(earliest).await;
    // The sender lives as long as the world.
    let _ = signal.wait_for(|newest| *newest != at).await;
}

/// Returns the time before the next message after one with so many changes.
fn pace(changes: usize) -> Duration {
    PACE_PER_CHANGE.saturating_mul(u32::try_from(changes).unwrap_or(u32::MAX)).clamp(PACE, LONGEST_PACE)
}

async fn next_sound(sound: &mut Option<Receiver<Arc<Spoken>>>) -> Arc<Spoken> {
    loop {
        let Some(receiver) = sound else { std::future::pending().await };
        match receiver.recv().await {
            Ok(frame) => return frame,
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => *sound = None,
        }
    }
}

async fn bot_event(bot: &mut Option<mpsc::Receiver<Value>>) -> Value {
    let Some(receiver) = bot else { std::future::pending().await };
    match receiver.recv().await {
        Some(event) => event,
        None => std::future::pending().await,
    }
}

/// Next entries of the log, as JSON.
struct Entries {
    text: String,
    count: usize,
}

/// Returns the next entries of the log that are there, after waiting for one, but not before this time.
async fn follow(log: &mut Option<Subscription>, earliest: Instant) -> Entries {
    let Some(subscription) = log else { std::future::pending().await };
    tokio::time::sleep_until(earliest).await;
    let mut text = String::from(r#"{"type":"log","entries":["#);
    let mut missed = 0;
    let mut count = 0;
    let mut next = Some(subscription.next().await);
    while let Some(entry) = next {
        match entry {
            Ok(entry) => {
                if count > 0 {
                    text.push(',');
                }
                text.push_str(&entry.line());
                count += 1;
            }
            Err(dropped) => missed += dropped.0,
        }
        next = if count < ENTRIES { subscription.next().now_or_never() } else { None };
    }
    text.push_str(&format!(r#"],"missed":{missed}}}"#));
    Entries { text, count }
}

impl Client {
    async fn send(&mut self, value: &Value) -> Result<(), Gone> {
        self.sink.send(Frame::Text(value.to_string().into())).await.map_err(|_| Gone::Lost)
    }

    async fn refuse(&mut self, why: impl Into<String>) -> Result<(), Gone> {
        self.send(&json!({ "type": "refused", "error": why.into() })).await
    }

    /// Checks the first message, and answers with a view or with what has changed since.
    async fn greet(&mut self, secret: &Secret, hello: &str) -> Result<(), Gone> {
        let hello: Hello = match serde_json::from_str(hello) {
            Ok(hello) => hello,
            Err(error) => {
                self.refuse(format!("The first message is not {{\"secret\", \"as\"}}: {error}.")).await?;
                return Err(Gone::Lost);
            }
        };
        if !secret.knows(&hello.secret) {
            self.refuse("This is not the secret of the control API, nor that of a page of this sandbox.")
                .await?;
            return Err(Gone::Lost);
        }
        let resumed = hello.resume.filter(|resume| *resume.run == *self.control.run).map(|resume| resume.n);
        if let Err(error) = self.become_user(&hello.user) {
            self.refuse(error).await?;
            return Err(Gone::Lost);
        }
        match resumed {
            Some(n) => {
                self.at = n;
                self.send(&json!({ "type": "resumed" })).await?;
                self.update().await
            }
            None => self.view().await,
        }
    }

    fn become_user(&mut self, name: &str) -> Result<(), String> {
        let live = self.control.discord.lock();
        match find::person(&live, name) {
            Ok(user) => {
                self.user = user.id;
                if self.sound.is_some() {
                    self.listener.add(self.user);
                }
                Ok(())
            }
            Err(error) => Err(error.sentence().to_owned()),
        }
    }

    async fn handle(&mut self, text: &str) -> Result<(), Gone> {
        match serde_json::from_str::<Wish>(text) {
            Ok(Wish::As { user }) => match self.become_user(&user) {
                Ok(()) => self.view().await,
                Err(error) => self.refuse(error).await,
            },
            Ok(Wish::Log { from }) => {
                self.log = from.map(|from| self.control.log.subscribe(from));
                Ok(())
            }
            Ok(Wish::Listen { on }) => {
                self.sound = on.then(|| self.control.discord.voice().listen());
                if on {
                    self.listener.add(self.user);
                } else {
                    self.listener.remove(self.user);
                }
                Ok(())
            }
            Ok(Wish::Bot { last }) => {
                self.bot = last.and_then(|last| self.control.follow_bot(last));
                Ok(())
            }
            Err(error) => self.refuse(format!("This is no request of the stream: {error}.")).await,
        }
    }

    /// Sends the whole view. A user who is not in a restored world ends the stream.
    async fn view(&mut self) -> Result<(), Gone> {
        let (n, view) = {
            let live = self.control.discord.lock();
            let known = live.users.contains_key(&self.user);
            (self.control.discord.feed().newest(), known.then(|| view::whole(&live, self.user)))
        };
        let Some(view) = view else {
            self.refuse("This user is not in the restored world; `sandbox page --as NAME` opens the page as another one.").await?;
            return Err(Gone::Lost);
        };
        self.at = n;
        let message = json!({ "type": "view", "run": *self.control.run, "n": n, "view": view });
        self.send(&message).await
    }

    /// Sends what has changed.
    async fn update(&mut self) -> Result<(), Gone> {
        let page = self.control.discord.feed().after(self.at).ok_or(Gone::Lost)?;
        let Some(mut notices) = page.notices else { return self.view().await };
        // Each thing once.
        let mut seen = HashSet::new();
        notices.retain(|notice| seen.insert(*notice));
        let mut changes = Vec::new();
        for some in notices.chunks(RENDERED_AT_ONCE) {
            if !changes.is_empty() {
                // Requests of bots come in between.
                tokio::task::yield_now().await;
            }
            let live = self.control.discord.lock();
            changes.extend(some.iter().filter_map(|notice| change(&live, self.user, *notice)));
        }
        self.at = page.newest;
        self.next_changes = Instant::now() + pace(changes.len());
        if changes.is_empty() {
            return Ok(());
        }
        self.send(&json!({ "type": "changes", "n": page.newest, "changes": changes })).await
    }

    async fn log(&mut self, entries: Entries) -> Result<(), Gone> {
        // What was written before the client asked comes at once.
        let wait = if entries.count == ENTRIES { Duration::ZERO } else { pace(entries.count) };
        self.next_log = Instant::now() + wait;
        self.sink.send(Frame::Text(entries.text.into())).await.map_err(|_| Gone::Lost)
    }

    /// Sends a frame of the channel that the user is in: guild and user as 8 bytes, SSRC and timestamp as 4, sequence number
    /// as 2, all big-endian, and Opus.
    async fn play(&mut self, spoken: &Spoken) -> Result<(), Gone> {
        let is_there = {
            let live = self.control.discord.lock();
            let guild = live.guilds.get(&spoken.guild);
            guild
                .and_then(|guild| guild.voice_states.get(&self.user))
                .is_some_and(|state| state.channel_id == spoken.channel && !state.self_deaf)
        };
        if !is_there {
            return Ok(());
        }
        let mut frame = Vec::with_capacity(26 + spoken.opus.len());
        frame.extend(spoken.guild.0.to_be_bytes());
        frame.extend(spoken.user.0.to_be_bytes());
        frame.extend(spoken.ssrc.to_be_bytes());
        frame.extend(spoken.timestamp.to_be_bytes());
        frame.extend(spoken.sequence.to_be_bytes());
        frame.extend(&spoken.opus);
        self.sink.send(Frame::Binary(frame.into())).await.map_err(|_| Gone::Lost)
    }
}

/// Returns what a user's client draws for a notice, if they see it.
fn change(live: &Live<'_>, user: Snowflake, notice: Notice) -> Option<Value> {
    let sees = |channel: Snowflake| {
        let channel = live.channels.get(&channel);
        channel.is_some_and(|found| live.permissions_in(user, found).contains(Permissions::VIEW_CHANNEL))
    };
    match notice {
        Notice::Message { channel, id } => {
            let found = live.any_message(channel, id);
            let message = found.filter(|message| live.sees_message(user, message))?;
            Some(json!({ "change": "message", "message": message.json(live, Some(user)) }))
        }
        Notice::Gone { channel, id } => {
            sees(channel).then(|| json!({ "change": "gone", "channel": channel, "id": id }))
        }
        Notice::Typing { channel, user: who } => (who != user && sees(channel))
            .then(|| json!({ "change": "typing", "channel": channel, "user": who })),
        Notice::Sound { channel, user: by, sound, .. } => {
            let guild = live.guilds.get(&live.channels.get(&channel)?.guild_id?)?;
            let listener = guild.voice_states.get(&user).filter(|state| state.channel_id == channel);
            listener.filter(|state| !state.self_deaf)?;
            Some(json!({ "change": "sound", "channel": channel, "user": by, "sound": sound }))
        }
        Notice::Guild(id) => {
            Some(match live.guilds.get(&id).filter(|guild| guild.members.contains_key(&user)) {
                Some(guild) => json!({ "change": "guild", "guild": view::guild(live, user, guild) }),
                None => json!({ "change": "guild_gone", "id": id }),
            })
        }
        Notice::World => {
            let mut world = view::world(live, user);
            world["change"] = "world".into();
            Some(world)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_changes_come_together_the_later_come_the_next() {
        assert_eq!(pace(0), PACE);
        assert_eq!(pace(1), PACE);
        assert_eq!(pace(5), Duration::from_millis(100));
        assert_eq!(pace(usize::MAX), LONGEST_PACE);
    }
}
