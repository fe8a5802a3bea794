//! A whole world as bytes, and back: the form of snapshots and of `serve --data`.
//!
//! The first line is JSON, a [`Header`] that tools can read. What follows is the world as JSON, compressed with zstd, with
//! a checksum.

use std::io::{self, Write as _};

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::{File, World, clock};
use crate::snowflake::Snowflake;

/// Version of the format. A change of the state's types that old files do not fit raises it.
pub const FORMAT: u32 = 1;

/// Compression of zstd: speed before size, since it is done while the world stands still.
const LEVEL: i32 = 1;

/// Most bytes of the first line.
pub const LONGEST_HEADER: usize = 1 << 16;

/// The first line of a saved world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format, [`FORMAT`].
    pub sandbox_world: u32,
    /// Version of the sandbox that has saved it.
    pub version: String,
    /// When it was saved, by the world's clock.
    pub saved_at: String,
    /// Address of files of the sandbox that has saved it.
    pub files_url: String,
    /// Number of guilds.
    pub guilds: usize,
    /// Number of channels, threads and direct messages included.
    pub channels: usize,
    /// Number of messages.
    pub messages: usize,
}

/// Why bytes are no world.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// They do not begin with a header.
    #[error("it is no saved world of a sandbox")]
    Foreign,
    /// They have another format.
    #[error(
        "it has format {found} of saved worlds (sandbox {version}), and this sandbox reads format {FORMAT} only; use the \
         sandbox that saved it, or make the world anew from a seed file"
    )]
    Format {
        /// Their format.
        found: u64,
        /// Version of the sandbox that has saved them.
        version: String,
    },
    /// They are not what was saved.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

/// Where the bytes of uploaded files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// In the saved world.
    Inside,
    /// Elsewhere, by id.
    Apart,
}

#[derive(Serialize)]
struct Body<'a> {
    world: &'a World,
    files: Vec<SavedFile>,
}

#[derive(Deserialize)]
struct OwnedBody {
    world: World,
    files: Vec<SavedFile>,
}

#[derive(Serialize, Deserialize)]
struct SavedFile {
    id: Snowflake,
    filename: String,
    content_type: String,
    /// In base64; absent if it is elsewhere.
    bytes: Option<String>,
}

impl World {
    /// Returns the header of this world.
    pub fn header(&self) -> Header {
        Header {
            sandbox_world: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            saved_at: clock::iso(self.clock.now()),
            files_url: self.files_url.clone(),
            guilds: self.guilds.len(),
            channels: self.channels.len(),
            messages: self.channels.values().map(|channel| channel.messages.len()).sum(),
        }
    }

    /// Returns the world as bytes. They contain the tokens of its bots.
    ///
    /// # Errors
    /// When the compression fails.
    pub fn save(&self, files: Files) -> io::Result<Vec<u8>> {
        let saved = |(id, file): (&Snowflake, &File)| SavedFile {
            id: *id,
            filename: file.filename.clone(),
            content_type: file.content_type.clone(),
            bytes: (files == Files::Inside).then(|| BASE64.encode(&file.bytes)),
        };
        let body = Body { world: self, files: self.files.iter().map(saved).collect() };
        let mut out = serde_json::to_vec(&self.header())?;
        out.push(b'\n');
        let mut encoder = zstd::Encoder::new(out, LEVEL)?;
        encoder.include_checksum(true)?;
        let mut encoder = io::BufWriter::with_capacity(1 << 17, encoder);
        serde_json::to_writer(&mut encoder, &body)?;
        encoder.flush()?;
        encoder.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }

    /// Reads a world that was saved, for a sandbox at this address, with its files at another or the same. Files that are
    /// apart are asked for by id.
    ///
    /// # Errors
    /// When the bytes are not a whole world in this format, or a file is missing.
    pub fn load(
        bytes: &[u8],
        base_url: &str,
        files_url: &str,
        mut apart: impl FnMut(Snowflake) -> io::Result<Vec<u8>>,
    ) -> Result<Self, Unreadable> {
        let (header, rest) = header(bytes)?;
        let damaged = |error: &dyn std::fmt::Display| Unreadable::Damaged(error.to_string());
        let text = zstd::decode_all(rest).map_err(|error| damaged(&error))?;
        let mut text = String::from_utf8(text).map_err(|error| damaged(&error))?;
        // Objects that bots sent contain the addresses of their files.
        if header.files_url != files_url {
            for folder in ["attachments", "emojis", "stickers"] {
                let here = format!("{files_url}/{folder}/");
                text = text.replace(&format!("{}/{folder}/", header.files_url), &here);
            }
        }
        let OwnedBody { mut world, files } = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
        for SavedFile { id, filename, content_type, bytes } in files {
            let bytes = match bytes {
                Some(text) => BASE64.decode(text).map_err(|error| damaged(&error))?,
                None => {
                    apart(id).map_err(|error| damaged(&format!("the file {id} can't be read ({error})")))?
                }
            };
            world.files.insert(id, File { filename, content_type, bytes: Bytes::from(bytes) });
        }
        world.serve_at(base_url, files_url);
        world.derive();
        Ok(world)
    }

    /// Sets anew what follows from other fields: the index of tokens, and compiled rules.
    pub(crate) fn derive(&mut self) {
        self.tokens = self
            .applications
            .values()
            .map(|application| (application.token.clone(), application.id))
            .collect();
        for rule in self.guilds.values_mut().flat_map(|guild| guild.auto_moderation.values_mut()) {
            rule.compile();
        }
    }
}

/// Reads the first line of a saved world, and returns the rest too.
///
/// # Errors
/// When there is none, or it has another format.
pub fn header(bytes: &[u8]) -> Result<(Header, &[u8]), Unreadable> {
    let end = bytes.iter().take(LONGEST_HEADER).position(|byte| *byte == b'\n').ok_or(Unreadable::Foreign)?;
    let line: serde_json::Value = serde_json::from_slice(&bytes[..end]).map_err(|_| Unreadable::Foreign)?;
    let found = line["sandbox_world"].as_u64().ok_or(Unreadable::Foreign)?;
    if found != u64::from(FORMAT) {
        let version = line["version"].as_str().unwrap_or("unknown").to_owned();
        return Err(Unreadable::Format { found, version });
    }
    let header = serde_json::from_value(line).map_err(|error| Unreadable::Damaged(error.to_string()))?;
    Ok((header, &bytes[end + 1..]))
}
