//! A server on loopback with answers that a test chooses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server on loopback.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// Time between two bytes of a server that drips.
const DRIP: Duration = Duration::from_millis(50);
/// Longest wait for connections to be closed.
const PATIENCE: Duration = Duration::from_mins(1);

/// An answer, byte for byte.
pub(super) struct Reply {
    bytes: Vec<u8>,
    then: Then,
}

enum Then {
    Close,
    Hang,
    Repeat(Vec<u8>),
    Drip(Vec<u8>),
}

impl Server {
    /// Starts a server on a free port that answers every request.
    pub(super) async fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", answer).await
    }

    pub(super) async fn start_at(
        address: &str,
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (seen, answer) = (requests.clone(), Arc::new(answer));
        let open = Arc::<AtomicUsize>::default();
        let count = open.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer, count) = (seen.clone(), answer.clone(), count.clone());
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    serve(stream, seen, answer).await;
                    count.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, requests, open, task }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the heads of all requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }

    /// Waits until all connections to it have been closed.
    pub(super) async fn is_left(&self) {
        let until = Instant::now() + PATIENCE;
        while self.open.load(Ordering::SeqCst) > 0 {
            assert!(Instant::now() < until, "{} connections are open", self.open.load(Ordering::SeqCst));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
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
    // The client may have disconnected.
    let mut sent = stream.write_all(&reply.bytes).await;
    match reply.then {
        Then::Close => {}
        Then::Hang => while matches!(stream.read(&mut piece).await, Ok(read) if read > 0) {},
        Then::Drip(bytes) => {
            let mut bytes = bytes.iter().cycle();
            while sent.is_ok() {
                tokio::select! {
                    read = stream.read(&mut piece) => if !matches!(read, Ok(read) if read > 0) { return },
                    () = tokio::time::sleep(DRIP) => {
                        let byte = bytes.next().copied().unwrap_or_default();
                        sent = stream.write_all(&[byte]).await;
                    }
                }
            }
        }
        Then::Repeat(bytes) => {
            while sent.is_ok() {
                sent = stream.write_all(&bytes).await;
            }
        }
    }
}

impl Reply {
    /// Creates an answer of these bytes, after which the connection is closed.
    pub(super) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::Close }
    }

    /// Creates an answer with a body of a media type.
    pub(super) fn ok(kind: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        Self::raw(bytes)
    }

    /// Creates a redirect to another address.
    pub(super) fn redirect(to: &str) -> Self {
        Self::raw(format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ))
    }

    /// Creates a failure with a status code.
    pub(super) fn status(status: u16) -> Self {
        Self::raw(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    }

    /// Sends nothing after that, and keeps the connection open.
    pub(super) fn then_hang(self) -> Self {
        Self { then: Then::Hang, ..self }
    }

    /// Continues with these bytes without end.
    pub(super) fn then_repeat(self, bytes: Vec<u8>) -> Self {
        Self { then: Then::Repeat(bytes), ..self }
    }

    /// Continues with these bytes without end, one every 50 ms.
    pub(super) fn then_drip(self, bytes: &[u8]) -> Self {
        Self { then: Then::Drip(bytes.to_owned()), ..self }
    }

    /// Creates an answer with a file, or with the part of it that `head` asks for.
    pub(super) fn file(head: &str, kind: &str, file: &[u8]) -> Self {
        let Some(from) = range_of(head) else { return Self::ok(kind, file) };
        let mut bytes = format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Type: {kind}\r\nContent-Range: bytes {from}-{}/{}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            file.len() - 1,
            file.len(),
            file.len() - from
        )
        .into_bytes();
        bytes.extend_from_slice(&file[from..]);
        Self::raw(bytes)
    }

    /// Closes the connection after `most` bytes, including the head.
    pub(super) fn cut(mut self, most: usize) -> Self {
        self.bytes.truncate(most);
        self
    }
}

/// Returns the first byte that a request asks for.
pub(super) fn range_of(head: &str) -> Option<usize> {
    let line = head.lines().find_map(|line| line.strip_prefix("range: bytes="))?;
    line.split('-').next()?.parse().ok()
}
