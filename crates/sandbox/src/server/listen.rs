//! Serving a router on a listener, with or without TLS.

use std::future::IntoFuture;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::serve::ListenerExt as _;
use axum::{Router, ServiceExt};
use sandbox_net::{Plain, ServerConfig, TlsListener, Wire};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::util::MapRequest;

use crate::address;
use crate::fault::{Connection, Listener};

/// Starts to serve, until the sandbox stops.
pub(super) fn start(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    stopped: watch::Receiver<bool>,
) -> io::Result<JoinHandle<()>> {
    Ok(match tls {
        Some(config) => {
            let listener = TlsListener::new(listener, config, Plain::FromLoopback)?;
            tokio::spawn(serve(listener, router, stopped))
        }
        None => {
            let listener = listener.tap_io(|stream| {
                // Without this, Nagle's algorithm and delayed acknowledgements add 40 ms to small events under load
                // (measured).
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps Nagle's algorithm");
                }
            });
            tokio::spawn(serve(listener, router, stopped))
        }
    })
}

/// Time for requests in progress at shutdown. A followed log never ends by itself.
const GRACE: Duration = Duration::from_secs(1);

async fn serve<L>(listener: L, router: Router, mut stopped: watch::Receiver<bool>)
where
    L: axum::serve::Listener<Io: Wire>,
    L::Addr: std::fmt::Debug,
{
    let service = MapRequest::new(router, address::normalised);
    let service = ServiceExt::<Request>::into_make_service_with_connect_info::<Connection>(service);
    let mut ends = stopped.clone();
    let serving = axum::serve(Listener::new(listener), service).with_graceful_shutdown(async move {
        // The sender exists as long as the sandbox itself.
        let _ = ends.wait_for(|stop| *stop).await;
    });
    let overdue = async {
        let _ = stopped.wait_for(|stop| *stop).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        _ = serving.into_future() => {}
        () = overdue => {}
    }
}
