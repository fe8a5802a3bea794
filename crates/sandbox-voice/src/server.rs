//! The servers of the voice regions: bound, named, and running until they are dropped.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use axum::Router;
use sandbox_net::{Identity, Listener, Plain, TlsListener};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::state::{Server, Voice};
use super::wire::Wire;
use super::{gateway, udp};

/// Running servers; dropping it ends them.
#[derive(Debug)]
pub struct Running {
    _gateways: JoinSet<()>,
    _audio: Vec<udp::Running>,
}

/// Starts a server for each region on an interface; `host` is how bots reach it, which `identity` proves, and `guard` wraps
/// each router.
pub async fn start(
    voice: &Voice,
    ip: IpAddr,
    host: &str,
    identity: &Identity,
    guard: impl Fn(Router) -> Router,
) -> io::Result<Running> {
    let mut gateways = JoinSet::new();
    let (mut servers, mut audio) = (Vec::new(), Vec::new());
    for region in 0..voice.options().regions.len() {
        let wanted = voice.options().listen.filter(|_| region == 0);
        let listener = TcpListener::bind(wanted.unwrap_or(SocketAddr::new(ip, 0))).await?;
        let address = listener.local_addr()?;
        // The same port for both where it is free, which is easiest to open in a firewall or container.
        let socket = match UdpSocket::bind(address) {
            Ok(socket) => socket,
            Err(_) if wanted.is_none_or(|wanted| wanted.port() == 0) => {
                UdpSocket::bind(SocketAddr::new(address.ip(), 0))?
            }
            Err(error) => return Err(error),
        };
        let socket = Arc::new(socket);
        let port = socket.local_addr()?.port();
        servers.push(Server { endpoint: format!("{host}:{}", address.port()), port });
        audio.push(udp::start(voice, socket)?);
        let listener = Listener::new(TlsListener::new(listener, identity.config.clone(), Plain::Refused)?);
        let service =
            guard(gateway::router(voice.clone(), region)).into_make_service_with_connect_info::<Wire>();
        gateways.spawn(async move {
            // It serves until it is dropped: its listener never fails.
            let _ = axum::serve(listener, service).await;
        });
    }
    voice.open(servers, identity.root.clone());
    Ok(Running { _gateways: gateways, _audio: audio })
}
