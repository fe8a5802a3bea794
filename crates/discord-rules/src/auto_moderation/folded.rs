//! A text without regard to case, and the keywords in it.

use std::ops::Range;

/// A keyword and where it may stand.
#[derive(Clone, Debug)]
pub struct Keyword {
    text: String,
    folded: String,
    /// Whether anything may stand before it in its word.
    open_start: bool,
    /// Whether anything may stand after it in its word.
    open_end: bool,
}

impl Keyword {
    /// Reads a keyword with its wildcards; `None` if nothing but wildcards is in it.
    pub(super) fn new(text: &str) -> Option<Self> {
        let (open_start, rest) = match text.strip_prefix('*') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (open_end, rest) = match rest.strip_suffix('*') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let folded = rest.trim().to_lowercase();
        (!folded.is_empty()).then(|| Self { text: text.to_owned(), folded, open_start, open_end })
    }

    /// Returns the keyword as it was configured.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// A text in lower case that knows where each part of it stands in the original.
pub(super) struct Folded {
    lower: String,
    /// For each byte of `lower`, and its end: the first byte of the original character.
    origin: Vec<usize>,
    /// For each byte of `lower`: the end of the original character.
    ends: Vec<usize>,
}

impl Folded {
    pub(super) fn new(text: &str) -> Self {
        let mut folded = Self { lower: String::new(), origin: Vec::new(), ends: Vec::new() };
        for (at, character) in text.char_indices() {
            folded.lower.extend(character.to_lowercase());
            folded.origin.resize(folded.lower.len(), at);
            folded.ends.resize(folded.lower.len(), at + character.len_utf8());
        }
        folded
    }

    /// Returns where a keyword stands in the original, without the rest of its word.
    pub(super) fn matches<'a>(&'a self, keyword: &'a Keyword) -> impl Iterator<Item = Range<usize>> + 'a {
        self.found(keyword).map(|found| self.original(&found))
    }

    /// Returns the words in the original in which a keyword stands, as far as its wildcards reach.
    pub(super) fn words(&self, keyword: &Keyword) -> Vec<Range<usize>> {
        let whole = |found: Range<usize>| {
            let before = &self.lower[..found.start];
            let after = &self.lower[found.end..];
            let start = match before.rfind(char::is_whitespace) {
                _ if !keyword.open_start => found.start,
                None => 0,
                Some(space) => space + before[space..].chars().next().map_or(0, char::len_utf8),
            };
            let end = match after.find(char::is_whitespace) {
                _ if !keyword.open_end => found.end,
                None => self.lower.len(),
                Some(space) => found.end + space,
            };
            self.original(&(start..end))
        };
        self.found(keyword).map(whole).collect()
    }

    fn found<'a>(&'a self, keyword: &'a Keyword) -> impl Iterator<Item = Range<usize>> + 'a {
        let hits = self.lower.match_indices(&keyword.folded);
        hits.map(|(at, hit)| at..at + hit.len()).filter(|found| {
            let before = self.lower[..found.start].chars().next_back();
            let after = self.lower[found.end..].chars().next();
            (keyword.open_start || before.is_none_or(char::is_whitespace))
                && (keyword.open_end || after.is_none_or(char::is_whitespace))
        })
    }

    fn original(&self, found: &Range<usize>) -> Range<usize> {
        let start = self.origin.get(found.start).copied().unwrap_or(0);
        let end = found.end.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(start);
        start..end
    }
}
