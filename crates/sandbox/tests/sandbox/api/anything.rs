//! Any request and any frame: a sandbox of its own process answers each in time and never with a 5xx, goes on answering, and
//! keeps its memory.
//!
//! `SANDBOX_REQUESTS` is their number, 3,000 by default and 100,000 in `./dev-env.sh test --slow`; `SANDBOX_SEED` makes other
//! ones. A failure names both, and the request.

mod bodies;
mod frames;
mod requests;

use std::collections::HashMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::api::cli::Served;
use requests::Asked;

/// Longest time for an answer, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests after which what they have destroyed is made again.
const RENEWAL: u64 = 250;
/// Ids of one kind that are remembered.
const REMEMBERED: usize = 64;
/// Growth of the memory in the second half that is taken for noise, in bytes.
const NOISE: u64 = 96 << 20;

/// What a client of the sandbox knows of it.
pub(super) struct Known {
    url: String,
    token: String,
    secret: String,
    /// Values of answers by the name of a path's parameter, or `id` for any.
    ids: HashMap<String, Vec<String>>,
}

impl Known {
    /// Remembers every id, token and code in an answer.
    fn learn(&mut self, answer: &Value, random: &mut StdRng) {
        match answer {
            Value::Array(items) => items.iter().take(20).for_each(|item| self.learn(item, random)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value {
                        Value::String(text) if key == "id" || key.ends_with("_id") => {
                            self.remember("id", text, random);
                            self.remember(key, text, random);
                        }
                        Value::String(text) if key == "token" || key == "code" => {
                            self.remember(key, text, random);
                        }
                        value => self.learn(value, random),
                    }
                }
            }
            _ => {}
        }
    }

    fn remember(&mut self, key: &str, value: &str, random: &mut StdRng) {
        let values = self.ids.entry(key.to_owned()).or_default();
        if values.iter().any(|known| known == value) {
            return;
        }
        if values.len() < REMEMBERED {
            values.push(value.to_owned());
        } else {
            let old = random.random_range(0..REMEMBERED);
            value.clone_into(&mut values[old]);
        }
    }

    /// Returns some value that was in an answer under this name.
    fn some(&self, key: &str, random: &mut StdRng) -> Option<String> {
        self.ids.get(key)?.choose(random).cloned()
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Returns the resident memory of a process, in bytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}

/// A sandbox, its only client, and what that sends.
struct Run {
    served: Served,
    known: Known,
    random: StdRng,
    http: reqwest::Client,
    seed: u64,
    sent: u64,
}

impl Run {
    async fn start(seed: u64) -> Self {
        let served = Served::start(&["--no-rate-limits"], None).await;
        let told = String::from_utf8(served.run(None, &["env"]).await.stdout).unwrap();
        let value = |name: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
            line.unwrap_or_else(|| panic!("{name} is missing")).trim_matches('\'').to_owned()
        };
        let known = Known {
            url: served.url().to_owned(),
            token: value("DISCORD_TOKEN"),
            secret: value("SANDBOX_CONTROL_SECRET"),
            ids: HashMap::new(),
        };
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { served, known, random: StdRng::seed_from_u64(seed), http, seed, sent: 0 }
    }

    /// Makes again what requests destroy, and learns its ids.
    async fn renew(&mut self) {
        let guilds = self.must("GET", "/api/v10/users/@me/guilds", None).await;
        if guilds.as_array().is_none_or(Vec::is_empty) {
            self.must("POST", "/sandbox/guilds", Some(&json!({ "name": "Again", "owner": "alice" }))).await;
        }
        let me = self.must("GET", "/api/v10/users/@me", None).await;
        let guilds = self.must("GET", "/api/v10/users/@me/guilds", None).await;
        let (bot, guild) = (me["id"].as_str().unwrap(), guilds[0]["id"].as_str().unwrap_or("1").to_owned());
        let commands = format!("/api/v10/applications/{bot}/guilds/{guild}/commands");
        let ping = json!([{ "name": "ping", "description": "d" }]);
        self.try_to("PUT", &commands, Some(&ping)).await;
        for path in [
            format!("/api/v10/guilds/{guild}"),
            format!("/api/v10/guilds/{guild}/channels"),
            format!("/api/v10/guilds/{guild}/members?limit=20"),
            format!("/api/v10/guilds/{guild}/webhooks"),
            "/sandbox".to_owned(),
        ] {
            self.try_to("GET", &path, None).await;
        }
        for user in ["alice", "bob"] {
            let join = format!("/sandbox/guilds/{guild}/members/{user}");
            self.try_to("PUT", &join, Some(&json!({}))).await;
        }
        frames::interactions(&mut self.known, &mut self.random, &self.http).await;
    }

    /// Sends a request of the test's own, which must succeed.
    async fn must(&mut self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.try_to(method, path, body).await;
        assert!(status < 300, "{}{method} {path}: {status} {answer}", self.told());
        answer
    }

    async fn try_to(&mut self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let asked = Asked::of(&self.known, method, path, body);
        let (status, answer) = self.send(asked).await;
        self.known.learn(&answer, &mut self.random);
        (status, answer)
    }

    /// Sends a request and returns status and JSON of the answer, or null.
    async fn send(&mut self, asked: Asked) -> (u16, Value) {
        let told = format!("{}{}", self.told(), asked.told);
        let Ok(request) = asked.build(&self.http) else { return (0, Value::Null) };
        let response = match self.http.execute(request).await {
            Ok(response) => response,
            Err(error) => panic!("{told}: no answer: {:?}", error.without_url()),
        };
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap_or_else(|error| panic!("{told}: {}", error.without_url()));
        assert!(status < 500, "{told}: {status} {}", String::from_utf8_lossy(&bytes));
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Returns what makes this run again.
    fn told(&self) -> String {
        format!("SANDBOX_SEED={}, request {}: ", self.seed, self.sent)
    }
}

#[tokio::test]
async fn any_request_and_any_frame_leaves_the_sandbox_serving() {
    let (most, seed) = (number("SANDBOX_REQUESTS", 3000), number("SANDBOX_SEED", 1));
    let mut run = Run::start(seed).await;
    let process = run.served.process.id().unwrap();
    let mut statuses: HashMap<u16, u64> = HashMap::new();
    let mut memory = Vec::new();
    while run.sent < most {
        if run.sent % RENEWAL == 0 {
            run.renew().await;
        }
        if run.sent % 20 == 0 {
            let told = run.told();
            frames::converse(&run.known, &mut run.random, &told).await;
        }
        let asked = Asked::any(&run.known, &mut run.random);
        let (status, answer) = run.send(asked).await;
        *statuses.entry(status).or_default() += 1;
        run.known.learn(&answer, &mut run.random);
        run.sent += 1;
        if run.sent % (most / 4).max(1) == 0 {
            memory.push(resident(process));
        }
    }
    run.must("GET", "/api/v10/users/@me", None).await;
    let mut counted: Vec<_> = statuses.iter().collect();
    counted.sort_unstable();
    println!("{}statuses {counted:?}, resident bytes at each quarter {memory:?}", run.told());
    let good: u64 = statuses.iter().filter(|(status, _)| (200..300).contains(*status)).map(|(_, n)| n).sum();
    assert!(good > most / 50, "hardly anything succeeds, so nothing is tested: {counted:?}");
    let (half, end) = (memory[1], memory[3]);
    assert!(end < half + half / 2 + NOISE, "{}memory grows: {memory:?}", run.told());
}
