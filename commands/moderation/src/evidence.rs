//! Evidence of a case: a link, or the address of a file.

use sdk::prelude::*;
use serenity::Attachment;

/// Returns the address of the evidence, if there is any.
///
/// # Errors
/// If both are given, or the link is none.
pub(crate) fn of(link: Option<String>, file: Option<&Attachment>) -> Result<Option<String>, Refusal> {
    match (link, file) {
        (Some(_), Some(_)) => Err(Refusal::new("Give the evidence as a link or as a file, not as both.")),
        (Some(link), None) => {
            let link = link.trim().to_owned();
            let is_link = ["https://", "http://"].iter().any(|scheme| link.starts_with(scheme))
                && !link
                    .chars()
                    .any(|character| character.is_whitespace() || sdk::text::is_control(character));
            if !is_link {
                let words =
                    "The evidence has to be a link that begins with https://; upload a file otherwise.";
                return Err(Refusal::new(words));
            }
            Ok(Some(link))
        }
        (None, file) => Ok(file.map(|file| file.url.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn evidence_is_a_link() {
        let link = |link: &str| of(Some(link.to_owned()), None);
        assert_eq!(link(" https://example.org/a ").unwrap().unwrap(), "https://example.org/a");
        for other in ["", "example.org", "https://a b", "javascript:alert(1)", "https://a\u{202e}"] {
            assert!(link(other).unwrap_err().to_string().contains("has to be a link"), "{other}");
        }
        assert_eq!(of(None, None).unwrap(), None);
    }
}
