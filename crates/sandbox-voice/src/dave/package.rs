//! Key packages: what a client must show before the gateway proposes to add it (opcode 26).

use openmls::prelude::tls_codec::DeserializeBytes;
use openmls::prelude::{Ciphersuite, CredentialType, KeyPackage, KeyPackageIn, ProtocolVersion};
use openmls_rust_crypto::RustCrypto;

use super::sender::SUITE;
use super::wire::{self, Packed};

/// Key package that has been checked.
#[derive(Clone, Debug)]
pub(super) struct Package {
    /// The key package itself.
    pub(super) key_package: KeyPackage,
    /// Reference by which a welcome names it.
    pub(super) reference: Vec<u8>,
    /// Public key that its owner signs with.
    pub(super) signature_key: Vec<u8>,
}

/// Why a key package is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// It cannot be read.
    #[error("the key package is not as RFC 9420 has it")]
    Malformed,
    /// It can be read and breaks a rule.
    #[error("the key package is refused: {0}")]
    Invalid(&'static str),
}

/// Reads and checks the key package of a user, by the rules of the DAVE protocol ("Key Packages", "Validation").
pub(super) fn read(payload: &[u8], user: u64) -> Result<Package, Refused> {
    let packed = Packed::read(payload).map_err(|_| Refused::Malformed)?;
    if packed.ciphersuite != wire::CIPHERSUITE {
        return Err(Refused::Invalid("its ciphersuite is not DHKEMP256_AES128GCM_SHA256_P256"));
    }
    if packed.extended {
        return Err(Refused::Invalid("it has extensions"));
    }
    let unverified =
        KeyPackageIn::tls_deserialize_exact_bytes(packed.bytes).map_err(|_| Refused::Malformed)?;
    let crypto = RustCrypto::default();
    let key_package = unverified
        .validate(&crypto, ProtocolVersion::Mls10)
        .map_err(|_| Refused::Invalid("its signatures, keys or lifetime do not hold"))?;
    check(&key_package, user).map_err(Refused::Invalid)?;
    let reference = key_package
        .hash_ref(&crypto)
        .map_err(|_| Refused::Invalid("it has no reference"))?
        .as_slice()
        .to_vec();
    let signature_key = key_package.leaf_node().signature_key().as_slice().to_vec();
    Ok(Package { key_package, reference, signature_key })
}

fn check(key_package: &KeyPackage, user: u64) -> Result<(), &'static str> {
    let leaf = key_package.leaf_node();
    let capabilities = leaf.capabilities();
    if leaf.credential().credential_type() != CredentialType::Basic {
        return Err("its credential is not a basic one");
    }
    if leaf.credential().serialized_content() != user.to_be_bytes() {
        return Err("its identity is not the client's user id in big-endian");
    }
    if (key_package.life_time().not_before(), key_package.life_time().not_after()) != (0, u64::MAX) {
        return Err("its lifetime is not from 0 to 2^64 - 1");
    }
    let suites: Vec<Ciphersuite> =
        capabilities.ciphersuites().iter().filter_map(|suite| Ciphersuite::try_from(*suite).ok()).collect();
    if !suites.contains(&SUITE) || !capabilities.credentials().contains(&CredentialType::Basic) {
        return Err("its capabilities do not name the ciphersuite and the basic credential");
    }
    Ok(())
}
