//! Variables of the sources of music.

use std::path::{Path, PathBuf};

use player::source::{HostList, Interfaces, SourceConfig};
use sdk::settings::Environment;

use super::reader::Reader;
use super::value_error::ValueError;
use super::{Connection, value};
use crate::interfaces;

/// Default of `MUSIC_DIR`, if the folder exists.
const MUSIC: &str = "music";

/// The sources of music.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Media {
    /// Folder of the library.
    pub(crate) music: Option<PathBuf>,
    /// The yt-dlp to use.
    pub(crate) yt_dlp: Option<PathBuf>,
    /// Hosts that may be fetched from although they are not public.
    pub(crate) allow: HostList,
    /// Hosts that are never fetched from.
    pub(crate) deny: HostList,
}

impl Media {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            music: reader.read("MUSIC_DIR", value::folder),
            yt_dlp: reader.read("YT_DLP", value::file),
            allow: reader.or_default("MEDIA_ALLOW_HOSTS", hosts),
            deny: reader.or_default("MEDIA_DENY_HOSTS", hosts),
        }
    }

    /// Returns the configuration of sources. In development, files at a local Discord may be fetched although it is not
    /// public.
    pub(crate) fn sources(&self, environment: Environment, connection: &Connection) -> SourceConfig {
        let mut allow = self.allow.clone();
        if environment != Environment::Production
            && let Some(address) =
                connection.api.as_ref().filter(|api| api.is_local()).and_then(super::address::ApiUrl::address)
        {
            allow.add(&address);
        }
        let by_default = || Some(PathBuf::from(MUSIC)).filter(|folder| Path::is_dir(folder));
        SourceConfig {
            music: self.music.clone().or_else(by_default),
            yt_dlp: self.yt_dlp.clone(),
            allow,
            deny: self.deny.clone(),
            interfaces: Interfaces::new(interfaces::read),
            ..SourceConfig::default()
        }
    }
}

/// Parses a list of hosts.
fn hosts(text: &str) -> Result<HostList, ValueError> {
    HostList::parse(text).map_err(|entry| ValueError::Entry {
        of: "hosts",
        entry,
        way_out: "write them like 'radio.lan,127.0.0.1:8000,10.0.0.0/8'",
    })
}

#[cfg(test)]
mod tests {
    use super::super::{ApiUrl, Token};
    use super::*;

    fn allowed(environment: Environment, api: &str) -> HostList {
        let api = ApiUrl::parse(api).unwrap();
        let connection =
            Connection { token: Token::parse("x", false).unwrap(), api, gateway: None, plain: false };
        Media::default().sources(environment, &connection).allow
    }

    #[test]
    fn files_at_a_local_discord_are_fetched_at_its_port_alone_and_never_in_production() {
        let local = HostList::parse("127.0.0.1:3000").unwrap();
        assert_eq!(allowed(Environment::Development, "http://127.0.0.1:3000/api/v10"), local);
        assert_eq!(allowed(Environment::Testing, "http://127.0.0.1:3000"), local);
        assert_eq!(allowed(Environment::Development, "http://[::1]:1"), HostList::parse("[::1]:1").unwrap());
        assert_eq!(
            allowed(Environment::Development, "http://localhost"),
            HostList::parse("localhost:80").unwrap()
        );
        for (environment, api) in [
            (Environment::Production, "http://127.0.0.1:3000"),
            (Environment::Development, "http://10.0.0.1:3000"),
            (Environment::Development, "https://discord.com/api"),
        ] {
            assert_eq!(allowed(environment, api), HostList::default(), "{api}");
        }
    }
}
