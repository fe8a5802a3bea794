//! Why a track cannot be played, as text for the user who asked.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::text;

/// Why a track cannot be played. The text is one sentence that contains no address and no output of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// The text is no web address.
    NoAddress,
    /// The address begins with something other than http:// or https://.
    Scheme,
    /// The address contains a user name or password.
    Credentials,
    /// The address, or one that it redirects to, is not public.
    NotPublic,
    /// No server has that name.
    NoHost,
    /// The server does not answer at all.
    Unreachable,
    /// A step was not finished in time.
    TimedOut,
    /// The whole query took longer than allowed.
    Late {
        /// Longest time.
        most: Duration,
    },
    /// Nothing can be played at a port that is no web server's. The reason is not given, since it would reveal whether
    /// the port is open.
    NothingThere,
    /// The server answers with a failure.
    Status(u16),
    /// Too many addresses redirect or lead to one another.
    Redirects,
    /// The answer has more bytes than are fetched.
    TooLarge,
    /// The track is longer than allowed.
    TooLong {
        /// Longest track.
        most: Duration,
    },
    /// The address is of an HLS stream.
    Hls,
    /// The address is of an MP4 file whose index follows its audio, from a server that sends no parts.
    IndexAtEnd,
    /// The content is AAC with more than two channels.
    Surround,
    /// The content is not audio in a known format.
    NoSound,
    /// The server has stopped sending, or sends more slowly than the audio plays.
    Stalled,
    /// The playlist has no entry that can be played.
    EmptyPlaylist,
    /// The stream ended early, or its content is broken.
    Broken,
    /// The address is a page, and there is no yt-dlp.
    NoPages,
    /// yt-dlp finds nothing to play on the page.
    Page,
    /// yt-dlp finds nothing to play on the page, and has no JavaScript runtime, which it needs for the site.
    NoRuntime,
    /// The search found nothing.
    NothingFound,
    /// Only the library was searched, because there is no yt-dlp.
    NoSearch,
    /// Too many requests are in progress.
    Busy,
    /// The user has this many requests in progress, which is the limit.
    BusyUser(usize),
    /// The users of the Discord server have this many requests in progress, which is the limit.
    BusyGuild(usize),
    /// There is no library.
    NoLibrary,
    /// The library does not contain that track any more.
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
