//! The key pair of an application, by which it knows that a request is Discord's (Interactions Overview, "Validating
//! Security Request Headers").

use std::fmt::{self, Write as _};

use ed25519_dalek::{SECRET_KEY_LENGTH, Signer as _, SigningKey};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Separates the hash of a token from other uses of the same hash.
const CONTEXT: &[u8] = b"sandbox: key pair of an application\0";

/// An Ed25519 key pair.
#[derive(Clone)]
pub struct KeyPair(SigningKey);

impl KeyPair {
    /// Creates a new key pair.
    pub fn random() -> Self {
        Self(SigningKey::from_bytes(&rand::random::<[u8; SECRET_KEY_LENGTH]>()))
    }

    /// Returns the key pair of a bot that is created with this token: the same token has the same public key at each
    /// start, and the token does not follow from the key.
    pub fn of_token(token: &str) -> Self {
        let seed = Sha256::new().chain_update(CONTEXT).chain_update(token).finalize();
        Self(SigningKey::from_bytes(&seed.into()))
    }

    /// Returns the public key in hexadecimal digits.
    pub fn public(&self) -> String {
        hex(self.0.verifying_key().as_bytes())
    }

    /// Returns the signature of a timestamp and the body after it, in hexadecimal digits.
    pub fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        hex(&self.0.sign(&[timestamp.as_bytes(), body].concat()).to_bytes())
    }
}

impl Default for KeyPair {
    fn default() -> Self {
        Self::random()
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("KeyPair").field(&self.public()).finish()
    }
}

impl Serialize for KeyPair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        hex(self.0.as_bytes()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KeyPair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        });
        let bytes: Option<Vec<u8>> = digits.collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(|bytes| Self(SigningKey::from_bytes(&bytes)))
            .ok_or_else(|| D::Error::custom("no key of 32 bytes"))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to memory does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second test of RFC 8032, section 7.1: a message of one byte, here the timestamp or the body.
    #[test]
    fn signatures_are_those_of_the_rfc() {
        let secret = "\"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb\"";
        let pair: KeyPair = serde_json::from_str(secret).unwrap();
        assert_eq!(pair.public(), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(pair.sign("", b"r"), signature);
        assert_eq!(pair.sign("r", b""), signature);
        assert_eq!(serde_json::to_string(&pair).unwrap(), secret);
    }

    #[test]
    fn a_token_has_one_key_and_a_key_is_shown_without_its_secret() {
        let pair = KeyPair::of_token("a.b.c");
        assert_eq!(pair.public(), KeyPair::of_token("a.b.c").public());
        assert_ne!(pair.public(), KeyPair::of_token("a.b.d").public());
        assert_ne!(KeyPair::random().public(), KeyPair::random().public());
        assert_eq!(format!("{pair:?}"), format!("KeyPair({:?})", pair.public()));
        for wrong in ["\"\"", "\"zz\"", "\"4ccd\"", "7"] {
            assert!(serde_json::from_str::<KeyPair>(wrong).is_err(), "{wrong}");
        }
    }
}
