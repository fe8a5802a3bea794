//! `sandbox screenshot`: pictures of messages, by a headless Chromium that opens the page.
//!
//! The browser is driven by the DevTools protocol over two pipes, so that no port is opened and the address with its
//! ticket is on no command line, which other users could read.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use sandbox::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Failure, Outcome, variable};

#[derive(Debug, Args)]
pub(super) struct Screenshot {
    /// Id of the message; or a channel, as in #general or @bob, for its newest 50.
    what: String,
    /// PNG to write.
    out: PathBuf,
    /// User who looks.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    /// Guild of the channel, by name or id; by default the oldest.
    #[arg(long)]
    guild: Option<String>,
    /// Width in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 720, value_parser = clap::value_parser!(u32).range(200..=4000))]
    width: u32,
    /// Pixels of the picture for each pixel of the page.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=4))]
    scale: u32,
    /// Theme.
    #[arg(long, value_enum, default_value_t = Theme::Dark)]
    theme: Theme,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Theme {
    Dark,
    Light,
}

/// Programs that are tried, after the one in the variable `CHROMIUM`.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
/// Longest wait for a reply of the browser.
const PATIENCE: Duration = Duration::from_secs(30);
/// Tallest picture, in pixels of the page.
const TALLEST: f64 = 16_000.0;

/// Takes the picture.
pub(super) async fn take(client: &Client, asked: Screenshot) -> Result<Outcome, Failure> {
    let channel = asked.what.parse::<sandbox::snowflake::Snowflake>().is_err();
    let what = if channel {
        let found = client.channel(&asked.user, &asked.what, asked.guild.as_deref()).await?;
        found["id"].as_str().unwrap_or_default().to_owned()
    } else {
        asked.what.clone()
    };
    let theme = match asked.theme {
        Theme::Dark => "dark",
        Theme::Light => "light",
    };
    let address = client.page_url(Some(&asked.user)).await?;
    let address = format!("{address}&shot={what}&whole={}&theme={theme}", u8::from(channel));
    let mut browser = Browser::start().await?;
    let picture = browser.picture(&address, asked.width, asked.scale).await;
    browser.end().await;
    let path = asked.out.display();
    tokio::fs::write(&asked.out, picture?)
        .await
        .map_err(|error| Failure(format!("can't write {path}: {error}")))?;
    Ok(Outcome::Good)
}

/// A browser.
struct Browser {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last: u64,
    /// Removed with its browser.
    profile: PathBuf,
}

impl Browser {
    async fn start() -> Result<Self, Failure> {
        let named = variable("CHROMIUM");
        let programs: Vec<&str> = named.as_deref().into_iter().chain(PROGRAMS).collect();
        let program = programs.iter().find(|program| is_there(program)).ok_or_else(|| {
            Failure(
                "a picture needs Chromium; install it (Debian: chromium), or name it in CHROMIUM".to_owned(),
            )
        })?;
        let profile = std::env::temp_dir().join(format!("sandbox-picture-{}", std::process::id()));
        // File descriptors 3 and 4 are the protocol's; the shell moves them there.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null", program])
            .args([
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-first-run",
                "--disable-gpu",
                "--hide-scrollbars",
            ])
            .args(["--disable-background-networking", "--disable-component-update"])
            // Root cannot have the sandbox of Chromium.
            .args(is_root().then_some("--no-sandbox"))
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure(format!("{program} does not start: {error}")))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure(format!("{program} has no pipes")));
        };
        Ok(Self { child, input, output: BufReader::new(output), last: 0, profile })
    }

    /// Sends a command, and returns its result. Events in between are skipped.
    async fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value, Failure> {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let sent = self.input.write_all(format!("{message}\0").as_bytes()).await;
        sent.map_err(|error| Failure(format!("the browser has ended: {error}")))?;
        let reply = async {
            loop {
                let mut bytes = Vec::new();
                let read = self.output.read_until(0, &mut bytes).await;
                if !read.is_ok_and(|read| read > 0) {
                    return Err(Failure("the browser has ended".to_owned()));
                }
                bytes.pop();
                let reply: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                if reply["id"] == self.last {
                    return Ok(reply);
                }
            }
        };
        let reply = tokio::time::timeout(PATIENCE, reply).await;
        let mut reply = reply.map_err(|_| Failure(format!("the browser does not answer to {method}")))??;
        match reply["error"]["message"].as_str() {
            Some(error) => Err(Failure(format!("the browser refuses {method}: {error}"))),
            None => Ok(reply["result"].take()),
        }
    }

    /// Returns the picture of what the page shows at this address.
    async fn picture(&mut self, address: &str, width: u32, scale: u32) -> Result<Vec<u8>, Failure> {
        let target = self.call(None, "Target.createTarget", json!({ "url": "about:blank" })).await?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call(None, "Target.attachToTarget", attach).await?;
        let session = session["sessionId"].as_str().unwrap_or_default().to_owned();
        let session = Some(session.as_str());
        let size = json!({ "width": width, "height": 600, "deviceScaleFactor": scale, "mobile": false });
        self.call(session, "Emulation.setDeviceMetricsOverride", size).await?;
        self.call(session, "Page.navigate", json!({ "url": address })).await?;
        // Ready is what has been drawn, with its pictures.
        let ready = "new Promise((resolve) => {
            const look = () => {
                const stop = document.querySelector('.stop');
                if (stop) return resolve({ error: stop.innerText });
                const shown = document.querySelector('[data-ready]');
                if (!shown) return setTimeout(look, 20);
                if (shown.dataset.ready === 'error') return resolve({ error: shown.innerText });
                const pictures = [...shown.querySelectorAll('img')];
                pictures.forEach((one) => one.loading = 'eager');
                Promise.allSettled(pictures.map((one) => one.decode())).then(() => {
                    const box = shown.getBoundingClientRect();
                    resolve({ width: box.width, height: box.height });
                });
            };
            if (document.readyState === 'complete') look(); else addEventListener('load', look);
        })";
        let ask = json!({ "expression": ready, "awaitPromise": true, "returnByValue": true });
        let mut shown = self.call(session, "Runtime.evaluate", ask.clone()).await;
        // The first document may give way to the page while it is asked.
        if shown.as_ref().is_ok_and(|shown| shown["result"]["value"].is_null()) || shown.is_err() {
            shown = self.call(session, "Runtime.evaluate", ask).await;
        }
        let shown = shown?["result"]["value"].take();
        if let Some(error) = shown["error"].as_str() {
            return Err(Failure(error.replace('\n', " ")));
        }
        let height = shown["height"].as_f64().unwrap_or(600.0).clamp(1.0, TALLEST);
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let shot = json!({ "format": "png", "clip": clip, "captureBeyondViewport": true });
        let shot = self.call(session, "Page.captureScreenshot", shot).await?;
        let data = shot["data"].as_str().unwrap_or_default();
        STANDARD.decode(data).map_err(|_| Failure("the browser's picture is not base64".to_owned()))
    }

    async fn end(mut self) {
        // Whether it says goodbye or not, it is ended.
        let _ = self.call(None, "Browser.close", json!({})).await;
        let _ = tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await;
        let _ = self.child.kill().await;
        let _ = tokio::fs::remove_dir_all(&self.profile).await;
    }
}

/// Returns whether a program is there, by path or in PATH.
fn is_there(program: &str) -> bool {
    if program.contains('/') {
        return std::path::Path::new(program).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    #[cfg(unix)]
    return rustix::process::geteuid().is_root();
    #[cfg(not(unix))]
    false
}
