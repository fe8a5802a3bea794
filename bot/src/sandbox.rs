//! The local Discord of a start without a token.
//!
//! A bot without hot reload has it inside, on a thread of its own. A development host starts the program that was built
//! beside it: so a change of the sandbox's sources is no change of the host.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use sdk::roots;
use sdk::serenity::all::GuildId;

use crate::config::{ApiUrl, Connection, Token};
use crate::failure::Failure;

#[cfg_attr(feature = "sandbox", path = "sandbox/embedded.rs")]
#[cfg_attr(not(feature = "sandbox"), path = "sandbox/program.rs")]
mod server;

use server::Server;

/// A running local Discord; it ends when this is dropped.
pub(crate) struct Local {
    /// The way to it.
    pub(crate) connection: Connection,
    /// Its guild, where commands are tried out.
    pub(crate) guild: GuildId,
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))]
    url: String,
    _server: Server,
    /// Removed after the server has ended.
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))]
    trusted: Trusted,
}

/// What a local Discord tells once it serves.
struct Started {
    url: String,
    token: String,
    guild: u64,
    root_certificate: String,
    /// Command line of its client, to be followed by a command.
    client: String,
}

/// The folder of a local Discord, which others can't look into: the file of root certificates that voice connections of
/// this process trust, and the state file, by which its user finds the local Discord.
///
/// The local Discord's voice servers speak TLS with a certificate of their own making, which nobody else has to trust.
/// The machine's roots are in the file as well. Programs that this process runs, such as cargo, read the same variable and
/// get what it was before.
pub(crate) struct Trusted(PathBuf);

impl Trusted {
    /// Names the file to the TLS library, which reads it with each connection.
    ///
    /// To be called before any thread is started.
    pub(crate) fn name() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::other(format!("No temporary file can be made for the local Discord ({error})."))
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("hotcord-{}-{}", std::process::id(), since.as_nanos());
        let folder = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
        let file = folder.join("root.pem");
        fs::write(&file, known_roots()).map_err(failed)?;
        let before = std::env::var_os(TRUSTED).unwrap_or_default();
        #[allow(unsafe_code)]
        // SAFETY: `main` has started no thread yet, so nobody reads a variable while this one is set.
        unsafe {
            std::env::set_var(TRUSTED, &file);
            std::env::set_var(roots::BEFORE, before);
        }
        Ok(Self(file))
    }

    #[cfg(feature = "hmr")]
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    /// Returns where the state file of the local Discord is.
    fn state_file(&self) -> PathBuf {
        self.0.with_file_name("sandbox.json")
    }

    /// Trusts one certificate more.
    fn add(&self, root: &str) -> std::io::Result<()> {
        write!(OpenOptions::new().append(true).open(&self.0)?, "\n{root}")
    }
}

impl Drop for Trusted {
    fn drop(&mut self) {
        // A folder that somebody else has removed is as good.
        let _ = self.0.parent().map(fs::remove_dir_all);
    }
}

/// Variable that names the file of root certificates. Source: rustls-native-certs, as OpenSSL has it.
const TRUSTED: &str = roots::NAMED;
/// Where systems keep their root certificates: Debian, Fedora, and macOS with many others.
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Gives the root certificates that are trusted already, as PEM; none where no file of them is found.
fn known_roots() -> Vec<u8> {
    let named = std::env::var_os(TRUSTED).map(PathBuf::from);
    let mut files = named.into_iter().chain(BUNDLES.map(PathBuf::from));
    files.find_map(|file| fs::read(file).ok()).unwrap_or_default()
}

impl Local {
    /// Starts a local Discord on a free loopback port and tells how to be one of its users.
    pub(crate) fn start(trusted: Trusted) -> Result<Self, Failure> {
        let failed = |problem: &str| {
            Failure::other(format!(
                "The local Discord cannot be started ({problem}); set DISCORD_TOKEN to use Discord itself."
            ))
        };
        let state = trusted.state_file();
        let (server, started) = Server::start(&state).map_err(|problem| failed(&problem))?;
        trusted.add(&started.root_certificate).map_err(|error| failed(&error.to_string()))?;
        let token = Token::parse(&started.token, false).map_err(|problem| failed(&problem))?;
        let api = ApiUrl::parse(&started.url).map_err(|problem| failed(&problem))?;
        println!(
            "No DISCORD_TOKEN is set, so the bot talks to a local Discord at {}; nothing leaves this machine.\n\
             When it is ready, try it from another terminal:\n\
             {} --state-file {} say /ping",
            started.url,
            started.client,
            state.display()
        );
        Ok(Self {
            connection: Connection { token, api, gateway: None, plain: false },
            guild: GuildId::new(started.guild),
            url: started.url,
            _server: server,
            trusted,
        })
    }
}

#[cfg(feature = "hmr")]
impl Local {
    /// Gives the variables by which another process finds the way to it.
    pub(crate) fn environment(&self) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        vec![
            ("DISCORD_TOKEN".into(), self.connection.token.expose().into()),
            ("DISCORD_API_URL".into(), self.url.clone().into()),
            ("TEST_GUILD_ID".into(), self.guild.to_string().into()),
            (TRUSTED.into(), self.trusted.path().into()),
            (roots::BEFORE.into(), std::env::var_os(roots::BEFORE).unwrap_or_default()),
        ]
    }
}
