//! A relay between serenity and Discord, through which every request of the bot passes. It applies Discord's rate
//! limits.
//!
//! # Theory of operation
//!
//! serenity sends every request to `https://discord.com/api/v10/...`. So the relay serves discord.com on a loopback
//! port: it has a certificate for that name, created at the start and kept in memory, and the bot's HTTP clients trust
//! only this certificate and resolve discord.com to the relay. A request waits for its rate limit in [`Limiter`]. Then
//! method, path, query, headers and body are forwarded unchanged to Discord or to the server in `DISCORD_API_URL`,
//! large bodies as a stream; status, headers and body come back the same way. A 429 is handled here: the request is
//! sent again when it may be, and serenity receives the response to that.
//!
//! A client may name its plugin in [`PLUGIN`]. Discord does not get it; the server in `DISCORD_API_URL` gets it as
//! [`SOURCE`].
//!
//! Any user of the machine can connect to a loopback port, and the server in `DISCORD_API_URL` may add the token by
//! itself. So the relay serves only its own clients, which send a random secret in [`KEY`]; that is not forwarded
//! either.
//!
//! The relay costs 45 µs per request in a release build (median of 200 on 2 cores, as `cargo test --release -p bot
//! relay_costs -- --nocapture` prints it, measured before limits were applied here). Applying its limit costs 39 µs in
//! a debug build (`keeping_limits_costs`).

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sdk::tokio::net::{TcpListener, TcpStream};
use sdk::tokio::task::JoinSet;
use sdk::{tokio, tracing};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use super::limiter::{Exceeded, Limiter, Route, Standing};
use super::plain::NotPublic;
use super::{ANSWER_WITHIN, ApiError, CONNECT_WITHIN, cause};
use crate::config::ApiUrl;
use body::Outgoing;

mod body;

/// The host to which serenity sends its requests.
const HOST: &str = "discord.com";

/// Headers that apply to a single connection. Source: RFC 9110, section 7.6.1.
const OF_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Header with the secret of the relay's own clients.
const KEY: HeaderName = HeaderName::from_static("x-hotcord-relay");
/// Length of that secret in bytes.
const KEY_BYTES: usize = 32;

/// Header with the plugin that a request is made for.
pub(crate) const PLUGIN: HeaderName = HeaderName::from_static("x-hotcord-plugin");
/// The same, as the sandbox reads it.
const SOURCE: HeaderName = HeaderName::from_static("x-sandbox-source");

/// Called with the id of an interaction whose initial response is about to be sent.
pub(crate) type Answering = Box<dyn Fn(NonZeroU64) + Send + Sync>;

/// A running relay. It ends when this is dropped.
pub(crate) struct Relay {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    answering: Arc<OnceLock<Answering>>,
    key: HeaderValue,
    _serving: JoinSet<()>,
}

impl Relay {
    /// Starts a relay to `target`, or to Discord itself, on a free loopback port. `plain` allows requests to public
    /// addresses without TLS.
    pub(crate) async fn start(
        target: Option<ApiUrl>,
        plain: bool,
        limiter: Arc<Limiter>,
    ) -> Result<Self, ApiError> {
        let (certificate, config) = identity()?;
        let key = new_key()?;
        let answering = Arc::<OnceLock<Answering>>::default();
        let forwarder = Forwarder::new(target, plain, limiter, answering.clone(), key.clone())?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(ApiError::Port)?;
        let address = listener.local_addr().map_err(ApiError::Port)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, acceptor, Arc::new(forwarder)));
        Ok(Self { address, certificate, answering, key, _serving: serving })
    }

    /// Sets the function that is called for each initial response to an interaction before it is sent. Only the first
    /// call has an effect.
    pub(crate) fn tell_answers(&self, answering: Answering) {
        let _ = self.answering.set(answering);
    }

    /// Creates a client that resolves and trusts this relay as Discord.
    pub(crate) fn client(&self) -> Result<reqwest::ClientBuilder, reqwest::Error> {
        Ok(reqwest::Client::builder()
            .use_rustls_tls()
            .tls_built_in_root_certs(false)
            .add_root_certificate(reqwest::Certificate::from_der(&self.certificate)?)
            // A port in the override is used if the URL itself has none, and serenity's never have one.
            .resolve(HOST, self.address)
            .default_headers(HeaderMap::from_iter([(KEY, self.key.clone())]))
            .no_proxy())
    }
}

/// Creates a secret for the relay's clients, as letters and digits.
fn new_key() -> Result<HeaderValue, ApiError> {
    let mut bytes = [0; KEY_BYTES];
    ring::default_provider().secure_random.fill(&mut bytes).map_err(|_| ApiError::Random)?;
    let text = bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let mut key = HeaderValue::try_from(text).map_err(|_| ApiError::Random)?;
    key.set_sensitive(true);
    Ok(key)
}

/// Returns whether two secrets are equal, in constant time.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |found, (a, b)| found | (a ^ b)) == 0
}

/// Creates a certificate for [`HOST`] that exists as long as the process.
fn identity() -> Result<(CertificateDer<'static>, ServerConfig), ApiError> {
    let made = || -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())?;
        Ok((certificate, config))
    };
    made().map_err(ApiError::Certificate)
}

/// Serves all connections until the future is dropped, which ends them.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor, forwarder: Arc<Forwarder>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, acceptor.clone(), forwarder.clone()));
                }
                Err(error) => {
                    // Most likely there are no file descriptors left; some become free as connections end.
                    tracing::warn!(%error, "the relay to Discord cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, forwarder: Arc<Forwarder>) {
    // Without it, small responses would wait for the acknowledgement of earlier ones.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| {
        let forwarder = forwarder.clone();
        async move { Ok::<_, std::convert::Infallible>(forwarder.forward(request).await) }
    });
    let served =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(cause = cause(&error), "a connection to the relay ended early");
    }
}

/// Forwards requests to the target.
struct Forwarder {
    target: ApiUrl,
    /// Whether the target was set in DISCORD_API_URL.
    is_named: bool,
    client: reqwest::Client,
    limiter: Arc<Limiter>,
    answering: Arc<OnceLock<Answering>>,
    key: HeaderValue,
}

impl Forwarder {
    fn new(
        target: Option<ApiUrl>,
        plain: bool,
        limiter: Arc<Limiter>,
        answering: Arc<OnceLock<Answering>>,
        key: HeaderValue,
    ) -> Result<Self, ApiError> {
        let is_named = target.is_some();
        let target = target.unwrap_or_else(ApiUrl::discord);
        let client = outgoing(&target, plain, NotPublic::default()).build().map_err(ApiError::Outgoing)?;
        Ok(Self { target, is_named, client, limiter, answering, key })
    }

    async fn forward(&self, request: Request<Incoming>) -> Response<reqwest::Body> {
        let (mut head, body) = request.into_parts();
        let key = head.headers.remove(KEY);
        if !key.is_some_and(|key| same(key.as_bytes(), self.key.as_bytes())) {
            return refusal(StatusCode::FORBIDDEN, "this address serves the bot that has opened it alone");
        }
        let plugin = head.headers.remove(PLUGIN);
        strip(&mut head.headers);
        // A sandbox shows it beside the message. Discord never gets it.
        if let Some(plugin) = plugin.as_ref().filter(|_| self.is_named) {
            head.headers.insert(SOURCE, plugin.clone());
        }
        head.headers.remove(header::HOST);
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = match self.target.join(path) {
            Ok(url) => url,
            Err(error) => {
                return refusal(StatusCode::BAD_REQUEST, &format!("the request's path is no path: {error}"));
            }
        };
        let body = match Outgoing::read(body).await {
            Ok(body) => body,
            Err(error) => {
                let sentence = format!("the request's body broke off: {}", cause(&error));
                return refusal(StatusCode::BAD_REQUEST, &sentence);
            }
        };
        let route = Route::parse(&head.method, path);
        let permit = if let Some(interaction) = route.callback() {
            if let Some(answering) = self.answering.get() {
                answering(interaction);
            }
            None
        } else {
            let plugin = plugin.as_ref().and_then(|plugin| plugin.to_str().ok()).map(Into::into);
            let ordered = !head.method.is_safe() && !body.is_large();
            match self.limiter.enter(Arc::new(route), ordered, plugin).await {
                Ok(permit) => Some(permit),
                Err(refused) => {
                    body.drain().await;
                    return refusal(refused.status, &refused.sentence);
                }
            }
        };
        loop {
            let mut outgoing =
                self.client.request(head.method.clone(), url.clone()).headers(head.headers.clone());
            if let Some(body) = body.body() {
                outgoing = outgoing.body(body);
            }
            let response = match outgoing.send().await {
                Ok(response) => response,
                Err(error) => {
                    body.drain().await;
                    return self.unanswered(&error);
                }
            };
            let standing = Standing::read(response.headers());
            let Some(permit) = &permit else { return answer(response) };
            if response.status() != StatusCode::TOO_MANY_REQUESTS {
                permit.answered(response.status(), standing.as_ref());
                return answer(response);
            }
            let (status, headers) = (response.status(), response.headers().clone());
            let said = response.bytes().await.unwrap_or_default();
            let exceeded = Exceeded::read(&headers, &said);
            if !body.is_repeatable() || !permit.exceeded(&exceeded, standing.as_ref()).await {
                let mut response = Response::new(reqwest::Body::from(said));
                (*response.status_mut(), *response.headers_mut()) = (status, headers);
                strip(response.headers_mut());
                body.drain().await;
                return response;
            }
        }
    }

    fn unanswered(&self, error: &reqwest::Error) -> Response<reqwest::Body> {
        let (target, cause) = (&self.target, cause(error));
        let problem = if error.is_connect() { "cannot be reached" } else { "did not answer" };
        let who = if self.is_named {
            format!("the server that DISCORD_API_URL names ({target})")
        } else {
            format!("Discord ({target})")
        };
        refusal(StatusCode::BAD_GATEWAY, &format!("{who} {problem}: {cause}"))
    }
}

/// Creates the client for the target. Without TLS it connects only to addresses that are not public, unless `plain`.
fn outgoing(target: &ApiUrl, plain: bool, names: NotPublic) -> reqwest::ClientBuilder {
    let mut builder = reqwest::Client::builder()
        .use_rustls_tls()
        .connect_timeout(CONNECT_WITHIN)
        .read_timeout(ANSWER_WITHIN)
        // serenity handles the target's responses, including redirects.
        .redirect(reqwest::redirect::Policy::none());
    if !plain && !target.has_tls() {
        builder = builder.dns_resolver(Arc::new(names));
    }
    if target.is_local() {
        // HTTPS_PROXY and similar variables are meant for servers outside.
        builder = builder.no_proxy();
    }
    builder
}

/// Returns a response as a stream.
fn answer(response: reqwest::Response) -> Response<reqwest::Body> {
    let mut response = Response::from(response);
    strip(response.headers_mut());
    response
}

/// Removes the headers of a single connection, and those listed in its `Connection` header.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in OF_CONNECTION.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Creates an error in the form of Discord's own, so that it is handled like one.
fn refusal(status: StatusCode, message: &str) -> Response<reqwest::Body> {
    let body = serde_json::json!({"code": 0, "message": message}).to_string();
    let mut response = Response::new(reqwest::Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests;
