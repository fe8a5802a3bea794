//! REST and the gateway over TLS, under the sandbox's own address and under the names of other servers.

mod cli;
mod proxy;

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::StatusCode;
use sandbox::{Client, Sandbox};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::api::bot::{ALL_INTENTS, PATIENCE, text};

const NONE: [&str; 0] = [];

/// Opens TLS over a stream for a name, and trusts only this root, as PEM.
pub(crate) async fn secure<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    name: &str,
    root: &str,
) -> std::io::Result<TlsStream<S>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

/// A websocket of the gateway.
pub(crate) struct Gateway<S>(WebSocketStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Gateway<S> {
    pub(crate) async fn open(url: &str, stream: S) -> Result<Self, tungstenite::Error> {
        let request = format!("{url}/?v=10&encoding=json").into_client_request().unwrap();
        Ok(Self(tokio_tungstenite::client_async(request, stream).await?.0))
    }

    async fn send(&mut self, op: u64, data: Value) {
        self.0.send(Message::text(json!({ "op": op, "d": data }).to_string())).await.unwrap();
    }

    pub(crate) async fn identify(&mut self, sandbox: &Sandbox) -> Value {
        let properties = json!({ "os": "test" });
        let token = sandbox.token();
        self.send(2, json!({ "token": token, "intents": ALL_INTENTS, "properties": properties })).await;
        self.event("READY").await["d"].clone()
    }

    /// Waits for an event and returns its payload.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await.expect("an event in time").unwrap().unwrap();
            let Message::Text(text) = message else { continue };
            let payload: Value = serde_json::from_str(&text).unwrap();
            if payload["t"] == name {
                return payload;
            }
        }
    }
}

/// Returns host and port of an address.
fn authority(url: &str) -> &str {
    url.split_once("://").unwrap().1.split('/').next().unwrap()
}

/// Opens a websocket at an address of loopback.
async fn gateway(sandbox: &Sandbox, url: &str) -> Gateway<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(authority(url)).await.unwrap();
    let (host, _) = authority(url).rsplit_once(':').unwrap();
    let stream = secure(stream, host, sandbox.root_certificate()).await.unwrap();
    Gateway::open(url, stream).await.unwrap()
}

/// Returns an HTTP client that trusts only the sandbox.
fn trusting(sandbox: &Sandbox) -> reqwest::ClientBuilder {
    let root = reqwest::Certificate::from_pem(sandbox.root_certificate().as_bytes()).unwrap();
    reqwest::Client::builder().no_proxy().tls_built_in_root_certs(false).add_root_certificate(root)
}

async fn get(http: &reqwest::Client, sandbox: &Sandbox, url: &str) -> Value {
    let authorization = format!("Bot {}", sandbox.token());
    let answer = http.get(url).header("authorization", authorization).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn rest_and_the_gateway_work_over_tls_and_a_session_is_resumed() {
    let sandbox = Sandbox::builder().tls(NONE).start().await.unwrap();
    let url = format!("https://{}", sandbox.address());
    assert_eq!((sandbox.url(), sandbox.gateway_url()), (url.as_str(), url.replacen("https", "wss", 1)));
    let http = trusting(&sandbox).build().unwrap();
    for path in ["gateway", "gateway/bot"] {
        let answer = get(&http, &sandbox, &format!("{}/{path}", sandbox.api_url())).await;
        assert_eq!(answer["url"], sandbox.gateway_url());
    }

    let mut first = gateway(&sandbox, &sandbox.gateway_url()).await;
    let ready = first.identify(&sandbox).await;
    let resume_url = text(&ready["resume_gateway_url"]);
    assert_eq!(resume_url, sandbox.gateway_url());
    let seq = first.event("GUILD_CREATE").await["s"].clone();
    drop(first);
    let user = Client::trusting(sandbox.url(), sandbox.root_certificate().as_bytes()).unwrap();
    let user = user.secret(sandbox.control_secret());
    user.send("alice", "general", "missed").await.unwrap();
    let mut second = gateway(&sandbox, resume_url).await;
    second.send(6, json!({ "token": sandbox.token(), "session_id": ready["session_id"], "seq": seq })).await;
    assert_eq!(second.event("MESSAGE_CREATE").await["d"]["content"], "missed");
    second.event("RESUMED").await;
    sandbox.shutdown().await;
}

#[tokio::test]
async fn addresses_of_files_and_webhooks_have_scheme_and_name() {
    let names = ["discord.com", "gateway.discord.gg", "cdn.discordapp.com"];
    let sandbox = Sandbox::builder().tls(names).start().await.unwrap();
    let port = sandbox.address().port();
    let mut http = trusting(&sandbox);
    for name in names {
        // As a hosts file would have it.
        http = http.resolve(name, sandbox.address());
    }
    let http = http.build().unwrap();
    let api = format!("https://discord.com:{port}/api/v10");
    assert_eq!(sandbox.api_url(), api);
    let gateway = format!("wss://gateway.discord.gg:{port}");
    assert_eq!(get(&http, &sandbox, &format!("{api}/gateway")).await["url"], gateway);
    assert_eq!(sandbox.client().overview().await.unwrap()["gateway_url"], gateway);

    let channel = sandbox.channel_id("general").unwrap();
    let post = |path: String| http.post(path).header("authorization", format!("Bot {}", sandbox.token()));
    let file = reqwest::multipart::Part::bytes(b"hello".as_slice()).file_name("a.txt");
    let form = reqwest::multipart::Form::new().part("files[0]", file);
    let sent = post(format!("{api}/channels/{channel}/messages")).multipart(form).send().await.unwrap();
    let sent: Value = sent.json().await.unwrap();
    let file = text(&sent["attachments"][0]["url"]);
    assert!(file.starts_with(&format!("https://cdn.discordapp.com:{port}/attachments/")), "{file}");
    assert_eq!(http.get(file).send().await.unwrap().text().await.unwrap(), "hello");
    let hook = post(format!("{api}/channels/{channel}/webhooks")).json(&json!({ "name": "hook" }));
    let hook: Value = hook.send().await.unwrap().json().await.unwrap();
    assert!(text(&hook["url"]).starts_with(&format!("https://discord.com:{port}/api/webhooks/")), "{hook}");

    let stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let stream = secure(stream, "gateway.discord.gg", sandbox.root_certificate()).await.unwrap();
    let ready = Gateway::open(&gateway, stream).await.unwrap().identify(&sandbox).await;
    assert_eq!(ready["resume_gateway_url"], gateway);
}

#[tokio::test]
async fn a_client_without_the_root_is_refused_and_the_sandbox_goes_on() {
    let sandbox = Sandbox::builder().tls(["discord.com"]).start().await.unwrap();
    let other = Sandbox::builder().tls(["discord.com"]).start().await.unwrap();
    let connect = async |name: &str, root: &str| {
        let stream = TcpStream::connect(sandbox.address()).await.unwrap();
        secure(stream, name, root).await.map(|_| ())
    };
    let own = sandbox.root_certificate();
    assert!(connect("127.0.0.1", other.root_certificate()).await.is_err());
    assert!(connect("discord.com", other.root_certificate()).await.is_err());
    for name in ["canary.discord.com", "discordapp.com", "example.com", "127.0.0.2"] {
        assert!(connect(name, own).await.is_err(), "{name}");
    }
    for name in ["127.0.0.1", "localhost", "discord.com"] {
        connect(name, own).await.unwrap();
    }
    // Bytes that are no TLS, though they begin like it.
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    stream.write_all(&[22, 3, 1, 0, 3, 9, 9, 9]).await.unwrap();
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(!rest.starts_with(b"HTTP"));
    let http = trusting(&sandbox).build().unwrap();
    get(&http, &sandbox, &format!("https://{}/api/v10/users/@me", sandbox.address())).await;
}

#[tokio::test]
async fn clients_that_say_nothing_hold_up_no_one() {
    let sandbox = Sandbox::builder().tls(NONE).start().await.unwrap();
    let mut silent = Vec::new();
    for index in 0..200 {
        let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
        if index % 2 == 0 {
            // The beginning of a handshake that never goes on.
            stream.write_all(&[22, 3, 1, 2, 0]).await.unwrap();
        }
        silent.push(stream);
    }
    let http = trusting(&sandbox).build().unwrap();
    let url = format!("{}/users/@me", sandbox.api_url());
    // Less than the time that a handshake may take.
    let answered = timeout(std::time::Duration::from_secs(9), get(&http, &sandbox, &url));
    answered.await.expect("an answer while others are silent");
    let mut buffer = [0; 16];
    for stream in &mut silent {
        // They are closed in the end, and get no answer.
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("the end of a silent connection");
        assert!(matches!(read, Ok(0) | Err(_)));
    }
}

#[tokio::test]
async fn without_tls_this_machine_is_served_with_plain_addresses() {
    let sandbox = Sandbox::builder().tls(["discord.com"]).start().await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let plain = Sandbox::builder().tls(NONE).start().await.unwrap();
    let url = get(&http, &plain, &format!("{}/api/v10/gateway", plain.local_url())).await["url"].clone();
    assert_eq!(url, format!("ws://{}", plain.address()));
    sandbox.client().send("alice", "general", "hello").await.unwrap();
    let mut socket = TcpStream::connect(sandbox.address()).await.unwrap();
    let mut open = Gateway::open(&format!("ws://{}", sandbox.address()), &mut socket).await.unwrap();
    open.identify(&sandbox).await;
}

#[tokio::test]
async fn pages_of_other_sites_are_kept_out_over_tls_too() {
    let sandbox = Sandbox::builder().tls(["discord.com"]).start().await.unwrap();
    let http = trusting(&sandbox).build().unwrap();
    let url = format!("https://{}/api/v10/gateway", sandbox.address());
    for (name, value, status) in [
        ("origin", "https://evil.example", StatusCode::FORBIDDEN),
        ("origin", "null", StatusCode::FORBIDDEN),
        ("host", "evil.example", StatusCode::FORBIDDEN),
        ("host", "www.discord.com", StatusCode::FORBIDDEN),
        ("sec-fetch-site", "cross-site", StatusCode::FORBIDDEN),
        ("host", "discord.com", StatusCode::OK),
    ] {
        let answer = http.get(&url).header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}: {value}");
    }
    let stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let stream = secure(stream, "127.0.0.1", sandbox.root_certificate()).await.unwrap();
    let mut request = format!("wss://{}/?v=10", sandbox.address()).into_client_request().unwrap();
    request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    let refused = tokio_tungstenite::client_async(request, stream).await.unwrap_err();
    let tungstenite::Error::Http(answer) = refused else { panic!("{refused}") };
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn what_cannot_be_served_with_tls_is_told() {
    for builder in [
        Sandbox::builder().tls(NONE).public_url("http://sandbox:8787"),
        Sandbox::builder().tls(["*.discord.com"]),
        Sandbox::builder().tls(NONE).proxy(),
    ] {
        let error = builder.start().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
    }
    let taken = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let error = Sandbox::builder().tls(NONE).listen(taken.local_addr().unwrap()).start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let error = Client::trusting("https://localhost:1", b"-----BEGIN CERTIFICATE-----\n!\n").unwrap_err();
    assert!(error.to_string().contains("root.pem"), "{error}");
}
