//! The status of the sources of audio.

use std::fmt;
use std::path::PathBuf;

use crate::text;

/// The status of the sources of audio.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceStatus {
    /// The library.
    pub library: LibraryStatus,
    /// yt-dlp.
    pub yt_dlp: YtDlpStatus,
}

/// The status of the library.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LibraryStatus {
    /// None is configured.
    #[default]
    Absent,
    /// Its folder does not exist, or cannot be read.
    Missing,
    /// Its folder is being scanned for the first time.
    Reading {
        /// Number of tracks so far.
        tracks: usize,
    },
    /// It can be searched.
    Ready {
        /// Number of tracks.
        tracks: usize,
        /// Number of links, and of files without audio, which are left out.
        left_out: usize,
    },
}

/// The status of yt-dlp.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum YtDlpStatus {
    /// It is not installed.
    #[default]
    Absent,
    /// It is being asked for its version.
    Looking,
    /// It does not start, or prints no version.
    Broken {
        /// Its path.
        path: PathBuf,
    },
    /// It can be used.
    Found {
        /// Its path.
        path: PathBuf,
        /// Its version.
        version: String,
        /// The JavaScript runtime that it uses, which it needs for YouTube.
        runtime: Option<JsRuntime>,
    },
}

/// A JavaScript runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsRuntime {
    /// yt-dlp's name for it.
    pub name: String,
    /// Its path.
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
