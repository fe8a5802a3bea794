//! The delivery service of one call: who takes part, which protocol version holds, and what each client is sent.
//!
//! It follows the DAVE protocol whitepaper, "Group Key Exchange" and "Protocol Version Changes", and has none of the
//! group's secrets. Where the whitepaper leaves the gateway a choice:
//!
//! - A commit always receives a transition id of its own; id 0 is for the reset of a sole member.
//! - A group that would be left with one member is replaced at once, without a commit that removes the others.
//! - When a proposal to remove a member joins one to add a member, or is all that remains of a set that is revoked in
//!   part, the whole set is revoked and sent again in one message: clients that write their welcome from the newest
//!   message alone (davey before 0.2) would leave a member unwelcomed.
//! - A key package that comes while its sender has not yet answered a commit or welcome waits for the answer: a client
//!   that could not follow resets itself and sends another one, and two of its resets never overlap.
//! - A member whose commit or welcome another one could not process (opcode 31) commits no more while others can.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use discord_rules::snowflake::Snowflake;
use serde_json::json;

use super::package::{self, Package, Refused};
use super::roster::{Proposal, Roster};
use super::sender::Sender;
use super::tls::Malformed;
use super::transition::Transitions;
use super::wire::CommitWelcome;
use super::{Message, Out};

mod change;
mod member;

use self::change::Wish;
use self::member::Member;

/// Highest DAVE protocol version.
pub(super) const VERSION: u16 = 1;

/// Number of commits remembered by their transition, for complaints about them.
const COMMITS_REMEMBERED: usize = 16;

/// Why a client's connection is closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fatal {
    /// Bytes or JSON that cannot be read.
    #[error("{0}")]
    Undecodable(String),
    /// A request that can be read and is not allowed.
    #[error("{0}")]
    Bad(String),
    /// An opcode that clients do not send, or not in this form.
    #[error("clients do not send opcode {0} in this form")]
    Unknown(u8),
}

impl Fatal {
    /// Returns the close code of this reason.
    pub(super) fn close_code(&self) -> u16 {
        match self {
            Self::Unknown(_) => 4001,
            Self::Undecodable(_) => 4002,
            Self::Bad(_) => 4020,
        }
    }
}

pub(super) struct Service {
    sender: Sender,
    roster: Roster,
    members: BTreeMap<Snowflake, Member>,
    version: u16,
    transitions: Transitions,
    /// User whose commit each of the newest transitions is.
    commits: VecDeque<(u16, Snowflake)>,
    barred: BTreeSet<Snowflake>,
    out: Vec<Out>,
}

impl Service {
    /// Creates the service of the call in a channel, without members.
    pub(super) fn new(channel: Snowflake) -> Self {
        let sender = Sender::new(channel.0);
        Self {
            roster: Roster::new(sender.group()),
            sender,
            members: BTreeMap::new(),
            version: VERSION,
            transitions: Transitions::default(),
            commits: VecDeque::new(),
            barred: BTreeSet::new(),
            out: Vec::new(),
        }
    }

    /// Takes what is to be sent, in order.
    pub(super) fn take(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.out)
    }

    /// Returns the protocol version that new clients receive.
    pub(super) fn version(&self) -> u16 {
        self.version
    }

    /// Returns whether no transition is in progress.
    pub(super) fn settled(&self) -> bool {
        self.transitions.is_empty()
    }

    /// Returns whether a plain frame of a user is accepted.
    pub(super) fn takes_plain(&self, user: Snowflake, now: Instant) -> bool {
        self.members.get(&user).is_some_and(|member| member.plain.takes(now))
    }

    /// Returns the members of whom a commit is awaited.
    pub(super) fn committers(&self) -> impl Iterator<Item = Snowflake> {
        let able: Vec<Snowflake> =
            self.able().filter(|user| self.roster.proposals_for(*user).next().is_some()).collect();
        let barred = able.iter().all(|user| self.barred.contains(user));
        able.into_iter().filter(move |user| barred || !self.barred.contains(user))
    }

    fn able(&self) -> impl Iterator<Item = Snowflake> {
        let members: Vec<Snowflake> = if self.roster.established() {
            self.roster.members().collect()
        } else {
            self.members
                .iter()
                .filter(|(_, member)| member.package.is_some())
                .map(|(user, _)| *user)
                .collect()
        };
        members.into_iter()
    }

    /// Handles a client that connected; it takes part once it has its SESSION DESCRIPTION.
    pub(super) fn connect(&mut self, user: Snowflake, max_version: u16, now: Instant) {
        if self.members.contains_key(&user) {
            self.leave(user, now);
        }
        self.members.insert(user, Member::new(max_version));
        self.negotiate(now);
        self.update_plain(now);
    }

    /// Handles a client whose SESSION DESCRIPTION has been queued.
    pub(super) fn describe(&mut self, user: Snowflake, now: Instant) {
        let Some(member) = self.members.get_mut(&user) else { return };
        member.described = true;
        member.plain.renew(now);
        if self.version > 0 {
            let sender = self.sender.package();
            self.send_binary(user, 25, sender);
            if !self.roster.established() {
                let pending: Vec<Proposal> = self.roster.proposals_for(user).cloned().collect();
                self.send_append(user, &pending);
            }
        }
        self.update_plain(now);
    }

    /// Handles a client that has left.
    pub(super) fn disconnect(&mut self, user: Snowflake, now: Instant) {
        self.leave(user, now);
        self.flush(now);
    }

    fn leave(&mut self, user: Snowflake, now: Instant) {
        if self.members.remove(&user).is_none() {
            return;
        }
        self.transitions.forget(user);
        self.barred.remove(&user);
        if !self.negotiate(now) {
            self.withdraw(user);
            self.remove(user, false, now);
        }
        self.update_plain(now);
    }

    /// Handles opcode 26: a key package.
    pub(super) fn key_package(&mut self, user: Snowflake, payload: &[u8], now: Instant) -> Result<(), Fatal> {
        let Some(member) = self.members.get_mut(&user) else { return Ok(()) };
        if member.max_version == 0 {
            return Err(Fatal::Bad(
                "a key package from a client that offered no DAVE protocol version".into(),
            ));
        }
        let package = package::read(payload, user.0).map_err(|refused| match refused {
            Refused::Malformed => Fatal::Undecodable(refused.to_string()),
            Refused::Invalid(_) => Fatal::Bad(refused.to_string()),
        })?;
        // It crossed a downgrade on its way; a new one is requested when the call is upgraded.
        if self.version == 0 || !member.described {
            return Ok(());
        }
        member.plain.renew(now);
        if member.answered {
            self.take_package(user, package, now);
        } else {
            member.next_package = Some(package);
        }
        Ok(())
    }

    fn take_package(&mut self, user: Snowflake, package: Package, now: Instant) {
        self.withdraw(user);
        let Some(member) = self.members.get_mut(&user) else { return };
        member.package = Some(package);
        match self.roster.leaf(user) {
            Some(_) => self.remove(user, true, now),
            None => self.propose(&[Wish::Add(user)]),
        }
    }

    /// Handles a user's answer to the commit or welcome of a transition, or the end of its time to answer.
    fn answer(&mut self, user: Snowflake, id: u16, now: Instant) {
        let Some(member) = self.members.get_mut(&user) else { return };
        if member.newest != Some(id) || member.answered {
            return;
        }
        member.answered = true;
        if let Some(package) = member.next_package.take() {
            self.take_package(user, package, now);
        }
    }

    /// Handles opcode 28: a commit, which wins its epoch if it is the first valid one.
    pub(super) fn commit(&mut self, user: Snowflake, payload: &[u8], now: Instant) -> Result<(), Fatal> {
        let message =
            CommitWelcome::read(payload).map_err(|error: Malformed| Fatal::Undecodable(error.to_string()))?;
        if self.version == 0 {
            return Ok(());
        }
        if self.barred.contains(&user) && !self.committers().any(|committer| committer == user) {
            tracing::debug!(user = %user, "a commit is dropped: its sender's former one could not be processed");
            return Ok(());
        }
        let key = self.members.get(&user).and_then(|member| member.package.as_ref());
        let key = key.map(|package| package.signature_key.clone());
        let settled = match self.roster.commit(user, key.as_deref(), &message) {
            Ok(settled) => settled,
            Err(rejected) => {
                tracing::debug!(user = %user, epoch = message.commit.epoch, reason = %rejected, "a commit is dropped");
                return Ok(());
            }
        };
        let told: BTreeSet<Snowflake> =
            settled.staying.iter().copied().chain(settled.added.iter().map(|(user, _)| *user)).collect();
        let id = self.transitions.begin(self.version, told.clone(), now);
        for user in told {
            if let Some(member) = self.members.get_mut(&user) {
                member.package = None;
                member.newest = Some(id);
                member.answered = false;
                member.used = true;
                member.plain.renew(now);
            }
        }
        if self.commits.len() == COMMITS_REMEMBERED {
            self.commits.pop_front();
        }
        self.commits.push_back((id, user));
        for user in settled.staying {
            self.send_binary(user, 29, [&id.to_be_bytes()[..], &message.commit_message].concat());
        }
        for (user, key_package) in settled.added {
            if let Some(welcome) = &message.welcome {
                let welcome = welcome.for_member(&key_package);
                self.send_binary(user, 30, [&id.to_be_bytes()[..], &welcome].concat());
            }
        }
        Ok(())
    }

    /// Handles opcode 23: a client is ready for a transition.
    pub(super) fn ready(&mut self, user: Snowflake, id: u16, now: Instant) {
        self.transitions.ready(user, id);
        self.answer(user, id, now);
        self.flush(now);
    }

    /// Handles opcode 31: a client could not process the commit or welcome of a transition, and has started again.
    ///
    /// Ignored if a newer one is on its way to the client: that is the one to answer.
    pub(super) fn invalid(&mut self, user: Snowflake, id: u16, now: Instant) {
        let Some(member) = self.members.get_mut(&user) else { return };
        if member.newest != Some(id) {
            return;
        }
        member.start_anew(now);
        self.transitions.forget(user);
        let committer = self.commits.iter().find(|(transition, _)| *transition == id);
        if let Some((_, committer)) = committer
            && *committer != user
        {
            self.barred.insert(*committer);
        }
        self.withdraw(user);
        self.remove(user, false, now);
        self.flush(now);
    }

    /// Returns when [`Service::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.transitions.deadline()
    }

    /// Executes transitions that have waited long enough.
    pub(super) fn tick(&mut self, now: Instant) {
        self.flush(now);
    }

    fn flush(&mut self, now: Instant) {
        while let Some(transition) = self.transitions.next_due(now) {
            for user in transition.told {
                self.answer(user, transition.id, now);
                if let Some(member) = self.members.get_mut(&user) {
                    member.plain.renew(now);
                    self.send_json(user, 22, json!({ "transition_id": transition.id }));
                }
            }
        }
    }

    fn send_json(&mut self, to: Snowflake, op: u8, data: serde_json::Value) {
        self.out.push(Out { to, message: Message::Json { op, data } });
    }

    fn send_binary(&mut self, to: Snowflake, op: u8, payload: Vec<u8>) {
        self.out.push(Out { to, message: Message::Binary { op, payload } });
    }
}
