//! One call's MLS group as its delivery service sees it: epoch, leaves, and the outstanding proposals.
//!
//! It holds no secret, and not the tree itself: a leaf's number follows from the order of adds and removes, which is
//! all that a proposal to remove needs (RFC 9420, section 7.7).

use std::collections::{BTreeMap, BTreeSet};

use discord_rules::snowflake::Snowflake;

use super::sender::Signed;
use super::wire::{CommitWelcome, Welcome};

/// Credential type of a basic credential.
const BASIC: u16 = 1;

/// Epoch, leaves and outstanding proposals; epoch 0 is that of a group not yet established.
#[derive(Debug, Default)]
pub(super) struct Roster {
    group: Vec<u8>,
    epoch: u64,
    leaves: BTreeMap<u32, MemberKey>,
    proposals: Vec<Proposal>,
}

#[derive(Clone, Debug)]
struct MemberKey {
    user: Snowflake,
    signature_key: Vec<u8>,
}

/// Proposal that was sent and not revoked.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    /// The proposal as clients received it.
    pub(super) signed: Signed,
    /// The change that it proposes.
    pub(super) change: Change,
}

/// Change of a proposal.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Adds the owner of a key package.
    Add {
        /// The owner.
        user: Snowflake,
        /// Reference of the key package.
        key_package: Vec<u8>,
        /// Public key that the owner signs with.
        signature_key: Vec<u8>,
    },
    /// Removes the member at a leaf.
    Remove {
        /// Its leaf.
        leaf: u32,
    },
}

/// Commit that won its epoch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// Members who were in the group before and stay.
    pub(super) staying: Vec<Snowflake>,
    /// New members and the reference of the key package by which each is welcomed.
    pub(super) added: Vec<(Snowflake, Vec<u8>)>,
}

/// Why a commit is dropped (DAVE protocol, "Commit Ordering" and "Voice Gateway Commit Validity").
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejected {
    /// It has the group id of another call.
    #[error("it is for another group")]
    Group,
    /// Another commit was first, or the group was replaced.
    #[error("it is for another epoch")]
    Epoch,
    /// The leaf that it names is not its committer's.
    #[error("its committer is not the member at that leaf")]
    Committer,
    /// It holds proposals itself, or refers to more or fewer than are outstanding.
    #[error("it does not refer to exactly the proposals that are out")]
    Proposals,
    /// Credential or signature key of the committer's leaf is another, or the leaf has extensions.
    #[error("it changes credential, signature key or extensions of its committer's leaf")]
    Leaf,
    /// It removes a member without new keys on its path.
    #[error("it removes a member and has no path")]
    Path,
    /// It adds a member whom it does not welcome, or the other way round.
    #[error("its welcome is not for exactly those whom it adds")]
    Welcome,
}

impl Roster {
    /// Creates the group of a call without members.
    pub(super) fn new(group: &[u8]) -> Self {
        Self { group: group.to_vec(), ..Self::default() }
    }

    /// Resets to a group that is not established, without proposals.
    pub(super) fn reset(&mut self) {
        self.epoch = 0;
        self.leaves.clear();
        self.proposals.clear();
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns whether a first commit has been broadcast.
    pub(super) fn established(&self) -> bool {
        self.epoch > 0
    }

    pub(super) fn leaf(&self, user: Snowflake) -> Option<u32> {
        self.leaves.iter().find(|(_, seat)| seat.user == user).map(|(leaf, _)| *leaf)
    }

    /// Returns the members whose removal is not proposed.
    pub(super) fn members(&self) -> impl Iterator<Item = Snowflake> {
        let leaving: BTreeSet<u32> = self.removed().collect();
        self.leaves.iter().filter(move |(leaf, _)| !leaving.contains(leaf)).map(|(_, seat)| seat.user)
    }

    fn removed(&self) -> impl Iterator<Item = u32> {
        self.proposals.iter().filter_map(|proposal| match proposal.change {
            Change::Remove { leaf } => Some(leaf),
            Change::Add { .. } => None,
        })
    }

    /// Records a proposal as sent.
    pub(super) fn propose(&mut self, proposal: Proposal) {
        self.proposals.push(proposal);
    }

    /// Removes the proposal to add a user and returns it; `None` if none is outstanding.
    pub(super) fn withdraw_add(&mut self, user: Snowflake) -> Option<Proposal> {
        let place = self.proposals.iter().position(|proposal| proposal.change.adds(user))?;
        Some(self.proposals.remove(place))
    }

    /// Returns all outstanding proposals.
    pub(super) fn proposals(&self) -> impl Iterator<Item = &Proposal> {
        self.proposals.iter()
    }

    /// Returns the proposals that a user's commit must refer to: all but the one to add the user, who made a group of
    /// one already.
    pub(super) fn proposals_for(&self, user: Snowflake) -> impl Iterator<Item = &Proposal> {
        self.proposals.iter().filter(move |proposal| !proposal.change.adds(user))
    }

    /// Returns whether a proposal to add a user is outstanding.
    pub(super) fn adds(&self) -> bool {
        self.proposals.iter().any(|proposal| matches!(proposal.change, Change::Add { .. }))
    }

    /// Ends the epoch with a user's commit if it is valid; `pending_key` is the signature key in the user's key
    /// package.
    pub(super) fn commit(
        &mut self,
        user: Snowflake,
        pending_key: Option<&[u8]>,
        message: &CommitWelcome,
    ) -> Result<Settled, Rejected> {
        let commit = &message.commit;
        if commit.group != self.group {
            return Err(Rejected::Group);
        }
        if commit.epoch != self.epoch {
            return Err(Rejected::Epoch);
        }
        let signature_key = self.committer(user, commit.committer, pending_key).ok_or(Rejected::Committer)?;
        if let Some(leaf) = &commit.leaf {
            let same = leaf.signature_key == signature_key
                && leaf.credential_type == BASIC
                && leaf.identity == user.0.to_be_bytes()
                && !leaf.extended;
            if !same {
                return Err(Rejected::Leaf);
            }
        }
        let applied = self.applied(user, commit.proposals.as_deref())?;
        let removes = applied.iter().any(|proposal| matches!(proposal.change, Change::Remove { .. }));
        if removes && commit.leaf.is_none() {
            return Err(Rejected::Path);
        }
        let mut expected: Vec<&[u8]> =
            applied.iter().filter_map(|proposal| proposal.change.key_package()).collect();
        let mut welcomed: Vec<&[u8]> = message.welcome.iter().flat_map(Welcome::welcomed).collect();
        expected.sort_unstable();
        welcomed.sort_unstable();
        if expected != welcomed || message.welcome.is_some() == expected.is_empty() {
            return Err(Rejected::Welcome);
        }
        Ok(self.apply(user, signature_key, applied))
    }

    /// Returns the signature key of a user who may commit from a leaf.
    fn committer(&self, user: Snowflake, leaf: u32, pending_key: Option<&[u8]>) -> Option<Vec<u8>> {
        if !self.established() {
            return pending_key.filter(|_| leaf == 0).map(<[u8]>::to_vec);
        }
        let seat = self.leaves.get(&leaf).filter(|seat| seat.user == user)?;
        (!self.removed().any(|removed| removed == leaf)).then(|| seat.signature_key.clone())
    }

    /// Returns the proposals that a commit refers to, in its order, if they are all that it must refer to.
    fn applied(&self, user: Snowflake, references: Option<&[Vec<u8>]>) -> Result<Vec<Proposal>, Rejected> {
        let mut required: BTreeMap<&[u8], &Proposal> = self
            .proposals_for(user)
            .map(|proposal| (proposal.signed.reference.as_slice(), proposal))
            .collect();
        let references = references.filter(|references| !references.is_empty()).ok_or(Rejected::Proposals)?;
        let applied: Option<Vec<Proposal>> =
            references.iter().map(|reference| required.remove(reference.as_slice()).cloned()).collect();
        applied.filter(|_| required.is_empty()).ok_or(Rejected::Proposals)
    }

    /// Returns the leftmost blank leaf (RFC 9420, section 12.1.1).
    fn free_leaf(&self) -> u32 {
        let mut free = 0;
        for leaf in self.leaves.keys() {
            if *leaf != free {
                break;
            }
            free += 1;
        }
        free
    }

    fn apply(&mut self, committer: Snowflake, signature_key: Vec<u8>, applied: Vec<Proposal>) -> Settled {
        if !self.established() {
            self.leaves.insert(0, MemberKey { user: committer, signature_key });
        }
        for leaf in applied.iter().filter_map(|proposal| proposal.change.leaf()) {
            self.leaves.remove(&leaf);
        }
        let staying = self.leaves.values().map(|seat| seat.user).collect();
        let mut added = Vec::new();
        for proposal in applied {
            if let Change::Add { user, key_package, signature_key } = proposal.change {
                let leaf = self.free_leaf();
                self.leaves.insert(leaf, MemberKey { user, signature_key });
                added.push((user, key_package));
            }
        }
        self.epoch += 1;
        self.proposals.clear();
        Settled { staying, added }
    }
}

impl Change {
    pub(super) fn adds(&self, whom: Snowflake) -> bool {
        matches!(self, Self::Add { user, .. } if *user == whom)
    }

    fn key_package(&self) -> Option<&[u8]> {
        match self {
            Self::Add { key_package, .. } => Some(key_package),
            Self::Remove { .. } => None,
        }
    }

    fn leaf(&self) -> Option<u32> {
        match self {
            Self::Remove { leaf } => Some(*leaf),
            Self::Add { .. } => None,
        }
    }
}
