//! The certificates of the sandbox's servers: a root of its own, and what it signs.
//!
//! The root is never installed anywhere; a client is configured to trust it, for instance by `SSL_CERT_FILE`. It signs one
//! certificate, and then its key is dropped, so that it can never prove anything else. It is also constrained to the
//! servers' names and addresses (RFC 5280, 4.2.1.10).

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
};
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A root and the certificate that it has signed, which can be kept for the next start. The server's key is a secret of
/// the sandbox; the root's own exists no more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Names and addresses that it proves.
    names: Vec<String>,
    /// The root's certificate, as PEM.
    certificate: String,
    /// The servers' certificate, as PEM.
    server: String,
    /// Private key of the servers' certificate, as PEM.
    server_key: String,
}

impl std::fmt::Debug for Root {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Root").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Root {
    /// Creates a root that proves these names and addresses, and nothing else.
    fn new(names: &[String]) -> Result<Self, rcgen::Error> {
        let root = CertifiedIssuer::self_signed(content(names), KeyPair::generate()?)?;
        let server_key = KeyPair::generate()?;
        let server = server(names.to_vec())?.signed_by(&server_key, &root)?;
        Ok(Self {
            names: names.to_vec(),
            certificate: root.pem(),
            server: server.pem(),
            server_key: server_key.serialize_pem(),
        })
    }

    /// Returns the certificate that clients must trust, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Returns the names and addresses that it proves.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn config(&self) -> Result<ServerConfig, Error> {
        let certificate = CertificateDer::from_pem_slice(self.server.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(self.server_key.as_bytes())?;
        Ok(ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?)
    }
}

/// A root, and the configuration of the servers that it proves.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The root.
    pub root: Root,
    /// Configuration of the servers.
    pub config: Arc<ServerConfig>,
}

impl Identity {
    /// Returns the identity of servers with these names and addresses. `kept` is taken as the root if it proves just these,
    /// and whole; otherwise there is a new one.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate, or there is no randomness.
    pub fn new(names: &[String], kept: Option<&Root>) -> Result<Self, Error> {
        let kept = kept.filter(|kept| kept.names == names);
        if let Some((root, Ok(config))) = kept.map(|kept| (kept, kept.config())) {
            return Ok(Self { root: root.clone(), config: Arc::new(config) });
        }
        let root = Root::new(names)?;
        let config = Arc::new(root.config()?);
        Ok(Self { root, config })
    }
}

/// Returns the content of a root's certificate, which proves only these names and addresses.
fn content(names: &[String]) -> CertificateParams {
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    root.distinguished_name = name("Sandbox root, good for nothing else");
    let permitted_subtrees = names.iter().map(|name| match name.parse::<IpAddr>() {
        Ok(ip) => {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, if ip.is_ipv4() { 32 } else { 128 }))
        }
        Err(_) => GeneralSubtree::DnsName(name.clone()),
    });
    root.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted_subtrees.collect(),
        excluded_subtrees: Vec::new(),
    });
    root
}

/// Returns the content of a server's certificate.
fn server(names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name = name("Sandbox server");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    Ok(server)
}

fn name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::RootCertStore;
    use tokio_rustls::rustls::client::WebPkiServerVerifier;
    use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
    use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};

    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Returns whether a client that trusts a root accepts a certificate that it has signed for a name.
    fn is_taken(root: &CertifiedIssuer<'static, KeyPair>, names: &[&str], asked: &str) -> bool {
        let key = KeyPair::generate().unwrap();
        let certificate = server(owned(names)).unwrap().signed_by(&key, root).unwrap();
        trusts(root.der(), certificate.der(), asked)
    }

    fn trusts(root: &CertificateDer<'_>, chain: &CertificateDer<'_>, asked: &str) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone().into_owned()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let asked = ServerName::try_from(asked.to_owned()).unwrap();
        verifier.verify_server_cert(chain, &[], &asked, &[], UnixTime::now()).is_ok()
    }

    #[test]
    fn a_kept_root_is_used_again_for_the_same_names_alone() {
        let names = owned(&["localhost", "127.0.0.1"]);
        let first = Identity::new(&names, None).unwrap().root;
        let stored: Root = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
        let again = Identity::new(&names, Some(&stored)).unwrap().root;
        assert_eq!(again, first);
        for names in
            [&["localhost", "sandbox"][..], &["localhost"], &["localhost", "127.0.0.1", "discord.com"]]
        {
            let other = Identity::new(&owned(names), Some(&stored)).unwrap().root;
            assert_ne!(other.certificate, first.certificate, "{names:?}");
        }
        let elsewhere = Root::new(&names).unwrap();
        for broken in [
            Root { server_key: "-".to_owned(), ..stored.clone() },
            Root { server_key: elsewhere.server_key, ..stored.clone() },
            Root { server: "-".to_owned(), ..stored.clone() },
        ] {
            let new = Identity::new(&names, Some(&broken)).unwrap().root;
            assert_ne!(new.certificate, first.certificate);
        }
        assert!(!format!("{first:?}").contains("PRIVATE"));
    }

    #[test]
    fn the_kept_root_holds_no_key_that_could_sign() {
        let root = Root::new(&owned(&["localhost", "discord.com"])).unwrap();
        let key = KeyPair::from_pem(&root.server_key).unwrap();
        let issuer = CertifiedIssuer::self_signed(content(&root.names), key).unwrap();
        let own = CertificateDer::from_pem_slice(root.certificate.as_bytes()).unwrap();
        let key = KeyPair::generate().unwrap();
        let forged = server(owned(&["localhost"])).unwrap().signed_by(&key, &issuer).unwrap();
        assert!(!trusts(&own, forged.der(), "localhost"));
        let real = CertificateDer::from_pem_slice(root.server.as_bytes()).unwrap();
        for name in ["localhost", "discord.com"] {
            assert!(trusts(&own, &real, name));
        }
        for name in ["cdn.discord.com", "discordapp.com", "127.0.0.1"] {
            assert!(!trusts(&own, &real, name), "{name}");
        }
    }

    #[test]
    fn the_root_proves_its_own_addresses_and_nobody_else() {
        let own = ["localhost", "127.0.0.1", "::1", "sandbox", "gateway.discord.gg"];
        let root = CertifiedIssuer::self_signed(content(&owned(&own)), KeyPair::generate().unwrap()).unwrap();
        for name in own {
            assert!(is_taken(&root, &own, name), "{name}");
        }
        for other in ["discord.com", "discord.gg", "static.crates.io", "127.0.0.2", "10.0.0.1", "::2"] {
            assert!(!is_taken(&root, &[other], other), "{other}");
            // Not even beside what it may prove.
            assert!(!is_taken(&root, &["localhost", other], "localhost"), "{other}");
        }
    }
}
