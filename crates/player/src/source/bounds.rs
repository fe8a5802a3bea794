//! Every limit of what is fetched, opened and run, in one place.

use std::time::Duration;

/// Limits of sources; the defaults are what a bot runs with.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Most characters of an address.
    pub address: usize,
    /// Most redirects that are followed for one request.
    pub redirects: usize,
    /// Longest time until a connection stands, name and TLS included.
    pub connect: Duration,
    /// Longest time until a server begins to answer.
    pub answer: Duration,
    /// Longest silence within an answer.
    pub silence: Duration,
    /// Longest time for finding out what something is, or until it can be played.
    pub open: Duration,
    /// Longest time for all that is asked of servers for one request: redirects, playlists that lead to one another, and the
    /// first sound. What yt-dlp does has limits of its own: `answer` for its turn, and `find`.
    pub resolve: Duration,
    /// How many requests may be under way at a time for one user.
    pub resolves_of_user: usize,
    /// The same for one server of Discord's.
    pub resolves_of_guild: usize,
    /// The same for all together.
    pub resolves: usize,
    /// How many names may be looked up at a time; each takes a thread until the system has given it up.
    pub lookups: usize,
    /// Ports of web servers. At others nothing is told of a failure that differs for a port that is open and one that is not.
    pub ports: Vec<u16>,
    /// Longest silence in place of sound, less what the sound in between makes up for.
    pub stall: Duration,
    /// Longest wait before a connection that broke is tried again; the first wait is a tenth of it.
    pub reconnect: Duration,
    /// Attempts to go on with a connection that broke, without anything heard in between.
    pub reconnects: u32,
    /// Most bytes of a file on the web.
    pub file: u64,
    /// Most bytes of a playlist.
    pub playlist: usize,
    /// Most entries that are read from a playlist.
    pub entries: usize,
    /// How many playlists may lead to one another.
    pub nesting: usize,
    /// Most sound that is read ahead of what plays.
    pub ahead: Duration,
    /// Most bytes that are read ahead of what plays.
    pub ahead_bytes: usize,
    /// Sound that has to be there before a track begins, and before it goes on after a pause of its server.
    pub prefill: Duration,
    /// Longest time for yt-dlp to tell its version.
    pub version: Duration,
    /// Longest time for yt-dlp to find something.
    pub find: Duration,
    /// Most bytes that yt-dlp may write.
    pub output: usize,
    /// How many yt-dlp may run at a time.
    pub processes: usize,
    /// Most bytes of a track that yt-dlp fetches to a temporary file, because its server refuses others.
    pub spool: u64,
    /// How many such tracks there may be at a time.
    pub spools: usize,
    /// Most characters of a text to search for.
    pub search: usize,
    /// Most files of the library.
    pub library: usize,
    /// How deep folders of the library may lie in one another.
    pub depth: usize,
    /// Time between two looks at the library's folder.
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
