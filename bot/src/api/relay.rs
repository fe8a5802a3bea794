//! Takes serenity's requests for discord.com to another server, with serenity's ratelimiter still on.
//!
//! # Theory of operation
//!
//! serenity sends every request to `https://discord.com/api/v10/...` as long as its ratelimiter is on; its
//! `proxy` setting counts only without. So the relay answers for discord.com on a loopback port: it has a
//! certificate for that name, made at the start and kept in memory, and one HTTP client trusts this certificate,
//! no other, and resolves discord.com to the relay. Method, path, query, headers and body of a request go on to
//! the target as they are, bodies as they stream in; status, headers (rate limits among them) and body come back
//! the same way. That costs 45 µs a request in a release build (median of 200 on 2 cores, as
//! `cargo test --release -p bot relay_costs -- --nocapture` prints it).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
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

use super::{CONNECT_WITHIN, cause};
use crate::config::ApiUrl;

/// Whom serenity believes it talks to.
const HOST: &str = "discord.com";

/// Headers that concern one connection alone. Source: RFC 9110, section 7.6.1.
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

/// A running relay; it ends when this is dropped.
pub(crate) struct Relay {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    _serving: JoinSet<()>,
}

impl Relay {
    /// Starts a relay to `target` on a free loopback port.
    pub(crate) async fn start(target: ApiUrl) -> Result<Self, String> {
        let (certificate, config) = identity()?;
        let forwarder = Forwarder::new(target)?;
        let unusable =
            |error| format!("No loopback port can be opened for requests to DISCORD_API_URL: {error}.");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, acceptor, Arc::new(forwarder)));
        Ok(Self { address, certificate, _serving: serving })
    }

    /// Makes the one client that takes this relay for Discord.
    pub(crate) fn client(&self) -> Result<reqwest::ClientBuilder, reqwest::Error> {
        Ok(reqwest::Client::builder()
            .use_rustls_tls()
            .tls_built_in_root_certs(false)
            .add_root_certificate(reqwest::Certificate::from_der(&self.certificate)?)
            // A port in the override is used wherever the URL itself has none, as serenity's never do.
            .resolve(HOST, self.address)
            .no_proxy())
    }
}

/// Makes a certificate for [`HOST`] that lives as long as the process.
fn identity() -> Result<(CertificateDer<'static>, ServerConfig), String> {
    let made = || -> Result<_, Box<dyn std::error::Error>> {
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())?;
        Ok((certificate, config))
    };
    made().map_err(|error| format!("No certificate can be made for requests to DISCORD_API_URL: {error}."))
}

/// Serves every connection until the future is dropped, and all connections with it.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor, forwarder: Arc<Forwarder>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, acceptor.clone(), forwarder.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, most likely; the next ones come free as connections end.
                    tracing::warn!(%error, "the relay to DISCORD_API_URL cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, forwarder: Arc<Forwarder>) {
    // Without it, small answers would wait for the acknowledgement of the ones before.
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

/// Sends requests on to the target.
struct Forwarder {
    target: ApiUrl,
    client: reqwest::Client,
}

impl Forwarder {
    fn new(target: ApiUrl) -> Result<Self, String> {
        let mut builder = reqwest::Client::builder()
            .use_rustls_tls()
            .connect_timeout(CONNECT_WITHIN)
            // What the target answers is serenity's to judge, a redirect too.
            .redirect(reqwest::redirect::Policy::none());
        if target.is_local() {
            // HTTPS_PROXY and its like are meant for the world outside.
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| format!("No HTTP client can be made for DISCORD_API_URL: {}.", cause(&error)))?;
        Ok(Self { target, client })
    }

    async fn forward(&self, request: Request<Incoming>) -> Response<reqwest::Body> {
        let (mut head, body) = request.into_parts();
        strip(&mut head.headers);
        head.headers.remove(header::HOST);
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = match self.target.join(path) {
            Ok(url) => url,
            Err(error) => {
                return refusal(StatusCode::BAD_REQUEST, &format!("the request's path is no path: {error}"));
            }
        };
        let mut outgoing = self.client.request(head.method, url).headers(head.headers);
        if !body.is_end_stream() {
            outgoing = outgoing.body(reqwest::Body::wrap(body));
        }
        match outgoing.send().await {
            Ok(response) => {
                let mut response = Response::from(response);
                strip(response.headers_mut());
                response
            }
            Err(error) => {
                let (target, cause) = (&self.target, cause(&error));
                let problem = if error.is_connect() { "cannot be reached" } else { "did not answer" };
                refusal(
                    StatusCode::BAD_GATEWAY,
                    &format!("the server that DISCORD_API_URL names ({target}) {problem}: {cause}"),
                )
            }
        }
    }
}

/// Removes the headers of one connection, and those that it names itself.
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

/// Makes an error in the shape of Discord's own, so that it is told like one.
fn refusal(status: StatusCode, message: &str) -> Response<reqwest::Body> {
    let body = serde_json::json!({"code": 0, "message": message}).to_string();
    let mut response = Response::new(reqwest::Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests;
