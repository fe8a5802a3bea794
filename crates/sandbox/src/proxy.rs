//! An HTTP proxy on the sandbox's own port, for programs of this machine whose servers are built in: `CONNECT` to a name of
//! the certificate leads to the sandbox itself, and to nothing else.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::event_log::{Event, EventLog};
use crate::fault::Connection;
use crate::live::Discord;

/// Most tunnels at once. A bot has a few: requests in parallel, a websocket for each shard and for each call.
const TUNNELS: usize = 512;

/// The proxy in front of all routes.
#[derive(Clone)]
pub(crate) struct Proxy(Arc<Inner>);

struct Inner {
    /// Names that lead to the sandbox.
    names: Vec<String>,
    /// Own address.
    own: SocketAddr,
    /// Knows the voice servers.
    discord: Arc<Discord>,
    log: EventLog,
    tunnels: Arc<Semaphore>,
}

impl Proxy {
    /// Creates a proxy that leads these names to this address.
    pub(crate) fn new(names: Vec<String>, own: SocketAddr, discord: Arc<Discord>, log: EventLog) -> Self {
        Self(Arc::new(Inner { names, own, discord, log, tunnels: Arc::new(Semaphore::new(TUNNELS)) }))
    }

    /// Adds the proxy in front of all routes of a router.
    pub(crate) fn before(self, router: Router) -> Router {
        router.layer(from_fn_with_state(self, handle))
    }
}

impl Inner {
    /// Returns the address that a target leads to: the sandbox itself, or one of its voice servers.
    fn address(&self, target: &str) -> Option<SocketAddr> {
        let (host, port) = target.rsplit_once(':')?;
        let port = port.parse::<u16>().ok()?;
        let host = host.to_ascii_lowercase();
        if self.names.contains(&host) && (port == 443 || port == self.own.port()) {
            return Some(self.own);
        }
        let is_voice = self.discord.voice().endpoints().any(|(_, endpoint)| endpoint == target);
        if !is_voice && target != self.own.to_string() {
            return None;
        }
        // The host of voice is the sandbox's own.
        Some(SocketAddr::new(self.own.ip(), port))
    }
}

async fn handle(
    State(Proxy(proxy)): State<Proxy>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::CONNECT {
        return next.run(request).await;
    }
    let target = request.uri().authority().map(|target| target.as_str().to_owned()).unwrap_or_default();
    // What comes without TLS comes from this machine.
    let address = if connection.is_secure() { None } else { proxy.address(&target) };
    let Some(address) = address else {
        let reason = format!("the proxy leads to this sandbox only, not to {}", target.escape_debug());
        proxy.log.push(Event::Refused { reason: reason.clone() });
        return (StatusCode::FORBIDDEN, reason + "\n").into_response();
    };
    let Ok(permit) = Arc::clone(&proxy.tunnels).try_acquire_owned() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the proxy has {TUNNELS} tunnels open, its most\n"),
        )
            .into_response();
    };
    let mut inside = match TcpStream::connect(address).await {
        Ok(inside) => inside,
        Err(error) => return (StatusCode::BAD_GATEWAY, format!("{address}: {error}\n")).into_response(),
    };
    tokio::spawn(async move {
        let _permit = permit;
        if let Ok(outside) = hyper::upgrade::on(request).await {
            let _ = inside.set_nodelay(true);
            // Either side may end it, and then there is nothing left to do.
            let _ = copy_bidirectional(&mut TokioIo::new(outside), &mut inside).await;
        }
    });
    StatusCode::OK.into_response()
}
