//! MLS handshake messages as a delivery service reads them: framing without secrets (RFC 9420, sections 6 and 12.4).
//!
//! Members of a call send commits in plain (PublicMessage), so that the voice gateway can see whose commit it is, for
//! which epoch, and which proposals it covers. What only members can check, its signature over the group's state and
//! its tags, is left to them.
//!
//! Every length inside a message is checked here before openmls or a listener reads it: tls_codec 0.4 panics in
//! development builds when one leads past the end.

use super::tls::{Input, Malformed, opaque};

/// MLS_128_DHKEMP256_AES128GCM_SHA256_P256, the one ciphersuite of DAVE protocol version 1.
pub(super) const CIPHERSUITE: u16 = 2;

/// MLS 1.0 in an MLSMessage.
const MLS_10: u16 = 1;
/// Wire format of a PublicMessage.
const PUBLIC_MESSAGE: u16 = 1;
/// Wire format of a KeyPackage.
const KEY_PACKAGE: u16 = 5;
/// Sender type of a member of the group.
const MEMBER: u8 = 1;
/// Content type of a commit.
const COMMIT: u8 = 3;
/// Type of a proposal in a commit that is a reference to one sent before.
const REFERENCE: u8 = 2;
/// Leaf node source of a leaf made for a key package.
const SOURCE_KEY_PACKAGE: u8 = 1;
/// Leaf node source of a leaf made for a commit.
const SOURCE_COMMIT: u8 = 3;

/// Opcode 28: a commit and, if it adds members, the welcome for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommitWelcome {
    /// What the gateway checks of the commit.
    pub(super) commit: Commit,
    /// Commit as it came, an MLSMessage.
    pub(super) commit_message: Vec<u8>,
    /// Welcome for those who are added.
    pub(super) welcome: Option<Welcome>,
}

/// What can be seen of a commit from outside its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    /// Group id.
    pub(super) group: Vec<u8>,
    /// Epoch that it ends.
    pub(super) epoch: u64,
    /// Leaf of the member who made it.
    pub(super) committer: u32,
    /// References to proposals, in the order in which they are applied; `None` if the commit itself holds a proposal.
    pub(super) proposals: Option<Vec<Vec<u8>>>,
    /// New leaf of the committer, if the commit has a path.
    pub(super) leaf: Option<Leaf>,
}

/// Whom a leaf claims to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Public key that the member signs with.
    pub(super) signature_key: Vec<u8>,
    /// Type of the credential, 1 for a basic one.
    pub(super) credential_type: u16,
    /// Identity in the credential.
    pub(super) identity: Vec<u8>,
    /// Whether it has extensions; DAVE uses none.
    pub(super) extended: bool,
}

/// Welcome: one secret for each new member, and what they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Welcome {
    secrets: Vec<Secret>,
    group_info: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Secret {
    /// Reference of the key package that it is encrypted for.
    key_package: Vec<u8>,
    kem_output: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl CommitWelcome {
    /// Reads the payload of opcode 28.
    pub(super) fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let mut input = Input::new(payload, "the commit");
        let commit = Commit::read(&mut input)?;
        let (commit_message, rest) = payload.split_at(payload.len() - input.rest.len());
        let welcome = if rest.is_empty() { None } else { Some(Welcome::read(rest)?) };
        Ok(Self { commit, commit_message: commit_message.to_vec(), welcome })
    }
}

impl Commit {
    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        input.expect(MLS_10.to_be_bytes())?;
        input.expect(PUBLIC_MESSAGE.to_be_bytes())?;
        let group = input.opaque()?.to_vec();
        let epoch = u64::from_be_bytes(input.take()?);
        input.expect([MEMBER])?;
        let committer = u32::from_be_bytes(input.take()?);
        let _authenticated_data = input.opaque()?;
        input.expect([COMMIT])?;
        let proposals = references(input.opaque()?);
        let leaf = match input.take()? {
            [0] => None,
            [1] => {
                let leaf = Leaf::read(input, SOURCE_COMMIT)?;
                input.inside(|path| {
                    let _public_key = path.opaque()?;
                    path.inside(|secret| {
                        let _kem_output = secret.opaque()?;
                        secret.opaque()
                    })
                })?;
                Some(leaf)
            }
            _ => return Err(input.malformed()),
        };
        let _signature = input.opaque()?;
        let _confirmation_tag = input.opaque()?;
        let _membership_tag = input.opaque()?;
        Ok(Self { group, epoch, committer, proposals, leaf })
    }
}

/// Returns the references of a commit; `None` if one of its proposals is not a reference.
fn references(list: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut input = Input::new(list, "the commit");
    let mut references = Vec::new();
    while !input.rest.is_empty() {
        input.expect([REFERENCE]).ok()?;
        references.push(input.opaque().ok()?.to_vec());
    }
    Some(references)
}

impl Leaf {
    fn read(input: &mut Input<'_>, source: u8) -> Result<Self, Malformed> {
        let _encryption_key = input.opaque()?;
        let signature_key = input.opaque()?.to_vec();
        let credential_type = u16::from_be_bytes(input.take()?);
        let identity = input.opaque()?.to_vec();
        // Versions, ciphersuites, extensions, proposals and credentials that it supports, all numbers of 16 bits.
        for _ in 0..5 {
            input.inside(Input::take::<2>)?;
        }
        input.expect([source])?;
        if source == SOURCE_KEY_PACKAGE {
            let _lifetime = input.take::<16>()?;
        } else {
            let _parent_hash = input.opaque()?;
        }
        let extensions = input.opaque()?;
        let _signature = input.opaque()?;
        Ok(Self { signature_key, credential_type, identity, extended: !extensions.is_empty() })
    }
}

impl Welcome {
    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut input = Input::new(bytes, "the welcome");
        input.expect(CIPHERSUITE.to_be_bytes())?;
        let mut secrets = Vec::new();
        input.inside(|list| {
            secrets.push(Secret {
                key_package: list.opaque()?.to_vec(),
                kem_output: list.opaque()?.to_vec(),
                ciphertext: list.opaque()?.to_vec(),
            });
            Ok(())
        })?;
        let group_info = input.opaque()?.to_vec();
        input.end()?;
        Ok(Self { secrets, group_info })
    }

    /// Returns the references of the key packages that it welcomes, in its own order.
    pub(super) fn welcomed(&self) -> impl Iterator<Item = &[u8]> {
        self.secrets.iter().map(|secret| secret.key_package.as_slice())
    }

    /// Returns the part for one new member, as opcode 30 carries it.
    pub(super) fn for_member(&self, key_package: &[u8]) -> Vec<u8> {
        let secrets: Vec<u8> = self
            .secrets
            .iter()
            .filter(|secret| secret.key_package == key_package)
            .flat_map(|secret| [&secret.key_package, &secret.kem_output, &secret.ciphertext])
            .flat_map(|field| opaque(field))
            .collect();
        [CIPHERSUITE.to_be_bytes().to_vec(), opaque(&secrets), opaque(&self.group_info)].concat()
    }
}

/// KeyPackage whose lengths are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed<'a> {
    /// The KeyPackage itself.
    pub(super) bytes: &'a [u8],
    /// Number of its ciphersuite.
    pub(super) ciphersuite: u16,
    /// Whether it or its leaf node has extensions.
    pub(super) extended: bool,
}

impl<'a> Packed<'a> {
    /// Reads the payload of opcode 26: a KeyPackage in an MLSMessage, or bare.
    ///
    /// The whitepaper has the former and clients send the latter (davey, and so songbird); their second number
    /// distinguishes them, since no ciphersuite of DAVE has the number of the wire format.
    pub(super) fn read(payload: &'a [u8]) -> Result<Self, Malformed> {
        let header = [MLS_10.to_be_bytes(), KEY_PACKAGE.to_be_bytes()].concat();
        let bytes = payload.strip_prefix(header.as_slice()).unwrap_or(payload);
        let mut input = Input::new(bytes, "the key package");
        input.expect(MLS_10.to_be_bytes())?;
        let ciphersuite = u16::from_be_bytes(input.take()?);
        let _init_key = input.opaque()?;
        let leaf = Leaf::read(&mut input, SOURCE_KEY_PACKAGE)?;
        let extensions = input.opaque()?;
        let _signature = input.opaque()?;
        input.end()?;
        Ok(Self { bytes, ciphersuite, extended: leaf.extended || !extensions.is_empty() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(CommitWelcome::read(&bytes));
            drop(Packed::read(&bytes));
        }
    }
}
