//! Files inside JSON: `data:image/png;base64,...` (Reference, "Image Data").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::picture;
use crate::error::FieldError;
use crate::validate::Form;

/// A file of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataUri {
    /// Media type as declared.
    pub declared: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl DataUri {
    /// Parses a data URI in base64.
    pub fn parse(text: &str) -> Option<Self> {
        let (declared, data) = text.strip_prefix("data:")?.split_once(";base64,")?;
        let bytes = STANDARD.decode(data).ok()?;
        Some(Self { declared: declared.to_ascii_lowercase(), bytes })
    }
}

/// Reads a picture, by its bytes and not by what it is declared as. Returns it with its media type.
pub fn picture(form: &mut Form, value: &Value) -> Option<(DataUri, &'static str)> {
    let text = form.any_text(value)?;
    let file = DataUri::parse(&text).filter(|file| file.declared.starts_with("image/"));
    let found = file.and_then(|file| picture::sniff(&file.bytes).map(|kind| (file, kind)));
    if found.is_none() {
        form.complain(FieldError::new("IMAGE_INVALID", "Invalid image data"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_uri_has_a_type_and_base64() {
        let file = DataUri::parse("data:Image/PNG;base64,aGk=").unwrap();
        assert_eq!((file.declared.as_str(), file.bytes.as_slice()), ("image/png", &b"hi"[..]));
        for wrong in ["", "data:image/png,hi", "data:image/png;base64,%%", "image/png;base64,aGk="] {
            assert_eq!(DataUri::parse(wrong), None, "{wrong}");
        }
    }
}
