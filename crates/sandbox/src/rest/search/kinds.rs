//! Kinds of things in a search's query string.

use super::super::Query;
use crate::error::{ApiResult, FieldError};

/// Things that a message must have one of, and things that it must not have.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    wanted: Vec<&'static str>,
    refused: Vec<&'static str>,
}

impl Kinds {
    /// Reads words, each of which a minus sign negates if `negatable`.
    pub(super) fn read(
        query: &Query,
        name: &str,
        allowed: &[&'static str],
        negatable: bool,
    ) -> ApiResult<Self> {
        let most = if negatable { allowed.len() * 2 } else { allowed.len() };
        let words = query.set(name, most, |text| {
            let (negated, word) = match text.strip_prefix('-').filter(|_| negatable) {
                Some(word) => (true, word),
                None => (false, text),
            };
            let found = allowed.iter().copied().find(|allowed| *allowed == word);
            found.map(|word| (negated, word)).ok_or_else(|| FieldError::words(allowed))
        })?;
        let mut kinds = Self::default();
        for (negated, word) in words {
            if negated { kinds.refused.push(word) } else { kinds.wanted.push(word) }
        }
        Ok(kinds)
    }

    /// Returns whether something fits for which `has` tells what it has.
    pub(super) fn fit(&self, has: impl Fn(&str) -> bool) -> bool {
        (self.wanted.is_empty() || self.wanted.iter().any(|word| has(word)))
            && !self.refused.iter().any(|word| has(word))
    }
}
