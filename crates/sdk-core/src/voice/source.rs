//! From a track's data to its audio.

use songbird::input::{File, Input};

use super::track::{Playable, Track};

/// Everything that sources need: the library's folder and index, the HTTP client, yt-dlp.
#[derive(Debug, Default)]
pub struct Sources {}

impl Sources {
    /// Opens a track's audio; what it gives is probed and decoded by the player.
    ///
    /// # Errors
    /// One sentence for people why it cannot be opened, without any address that has a secret in it.
    pub async fn open(&self, playable: &Playable) -> Result<Input, String> {
        match playable {
            Playable::Library { path } => Ok(File::new(path.clone()).into()),
            Playable::Http { .. } | Playable::Attachment { .. } | Playable::YtDlp { .. } => {
                Err(format!("This bot cannot play from {} yet.", playable.source()))
            }
        }
    }

    /// Chooses a track of the library to go on with, other than those in `recent`, which are the latest last.
    pub fn suggest(&self, recent: &[std::sync::Arc<Track>]) -> Option<Track> {
        let _ = recent;
        None
    }
}
