//! The local Discord of a start without a token.
//!
//! A bot without hot reload runs it in its own process, on a thread of its own. A development host starts the program
//! that was built with it, so that a change of the sandbox's sources does not change the host.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use sdk::roots;
use sdk::serenity::all::GuildId;

use crate::config::{ApiUrl, Connection, Token, TokenError, ValueError};
use crate::failure::Failure;

#[cfg_attr(feature = "sandbox", path = "sandbox/embedded.rs")]
#[cfg_attr(not(feature = "sandbox"), path = "sandbox/program.rs")]
mod server;

use server::Server;

/// A running local Discord. It ends when this is dropped.
pub(crate) struct Local {
    /// The connection to it.
    pub(crate) connection: Connection,
    /// Its guild, where commands are registered in development.
    pub(crate) guild: GuildId,
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))]
    url: String,
    _server: Server,
    /// Removed after the server has ended.
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))]
    trusted: Trusted,
}

/// What a local Discord reports when it is ready.
struct Started {
    url: String,
    token: String,
    guild: u64,
    root_certificate: String,
    /// Command line of its client, to which a command is appended.
    client: String,
}

/// Why the local Discord cannot be started.
#[derive(Debug, thiserror::Error)]
#[error("The local Discord cannot be started ({kind}); set DISCORD_TOKEN to use Discord itself.")]
struct StartError {
    #[source]
    kind: StartErrorKind,
}

#[derive(Debug, thiserror::Error)]
enum StartErrorKind {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What it reports cannot be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Url(#[from] ValueError),
    #[cfg(feature = "sandbox")]
    #[error("its thread has ended")]
    Thread,
    #[cfg(not(feature = "sandbox"))]
    #[error("{}: {source}", program.display())]
    Spawn { program: PathBuf, source: io::Error },
    #[cfg(not(feature = "sandbox"))]
    #[error("this program is in no target folder of cargo's")]
    NoTarget,
    #[cfg(not(feature = "sandbox"))]
    #[error("{} is not there; build it with ./dev-env.sh hmr --local", .0.display())]
    NotBuilt(PathBuf),
    #[cfg(not(feature = "sandbox"))]
    #[error("it has no output")]
    NoOutput,
    #[cfg(not(feature = "sandbox"))]
    #[error("it has ended; its last words are above")]
    Ended,
    #[cfg(not(feature = "sandbox"))]
    #[error("{} is not its state file", .0.display())]
    State(PathBuf),
}

impl<E: Into<StartErrorKind>> From<E> for StartError {
    fn from(kind: E) -> Self {
        Self { kind: kind.into() }
    }
}

/// The folder of a local Discord, which others cannot read. It contains the file of root certificates that voice
/// connections of this process trust, and the state file, with which users find the local Discord.
///
/// The local Discord's voice servers use TLS with a self-made certificate, which no other program has to trust. The
/// file also contains the machine's root certificates. Programs that this process runs, such as cargo, read the same
/// variable and get its former value.
pub(crate) struct Trusted(PathBuf);

impl Trusted {
    /// Sets the file for the TLS library, which reads it with each connection.
    ///
    /// Call it before any thread is started.
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
        // SAFETY: `main` has started no thread yet, so no other thread reads a variable meanwhile.
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

    /// Returns the path of the local Discord's state file.
    fn state_file(&self) -> PathBuf {
        self.0.with_file_name("sandbox.json")
    }

    /// Adds a trusted certificate.
    fn add(&self, root: &str) -> std::io::Result<()> {
        write!(OpenOptions::new().append(true).open(&self.0)?, "\n{root}")
    }
}

impl Drop for Trusted {
    fn drop(&mut self) {
        // It makes no difference if the folder is already removed.
        let _ = self.0.parent().map(fs::remove_dir_all);
    }
}

/// Variable with the file of root certificates. Source: rustls-native-certs, as defined by OpenSSL.
const TRUSTED: &str = roots::NAMED;
/// Root certificates of systems: Debian, Fedora, and macOS with many others.
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Returns the root certificates that are trusted already, as PEM; empty if no file is found.
fn known_roots() -> Vec<u8> {
    let named = std::env::var_os(TRUSTED).map(PathBuf::from);
    let mut files = named.into_iter().chain(BUNDLES.map(PathBuf::from));
    files.find_map(|file| fs::read(file).ok()).unwrap_or_default()
}

impl Local {
    /// Starts a local Discord on a free loopback port and prints how to act as one of its users.
    pub(crate) fn start(trusted: Trusted) -> Result<Self, Failure> {
        let state = trusted.state_file();
        let (server, started) = Server::start(&state).map_err(Failure::other)?;
        let unusable = |error: StartError| Failure::other(error);
        trusted.add(&started.root_certificate).map_err(|error| unusable(error.into()))?;
        let token = Token::parse(&started.token, false).map_err(|error| unusable(error.into()))?;
        let api = ApiUrl::parse(&started.url).map_err(|error| unusable(error.into()))?;
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
    /// Returns the variables with which another process connects to it.
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
