//! Voice: the servers that VOICE_SERVER_UPDATE names, their websockets and their UDP.

pub(crate) mod dave;

pub use self::dave::Dave;
