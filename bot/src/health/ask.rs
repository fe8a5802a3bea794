//! `hotcord health [--ready]`: queries the bot at the configured address, for systems without another tool.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::config::{Mistakes, Source};

/// Longest wait for a connection, and for each part of the response.
const WITHIN: Duration = Duration::from_secs(3);
/// Maximum number of bytes that are read of a response. Expected ones are far shorter.
const ANSWER: u64 = 64 * 1024;

/// Why a bot is not alive or not ready, or cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error(transparent)]
    Configuration(Mistakes),
    #[error("HEALTH_ADDR is off, so this bot cannot be asked; set it to an address.")]
    Off,
    #[error("HEALTH_ADDR names port 0, which is another one with each start; name a port.")]
    AnyPort,
    #[error("No bot answers at {address}, which HEALTH_ADDR names: {source}.")]
    NoAnswer { address: SocketAddr, source: std::io::Error },
    #[error("At {address}, which HEALTH_ADDR names, something else than this bot answers.")]
    Foreign { address: SocketAddr },
    #[error("The bot is not ready: {reason}.")]
    NotReady { reason: String },
    #[error("The bot answers {status} on {path}.")]
    Status { status: u16, path: &'static str },
}

/// Asks whether the bot is alive, or whether it is ready.
///
/// # Errors
/// If it is not, or if it cannot be asked.
pub(crate) fn ask(ready: bool) -> Result<(), AskError> {
    let source = Source::read().map_err(AskError::Configuration)?;
    let health = source.health().map_err(AskError::Configuration)?;
    let Some(address) = health.address() else { return Err(AskError::Off) };
    if address.port() == 0 {
        return Err(AskError::AnyPort);
    }
    let address = reachable(address);
    let path = if ready { "/ready" } else { "/health" };
    let answer = get(address, path).map_err(|source| AskError::NoAnswer { address, source })?;
    let (status, body) = read(&answer).ok_or(AskError::Foreign { address })?;
    match (status, body["reason"].as_str()) {
        (200, _) => Ok(()),
        (_, Some(reason)) => Err(AskError::NotReady { reason: reason.to_owned() }),
        (status, None) => Err(AskError::Status { status, path }),
    }
}

/// Returns an address at which a server can be reached that listens on all addresses.
const fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn get(address: SocketAddr, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(ANSWER).read_to_end(&mut answer)?;
    Ok(answer)
}

/// Parses the status and the body of a response of this bot; `None` if it is from another program.
fn read(answer: &[u8]) -> Option<(u16, Value)> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    let body: Value = serde_json::from_str(body).ok()?;
    body["status"].is_string().then_some((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_anything_else_is_told_from_the_bots() {
        let (status, body) = read(
            b"HTTP/1.1 503 Service Unavailable\r\na: b\r\n\r\n{\"status\":\"not ready\",\"reason\":\"x\"}\n",
        )
        .unwrap();
        assert_eq!((status, body["reason"].as_str()), (503, Some("x")));
        for other in [
            "",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n<html>",
            "HTTP/1.1 200 OK\r\n\r\n{}",
            "SSH-2.0-x\r\n\r\n{\"status\":\"ok\"}",
        ] {
            assert_eq!(read(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn what_listens_everywhere_is_asked_on_loopback() {
        for (address, asked) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:2", "[::1]:2"),
            ("10.1.2.3:4", "10.1.2.3:4"),
            ("127.0.0.1:9464", "127.0.0.1:9464"),
        ] {
            assert_eq!(reachable(address.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
