//! `sandbox serve`: starts a sandbox, prints how to use it, and writes its address and secrets to a file for its owner.

mod endpoints;
mod tls;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use sandbox::Sandbox;
use sandbox::data::Data;
use sandbox::gateway::Intents;
use sandbox::private_file;
use sandbox::ratelimit::Config;
use sandbox::seed::Seed;
use sandbox::state_file::{self, StateFile};
use sandbox::voice::{self, Dave};

use super::{CONTROL_SECRET, DEFAULT_ADDRESS, Failure, Outcome, terminal, variable};

/// Variable with the token.
pub(super) const TOKEN: &str = "SANDBOX_TOKEN";

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = DEFAULT_ADDRESS)]
    listen: SocketAddr,
    /// Address under which bots reach this sandbox, where it differs, as in http://sandbox:8787 in a container.
    #[arg(long)]
    public_url: Option<String>,
    #[command(flatten)]
    tls: tls::Tls,
    /// Name of the bot.
    #[arg(long, default_value = "Sandbot")]
    bot_name: String,
    /// Token of the bot, the same on each start; by default a new random one, which `sandbox env` prints.
    #[arg(long, env = TOKEN, hide_env_values = true)]
    token: Option<String>,
    /// Address of voice, websocket and UDP; by default that of --listen with a free port.
    #[arg(long, value_name = "ADDRESS")]
    voice_listen: Option<SocketAddr>,
    /// End-to-end encryption of voice (DAVE).
    #[arg(long, value_enum, default_value_t = EndToEnd::Required)]
    dave: EndToEnd,
    /// Privileged intents that the bot has enabled, as in GUILD_MEMBERS,MESSAGE_CONTENT; by default all, and none if empty.
    #[arg(long, value_name = "INTENTS", value_delimiter = ',')]
    privileged_intents: Option<Vec<String>>,
    /// Do not limit the rate of requests.
    #[arg(long)]
    no_rate_limits: bool,
    /// Number of shards that GET /gateway/bot recommends.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    shards: u32,
    /// Sessions that may start at once, one for each value of the shard's number modulo N.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    max_concurrency: u32,
    /// Sessions that a bot may start in 24 hours.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    session_starts: u32,
    /// Seconds between two requests for all members of one guild (opcode 8); 0 for no limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    member_list_every: u64,
    /// Milliseconds between heartbeats of the gateway, as HELLO says; a short time shows soon what a bot does when they
    /// are not acknowledged.
    #[arg(long, value_name = "MS", default_value_t = 41_250, value_parser = clap::value_parser!(u64).range(1000..))]
    heartbeat_interval: u64,
    /// Enforce --max-concurrency in 5 seconds and --session-starts in 24 hours, as Discord does.
    #[arg(long)]
    limit_identify: bool,
    /// File in YAML that describes the world, in place of the default one. Given several times, the files are one world.
    /// SANDBOX_SEED names files too, separated as in PATH.
    #[arg(long, value_name = "FILE")]
    seed: Vec<PathBuf>,
    /// Make a world of this many guilds, to see how a bot does with them.
    #[arg(long, value_name = "N")]
    guilds: Option<u32>,
    /// Channels of each of them.
    #[arg(long, value_name = "N", default_value_t = 50, requires = "guilds")]
    channels: u32,
    /// Most guilds of a shard, by default Discord's 2500; a shard with more is closed with 4011.
    #[arg(long, value_name = "N")]
    guilds_per_shard: Option<usize>,
    /// Folder in which the world survives a restart: it is read at the start, and written whenever it has changed.
    #[arg(long, value_name = "DIR", env = "SANDBOX_DATA")]
    data: Option<PathBuf>,
    #[command(flatten)]
    endpoints: endpoints::Endpoints,
    /// Control socket of a bot with hot reload, for the page: .hotcord/control.sock in its workspace.
    #[arg(long, value_name = "SOCKET")]
    bot_control: Option<PathBuf>,
    /// End when standard input ends, as it does with the program that has started this one.
    #[arg(long)]
    exit_with_stdin: bool,
}

/// Whether calls are encrypted end to end.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum EndToEnd {
    /// No.
    Off,
    /// Where every client in the call can.
    Optional,
    /// Yes; clients that cannot are closed with 4017.
    Required,
}

impl From<EndToEnd> for Dave {
    fn from(asked: EndToEnd) -> Self {
        match asked {
            EndToEnd::Off => Self::Off,
            EndToEnd::Optional => Self::Optional,
            EndToEnd::Required => Self::Required,
        }
    }
}

pub(super) async fn run(serve: Serve, state_file: Option<PathBuf>) -> Result<Outcome, Failure> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_max_level(tracing::Level::WARN)
        .init();
    let mut builder = Sandbox::builder().listen(serve.listen).bot_name(&serve.bot_name);
    let token = serve.token.filter(|token| !token.is_empty());
    let origin = token.as_deref().map(origin);
    if let Some(token) = token {
        builder = builder.token(token);
    }
    if let Some(secret) = variable(CONTROL_SECRET) {
        builder = builder.control_secret(secret);
    }
    if let Some(url) = serve.public_url {
        builder = builder.public_url(url);
    }
    builder = serve.tls.apply(builder);
    builder = serve.endpoints.apply(builder);
    // The root is kept where the next start finds it: not beside the file of a port that was free by chance.
    let known = state_file
        .clone()
        .or_else(|| Some(serve.listen.port()).filter(|port| *port != 0).and_then(state_file::default_path));
    let kept = known.map(|path| path.with_extension("root"));
    let root = kept.as_deref().and_then(kept_root);
    let earlier = root.clone();
    let dave = serve.dave.into();
    let voice = voice::Options { listen: serve.voice_listen, dave, root, ..voice::Options::default() };
    builder = builder.voice(voice);
    let gateway = sandbox::gateway::Options::default();
    builder = builder.gateway(sandbox::gateway::Options {
        heartbeat_interval: Duration::from_millis(serve.heartbeat_interval),
        shards: serve.shards,
        max_concurrency: serve.max_concurrency,
        session_starts: serve.session_starts,
        limit_identify: serve.limit_identify,
        member_list_every: Some(Duration::from_secs(serve.member_list_every))
            .filter(|every| !every.is_zero()),
        guilds_per_shard: serve.guilds_per_shard.unwrap_or(gateway.guilds_per_shard),
        ..gateway
    });
    if let Some(names) = serve.privileged_intents {
        let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
        builder = builder.privileged_intents(Intents::privileged_named(&names).map_err(Failure)?);
    }
    if let Some(socket) = serve.bot_control {
        builder = builder.bot_control(socket);
    }
    if serve.no_rate_limits {
        builder = builder.rate_limits(Config::off());
    }
    let files = serve.seed.iter().map(|path| Seed::read_file(path));
    let seeds = if serve.seed.is_empty() && serve.guilds.is_none() {
        Seed::of_environment()
    } else {
        files.collect()
    };
    let seeds: Vec<Seed> = seeds.map_err(|mistake| Failure(mistake.to_string()))?;
    let seeded = !seeds.is_empty() || serve.guilds.is_some();
    for seed in seeds {
        builder = builder.seed(seed);
    }
    if let Some(guilds) = serve.guilds {
        builder = builder.seed(Seed::large(guilds, serve.channels));
    }
    let mut resumed = None;
    if let Some(folder) = serve.data.as_ref().filter(|folder| !folder.as_os_str().is_empty()) {
        let data = Data::open(folder).map_err(|error| Failure(error.to_string()))?;
        resumed = data.has_world().then_some(folder.as_path());
        builder = builder.data(data);
    }
    let mut sandbox = builder.start().await.map_err(|error| {
        // Only the system's own errors lack a sentence.
        if error.raw_os_error().is_none() {
            return Failure(error.to_string());
        }
        let address = serve.listen;
        Failure(format!(
            "can't listen on {address} or on the address of voice: {error}; choose others with --listen and --voice-listen"
        ))
    })?;
    for (option, address) in [("--listen", Some(serve.listen)), ("--voice-listen", serve.voice_listen)] {
        if let Some(address) = address.filter(|address| !address.ip().is_loopback()) {
            terminal::warn(&format!(
                "{option} {address} is not this machine alone: whoever reaches it is kept out by the bot's token and the \
                 secret of the control API{}",
                if serve.tls.is_on() { "" } else { ", which go over it unencrypted" }
            ));
        }
    }
    let chosen = state_file.is_some();
    let path = state_file.or_else(|| state_file::default_path(sandbox.address().port())).ok_or_else(|| {
        Failure("there is no home folder to leave the secrets of the sandbox in; name a file with --state-file".to_owned())
    })?;
    let root = path.with_extension("pem");
    if let Some((kept, root)) = kept.as_deref().zip(sandbox.voice().root()) {
        let text = serde_json::to_vec(root).map_err(|error| Failure(error.to_string()))?;
        private_file::write(kept, &text)
            .map_err(|error| Failure(format!("can't write {}: {error}", kept.display())))?;
    }
    leave(&sandbox, &path, &root, origin.is_some())?;
    if earlier.is_some_and(|earlier| sandbox.voice().root() != Some(&earlier)) {
        terminal::warn(
            "the certificate of the last start is for other names, so this start has a new one, which bots must trust",
        );
    }
    let world = WorldOrigin { resumed, seeded };
    greet(&sandbox, &serve.bot_name, origin, chosen.then_some(path.as_path()), &root, &world, &serve.tls);
    tokio::select! {
        () = sandbox.wait() => {}
        () = stopped() => say("Stopping."),
        () = end_of_input(), if serve.exit_with_stdin => {}
    }
    let closed = sandbox.close().await;
    // Programs read the certificate when they start, which may be before the next start of the sandbox.
    let gone = if kept.is_some() { &[&path][..] } else { &[&path, &root][..] };
    for path in gone {
        // Another process may have removed it, and then there is nothing left to do.
        let _ = std::fs::remove_file(path);
    }
    closed.map_err(|error| Failure(format!("{error}; what has changed since the last write is lost")))?;
    Ok(Outcome::Good)
}

/// Reads the root that an earlier start has kept. One that cannot be read is replaced.
fn kept_root(path: &Path) -> Option<voice::Root> {
    let root = serde_json::from_slice(&std::fs::read(path).ok()?);
    if root.is_err() {
        let path = path.display();
        terminal::warn(&format!(
            "{path} holds no certificate of this version of the sandbox and is replaced; bots must trust the new one"
        ));
    }
    root.ok()
}

/// Waits until standard input ends. The read runs on a thread of its own, which does not delay the end of the process.
async fn end_of_input() {
    let (sender, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = sender.send(());
    });
    // Without a thread there is no end either.
    if ended.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Prints a line. A missing reader is no reason to end.
fn say(line: &str) {
    let _ = terminal::line(line);
}

/// Writes the state file and the certificate. A token that was given may be a real one, and is left out.
fn leave(sandbox: &Sandbox, path: &Path, root: &Path, token_given: bool) -> Result<(), Failure> {
    let told = |path: &Path, error| Failure(format!("can't write {}: {error}", path.display()));
    let mut state = StateFile::of(sandbox);
    if token_given {
        state.token = None;
    }
    state.voice_root = Some(root.to_owned());
    // The state file is written last: a program that waits for it finds all files that it names.
    private_file::write(root, sandbox.voice().root_certificate().as_bytes())
        .map_err(|error| told(root, error))?;
    state.write(path).map_err(|error| told(path, error))
}

/// Returns the origin of a token that was given.
fn origin(token: &str) -> &'static str {
    if std::env::var(TOKEN).is_ok_and(|variable| variable == token) { TOKEN } else { "--token" }
}

/// Where the world comes from.
struct WorldOrigin<'a> {
    /// Folder in which an earlier sandbox has left it.
    resumed: Option<&'a Path>,
    /// Whether seeds have made it.
    seeded: bool,
}

/// Prints how to use the sandbox. Secrets are left out: a server's output ends up in logs, which other users may read.
fn greet(
    sandbox: &Sandbox,
    bot: &str,
    origin: Option<&str>,
    path: Option<&Path>,
    root: &Path,
    world: &WorldOrigin<'_>,
    tls: &tls::Tls,
) {
    let url = sandbox.url();
    // In the form in which the other commands find it by themselves.
    let command = match path {
        Some(path) => format!("sandbox --state-file {}", path.display()),
        None if sandbox.local_url() == format!("http://{DEFAULT_ADDRESS}") => "sandbox".to_owned(),
        None => format!("sandbox --url {}", sandbox.local_url()),
    };
    say(&format!("A local Discord is running at {url}"));
    say(&format!("  REST     {}", sandbox.api_url()));
    say(&format!("  gateway  {}", sandbox.gateway_url()));
    if let Some((_, endpoint)) = sandbox.voice().endpoints().next() {
        say(&format!("  voice    wss://{endpoint}"));
    }
    match world.resumed {
        Some(folder) => say(&format!("The world in {} goes on.", folder.display())),
        None if world.seeded => {
            let live = sandbox.discord().lock();
            let (guilds, bots) = (live.guilds.len(), live.applications.len());
            say(&format!(
                "The world has {guilds} guilds and {bots} bots; `{command} users` lists who is where."
            ));
        }
        None => say(&format!(
            "Guild \"Sandbox\" ({}) has alice (its owner), bob, carol and the bot {bot}.",
            sandbox.guild_id()
        )),
    }
    match origin {
        Some(origin) => say(&format!("Start your bot with the token that this sandbox has from {origin}.")),
        None => {
            say("Start your bot with a token that is good for nothing else, which this prints:");
            say(&format!("  {command} env"));
        }
    }
    tls.greet(sandbox, root);
    // Its ticket is for whoever reads it first, and a log has more readers than a terminal.
    if std::io::stdout().is_terminal() {
        say("Open it in a browser, once, by this address:");
        say(&format!("  {}", sandbox.page_url()));
    } else {
        say("Open it in a browser by the address that this prints:");
        say(&format!("  {command} page"));
    }
    say("Or be one of its users in another terminal:");
    say(&format!("  {command} say '/ping'"));
    say(&format!("  {command} send 'hello' --as bob --channel general"));
    say(&format!("  {command} log --follow"));
    say("Stop with Ctrl-C.");
}

/// Waits until the process is asked to stop.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
