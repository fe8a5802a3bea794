//! All limits of fetching, opening and running, in one place.

use std::time::Duration;

/// Limits of sources. The defaults are those of a bot in production.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Most characters of an address.
    pub address: usize,
    /// Most redirects that are followed for one request.
    pub redirects: usize,
    /// Longest time to establish a connection, including name resolution and TLS.
    pub connect: Duration,
    /// Longest time until a server begins to answer.
    pub answer: Duration,
    /// Longest silence within an answer.
    pub silence: Duration,
    /// Longest time to find out the format, or until it can be played.
    pub open: Duration,
    /// Longest time for all requests to servers for one query: redirects, playlists that lead to one another, and the
    /// first audio. yt-dlp has limits of its own: `answer` for its turn, and `find`.
    pub resolve: Duration,
    /// Most requests in progress at a time for one user.
    pub resolves_of_user: usize,
    /// The same for one Discord server.
    pub resolves_of_guild: usize,
    /// The same for all together.
    pub resolves: usize,
    /// Most names being looked up at a time. Each takes a thread until the system has given it up.
    pub lookups: usize,
    /// Ports of web servers. For other ports, failure messages do not differ between an open port and a closed one.
    pub ports: Vec<u16>,
    /// Longest silence in place of audio, less the part that audio in between makes up for.
    pub stall: Duration,
    /// Longest wait before a broken connection is tried again. The first wait is a tenth of it.
    pub reconnect: Duration,
    /// Attempts to continue after a broken connection, without any audio played in between.
    pub reconnects: u32,
    /// Most bytes of a file on the web.
    pub file: u64,
    /// Most bytes of a playlist.
    pub playlist: usize,
    /// Most entries that are read from a playlist.
    pub entries: usize,
    /// Most playlists that may lead to one another.
    pub nesting: usize,
    /// Most audio that is read ahead.
    pub ahead: Duration,
    /// Most bytes that are read ahead.
    pub ahead_bytes: usize,
    /// Audio that must be available before a track starts, and before it continues after a pause of its server.
    pub prefill: Duration,
    /// Longest time for yt-dlp to print its version.
    pub version: Duration,
    /// Longest time for yt-dlp to find something.
    pub find: Duration,
    /// Most bytes that yt-dlp may write.
    pub output: usize,
    /// Most yt-dlp processes at a time.
    pub processes: usize,
    /// Most bytes of a track that yt-dlp fetches to a temporary file, because its server refuses other clients.
    pub spool: u64,
    /// Most such tracks at a time.
    pub spools: usize,
    /// Most characters of a search text.
    pub search: usize,
    /// Most files of the library.
    pub library: usize,
    /// Most levels of nested folders in the library.
    pub depth: usize,
    /// Time between two scans of the library's folder.
    pub rescan: Duration,
    /// Most bytes of an answer with lyrics.
    pub lyrics: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            address: 2_048,
            redirects: 5,
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(15),
            silence: Duration::from_secs(15),
            open: Duration::from_secs(18),
            resolve: Duration::from_secs(20),
            resolves_of_user: 3,
            resolves_of_guild: 8,
            resolves: 64,
            lookups: 64,
            ports: vec![80, 443],
            stall: Duration::from_secs(20),
            reconnect: Duration::from_secs(5),
            reconnects: 5,
            file: 2 << 30,
            playlist: 256 << 10,
            entries: 500,
            nesting: 3,
            ahead: Duration::from_secs(10),
            ahead_bytes: 4 << 20,
            prefill: Duration::from_millis(400),
            version: Duration::from_secs(15),
            find: Duration::from_secs(45),
            output: 8 << 20,
            processes: 2,
            spool: 512 << 20,
            spools: 4,
            search: 200,
            library: 50_000,
            depth: 16,
            rescan: Duration::from_mins(1),
            lyrics: 512 << 10,
        }
    }
}
