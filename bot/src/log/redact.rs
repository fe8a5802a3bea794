//! Keeps tokens out of the log, wherever the line comes from.
//!
//! Two kinds of tokens could reach it: the bot's own, and those of interactions and webhooks, which are part of request
//! paths. At debug level the libraries below us log whole requests.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{PoisonError, RwLock};

const HIDDEN: &str = "[hidden]";

/// Texts that never appear in the log.
static SECRETS: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Keeps `secret` out of the log from now on.
pub(crate) fn hide(secret: &str) {
    let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    if !secrets.iter().any(|known| known == secret) {
        secrets.push(secret.to_owned());
    }
}

/// Returns a text without tokens, for output other than the log.
#[cfg(feature = "hmr")]
pub(crate) fn clean(text: &str) -> String {
    redacted(text, &SECRETS.read().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// A writer that receives whole lines and passes them on without tokens.
pub(super) struct Redacted<W>(pub(super) W);

impl<W: Write> Write for Redacted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let secrets = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
        self.0.write_all(redacted(&text, &secrets).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Returns a text in which `secrets`, and all tokens at the places where Discord's protocol has them, are replaced.
pub(crate) fn redacted<'a>(text: &'a str, secrets: &[String]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets {
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), HIDDEN));
        }
    }
    for before in ["/interactions/", "/webhooks/", "interactions/", "webhooks/"] {
        text = hide_after(text, before, |rest| {
            // The token is the part of the path after the id.
            let id = rest.find(|c: char| !c.is_ascii_digit())?;
            let slash = rest[id..].strip_prefix('/').filter(|_| id > 0)?;
            let end = slash.find(|c: char| !is_of_token(c)).unwrap_or(slash.len());
            Some((id + 1, end))
        });
    }
    for before in ["token\":", "token\\\":", "token: "] {
        text = hide_after(text, before, |rest| {
            let start = rest.find(|c: char| !matches!(c, ' ' | '\\' | '"'))?;
            let end = rest[start..].find(|c: char| !is_of_token(c)).unwrap_or(rest.len() - start);
            // A quote has to come first. Without one it is prose or another type's debug output.
            rest[..start].contains('"').then_some((start, end))
        });
    }
    text
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+' | '%')
}

/// Returns a text in which, after each `before`, the range (start and length in the text that follows) that `find`
/// returns is hidden.
fn hide_after<'a>(
    text: Cow<'a, str>,
    before: &str,
    find: impl Fn(&str) -> Option<(usize, usize)>,
) -> Cow<'a, str> {
    if !text.contains(before) {
        return text;
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find(before) {
        let (head, tail) = rest.split_at(at + before.len());
        kept.push_str(head);
        rest = tail;
        if let Some((start, length)) = find(rest)
            && length > 0
        {
            kept.push_str(&rest[..start]);
            if !rest[start..].starts_with(HIDDEN) {
                kept.push_str(HIDDEN);
            }
            rest = &rest[start + length..];
        }
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "aW50ZXJhY3Rpb246MTIz_-ab.cd";

    #[test]
    fn tokens_are_hidden_wherever_libraries_print_them() {
        for line in [
            format!("POST https://discord.com/api/v10/interactions/12345/{TOKEN}/callback failed"),
            format!("PATCH https://discord.com/api/v10/webhooks/12345/{TOKEN}/messages/@original"),
            format!("error for url (https://discord.com/api/v10/webhooks/12345/{TOKEN})"),
            format!("InteractionResponse {{ interaction_id: InteractionId(1), token: \"{TOKEN}\" }}"),
            format!(r#"received {{"id":"1","token":"{TOKEN}","type":2}}"#),
            format!(r#"received "{{\"id\":\"1\",\"token\":\"{TOKEN}\"}}""#),
            format!("authorization: \"Bot the.bots.token\" and {{\"token\": \"{TOKEN}\"}}"),
        ] {
            let shown = redacted(&line, &["the.bots.token".to_owned()]);
            assert!(!shown.contains(TOKEN) && !shown.contains("the.bots"), "{shown}");
            assert!(shown.contains(HIDDEN), "{shown}");
        }
    }

    #[test]
    fn what_surrounds_a_token_stays() {
        assert_eq!(
            redacted(&format!("POST /api/v10/interactions/12/{TOKEN}/callback -> 404"), &[]),
            format!("POST /api/v10/interactions/12/{HIDDEN}/callback -> 404")
        );
    }

    #[test]
    fn ordinary_lines_are_passed_on_as_they_are() {
        for line in ["the token: it is checked", "GET /api/v10/webhooks/123 -> 200", "ünïcode → ok"] {
            assert_eq!(redacted(line, &[]), line);
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic_or_shows_a_token(
            around in "[ a-z/\"{}:\\\\ü0-9]{0,30}", token in "[A-Za-z0-9_-]{20,60}",
        ) {
            let line = format!("{around}/interactions/123/{token}/callback{around}");
            prop_assert!(!redacted(&line, &[]).contains(&token));
        }
    }
}
