//! `sandbox serve`: starts a sandbox, says how to use it, and leaves its address for others.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use sandbox::Sandbox;
use sandbox::ratelimit::Config;
use serde_json::json;

use super::{DEFAULT_ADDRESS, Failure, Outcome};

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
    #[arg(long, env = "SANDBOX_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Do not limit the rate of requests.
    #[arg(long)]
    no_rate_limits: bool,
}

pub(super) async fn run(serve: Serve, state_file: Option<PathBuf>) -> Result<Outcome, Failure> {
    let mut builder = Sandbox::builder().listen(serve.listen).bot_name(&serve.bot_name);
    if let Some(token) = serve.token {
        builder = builder.token(token);
    }
    if let Some(url) = serve.public_url {
        builder = builder.public_url(url);
    }
    if serve.no_rate_limits {
        builder = builder.rate_limits(Config::off());
    }
    let mut sandbox = builder.start().await.map_err(|error| {
        let address = serve.listen;
        Failure(format!("can't listen on {address}: {error}; choose another address with --listen"))
    })?;
    if let Some(path) = &state_file {
        leave_address(path, sandbox.url())?;
    }
    greet(&sandbox, &serve.bot_name);
    tokio::select! {
        () = sandbox.wait() => {}
        () = stopped() => println!("Stopping."),
    }
    sandbox.shutdown().await;
    if let Some(path) = &state_file {
        // Someone else may have removed it; then there is nothing left to do.
        let _ = std::fs::remove_file(path);
    }
    Ok(Outcome::Good)
}

/// Writes the address in one step, so that nobody reads half of it. The token stays out.
fn leave_address(path: &Path, url: &str) -> Result<(), Failure> {
    let told = |error| Failure(format!("can't write the address to {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(told)?;
    }
    let text = json!({ "url": url, "pid": std::process::id() }).to_string();
    let draft = path.with_extension("new");
    std::fs::write(&draft, text + "\n").map_err(told)?;
    std::fs::rename(&draft, path).map_err(told)
}

fn greet(sandbox: &Sandbox, bot: &str) {
    let url = sandbox.url();
    println!("A local Discord is running at {url}");
    println!("  REST     {}", sandbox.api_url());
    println!("  gateway  {}", sandbox.gateway_url());
    println!(
        "Guild \"Sandbox\" ({}) has alice (its owner), bob, carol and the bot {bot}.",
        sandbox.guild_id()
    );
    println!("Start your bot with this token, which is good for nothing else:");
    println!("  DISCORD_TOKEN={}", sandbox.token());
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
