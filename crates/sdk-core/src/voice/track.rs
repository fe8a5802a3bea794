//! A track: its description, and the data from which its audio is opened.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serenity::all::UserId;

/// One track: the description that users see, and how its audio is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Title, or the file's name if there is none.
    pub title: String,
    /// Artist, or the channel that published it.
    #[serde(default)]
    pub artist: Option<String>,
    /// Length; `None` for a live stream, and if it is not known.
    #[serde(default)]
    pub duration: Option<Duration>,
    /// Whether the length is an estimate, which may be half or twice the real one.
    #[serde(default)]
    pub is_about: bool,
    /// Page about it, for links; never an address with a secret in it.
    #[serde(default)]
    pub url: Option<String>,
    /// Address of a picture.
    #[serde(default)]
    pub artwork: Option<String>,
    /// The user who asked for it; `None` if the bot chose it.
    #[serde(default)]
    pub requester: Option<Requester>,
    /// How the audio is opened.
    pub playable: Playable,
}

impl Track {
    /// Creates a track with a title only.
    pub fn new(title: &str, playable: Playable) -> Self {
        Self {
            title: title.to_owned(),
            artist: None,
            duration: None,
            is_about: false,
            url: None,
            artwork: None,
            requester: None,
            playable,
        }
    }

    /// Returns the kind of its source.
    pub fn source(&self) -> SourceKind {
        self.playable.source()
    }

    /// Returns artist and title in one line.
    pub fn label(&self) -> String {
        match &self.artist {
            Some(artist) => format!("{artist}: {}", self.title),
            None => self.title.clone(),
        }
    }
}

/// The user who asked for a track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// The user.
    pub id: UserId,
    /// Display name at the time of asking.
    pub name: String,
}

/// How a track's audio is opened, as data that survives a restart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Playable {
    /// A file of the library folder.
    Library {
        /// Path below the library's folder, with `/` between its parts.
        path: String,
    },
    /// A file or stream at an http(s) address.
    Http {
        /// The address.
        url: String,
    },
    /// A file that a user attached to a message or a command.
    Attachment {
        /// Address at Discord, which is valid for a day.
        url: String,
        /// The file's name.
        name: String,
    },
    /// A page whose audio yt-dlp finds.
    YtDlp {
        /// The page's http(s) address.
        url: String,
    },
}

impl Playable {
    /// Returns the kind of the source.
    pub const fn source(&self) -> SourceKind {
        match self {
            Self::Library { .. } => SourceKind::Library,
            Self::Http { .. } => SourceKind::Http,
            Self::Attachment { .. } => SourceKind::Attachment,
            Self::YtDlp { .. } => SourceKind::YtDlp,
        }
    }
}

/// The kind of a track's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// The library folder.
    Library,
    /// An http(s) address.
    Http,
    /// An attachment.
    Attachment,
    /// yt-dlp.
    YtDlp,
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Library => "library",
            Self::Http => "web",
            Self::Attachment => "attachment",
            Self::YtDlp => "yt-dlp",
        })
    }
}
