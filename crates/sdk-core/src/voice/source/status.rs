//! What there is to play from, for those who ask how the bot is.

use std::fmt;
use std::path::PathBuf;

use crate::text;

/// What there is to play from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceStatus {
    /// The library.
    pub library: LibraryStatus,
    /// yt-dlp.
    pub yt_dlp: YtDlpStatus,
}

/// How the library is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LibraryStatus {
    /// None is configured.
    #[default]
    Absent,
    /// Its folder is not there, or cannot be read.
    Missing,
    /// Its folder is being read for the first time.
    Reading {
        /// Tracks so far.
        tracks: usize,
    },
    /// It can be searched.
    Ready {
        /// Tracks in it.
        tracks: usize,
        /// Links, and files that are none of sound, which are left out.
        left_out: usize,
    },
}

/// How yt-dlp is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum YtDlpStatus {
    /// It is not installed.
    #[default]
    Absent,
    /// It is being asked for its version.
    Looking,
    /// It does not start, or tells no version.
    Broken {
        /// Where it is.
        path: PathBuf,
    },
    /// It can be used.
    Found {
        /// Where it is.
        path: PathBuf,
        /// Its version.
        version: String,
        /// The JavaScript runtime that it has, which it needs for YouTube.
        runtime: Option<JsRuntime>,
    },
}

/// A JavaScript runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsRuntime {
    /// Name that yt-dlp calls it by.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its version.
    pub version: String,
    /// Whether it is new enough for yt-dlp.
    pub is_supported: bool,
}

impl fmt::Display for JsRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl fmt::Display for LibraryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no library"),
            Self::Missing => f.write_str("the library's folder is not there"),
            Self::Reading { tracks } => {
                write!(f, "reading the library, {} so far", text::count(*tracks, "track"))
            }
            Self::Ready { tracks, .. } => f.write_str(&text::count(*tracks, "track")),
        }
    }
}

impl fmt::Display for YtDlpStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("not installed"),
            Self::Looking => f.write_str("being looked for"),
            Self::Broken { path } => write!(f, "{} does not run", path.display()),
            Self::Found { path, version, runtime } => {
                write!(f, "{version} ({}), ", path.display())?;
                match runtime {
                    Some(runtime) if runtime.is_supported => write!(f, "with {runtime}"),
                    Some(runtime) => {
                        write!(f, "but {runtime} is too old for YouTube: install Deno 2.3 or Node.js 22")
                    }
                    None => f.write_str(
                        "without a JavaScript runtime for YouTube: install Deno 2.3 or Node.js 22",
                    ),
                }
            }
        }
    }
}
