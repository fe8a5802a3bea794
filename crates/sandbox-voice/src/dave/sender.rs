//! The voice gateway's own keys: it is the external sender of every group, and proposes whom to add and whom to remove.

use openmls::ciphersuite::hash_ref::make_proposal_ref;
use openmls::prelude::tls_codec::Serialize;
use openmls::prelude::{
    BasicCredential, Ciphersuite, ExternalProposal, ExternalSender, GroupEpoch, GroupId, KeyPackage,
    LeafNodeIndex, MlsMessageOut, SenderExtensionIndex,
};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::{OpenMlsRustCrypto, RustCrypto};

/// Ciphersuite of DAVE protocol version 1.
pub(super) const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMP256_AES128GCM_SHA256_P256;

/// Identity in the gateway's credential; clients compare it and read nothing in it.
const IDENTITY: &[u8] = b"voice gateway";

/// Length of version and wire format before the content of a PublicMessage in an MLSMessage, in bytes.
const VERSION_BYTES: usize = 2;

/// The voice gateway as external sender of one call's groups.
pub(super) struct Sender {
    keys: SignatureKeyPair,
    group: GroupId,
}

/// One signed proposal, as clients receive it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    /// The proposal as an MLSMessage.
    pub(super) message: Vec<u8>,
    /// Reference by which commits and revocations name it.
    pub(super) reference: Vec<u8>,
}

impl Sender {
    /// Creates new keys for the call in a channel; the channel's id in big-endian is the group's id.
    pub(super) fn new(channel: u64) -> Self {
        let keys = SignatureKeyPair::new(SUITE.signature_algorithm()).expect("P-256 is supported");
        Self { keys, group: GroupId::from_slice(&channel.to_be_bytes()) }
    }

    pub(super) fn group(&self) -> &[u8] {
        self.group.as_slice()
    }

    /// Returns the payload of opcode 25: public key and credential.
    pub(super) fn package(&self) -> Vec<u8> {
        let credential = BasicCredential::new(IDENTITY.to_vec()).into();
        ExternalSender::new(self.keys.to_public_vec().into(), credential)
            .tls_serialize_detached()
            .expect("a key and a credential have a length")
    }

    /// Signs the proposal to add the owner of a key package, at one epoch.
    pub(super) fn add(&self, epoch: u64, key_package: KeyPackage) -> Signed {
        let message = ExternalProposal::new_add::<OpenMlsRustCrypto>(
            key_package,
            self.group.clone(),
            GroupEpoch::from(epoch),
            &self.keys,
            SenderExtensionIndex::new(0),
        );
        Signed::new(&message.expect("the gateway's own key signs"))
    }

    /// Signs the proposal to remove the member at a leaf, at one epoch.
    pub(super) fn remove(&self, epoch: u64, leaf: u32) -> Signed {
        let message = ExternalProposal::new_remove::<OpenMlsRustCrypto>(
            LeafNodeIndex::new(leaf),
            self.group.clone(),
            GroupEpoch::from(epoch),
            &self.keys,
            SenderExtensionIndex::new(0),
        );
        Signed::new(&message.expect("the gateway's own key signs"))
    }
}

impl Signed {
    fn new(message: &MlsMessageOut) -> Self {
        let message = message.tls_serialize_detached().expect("a proposal has a length");
        // A proposal's reference is over its AuthenticatedContent: the MLSMessage without its version, since an
        // external sender's message ends with the signature (RFC 9420, sections 5.2 and 6.1).
        let reference = make_proposal_ref(&message[VERSION_BYTES..], SUITE, &RustCrypto::default())
            .expect("SHA-256 is supported");
        Self { reference: reference.as_slice().to_vec(), message }
    }
}
