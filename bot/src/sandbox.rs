//! The local Discord inside the bot, for a start without a token.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use ::sandbox::Sandbox;
use ::sandbox::state_file::StateFile;
use sdk::roots;
use sdk::serenity::all::GuildId;
use sdk::tokio;
use sdk::tokio::sync::oneshot;

use crate::config::{ApiUrl, Connection, Token};
use crate::failure::Failure;

/// A running local Discord, on a thread of its own so that neither side waits for the other; it ends when this is
/// dropped.
pub(crate) struct Local {
    /// The way to it.
    pub(crate) connection: Connection,
    /// Its guild, where commands are tried out.
    pub(crate) guild: GuildId,
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))]
    url: String,
    /// Removed with this.
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))]
    trusted: Trusted,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
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

    /// Leaves the state file of a local Discord.
    fn leave(&self, state: &StateFile) -> std::io::Result<PathBuf> {
        let path = self.0.with_file_name("sandbox.json");
        state.write(&path)?;
        Ok(path)
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

/// What the thread tells once it serves.
struct Started {
    state: StateFile,
    token: String,
    guild: u64,
    root_certificate: String,
}

impl Local {
    /// Starts a local Discord on a free loopback port and tells how to be one of its users.
    pub(crate) fn start(trusted: Trusted) -> Result<Self, Failure> {
        let failed = |problem: &str| {
            Failure::other(format!(
                "The local Discord cannot be started ({problem}); set DISCORD_TOKEN to use Discord itself."
            ))
        };
        let (stop, stopped) = oneshot::channel();
        let (sender, started) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                match runtime {
                    Ok(runtime) => runtime.block_on(serve(&sender, stopped)),
                    Err(error) => drop(sender.send(Err(error.to_string()))),
                }
            })
            .map_err(|error| failed(&error.to_string()))?;
        let started = match started.recv() {
            Ok(Ok(started)) => started,
            Ok(Err(problem)) => return Err(failed(&problem)),
            Err(_) => return Err(failed("its thread has ended")),
        };
        trusted.add(&started.root_certificate).map_err(|error| failed(&error.to_string()))?;
        let token = Token::parse(&started.token, false).map_err(|problem| failed(&problem))?;
        let api = ApiUrl::parse(&started.state.url).map_err(|problem| failed(&problem))?;
        let state = trusted.leave(&started.state).map_err(|error| failed(&error.to_string()))?;
        let (url, state) = (started.state.url, state.display());
        println!(
            "No DISCORD_TOKEN is set, so the bot talks to a local Discord at {url}; nothing leaves this machine.\n\
             When it is ready, try it from another terminal:\n\
             cargo run -q -p sandbox -- --state-file {state} say /ping"
        );
        Ok(Self {
            connection: Connection { token, api, gateway: None, plain: false },
            guild: GuildId::new(started.guild),
            url,
            trusted,
            stop: Some(stop),
            thread: Some(thread),
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

impl Drop for Local {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(started: &mpsc::Sender<Result<Started, String>>, stopped: oneshot::Receiver<()>) {
    match Sandbox::builder().bot_name("Hotcord").start().await {
        Ok(sandbox) => {
            let (state, token) = (StateFile::of(&sandbox), sandbox.token().to_owned());
            let guild = sandbox.guild_id().0;
            let root_certificate = sandbox.voice().root_certificate().to_owned();
            if started.send(Ok(Started { state, token, guild, root_certificate })).is_ok() {
                let _ = stopped.await;
            }
            sandbox.shutdown().await;
        }
        Err(error) => drop(started.send(Err(error.to_string()))),
    }
}
