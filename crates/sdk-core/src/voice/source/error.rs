//! Why something cannot be played, in words for the person who asked.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::text;

/// Why something cannot be played; the text is one sentence that holds no address and no output of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// The text is no web address.
    NoAddress,
    /// The address begins with something else than http:// or https://.
    Scheme,
    /// The address holds a user name or password.
    Credentials,
    /// The address, or one that it leads to, is not public.
    NotPublic,
    /// No server has that name.
    NoHost,
    /// The server does not answer at all.
    Unreachable,
    /// Something did not happen in time.
    TimedOut,
    /// All of it together took longer than it may.
    Late {
        /// Longest time.
        most: Duration,
    },
    /// Nothing can be played at a port that is no web server's; why is not told, since that would tell whether it is open.
    NothingThere,
    /// The server answers with a failure.
    Status(u16),
    /// Address leads to address without end.
    Redirects,
    /// More bytes than are fetched.
    TooLarge,
    /// The track is longer than is allowed.
    TooLong {
        /// Longest track.
        most: Duration,
    },
    /// The address is of an HLS stream.
    Hls,
    /// An MP4 file whose index follows its audio, from a server that sends no parts.
    IndexAtEnd,
    /// AAC with more than two channels.
    Surround,
    /// What is there is no sound in a known format.
    NoSound,
    /// The server has stopped to send, or sends more slowly than the sound is.
    Stalled,
    /// A playlist without an entry that can be played.
    EmptyPlaylist,
    /// The stream ended before its time, or what it holds is broken.
    Broken,
    /// A page, and there is no yt-dlp.
    NoPages,
    /// yt-dlp finds nothing to play on the page.
    Page,
    /// yt-dlp finds nothing to play on the page, and has no JavaScript runtime, which it needs for the site.
    NoRuntime,
    /// A search for which nothing was found.
    NothingFound,
    /// A search that only the library answered, because there is no yt-dlp.
    NoSearch,
    /// Too much is being looked for already.
    Busy,
    /// The user has so many requests under way, which is the most.
    BusyUser(usize),
    /// The users of the Discord server have so many requests under way, which is the most.
    BusyGuild(usize),
    /// There is no library.
    NoLibrary,
    /// The library does not hold that track any more.
    NotInLibrary,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAddress => "That is no web address; give one like https://example.org/song.mp3.",
            Self::Scheme => "Only addresses that begin with http:// or https:// can be played.",
            Self::Credentials => "That address holds a user name or password; leave these off.",
            Self::NotPublic => "That address is not open to the public, so I do not go there.",
            Self::NoHost => "There is no server of that name; check the address.",
            Self::Unreachable => "That server cannot be reached; check the address, or try again later.",
            Self::TimedOut => "That took too long; try again later.",
            Self::Late { most } => {
                return write!(
                    f,
                    "That took longer than {} to answer; try again later, or give another address.",
                    text::duration(*most)
                );
            }
            Self::NothingThere => {
                "There is nothing at that address and port that I can play; check both, or try again later."
            }
            Self::Status(404 | 410) => "There is nothing at that address any more; check it, or give another one.",
            Self::Status(401 | 403) => "That server does not let me in; give an address that is open to everyone.",
            Self::Status(status) => {
                return write!(f, "That server answers with failure {status}; try again later.");
            }
            Self::Redirects => "That address leads from one to the next without end; give the one it is to end at.",
            Self::TooLarge => "That is larger than what I fetch; give a smaller file.",
            Self::TooLong { most } => {
                return write!(
                    f,
                    "That is longer than tracks may be here, which is {}.",
                    text::duration(*most)
                );
            }
            Self::Hls => "That is an HLS stream, which I cannot play; give the address of an mp3, aac or ogg stream.",
            Self::IndexAtEnd => {
                "That MP4 file has its index at the end, and its server sends no parts of it; attach the file, or give another address."
            }
            Self::Surround => "That is AAC with more than two channels, which I cannot decode; give a stereo version.",
            Self::NoSound => {
                "There is no sound in that which I can play; I know mp3, aac, flac, ogg, opus, wav and webm."
            }
            Self::EmptyPlaylist => "That playlist has no entry that can be played.",
            Self::Broken => "That broke off in the middle; play it again, or give another address.",
            Self::Stalled => "That server does not send fast enough to be heard; try again later.",
            Self::NoPages => {
                "That is a page and not a sound file, and yt-dlp, which finds the sound of pages, is not installed."
            }
            Self::Page => "I find nothing to play on that page; give the address of a sound file.",
            Self::NoRuntime => {
                "yt-dlp needs a JavaScript runtime for that site and has none; install Deno 2.3 or Node.js 22."
            }
            Self::NothingFound => "Nothing was found; try other words.",
            Self::NoSearch => {
                "The library has nothing like that, and yt-dlp, which searches elsewhere, is not installed."
            }
            Self::Busy => "I am looking for too much at once; try again in a moment.",
            Self::BusyUser(most) => {
                return write!(
                    f,
                    "You have {} under way already; wait until one of them is answered.",
                    text::count(*most, "request")
                );
            }
            Self::BusyGuild(most) => {
                return write!(
                    f,
                    "This server has {} under way already; try again in a moment.",
                    text::count(*most, "request")
                );
            }
            Self::NoLibrary => "There is no library; set MUSIC_DIR to a folder with music.",
            Self::NotInLibrary => "The library does not hold that track any more; choose another one.",
        })
    }
}

impl Error for SourceError {}
