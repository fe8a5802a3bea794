//! Root certificates for programs that the bot runs.
//!
//! On a local Discord the bot trusts one root more than the machine does, for its voice servers, and `SSL_CERT_FILE` is
//! the only way to tell songbird's TLS. Cargo and yt-dlp read the same variable and do not need that root. So the code
//! that adds it stores the variable's former value in [`BEFORE`].

use std::ffi::OsString;

/// Variable that names the file of trusted roots, as defined by OpenSSL.
pub const NAMED: &str = "SSL_CERT_FILE";
/// Variable that holds the value of [`NAMED`] before the local Discord's root was added; empty if it was not set.
pub const BEFORE: &str = "HOTCORD_SSL_CERT_FILE";

/// Returns the value of [`NAMED`] for a program that the bot runs, if it should be set there. `variable` reads the
/// bot's variables.
pub fn for_programs(variable: impl Fn(&str) -> Option<OsString>) -> Option<OsString> {
    variable(BEFORE).or_else(|| variable(NAMED)).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_trust_what_the_bot_did_before() {
        let given = |set: &'static [(&str, &str)]| {
            for_programs(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
        };
        assert_eq!(given(&[]), None);
        assert_eq!(given(&[(NAMED, "own.pem")]), Some("own.pem".into()));
        assert_eq!(given(&[(NAMED, "with-sandbox.pem"), (BEFORE, "own.pem")]), Some("own.pem".into()));
        assert_eq!(given(&[(NAMED, "with-sandbox.pem"), (BEFORE, "")]), None);
    }
}
