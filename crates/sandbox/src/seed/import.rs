//! The layout of a real guild, read from Discord with GET requests alone, or from a template of one.

use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::export::Exported;
use super::file::Seed;
use super::from_discord::Layout;

/// Longest wait that Discord may ask for before the import gives up.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Most times that one request is repeated.
const TRIES: u32 = 5;
/// Time for one answer.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// Why an import failed, as one sentence. It never has the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address of the API cannot be used.
    #[error("{0}")]
    Address(String),
    /// No answer came.
    #[error("{path} of {host} gives no answer: {why}")]
    Unreachable {
        /// Path.
        path: String,
        /// Host.
        host: String,
        /// The error.
        why: String,
    },
    /// Discord refused something without which there is nothing to import.
    #[error("{path} was answered with {status}: {why}")]
    Refused {
        /// Path.
        path: String,
        /// Its status.
        status: u16,
        /// What it said.
        why: String,
    },
    /// The limits of the API leave no room.
    #[error("{0} is rate limited for too long; try again later")]
    Limited(String),
    /// What was read is no template.
    #[error("{0} is no guild template: it lacks `serialized_source_guild` with its name")]
    NoTemplate(String),
}

/// A reader of Discord's API, or of another sandbox's.
pub struct Discord {
    http: reqwest::Client,
    base: Url,
    authorization: Option<String>,
}

impl std::fmt::Debug for Discord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Discord").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Discord {
    /// Creates a reader of the API at this address, such as `https://discord.com/api/v10`, with a bot's token. `/api/v10`
    /// may be left out.
    ///
    /// # Errors
    /// When the address is none, or would send the token over an unencrypted network.
    pub fn new(base: &str, token: Option<&str>) -> Result<Self, Error> {
        let wrong = |why: &str| {
            Error::Address(format!("the address of the API {why}; https://discord.com/api/v10 is one"))
        };
        let mut base = Url::parse(base).map_err(|_| wrong("is no address"))?;
        // As bots write it: with or without `/api` and its version.
        let path = base.path().trim_end_matches('/');
        let path = path.strip_suffix("/v10").unwrap_or(path);
        let path = format!("{}/api/v10", path.strip_suffix("/api").unwrap_or(path));
        base.set_path(&path);
        base.set_query(None);
        base.set_fragment(None);
        let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let is_loopback =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        match base.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err(wrong("is not of this machine, so it begins with https://")),
            _ => return Err(wrong("begins with https://")),
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("has no name or password in it"));
        }
        // A redirect could take the token elsewhere.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(REQUEST_WITHIN)
            .user_agent(concat!("DiscordBot (sandbox import, ", env!("CARGO_PKG_VERSION"), ")"));
        let http = if is_loopback { http.no_proxy() } else { http };
        let http = http.build().map_err(|_| wrong("can't be asked"))?;
        let authorization = token.map(|token| format!("Bot {}", token.trim().trim_start_matches("Bot ")));
        Ok(Self { http, base, authorization })
    }

    /// Reads what a bot sees of a guild. What it may not see is left out, and said.
    ///
    /// # Errors
    /// When the guild itself cannot be read.
    pub async fn guild(&self, id: u64) -> Result<Exported, Error> {
        let path = format!("/guilds/{id}");
        let mut left_out = Vec::new();
        let guild = self.get(&path).await?;
        let mut channels = list(self.get(&format!("{path}/channels")).await?);
        let total = channels.len();
        // Since 2026-11-16 a channel that the bot does not see has no name (Change Log).
        channels.retain(|channel| channel["flags"].as_u64().is_none_or(|flags| flags & 1 << 17 == 0));
        if channels.len() < total {
            left_out.push(format!("{} channels that the bot does not see.", total - channels.len()));
        } else {
            left_out.push("channels that the bot does not see, of which Discord lists none.".to_owned());
        }
        let emojis = self.list(&path, "emojis", "the emojis", &mut left_out).await?;
        let stickers = self.list(&path, "stickers", "the stickers", &mut left_out).await?;
        let automod =
            self.list(&path, "auto-moderation/rules", "the rules of auto moderation", &mut left_out).await?;
        let welcome_screen =
            self.optional(&path, "welcome-screen", "the welcome screen", &mut left_out).await?;
        let onboarding = self.optional(&path, "onboarding", "the onboarding", &mut left_out).await?;
        let has_prompts = |asked: &Value| {
            asked["enabled"] == true || asked["prompts"].as_array().is_some_and(|list| !list.is_empty())
        };
        let layout = Layout {
            guild,
            channels,
            emojis,
            stickers,
            automod,
            welcome_screen,
            onboarding: onboarding.filter(has_prompts),
            keeps_ids: true,
            ..Layout::default()
        };
        Ok(seed(&layout, left_out))
    }

    /// Reads a template by its code.
    ///
    /// # Errors
    /// When there is none.
    pub async fn template(&self, code: &str) -> Result<Exported, Error> {
        let code = code.rsplit('/').next().unwrap_or(code);
        let fits = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !fits {
            return Err(Error::NoTemplate(format!("\"{code}\"")));
        }
        template(&self.get(&format!("/guilds/templates/{code}")).await?, code)
    }

    async fn list(
        &self,
        guild: &str,
        what: &str,
        words: &str,
        left_out: &mut Vec<String>,
    ) -> Result<Vec<Value>, Error> {
        Ok(self.optional(guild, what, words, left_out).await?.map(list).unwrap_or_default())
    }

    /// Reads what a bot may lack permissions for, or a guild may not have.
    async fn optional(
        &self,
        guild: &str,
        what: &str,
        words: &str,
        left_out: &mut Vec<String>,
    ) -> Result<Option<Value>, Error> {
        match self.get(&format!("{guild}/{what}")).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(Error::Refused { status, why, .. }) if status == 401 || status == 403 => {
                left_out.push(format!("{words}, which the bot may not read ({status}: {why})."));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads one path, and waits as rate limits say.
    async fn get(&self, path: &str) -> Result<Value, Error> {
        let url = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let unreachable = |error: &reqwest::Error| {
            // Its own text has the address, which is said already.
            let why = if error.is_timeout() { "it takes too long" } else { "there is no connection" };
            let host = self.base.host_str().unwrap_or_default().to_owned();
            Error::Unreachable { path: path.to_owned(), host, why: why.to_owned() }
        };
        for _ in 0..TRIES {
            let mut request = self.http.get(&url);
            if let Some(authorization) = &self.authorization {
                let mut value = reqwest::header::HeaderValue::from_str(authorization)
                    .map_err(|_| Error::Address("the token has characters that no token has".to_owned()))?;
                value.set_sensitive(true);
                request = request.header(reqwest::header::AUTHORIZATION, value);
            }
            let answer = request.send().await.map_err(|error| unreachable(&error))?;
            let status = answer.status();
            let exhausted = (answer.headers().get("x-ratelimit-remaining"))
                .is_some_and(|left| left == "0")
                .then(|| {
                    seconds(answer.headers().get("x-ratelimit-reset-after")?.to_str().ok()?.parse().ok()?)
                })
                .flatten();
            let body: Value = answer.json().await.unwrap_or_default();
            if status == StatusCode::TOO_MANY_REQUESTS {
                let wait = body["retry_after"].as_f64().and_then(seconds).unwrap_or(Duration::from_secs(1));
                if wait > LONGEST_WAIT {
                    break;
                }
                tokio::time::sleep(wait).await;
                continue;
            }
            if !status.is_success() {
                let why = body["message"].as_str().unwrap_or("no reason was given").to_owned();
                return Err(Error::Refused { path: path.to_owned(), status: status.as_u16(), why });
            }
            // The next request would be refused before.
            if let Some(wait) = exhausted {
                tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
            }
            return Ok(body);
        }
        Err(Error::Limited(path.to_owned()))
    }
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        _ => Vec::new(),
    }
}

fn seed(layout: &Layout, mut left_out: Vec<String>) -> Exported {
    let overwrites = layout.overwrites_left_out();
    if overwrites > 0 {
        left_out.push(format!("{overwrites} permission overwrites of single members, who are not imported."));
    }
    Exported { seed: Seed { guilds: vec![layout.seed()], ..Seed::default() }, left_out }
}

/// Returns the seed of a template, as `GET /guilds/templates/{code}` returns it; `source` is where it comes from.
///
/// # Errors
/// When it is none.
pub fn template(template: &Value, source: &str) -> Result<Exported, Error> {
    let mut guild = template["serialized_source_guild"].clone();
    if !guild["name"].is_string() {
        return Err(Error::NoTemplate(source.to_owned()));
    }
    // Ids in a template are small numbers; those that names cannot stand for get ids that follow from the source.
    let base = 1 + source.bytes().fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()))
        % (1 << 20);
    renumber(&mut guild, base << 32);
    let channels = list(guild["channels"].take());
    let layout = Layout { guild, channels, ..Layout::default() };
    Ok(seed(&layout, Vec::new()))
}

/// Adds a number to all ids of a template.
fn renumber(value: &mut Value, add: u64) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|inner| renumber(inner, add)),
        Value::Object(fields) => {
            for (field, inner) in fields {
                let is_id = field == "id" || field.ends_with("_id");
                let number = inner.as_u64().or_else(|| inner.as_str()?.parse().ok());
                match number.filter(|number| is_id && *number < 1 << 32) {
                    Some(number) => *inner = json!((number + add).to_string()),
                    None => renumber(inner, add),
                }
            }
        }
        _ => {}
    }
}
