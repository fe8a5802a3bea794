//! The bot's token. Its form is checked, and it is never printed.

use std::fmt;

use super::value_error::TokenError;

/// A bot token. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// Parses a token. With `discords_shape` it has to have the form of Discord's tokens.
    ///
    /// The error follows "DISCORD_TOKEN" in a sentence and does not contain the token.
    pub(crate) fn parse(text: &str, discords_shape: bool) -> Result<Self, TokenError> {
        if text.trim_matches(['"', '\'']) != text {
            return Err(TokenError::Quotes);
        }
        for word in ["Bot", "Bearer"] {
            if text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
                && text[word.len()..].starts_with(' ')
            {
                return Err(TokenError::Word { word });
            }
        }
        if text.contains(char::is_whitespace) {
            return Err(TokenError::WhiteSpace);
        }
        if text.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return Err(TokenError::Characters);
        }
        if discords_shape && !has_three_parts(text) {
            return Err(TokenError::Shape);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the token itself, for requests only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(not shown)")
    }
}

/// Returns whether a word looks like a token, or contains one.
pub(super) fn looks_like_one(word: &str) -> bool {
    const LEAST: usize = 50;
    word.len() >= LEAST && word.split(['"', '\'']).any(|part| part.len() >= LEAST && has_three_parts(part))
}

fn has_three_parts(text: &str) -> bool {
    let of_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=');
    let mut parts = text.split('.');
    parts.by_ref().take(3).filter(|part| !part.is_empty() && part.chars().all(of_base64)).count() == 3
        && parts.next().is_none()
}
