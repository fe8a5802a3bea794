//! Types of files that an upload is restricted to: "File Type Filtering" in Discord's reference.

use serde_json::Value;

use super::form::{Form, Object};
use crate::error::FieldError;

/// Maximum number of types.
const MAX: usize = 10;

/// Groups, and the extensions that Discord's reference lists for them on 5 August 2026. It calls them subject to change.
const GROUPS: &[(&str, &[&str])] = &[
    ("image", &["png", "gif", "jpg", "jpeg", "jfif", "webp", "avif"]),
    ("video", &["mp4", "mov", "qt", "webm"]),
    ("audio", &["mp3", "m4a", "wav", "ogg", "opus", "flac"]),
];

/// Reads `file_types`: names of groups, and extensions with their dot, which are made lower case.
pub(super) fn read(form: &mut Form, body: &Object) -> Vec<String> {
    form.optional(body, "file_types", |form, value| form.list(value, 0..=MAX, one)).unwrap_or_default()
}

fn one(form: &mut Form, value: &Value) -> Option<String> {
    let text = form.any_text(value)?;
    if GROUPS.iter().any(|(group, _)| *group == text) {
        return Some(text);
    }
    let is_extension =
        text.strip_prefix('.').is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace));
    if !is_extension {
        let groups = GROUPS.iter().map(|(group, _)| format!("'{group}'"));
        form.complain(FieldError::choices(groups.chain(["an extension with its dot".to_owned()])));
        return None;
    }
    Some(text.to_lowercase())
}

/// Returns whether a file of this name is of one of these types; every file is if there are none.
///
/// Only the name counts: Discord "does not inspect the file contents".
pub fn takes(types: &[String], filename: &str) -> bool {
    let name = filename.to_lowercase();
    let ends_with =
        |extension: &str| name.strip_suffix(extension).and_then(|stem| stem.strip_suffix('.')).is_some();
    let is_of = |kind: &String| match GROUPS.iter().find(|(group, _)| group == kind) {
        Some((_, extensions)) => extensions.iter().any(|extension| ends_with(extension)),
        None => kind.strip_prefix('.').is_some_and(ends_with),
    };
    types.is_empty() || types.iter().any(is_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_of_the_name_decides() {
        let takes = |types: &[&str], name: &str| {
            takes(&types.iter().map(ToString::to_string).collect::<Vec<_>>(), name)
        };
        assert!(takes(&[], "a") && takes(&["image"], "a.b.PNG") && takes(&["audio", ".pdf"], "x.pdf"));
        assert!(takes(&[".tar.gz"], "a.tar.gz") && takes(&["video"], "clip.qt"));
        assert!(!takes(&["image"], "png") && !takes(&["image"], "a.png.exe") && !takes(&[".pdf"], "apdf"));
        assert!(!takes(&["video"], "a.mp3") && !takes(&["audio"], "a.webm"));
    }
}
