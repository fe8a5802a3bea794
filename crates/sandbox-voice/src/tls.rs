//! The certificates of the voice servers: a root of the sandbox's own, and what it signs.
//!
//! Both are created at the start, unless a [`Root`] of an earlier start is given. The root is never installed anywhere; a
//! client is configured to trust it, for instance by `SSL_CERT_FILE`. It is constrained to the servers' names and
//! addresses (RFC 5280, 4.2.1.10), so that it proves no other server even to a client that trusts it for all.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// A root with its key, which can be kept for the next start. The key is a secret of the sandbox.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Names and addresses that it can prove.
    names: Vec<String>,
    /// The certificate, as PEM.
    certificate: String,
    /// Its private key, as PEM.
    key: String,
}

impl std::fmt::Debug for Root {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Root").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Root {
    /// Creates a root that can prove these names and addresses.
    fn new(names: &[String]) -> Result<Self, rcgen::Error> {
        let root = root(names)?;
        let (certificate, key) = (root.pem(), root.key().serialize_pem());
        Ok(Self { names: names.to_vec(), certificate, key })
    }

    /// Returns the certificate, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }
}

/// Returns a root, and the configuration of servers that prove these names and addresses with it. `kept` is taken as the
/// root if it can prove just these.
pub(crate) fn identity(
    names: &[String],
    kept: Option<&Root>,
) -> Result<(Root, Arc<ServerConfig>), Box<dyn std::error::Error + Send + Sync>> {
    let kept = kept.filter(|kept| kept.names == names);
    let signs =
        |root: &Root| Ok::<_, rcgen::Error>(Issuer::new(content(names), KeyPair::from_pem(&root.key)?));
    // A key that cannot be read is replaced, as is a root for other names.
    let (root, issuer) = match kept.map(|kept| (kept.clone(), signs(kept))) {
        Some((root, Ok(issuer))) => (root, issuer),
        _ => {
            let root = Root::new(names)?;
            let issuer = signs(&root)?;
            (root, issuer)
        }
    };
    let key = KeyPair::generate()?;
    let certificate = server(names.to_vec())?.signed_by(&key, &issuer)?;

    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    Ok((root, Arc::new(config)))
}

/// Returns a root that can prove only these names and addresses.
fn root(names: &[String]) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    CertifiedIssuer::self_signed(content(names), KeyPair::generate()?)
}

/// Returns the content of a root's certificate.
fn content(names: &[String]) -> CertificateParams {
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    root.distinguished_name = name("Sandbox voice root, good for nothing else");
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
    server.distinguished_name = name("Sandbox voice server");
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
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};

    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Returns whether a client that trusts a root accepts a certificate that it has signed for a name.
    fn is_taken(root: &CertifiedIssuer<'static, KeyPair>, names: &[&str], asked: &str) -> bool {
        let key = KeyPair::generate().unwrap();
        let certificate = server(owned(names)).unwrap().signed_by(&key, root).unwrap();
        trusts(root, certificate.der(), asked)
    }

    fn trusts(root: &CertifiedIssuer<'static, KeyPair>, chain: &CertificateDer<'_>, asked: &str) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let asked = ServerName::try_from(asked.to_owned()).unwrap();
        verifier.verify_server_cert(chain, &[], &asked, &[], UnixTime::now()).is_ok()
    }

    #[test]
    fn a_kept_root_is_used_again_for_the_same_names_alone() {
        let names = owned(&["localhost", "127.0.0.1"]);
        let (first, _) = identity(&names, None).unwrap();
        let stored: Root = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
        let (again, _) = identity(&names, Some(&stored)).unwrap();
        assert_eq!(again, first);
        let (other, _) = identity(&owned(&["localhost", "sandbox"]), Some(&stored)).unwrap();
        assert_ne!(other.certificate, first.certificate);
        let broken = Root { key: "-".to_owned(), ..stored };
        assert_ne!(identity(&names, Some(&broken)).unwrap().0.certificate, first.certificate);
        assert!(!format!("{first:?}").contains("PRIVATE"));
    }

    #[test]
    fn a_server_of_a_later_start_is_proved_by_the_root_of_the_first() {
        let names = owned(&["localhost", "127.0.0.1"]);
        let kept = root(&names).unwrap();
        let issuer = Issuer::new(content(&names), KeyPair::from_pem(&kept.key().serialize_pem()).unwrap());
        let key = KeyPair::generate().unwrap();
        let certificate = server(names).unwrap().signed_by(&key, &issuer).unwrap();
        assert!(trusts(&kept, certificate.der(), "localhost"));
        assert!(!trusts(&root(&owned(&["localhost"])).unwrap(), certificate.der(), "localhost"));
    }

    #[test]
    fn the_root_proves_its_own_addresses_and_nobody_else() {
        let root = root(&owned(&["localhost", "127.0.0.1", "::1", "sandbox"])).unwrap();
        for own in ["localhost", "127.0.0.1", "::1", "sandbox"] {
            assert!(is_taken(&root, &["localhost", "127.0.0.1", "::1", "sandbox"], own), "{own}");
        }
        for other in ["discord.com", "static.crates.io", "127.0.0.2", "10.0.0.1", "::2"] {
            assert!(!is_taken(&root, &[other], other), "{other}");
            // Not even beside what it may prove.
            assert!(!is_taken(&root, &["localhost", other], "localhost"), "{other}");
        }
    }
}
