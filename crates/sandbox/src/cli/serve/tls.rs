//! The options of TLS, and what is said of its certificate.

use std::path::Path;

use clap::Args;
use sandbox::{Builder, Sandbox};

use super::say;

#[derive(Debug, Args)]
pub(super) struct Tls {
    /// Serve everything with TLS, under a certificate of the sandbox's own; without it only to this machine.
    #[arg(long)]
    tls: bool,
    /// Name of another server that leads here, as in discord.com, for the certificate; implies --tls, can be repeated.
    #[arg(long, value_name = "NAME")]
    tls_name: Vec<String>,
    /// Be an HTTP proxy too, which leads the names of --tls-name here, for programs of this machine; implies --tls.
    #[arg(long)]
    proxy: bool,
}

impl Tls {
    /// Returns whether everything is served with TLS.
    pub(super) fn is_on(&self) -> bool {
        self.tls || self.proxy || !self.tls_name.is_empty()
    }

    /// Sets the options of a sandbox.
    pub(super) fn apply(&self, builder: Builder) -> Builder {
        let builder = if self.is_on() { builder.tls(&self.tls_name) } else { builder };
        if self.proxy { builder.proxy() } else { builder }
    }

    /// Prints where the certificate is and what it is good for.
    pub(super) fn greet(&self, sandbox: &Sandbox, root: &Path) {
        if self.is_on() {
            say("It must trust the certificate of this sandbox:");
        } else {
            say(
                "For voice it must trust the certificate of this sandbox, which is good for these addresses alone:",
            );
        }
        say(&format!("  SSL_CERT_FILE={}", root.display()));
        if !self.tls_name.is_empty() {
            say(&format!(
                "A program that trusts it takes this sandbox for {}. Never install it in a system or browser.",
                self.tls_name.join(", ")
            ));
        }
        if let Some(proxy) = sandbox.proxy_url() {
            say(&format!("These names lead here by the proxy at {proxy}, and no others."));
        }
    }
}
