//! Requests as raw bytes on a connection, so that no client corrects them.

use std::net::SocketAddr;

use sdk::tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use sdk::tokio::net::TcpStream;

/// A response.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Page {
    /// Returns a header by its name, regardless of case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Page {
    request(address, "GET", path).await
}

/// Sends a request and reads the response up to the end of the connection.
pub(crate) async fn request(address: SocketAddr, method: &str, path: &str) -> Page {
    request_as(address, &address.to_string(), method, path).await
}

/// Sends a request with this `Host`.
pub(crate) async fn request_as(address: SocketAddr, host: &str, method: &str, path: &str) -> Page {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Page { status, head: head.to_owned(), body: body.to_owned() }
}
