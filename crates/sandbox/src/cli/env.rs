//! `sandbox env`: the variables that a bot and its tests need, for `eval` or a `.env` file.
//!
//! A shell runs the input of `eval`, and the server's answer is foreign text: ids are parsed as numbers, and all other
//! values are quoted.

use sandbox::Client;
use sandbox::snowflake::Snowflake;
use sandbox::state_file::StateFile;
use serde_json::Value;

use super::{CONTROL_SECRET, Failure, Outcome, serve, terminal, variable};

/// Prints the variables of a running sandbox.
pub(super) async fn print(client: &Client, state: Option<&StateFile>) -> Result<Outcome, Failure> {
    let all = client.overview().await?;
    let guild = &all["guilds"][0];
    let token = variable(serve::TOKEN).or_else(|| state?.token.clone());
    let token = token.ok_or_else(|| {
        let token = serve::TOKEN;
        Failure(match state {
            Some(_) => format!("the sandbox was given its token, and keeps it to itself; set {token} to it"),
            None => format!(
                "the token is in the state file of the sandbox; name that with --state-file, or set {token}"
            ),
        })
    })?;
    let secret = variable(CONTROL_SECRET).or_else(|| Some(state?.control_secret.clone()));
    // With TLS the users' side has an address of its own.
    let base =
        all["url"].as_str().filter(|url| url.starts_with("https://")).unwrap_or(client.url()).to_owned();
    let root = state.and_then(|state| state.voice_root.as_ref()).filter(|_| base.starts_with("https://"));
    let root = root.map(|path| path.display().to_string());
    let proxy = state.and_then(|state| state.proxy.clone());
    for (name, value) in [
        ("DISCORD_TOKEN", Some(token)),
        ("DISCORD_API_URL", Some(base)),
        ("DISCORD_APPLICATION_ID", Some(id(&all["bots"][0]["id"])?)),
        ("DISCORD_PUBLIC_KEY", Some(text(&all["bots"][0]["public_key"]))),
        ("TEST_GUILD_ID", Some(id(&guild["id"])?)),
        ("OWNER_IDS", Some(id(&guild["owner"])?)),
        ("SANDBOX_URL", Some(client.url().to_owned())),
        (CONTROL_SECRET, secret),
        // The first three replace the system's roots, the others add to them.
        ("SSL_CERT_FILE", root.clone()),
        ("CURL_CA_BUNDLE", root.clone()),
        ("REQUESTS_CA_BUNDLE", root.clone()),
        ("NODE_EXTRA_CA_CERTS", root.clone()),
        ("DENO_CERT", root),
        ("HTTPS_PROXY", proxy.clone()),
        // Node.js looks at the variables of proxies only with this one.
        ("NODE_USE_ENV_PROXY", proxy.as_ref().map(|_| "1".to_owned())),
        ("NO_PROXY", proxy.map(|_| "localhost,127.0.0.1,::1".to_owned())),
    ] {
        if let Some(value) = value {
            terminal::line(&format!("{name}={}", quoted(name, &value)?))?;
        }
    }
    Ok(Outcome::Good)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Parses an id of an answer as a number, and returns it as text.
fn id(value: &Value) -> Result<String, Failure> {
    let id = value.as_str().and_then(|text| text.parse::<Snowflake>().ok());
    id.map(|id| id.to_string())
        .ok_or_else(|| Failure("what answers there is no sandbox: an id is no number".to_owned()))
}

/// Returns a value in the syntax of a POSIX shell: as it is, or in single quotes, which only another single quote ends.
fn quoted(name: &str, value: &str) -> Result<String, Failure> {
    if value.chars().any(terminal::is_control) {
        return Err(Failure(format!("{name} has characters in it that no variable can have")));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/@%+,".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return Ok(value.to_owned());
    }
    Ok(format!("'{}'", value.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        assert_eq!(quoted("A", "http://127.0.0.1:8787").unwrap(), "http://127.0.0.1:8787");
        for value in
            ["", "a b", "$(touch x)", "`touch x`", "it's; 'touch' x", "a&b|c>d", "~", "*", "\\", "ä=\"b\""]
        {
            let script = format!("A={}; printf %s \"$A\"", quoted("A", value).unwrap());
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value, "{script}");
        }
        assert!(quoted("A", "a\nB=c").is_err());
    }
}
