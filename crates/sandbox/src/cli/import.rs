//! The layout of a real server, or of a template of one, as a seed file.

use std::path::{Path, PathBuf};

use clap::Args;
use sandbox::Client;
use sandbox::seed::Exported;
use sandbox::seed::import::{self, Discord};
use serde_json::Value;

use super::{Failure, Outcome, terminal, variable, world};

/// Variables of the bot whose server is read.
const TOKEN: &str = "DISCORD_TOKEN";
const TOKEN_FILE: &str = "DISCORD_TOKEN_FILE";
const API_URL: &str = "DISCORD_API_URL";
/// Discord itself.
const DISCORD: &str = "https://discord.com/api/v10";

/// The token is that of a bot in the server, in DISCORD_TOKEN or in the file that DISCORD_TOKEN_FILE names. It is sent to
/// DISCORD_API_URL, by default Discord, and appears nowhere.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Id of the server, in which the bot is.
    #[arg(long, value_name = "ID", required_unless_present = "template", conflicts_with = "template")]
    guild: Option<u64>,
    /// Code or address of a template, or a file with its JSON (GET /guilds/templates/CODE).
    #[arg(long, value_name = "CODE|FILE.json")]
    template: Option<String>,
    /// Seed file to write; standard output by default.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Add it to the running sandbox too.
    #[arg(long)]
    add: bool,
}

pub(super) async fn import(client: &Client, asked: Import) -> Result<Outcome, Failure> {
    let found = match (&asked.guild, &asked.template) {
        (Some(guild), _) => {
            let token = token()?.ok_or_else(|| {
                Failure(format!("set {TOKEN} or {TOKEN_FILE} to the token of a bot that is in the server"))
            })?;
            discord(Some(&token))?.guild(*guild).await
        }
        (None, Some(template)) if is_file(template) => {
            let text = std::fs::read_to_string(template)
                .map_err(|error| Failure(format!("can't read {template}: {error}")))?;
            let json: Value = serde_json::from_str(&text)
                .map_err(|error| Failure(format!("{template} is no JSON: {error}")))?;
            import::template(&json, template)
        }
        (None, Some(code)) => discord(token()?.as_deref())?.template(code).await,
        (None, None) => return Err(Failure("give --guild or --template".to_owned())),
    };
    let found: Exported = found.map_err(|error| Failure(error.to_string()))?;
    for sentence in &found.left_out {
        terminal::warn(&format!("left out: {sentence}"));
    }
    let yaml = found.to_yaml().map_err(Failure)?;
    if asked.add {
        client.plant(&yaml).await?;
    }
    if asked.to.is_some() || !asked.add {
        world::write(&yaml, asked.to.as_deref())?;
    }
    Ok(Outcome::Good)
}

fn is_file(template: &str) -> bool {
    Path::new(template).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

fn discord(token: Option<&str>) -> Result<Discord, Failure> {
    let url = variable(API_URL).unwrap_or_else(|| DISCORD.to_owned());
    Discord::new(&url, token).map_err(|error| Failure(format!("{API_URL}: {error}")))
}

/// Returns the token of the bot, if there is one.
fn token() -> Result<Option<String>, Failure> {
    match (variable(TOKEN), variable(TOKEN_FILE)) {
        (Some(_), Some(_)) => {
            Err(Failure(format!("{TOKEN} and {TOKEN_FILE} are both set; leave one of them out")))
        }
        (Some(token), None) => Ok(Some(token.trim().to_owned())),
        (None, Some(path)) => {
            // The content is a secret, and so no part of the sentence.
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Failure(format!("can't read {path} of {TOKEN_FILE}: {error}")))?;
            Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty()))
        }
        (None, None) => Ok(None),
    }
}
