//! Members added and removed: proposals, replaced groups, and the protocol version that all support.

use std::collections::BTreeSet;
use std::time::Instant;

use discord_rules::snowflake::Snowflake;
use serde_json::json;

use super::{Service, VERSION};
use crate::dave::roster::{Change, Proposal};
use crate::dave::tls;

/// Operation of opcode 27 that appends proposals.
const APPEND: u8 = 0;
/// Operation of opcode 27 that revokes proposals.
const REVOKE: u8 = 1;

/// Epoch of opcode 24 that announces a new group.
const FIRST_EPOCH: u64 = 1;

/// Change to be proposed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    /// Adds a member by the key package that it sent.
    Add(Snowflake),
    /// Removes the member at a leaf.
    Remove(u32),
}

impl Service {
    /// Proposes changes to all who can commit them, in one message each.
    pub(super) fn propose(&mut self, wishes: &[Wish]) {
        let fresh: Vec<Proposal> = wishes.iter().filter_map(|wish| self.proposal(*wish)).collect();
        let adds = fresh.iter().any(|proposal| matches!(proposal.change, Change::Add { .. }));
        let again = self.roster.adds() && !adds;
        let before: Vec<Proposal> =
            if again { self.roster.proposals().cloned().collect() } else { Vec::new() };
        for proposal in &fresh {
            self.roster.propose(proposal.clone());
        }
        for user in self.audience() {
            self.send_revoke(user, &before);
            self.send_append(user, before.iter().chain(&fresh));
        }
    }

    fn proposal(&self, wish: Wish) -> Option<Proposal> {
        let epoch = self.roster.epoch();
        match wish {
            Wish::Add(user) => {
                let package = self.members.get(&user)?.package.as_ref()?;
                Some(Proposal {
                    signed: self.sender.add(epoch, package.key_package.clone()),
                    change: Change::Add {
                        user,
                        key_package: package.reference.clone(),
                        signature_key: package.signature_key.clone(),
                    },
                })
            }
            Wish::Remove(leaf) => {
                Some(Proposal { signed: self.sender.remove(epoch, leaf), change: Change::Remove { leaf } })
            }
        }
    }

    /// Revokes the proposal to add a user, if one is outstanding.
    pub(super) fn withdraw(&mut self, user: Snowflake) {
        let Some(withdrawn) = self.roster.withdraw_add(user) else { return };
        let rest: Vec<Proposal> =
            if self.roster.adds() { self.roster.proposals().cloned().collect() } else { Vec::new() };
        for user in self.audience() {
            self.send_revoke(user, std::iter::once(&withdrawn).chain(&rest));
            self.send_append(user, &rest);
        }
    }

    /// Removes a member from the group; `add_again` adds it again with its new key package.
    pub(super) fn remove(&mut self, user: Snowflake, add_again: bool, now: Instant) {
        let Some(leaf) = self.roster.leaf(user) else { return };
        let members: Vec<Snowflake> = self.roster.members().collect();
        let staying = || members.iter().copied().filter(|member| *member != user);
        if staying().count() <= 1 {
            self.start_anew(staying().next(), now);
            return;
        }
        let mut wishes = Vec::new();
        if members.contains(&user) {
            wishes.push(Wish::Remove(leaf));
        }
        if add_again {
            wishes.push(Wish::Add(user));
        }
        if !wishes.is_empty() {
            self.propose(&wishes);
        }
    }

    /// Drops the group and has the next one created by the member that remains and those who wait to be added.
    fn start_anew(&mut self, sole: Option<Snowflake>, now: Instant) {
        self.roster.reset();
        self.transitions.clear();
        let version = self.version;
        let told: Vec<Snowflake> = self
            .members
            .iter_mut()
            .filter(|(user, member)| member.described && (Some(**user) == sole || member.used))
            .map(|(user, member)| {
                member.start_anew(now);
                *user
            })
            .collect();
        for user in told {
            self.send_json(user, 24, json!({ "protocol_version": version, "epoch": FIRST_EPOCH }));
        }
        if let Some(sole) = sole {
            self.send_json(sole, 21, json!({ "protocol_version": version, "transition_id": 0 }));
        }
        let waiting: Vec<Wish> = self
            .members
            .iter()
            .filter(|(_, member)| member.package.is_some())
            .map(|(user, _)| Wish::Add(*user))
            .collect();
        if !waiting.is_empty() {
            self.propose(&waiting);
        }
    }

    /// Moves to the highest version that every client supports; returns whether that is another one.
    pub(super) fn negotiate(&mut self, now: Instant) -> bool {
        let version =
            self.members.values().map(|member| member.max_version).min().unwrap_or(VERSION).min(VERSION);
        if version == self.version {
            return false;
        }
        self.version = version;
        self.roster.reset();
        self.transitions.clear();
        for member in self.members.values_mut() {
            member.start_anew(now);
        }
        let told: BTreeSet<Snowflake> = self
            .members
            .iter()
            .filter(|(_, member)| member.described && member.max_version > 0)
            .map(|(user, _)| *user)
            .collect();
        if version == 0 {
            if !told.is_empty() {
                let id = self.transitions.begin(version, told.clone(), now);
                for user in told {
                    self.send_json(user, 21, json!({ "protocol_version": version, "transition_id": id }));
                }
            }
        } else {
            let sender = self.sender.package();
            let sole = told.len() == 1;
            for user in told {
                self.send_json(user, 24, json!({ "protocol_version": version, "epoch": FIRST_EPOCH }));
                self.send_binary(user, 25, sender.clone());
                if sole {
                    self.send_json(user, 21, json!({ "protocol_version": version, "transition_id": 0 }));
                }
            }
        }
        true
    }

    /// Updates who may send plain frames.
    pub(super) fn update_plain(&mut self, now: Instant) {
        let taking_part = self.members.values().filter(|member| member.described).count();
        let free = self.version == 0 || taking_part <= 1;
        for member in self.members.values_mut() {
            member.plain.set(free, now);
        }
    }

    /// Returns those who receive proposals: the group, or those who could create one.
    fn audience(&mut self) -> Vec<Snowflake> {
        if self.roster.established() {
            return self.roster.members().collect();
        }
        let pending = self.members.iter_mut().filter(|(_, member)| member.described);
        pending.map(|(user, _)| *user).collect()
    }

    /// Sends a user the proposals that it must hold, of those given.
    pub(super) fn send_append<'a>(
        &mut self,
        user: Snowflake,
        proposals: impl IntoIterator<Item = &'a Proposal>,
    ) {
        let messages: Vec<u8> = proposals
            .into_iter()
            .filter(|proposal| !proposal.change.adds(user))
            .flat_map(|proposal| proposal.signed.message.iter().copied())
            .collect();
        self.send_proposals(user, APPEND, &messages);
    }

    fn send_revoke<'a>(&mut self, user: Snowflake, proposals: impl IntoIterator<Item = &'a Proposal>) {
        let references: Vec<u8> = proposals
            .into_iter()
            .filter(|proposal| !proposal.change.adds(user))
            .flat_map(|proposal| tls::opaque(&proposal.signed.reference))
            .collect();
        self.send_proposals(user, REVOKE, &references);
    }

    fn send_proposals(&mut self, user: Snowflake, operation: u8, list: &[u8]) {
        if list.is_empty() {
            return;
        }
        if let Some(member) = self.members.get_mut(&user) {
            member.used = true;
        }
        let mut payload = vec![operation];
        payload.extend(tls::opaque(list));
        self.send_binary(user, 27, payload);
    }
}
