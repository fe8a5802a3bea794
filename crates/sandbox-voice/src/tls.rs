//! The certificates of the voice servers: a root of the sandbox's own, and what it signs.
//!
//! Both are created at the start and live in memory. The root is never installed anywhere; a client is configured to
//! trust it, for instance by `SSL_CERT_FILE`. Its key is dropped once the servers have their certificate, and it is
//! constrained to their names and addresses (RFC 5280, 4.2.1.10), so that it proves no other server even to a client
//! that trusts it for all.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// Creates a root, and the configuration of servers that prove these names and addresses with it; returns the root as
/// PEM first.
pub(crate) fn identity(
    names: Vec<String>,
) -> Result<(String, Arc<ServerConfig>), Box<dyn std::error::Error + Send + Sync>> {
    let root = root(&names)?;
    let key = KeyPair::generate()?;
    let certificate = server(names)?.signed_by(&key, &root)?;

    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    Ok((root.pem(), Arc::new(config)))
}

/// Returns a root that can prove only these names and addresses.
fn root(names: &[String]) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
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
    CertifiedIssuer::self_signed(root, KeyPair::generate()?)
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
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let chain: &CertificateDer<'_> = certificate.der();
        let asked = ServerName::try_from(asked.to_owned()).unwrap();
        verifier.verify_server_cert(chain, &[], &asked, &[], UnixTime::now()).is_ok()
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
