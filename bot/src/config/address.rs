//! Addresses of servers used in place of Discord, or in front of it.

use std::fmt;

use reqwest::Url;

use super::value_error::{UrlError, ValueError};

/// A REST server: the part before `/api/v10` in its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiUrl(String);

impl ApiUrl {
    /// Parses `http://host:port`, with or without `/api` or `/api/v10`. Discord's own address gives `None`.
    ///
    /// The error follows "DISCORD_API_URL is '...', which" in a sentence.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, ValueError> {
        let url = parse(text, ["http", "https"], "http://127.0.0.1:3000")?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ValueError::Query);
        }
        let mut path = url.path().trim_end_matches('/');
        if let Some((before, version)) = path.rsplit_once("/api/v") {
            match version.parse::<u8>() {
                Ok(10) => path = before,
                Ok(_) => return Err(ValueError::ApiVersion),
                Err(_) => {}
            }
        }
        path = path.strip_suffix("/api").unwrap_or(path).trim_end_matches('/');
        if matches!(url.host_str(), Some("discord.com" | "discordapp.com")) {
            return Ok(None);
        }
        let origin = url.origin().ascii_serialization();
        Ok(Some(Self(format!("{origin}{path}"))))
    }

    /// Returns Discord's own address.
    pub(crate) fn discord() -> Self {
        Self("https://discord.com".to_owned())
    }

    /// Returns the URL of a path that begins with `/api`.
    pub(crate) fn join(&self, path: &str) -> Result<Url, UrlError> {
        Url::parse(&format!("{}{path}", self.0))
    }

    /// Returns host and port.
    pub(crate) fn address(&self) -> Option<String> {
        let url = Url::parse(&self.0).ok()?;
        Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
    }

    /// Returns whether requests go there over TLS.
    pub(crate) fn has_tls(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// Returns whether the server is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else { return false };
        // `url` returns the host of an IPv6 address with its brackets.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A gateway's address, without a query; serenity adds its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GatewayUrl(String);

impl GatewayUrl {
    /// Parses `ws://host:port`. A query, as in Discord's examples, is dropped.
    ///
    /// The error follows "DISCORD_GATEWAY_URL is '...', which" in a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, ValueError> {
        let mut url = parse(text, ["ws", "wss"], "ws://127.0.0.1:7878")?;
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self(url.into()))
    }

    /// Returns the address as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn parse(text: &str, [plain, secure]: [&'static str; 2], example: &'static str) -> Result<Url, ValueError> {
    let has_scheme = text
        .split_once("://")
        .is_some_and(|(scheme, _)| [plain, secure].iter().any(|s| s.eq_ignore_ascii_case(scheme)));
    if !has_scheme {
        return Err(ValueError::Scheme { plain, secure, example });
    }
    let url = Url::parse(text).map_err(|source| ValueError::Url { source, example })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ValueError::Login);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn api(text: &str) -> String {
        ApiUrl::parse(text).unwrap().unwrap().to_string()
    }

    #[test]
    fn an_api_address_may_end_where_people_let_it_end() {
        for text in ["http://h:1", "http://h:1/", "http://h:1/api", "http://h:1/api/", "HTTP://h:1/api/v10/"]
        {
            assert_eq!(api(text), "http://h:1", "{text}");
        }
        assert_eq!(api("https://proxy.example/discord/api/v10"), "https://proxy.example/discord");
        assert_eq!(api("https://proxy.example/discord/"), "https://proxy.example/discord");
        assert_eq!(api("http://[::1]:80/"), "http://[::1]");
        let joined = ApiUrl::parse("http://h/p").unwrap().unwrap().join("/api/v10/gateway?a=%20b").unwrap();
        assert_eq!(joined.as_str(), "http://h/p/api/v10/gateway?a=%20b");
    }

    #[test]
    fn discords_own_address_needs_no_relay() {
        assert_eq!(ApiUrl::parse("https://discord.com/api/v10").unwrap(), None);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for (text, words) in [
            ("127.0.0.1:3000", "begin it with http://"),
            ("ftp://host", "begin it with http://"),
            ("http://", "is no address"),
            ("http://host:99999", "is no address"),
            ("http://me:secret@host", "user name or password"),
            ("http://host/api/v9", "speaks v10"),
            ("http://host/?x=1", "after ?"),
        ] {
            let error = ApiUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("secret"), "{text}: {error}");
        }
        assert!(GatewayUrl::parse("https://gateway.example").is_err());
    }

    #[test]
    fn loopback_is_known_in_every_spelling() {
        for (text, local) in [
            ("http://127.0.0.1:1", true),
            ("http://127.8.8.8", true),
            ("http://[::1]:1", true),
            ("http://localhost:1", true),
            ("http://10.0.0.1", false),
            ("https://localhost.example", false),
        ] {
            assert_eq!(ApiUrl::parse(text).unwrap().unwrap().is_local(), local, "{text}");
        }
    }

    #[test]
    fn a_gateway_address_loses_its_query() {
        let url = GatewayUrl::parse("wss://gateway.discord.gg/?v=10&encoding=json").unwrap();
        assert_eq!(url.as_str(), "wss://gateway.discord.gg/");
    }

    proptest! {
        #[test]
        fn reading_an_address_twice_changes_nothing(text in "https?://[a-z]{1,8}(:[1-9][0-9]{1,3})?(/[a-z]{1,5}){0,3}/?") {
            if let Some(once) = ApiUrl::parse(&text).unwrap() {
                let again = ApiUrl::parse(&once.to_string()).unwrap();
                // A prefix that itself ends in /api loses that too, but no real address has it twice.
                prop_assume!(!once.to_string().ends_with("/api"));
                prop_assert_eq!(again, Some(once));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = ApiUrl::parse(&text);
            let _ = GatewayUrl::parse(&text);
        }
    }
}
