//! MLS handshake messages as a delivery service reads them: framing without secrets (RFC 9420, sections 6 and 12.4).
//!
//! Members of a call send commits in plain (PublicMessage), so that the voice gateway can see whose commit it is, for
//! which epoch, and which proposals it covers. What only members can check, its signature over the group's state and its
//! tags, is theirs.
//!
//! Every length inside a message is checked here before openmls or a listener reads it: tls_codec 0.4 panics in
//! development builds when a length inside leads past the end.

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
/// A proposal of a commit that is a reference to one sent before.
const REFERENCE: u8 = 2;
/// Leaf node source of a leaf made for a key package.
const SOURCE_KEY_PACKAGE: u8 = 1;
/// Leaf node source of a leaf made for a commit.
const SOURCE_COMMIT: u8 = 3;

/// Bytes that are not the message they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not as RFC 9420 and the DAVE protocol have it")]
pub(super) struct Malformed(pub(super) &'static str);

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
    /// References to proposals, in the order in which they are applied; nothing if a proposal stands in the commit itself.
    pub(super) proposals: Option<Vec<Vec<u8>>>,
    /// New leaf of the committer, if the commit has a path.
    pub(super) leaf: Option<Leaf>,
}

/// Who a leaf says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Public key that the member signs with.
    pub(super) signature_key: Vec<u8>,
    /// Type of the credential, 1 for a basic one.
    pub(super) credential_type: u16,
    /// Identity in the credential.
    pub(super) identity: Vec<u8>,
    /// Whether it has extensions, which DAVE has none of.
    pub(super) extended: bool,
}

/// A welcome: one secret for each new member, and what they share.
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

/// The references of a commit; nothing if one of its proposals is none.
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
        // Versions, ciphersuites, extensions, proposals and credentials that it can take, numbers of 16 bits all.
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

    /// References of the key packages that it welcomes, in its own order.
    pub(super) fn welcomed(&self) -> impl Iterator<Item = &[u8]> {
        self.secrets.iter().map(|secret| secret.key_package.as_slice())
    }

    /// The part that is for one new member, as opcode 30 carries it.
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

/// A KeyPackage whose lengths are right.
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
    /// The whitepaper has the former and clients send the latter (davey, and so songbird); what stands third tells them
    /// apart, since no ciphersuite of DAVE has the number of the wire format.
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

/// A variable-size vector: its length as MLS writes lengths (RFC 9420, section 2.1.2), then the bytes.
pub(super) fn opaque(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("websocket messages are shorter than 1 GiB");
    let [.., third, fourth] = length.to_be_bytes();
    let mut vector = match length {
        0..0x40 => vec![fourth],
        0x40..0x4000 => vec![third | 0x40, fourth],
        _ => (length | 0x8000_0000).to_be_bytes().to_vec(),
    };
    vector.extend(bytes);
    vector
}

/// Items of a variable-size vector of variable-size vectors, such as the proposals of opcode 27.
pub(super) fn inner(vector: &[u8]) -> Result<&[u8], Malformed> {
    let mut input = Input::new(vector, "the list");
    let list = input.opaque()?;
    input.end()?;
    Ok(list)
}

/// What is left of a message that is being read.
struct Input<'a> {
    rest: &'a [u8],
    /// What it should be, for the error.
    what: &'static str,
}

impl<'a> Input<'a> {
    fn new(rest: &'a [u8], what: &'static str) -> Self {
        Self { rest, what }
    }

    fn malformed(&self) -> Malformed {
        Malformed(self.what)
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(bytes)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(self.malformed())?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn expect<const N: usize>(&mut self, value: [u8; N]) -> Result<(), Malformed> {
        if self.take()? == value { Ok(()) } else { Err(self.malformed()) }
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed()) }
    }

    /// A variable-size vector, its length in as few bytes as can be.
    fn opaque(&mut self) -> Result<&'a [u8], Malformed> {
        let [first] = self.take()?;
        let (length, least) = match first >> 6 {
            0 => (u32::from(first), 0),
            1 => {
                let [second] = self.take()?;
                (u32::from(u16::from_be_bytes([first & 0x3f, second])), 0x40)
            }
            2 => {
                let [second, third, fourth] = self.take()?;
                (u32::from_be_bytes([first & 0x3f, second, third, fourth]), 0x4000)
            }
            _ => return Err(self.malformed()),
        };
        if length < least {
            return Err(self.malformed());
        }
        self.bytes(usize::try_from(length).map_err(|_| self.malformed())?)
    }

    /// Reads a variable-size vector to its end, item by item.
    fn inside<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<(), Malformed> {
        let mut list = Self::new(self.opaque()?, self.what);
        while !list.rest.is_empty() {
            item(&mut list)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use openmls::prelude::tls_codec::{DeserializeBytes, Serialize, VLByteSlice, VLBytes};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn vectors_are_written_as_tls_codec_writes_them(length in prop_oneof![0..200_usize, 16_000..17_000_usize]) {
            let bytes = vec![7; length];
            let vector = opaque(&bytes);
            prop_assert_eq!(&vector, &VLByteSlice(&bytes).tls_serialize_detached().expect("short"));
            prop_assert_eq!(inner(&vector), Ok(&bytes[..]));
            prop_assert_eq!(inner(&vector[..vector.len() - 1]), Err(Malformed("the list")));
        }

        #[test]
        fn a_vector_that_is_read_is_one_that_tls_codec_reads(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(list) = inner(&bytes) {
                let read = VLBytes::tls_deserialize_exact_bytes(&bytes).expect("tls_codec reads it too");
                prop_assert_eq!(read.as_slice(), list);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(CommitWelcome::read(&bytes));
            drop(Packed::read(&bytes));
        }
    }
}
