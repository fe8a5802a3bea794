//! A server with many addresses, each of which becomes slow at a different place: one byte per second, without an end.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Time between two bytes.
const DRIP: Duration = Duration::from_secs(1);

/// Where an address becomes slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the head of its response.
    Head,
    /// In the head of a redirect.
    Redirect,
    /// In the first bytes of its body.
    First,
    /// In a playlist.
    List,
    /// In the size of a chunk.
    Chunk,
    /// In the trailers after the last chunk.
    Trailers,
    /// After the first packets of a song.
    Packets,
    /// In the titles of a station.
    Titles,
}

const PLACES: [Place; 8] = [
    Place::Head,
    Place::Redirect,
    Place::First,
    Place::List,
    Place::Chunk,
    Place::Trailers,
    Place::Packets,
    Place::Titles,
];

/// A slow server. Dropping it ends it.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    song: Vec<u8>,
    open: AtomicUsize,
    most: AtomicUsize,
    asked: Mutex<BTreeSet<String>>,
}

impl Server {
    /// Starts a server on a free port, which also serves a song.
    pub(super) async fn start(song: Vec<u8>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            song,
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            asked: Mutex::default(),
        });
        let of_task = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = of_task.clone();
                let now = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
                shared.most.fetch_max(now, Ordering::SeqCst);
                tokio::spawn(async move {
                    // Clients may disconnect at any time.
                    let _ = serve(stream, &shared).await;
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(Self { address, shared, task: task.abort_handle() })
    }

    /// Returns an address that becomes slow at the place of this number.
    pub(super) fn dripping(&self, number: usize) -> String {
        format!("http://{}/{number}", self.address)
    }

    /// Returns the address of a song that becomes slow after three seconds of sound.
    pub(super) fn stalling(&self, number: usize) -> String {
        format!("http://{}/song/{number}", self.address)
    }

    /// Returns the address of a whole song.
    pub(super) fn song(&self) -> String {
        format!("http://{}/whole", self.address)
    }

    /// Returns the number of open connections.
    pub(super) fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Returns the largest number of connections open at once.
    pub(super) fn most(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }

    /// Returns the number of addresses that were requested.
    pub(super) fn asked(&self) -> usize {
        self.shared.asked.lock().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let (mut head, mut piece) = (Vec::new(), [0; 1_024]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece).await? {
            0 => return Ok(()),
            read => head.extend_from_slice(&piece[..read]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    shared.asked.lock().insert(path.clone());
    if path == "/whole" {
        let length = shared.song.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        return stream.write_all(&shared.song).await;
    }
    let (first, byte) = answer(&path, &shared.song);
    stream.write_all(&first).await?;
    loop {
        tokio::select! {
            read = stream.read(&mut piece) => if read? == 0 { return Ok(()) },
            () = tokio::time::sleep(DRIP) => stream.write_all(&[byte]).await?,
        }
    }
}

/// Returns what an address sends immediately, and the byte that it repeats slowly afterwards.
fn answer(path: &str, song: &[u8]) -> (Vec<u8>, u8) {
    let head = |kind: &str, more: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}\r\n");
    let sound = |more: &str, bytes: &[u8]| [head("audio/mpeg", more).as_bytes(), bytes].concat();
    if path.starts_with("/song/") {
        return (sound("", song), 0);
    }
    let number: usize = path.trim_start_matches('/').parse().unwrap_or_default();
    let list = "#EXTM3U\n".to_owned() + &"# a remark\n".repeat(100);
    let chunked = "Transfer-Encoding: chunked\r\n";
    match PLACES[number % PLACES.len()] {
        Place::Head => (b"HTTP/1.1 200 OK\r\nX-A: ".to_vec(), b'x'),
        Place::Redirect => (b"HTTP/1.1 302 Found\r\nLocation: /".to_vec(), b'x'),
        Place::First => (sound("", b"ID3"), b'x'),
        Place::List => ((head("audio/x-mpegurl", "") + &list).into_bytes(), b'#'),
        Place::Chunk => (sound(chunked, b"1;x="), b'x'),
        Place::Trailers => {
            let body = format!("{:x}\r\n{list}\r\n0\r\nX-A: ", list.len());
            ((head("audio/x-mpegurl", chunked) + &body).into_bytes(), b'x')
        }
        Place::Packets => (sound("", &song[..song.len().min(2_000)]), 0),
        Place::Titles => (sound("icy-metaint: 2000\r\n", &song[..song.len().min(2_000)]), 255),
    }
}
