//! `sandbox serve`: starts a sandbox, says how to use it, and leaves its address for others.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use sandbox::Sandbox;
use sandbox::ratelimit::Config;
use sandbox::voice::{self, Dave};
use serde_json::json;

use super::{DEFAULT_ADDRESS, Failure, Outcome};

/// Variable that gives the token.
const TOKEN: &str = "SANDBOX_TOKEN";

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = DEFAULT_ADDRESS)]
    listen: SocketAddr,
    /// Address under which bots reach this sandbox, where it differs, as in http://sandbox:8787 in a container.
    #[arg(long)]
    public_url: Option<String>,
    /// Name of the bot.
    #[arg(long, default_value = "Sandbot")]
    bot_name: String,
    /// Token of the bot; by default one that is the same on each start.
    #[arg(long, env = TOKEN, hide_env_values = true)]
    token: Option<String>,
    /// Address of voice, websocket and UDP; by default that of --listen with a free port.
    #[arg(long, value_name = "ADDRESS")]
    voice_listen: Option<SocketAddr>,
    /// End-to-end encryption of voice (DAVE).
    #[arg(long, value_enum, default_value_t = EndToEnd::Off)]
    dave: EndToEnd,
    /// Do not limit the rate of requests.
    #[arg(long)]
    no_rate_limits: bool,
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
    let mut builder = Sandbox::builder().listen(serve.listen).bot_name(&serve.bot_name);
    let token = serve.token.filter(|token| !token.is_empty());
    let origin = token.as_deref().map(origin);
    if let Some(token) = token {
        builder = builder.token(token);
    }
    if let Some(url) = serve.public_url {
        builder = builder.public_url(url);
    }
    let dave = serve.dave.into();
    builder = builder.voice(voice::Options { listen: serve.voice_listen, dave, ..voice::Options::default() });
    if serve.no_rate_limits {
        builder = builder.rate_limits(Config::off());
    }
    let mut sandbox = builder.start().await.map_err(|error| {
        let address = serve.listen;
        Failure(format!(
            "can't listen on {address} or on the address of voice: {error}; choose others with --listen and --voice-listen"
        ))
    })?;
    let root = state_file.as_ref().map(|path| path.with_extension("pem"));
    if let (Some(path), Some(root)) = (&state_file, &root) {
        leave(root, sandbox.voice().root_certificate())?;
        let state = json!({ "url": sandbox.url(), "pid": std::process::id(), "voice_root": root });
        leave(path, &(state.to_string() + "\n"))?;
    }
    greet(&sandbox, &serve.bot_name, origin, root.as_deref());
    tokio::select! {
        () = sandbox.wait() => {}
        () = stopped() => println!("Stopping."),
    }
    sandbox.shutdown().await;
    for path in state_file.iter().chain(&root) {
        // Someone else may have removed it; then there is nothing left to do.
        let _ = std::fs::remove_file(path);
    }
    Ok(Outcome::Good)
}

/// Writes a file in one step, so that nobody reads half of it. The token stays out.
fn leave(path: &Path, text: &str) -> Result<(), Failure> {
    let told = |error| Failure(format!("can't write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(told)?;
    }
    let draft = path.with_extension("new");
    std::fs::write(&draft, text).map_err(told)?;
    std::fs::rename(&draft, path).map_err(told)
}

/// Says where a token that was given comes from.
fn origin(token: &str) -> &'static str {
    if std::env::var(TOKEN).is_ok_and(|variable| variable == token) { TOKEN } else { "--token" }
}

/// Tells how to use the sandbox. A token that was given may be a real one, and stays out of what a log may keep.
fn greet(sandbox: &Sandbox, bot: &str, origin: Option<&str>, root: Option<&Path>) {
    let url = sandbox.url();
    println!("A local Discord is running at {url}");
    println!("  REST     {}", sandbox.api_url());
    println!("  gateway  {}", sandbox.gateway_url());
    if let Some((_, endpoint)) = sandbox.voice().endpoints().next() {
        println!("  voice    wss://{endpoint}");
    }
    println!(
        "Guild \"Sandbox\" ({}) has alice (its owner), bob, carol and the bot {bot}.",
        sandbox.guild_id()
    );
    match origin {
        Some(origin) => println!("Start your bot with the token that this sandbox has from {origin}."),
        None => {
            println!("Start your bot with this token, which is good for nothing else:");
            println!("  DISCORD_TOKEN={}", sandbox.token());
        }
    }
    println!("For voice it must trust the certificate of this sandbox, and of nothing else:");
    match root {
        Some(root) => println!("  SSL_CERT_FILE={}", root.display()),
        None => println!("  curl -o root.pem {url}/sandbox/voice/root.pem && export SSL_CERT_FILE=root.pem"),
    }
    println!("Then be one of its users, from another terminal:");
    println!("  sandbox --url {url} say '/ping'");
    println!("  sandbox --url {url} send 'hello' --as bob --channel general");
    println!("  sandbox --url {url} log --follow");
    println!("Stop with Ctrl-C.");
}

/// Ends when the process is asked to stop.
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
