//! The transport encryption of voice packets: the two modes that Discord has not retired.
//!
//! A sealed packet is the clear header, the ciphertext, its tag of 16 bytes, and a nonce of 4 bytes that counts up. The
//! cipher's own nonce is these 4 bytes with zeros behind them; the clear header is authenticated with the ciphertext.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};

/// Length of a key, in bytes.
pub(crate) const KEY: usize = 32;
/// Length of the nonce that a packet carries, in bytes.
const NONCE: usize = 4;

/// A transport encryption mode (Voice, "Transport Encryption Modes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// AES-256 in Galois/counter mode, which clients should prefer where it is offered.
    #[serde(rename = "aead_aes256_gcm_rtpsize")]
    Aes256Gcm,
    /// XChaCha20 with Poly1305, which every client must support.
    #[serde(rename = "aead_xchacha20_poly1305_rtpsize")]
    XChaCha20Poly1305,
}

impl Mode {
    /// Both, in the order in which READY names them.
    pub const ALL: [Self; 2] = [Self::Aes256Gcm, Self::XChaCha20Poly1305];

    /// Returns the name, as in READY and SELECT PROTOCOL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes256Gcm => "aead_aes256_gcm_rtpsize",
            Self::XChaCha20Poly1305 => "aead_xchacha20_poly1305_rtpsize",
        }
    }

    /// Returns the mode of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// Cipher of one client: opens what it sends and seals what it receives.
pub(crate) struct Cipher {
    kind: Kind,
    /// Nonce of the next packet that is sealed.
    next: u32,
}

enum Kind {
    Aes256Gcm(Box<Aes256Gcm>),
    XChaCha20Poly1305(Box<XChaCha20Poly1305>),
}

impl Cipher {
    pub(crate) fn new(mode: Mode, key: &[u8; KEY]) -> Self {
        let kind = match mode {
            Mode::Aes256Gcm => Kind::Aes256Gcm(Box::new(Aes256Gcm::new(key.into()))),
            Mode::XChaCha20Poly1305 => Kind::XChaCha20Poly1305(Box::new(XChaCha20Poly1305::new(key.into()))),
        };
        Self { kind, next: 0 }
    }

    /// Decrypts what follows the clear header; returns `None` if it was not sealed with this key for this header.
    pub(crate) fn open(&self, clear: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (msg, nonce) = sealed.split_last_chunk::<NONCE>()?;
        let payload = Payload { msg, aad: clear };
        match &self.kind {
            Kind::Aes256Gcm(cipher) => cipher.decrypt(Nonce::from_slice(&padded::<12>(*nonce)), payload),
            Kind::XChaCha20Poly1305(cipher) => {
                cipher.decrypt(XNonce::from_slice(&padded::<24>(*nonce)), payload)
            }
        }
        .ok()
    }

    /// Encrypts a body for a clear header and returns the whole packet.
    pub(crate) fn seal(&mut self, clear: &[u8], body: &[u8]) -> Option<Vec<u8>> {
        let nonce = self.next.to_be_bytes();
        self.next = self.next.wrapping_add(1);
        let payload = Payload { msg: body, aad: clear };
        let sealed = match &self.kind {
            Kind::Aes256Gcm(cipher) => cipher.encrypt(Nonce::from_slice(&padded::<12>(nonce)), payload),
            Kind::XChaCha20Poly1305(cipher) => {
                cipher.encrypt(XNonce::from_slice(&padded::<24>(nonce)), payload)
            }
        }
        .ok()?;
        Some([clear, &sealed, &nonce].concat())
    }
}

/// Returns a packet's nonce at the length that a cipher takes.
fn padded<const N: usize>(nonce: [u8; NONCE]) -> [u8; N] {
    let mut whole = [0; N];
    whole[..NONCE].copy_from_slice(&nonce);
    whole
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Cipher, Mode};

    fn modes() -> impl Strategy<Value = Mode> {
        prop_oneof![Just(Mode::Aes256Gcm), Just(Mode::XChaCha20Poly1305)]
    }

    proptest! {
        #[test]
        fn no_packet_makes_a_cipher_panic_or_passes_unsealed(
            mode in modes(), key: [u8; 32], clear in vec(any::<u8>(), 0..40), sealed in vec(any::<u8>(), 0..100),
        ) {
            prop_assert_eq!(Cipher::new(mode, &key).open(&clear, &sealed), None);
        }

        #[test]
        fn what_is_sealed_opens_with_the_same_key_and_header_alone(
            mode in modes(), key: [u8; 32], clear in vec(any::<u8>(), 1..40), body in vec(any::<u8>(), 0..100), at: usize,
        ) {
            let mut cipher = Cipher::new(mode, &key);
            let first = cipher.seal(&clear, &body).unwrap();
            let second = cipher.seal(&clear, &body).unwrap();
            prop_assert_ne!(&first, &second);
            prop_assert_eq!(first.len(), clear.len() + body.len() + 16 + 4);
            prop_assert_eq!(&second[second.len() - 4..], &[0, 0, 0, 1]);
            for packet in [&first, &second] {
                let opened = cipher.open(&clear, &packet[clear.len()..]);
                prop_assert_eq!(opened, Some(body.clone()));
            }
            let mut forged = first.clone();
            let at = at % forged.len();
            forged[at] ^= 1;
            prop_assert_eq!(cipher.open(&forged[..clear.len()], &forged[clear.len()..]), None);
            let mut other = key;
            other[0] ^= 1;
            prop_assert_eq!(Cipher::new(mode, &other).open(&clear, &first[clear.len()..]), None);
        }
    }

    #[test]
    fn modes_have_their_documented_names() {
        for mode in Mode::ALL {
            assert_eq!(Mode::named(mode.name()), Some(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.name());
        }
        assert_eq!(Mode::named("xsalsa20_poly1305"), None);
    }
}
