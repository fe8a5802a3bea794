//! The servers of the voice regions: bound, named, and running until they are dropped.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use axum::Router;
use sandbox_net::Listener;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::listener::{TlsListener, Wire};
use super::state::{Server, Voice};
use super::{gateway, tls, udp};

/// Running servers; dropping it ends them.
#[derive(Debug)]
pub struct Running {
    _gateways: JoinSet<()>,
    _audio: Vec<udp::Running>,
}

/// Starts a server for each region on an interface; `host` is how bots reach it, and `guard` wraps each router.
pub async fn start(
    voice: &Voice,
    ip: IpAddr,
    host: &str,
    guard: impl Fn(Router) -> Router,
) -> io::Result<Running> {
    let mut names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    let host_name = host.trim_matches(['[', ']']);
    if !names.iter().any(|name| name == host_name) {
        names.push(host_name.to_owned());
    }
    let (root, config) = tls::identity(&names, voice.options().root.as_ref())
        .map_err(|error| io::Error::other(format!("no certificate for voice can be made: {error}")))?;
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
        let listener = Listener::new(TlsListener::new(listener, config.clone())?);
        let service =
            guard(gateway::router(voice.clone(), region)).into_make_service_with_connect_info::<Wire>();
        gateways.spawn(async move {
            // It serves until it is dropped: its listener never fails.
            let _ = axum::serve(listener, service).await;
        });
    }
    voice.open(servers, root);
    Ok(Running { _gateways: gateways, _audio: audio })
}
