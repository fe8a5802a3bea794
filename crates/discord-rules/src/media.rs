//! Uploaded files, as far as Discord looks into them: data URIs, the kinds of pictures, animations of stickers, and sounds.

pub mod data_uri;
pub mod picture;
pub mod sound;
pub mod sticker;

mod bytes;

pub use data_uri::DataUri;
