//! `sandbox serve --tls`, and what `sandbox env` prints then.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use crate::api::bot::{PATIENCE, text};
use crate::api::cli::command;

/// Starts `sandbox serve` with its state file in a folder, and returns the process and what it prints until it is up.
async fn serve(folder: &Path, words: &[&str]) -> (Child, String) {
    let mut serve = command();
    serve.arg("--state-file").arg(folder.join("own.json"));
    serve.args(["serve", "--listen", "127.0.0.1:0", "--exit-with-stdin"]).args(words);
    let mut serving =
        serve.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap() {
        said += &format!("{line}\n");
        if line.starts_with("Stop with") {
            break;
        }
    }
    (serving, said)
}

/// Ends it and returns what it printed on standard error.
async fn end(mut serving: Child) -> String {
    drop(serving.stdin.take());
    let output = timeout(PATIENCE, serving.wait_with_output()).await.unwrap().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn env_prints_what_a_bot_needs_and_the_users_side_needs_no_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["--tls-name", "discord.com", "--tls-name", "gateway.discord.gg", "--proxy"];
    let (serving, said) = serve(folder.path(), &names).await;
    assert!(
        said.contains("https://discord.com\n") && said.contains("discord.com, gateway.discord.gg"),
        "{said}"
    );
    let own = |words: &[&str]| {
        let mut own = command();
        own.arg("--state-file").arg(folder.path().join("own.json")).args(words);
        own
    };
    let told = String::from_utf8(own(&["env"]).output().await.unwrap().stdout).unwrap();
    let value = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {name} in {told}")).to_owned()
    };
    let state: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("own.json")).unwrap()).unwrap();
    assert_eq!(value("DISCORD_API_URL"), "https://discord.com");
    for (name, field) in [("SANDBOX_URL", "local_url"), ("HTTPS_PROXY", "proxy")] {
        assert_eq!(value(name), text(&state[field]));
    }
    for name in ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "DENO_CERT"]
    {
        assert_eq!(value(name), text(&state["voice_root"]));
    }
    assert_eq!((value("NODE_USE_ENV_PROXY"), value("NO_PROXY").contains("127.0.0.1")), ("1".into(), true));
    assert!(own(&["send", "hello"]).output().await.unwrap().status.success());
    // By its TLS address as well.
    let url = text(&state["local_url"]).replacen("http", "https", 1);
    let root = std::fs::read(text(&state["voice_root"])).unwrap();
    let client = sandbox::Client::trusting(url, &root).unwrap().secret(text(&state["control_secret"]));
    client.overview().await.unwrap();
    assert_eq!(end(serving).await, "");
}

#[tokio::test]
async fn without_tls_no_certificate_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (serving, _) = serve(folder.path(), &[]).await;
    let output = command().arg("--state-file").arg(folder.path().join("own.json")).arg("env").output();
    let told = String::from_utf8(output.await.unwrap().stdout).unwrap();
    assert!(
        told.contains("DISCORD_API_URL=http://") && !told.contains("CERT") && !told.contains("PROXY"),
        "{told}"
    );
    end(serving).await;
}

#[tokio::test]
async fn a_certificate_is_kept_for_the_same_names_and_a_change_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = async |words: &[&str]| {
        let (serving, _) = serve(folder.path(), words).await;
        let root = std::fs::read_to_string(folder.path().join("own.pem")).unwrap();
        (root, end(serving).await)
    };
    let (first, said) = root(&["--tls"]).await;
    assert_eq!(said, "");
    assert_eq!(root(&["--tls"]).await, (first.clone(), String::new()));
    let two = ["--tls-name", "discord.gg", "--tls-name", "discord.com"];
    assert_ne!(root(&two).await.0, first);
    let again = root(&["--tls-name", "discord.com", "--tls-name", "discord.gg"]).await;
    assert_eq!(again.1, "");
    let (other, said) = root(&["--tls-name", "discord.com"]).await;
    assert!(other != first && said.contains("other names") && said.lines().count() == 1, "{said}");
    std::fs::write(folder.path().join("own.root"), r#"{"names": []}"#).unwrap();
    let (new, said) = root(&["--tls-name", "discord.com"]).await;
    assert!(
        new != other && said.contains("own.root holds no certificate") && said.lines().count() == 1,
        "{said}"
    );
}

#[tokio::test]
async fn a_mistake_is_one_sentence() {
    for (words, part) in [
        (&["--tls-name", "https://discord.com"][..], "no host name"),
        (&["--proxy"], "--tls-name"),
        (&["--tls", "--public-url", "http://sandbox:8787"], "https://"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (serving, said) = serve(folder.path(), words).await;
        let error = end(serving).await;
        assert!(error.contains(part) && error.lines().count() == 1 && said.is_empty(), "{error}");
    }
}
