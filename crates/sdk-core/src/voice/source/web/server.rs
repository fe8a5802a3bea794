//! A server on loopback that answers as a test wants it to.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server on loopback.
pub(in crate::voice::source) struct Server {
    pub(in crate::voice::source) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

/// An answer, byte for byte.
pub(in crate::voice::source) struct Reply {
    bytes: Vec<u8>,
    then: Then,
}

enum Then {
    Close,
    Hang,
    Repeat,
}

impl Server {
    /// Answers every request on a free port.
    pub(in crate::voice::source) async fn start(
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0", answer).await
    }

    pub(in crate::voice::source) async fn start_at(
        address: &str,
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (seen, answer) = (requests.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, seen.clone(), answer.clone()));
            }
        });
        Self { address, requests, task }
    }

    pub(in crate::voice::source) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Gives the heads of all requests so far.
    pub(in crate::voice::source) fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<String>>>,
    answer: Arc<impl Fn(&str) -> Reply + Send + Sync + 'static>,
) {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => head.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    seen.lock().push(head.clone());
    let reply = answer(&head);
    // Whoever asked may have gone.
    let mut sent = stream.write_all(&reply.bytes).await;
    match reply.then {
        Then::Close => {}
        Then::Hang => std::future::pending().await,
        Then::Repeat => {
            while sent.is_ok() {
                sent = stream.write_all(&[b'x'; 4096]).await;
            }
        }
    }
}

impl Reply {
    /// Answers with these bytes and closes the connection.
    pub(in crate::voice::source) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::Close }
    }

    /// Answers with a body of a media type.
    pub(in crate::voice::source) fn ok(kind: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        Self::raw(bytes)
    }

    /// Leads to another address.
    pub(in crate::voice::source) fn redirect(to: &str) -> Self {
        Self::raw(format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ))
    }

    /// Answers with a failure.
    pub(in crate::voice::source) fn status(status: u16) -> Self {
        Self::raw(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    }

    /// Says nothing more after that, and keeps the connection.
    pub(in crate::voice::source) fn then_hang(self) -> Self {
        Self { then: Then::Hang, ..self }
    }

    /// Goes on without end.
    pub(in crate::voice::source) fn then_repeat(self) -> Self {
        Self { then: Then::Repeat, ..self }
    }
}
