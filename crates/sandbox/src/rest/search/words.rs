//! The words of a text, and a phrase in it between whose words others may stand.

/// A phrase to look for.
#[derive(Debug, Default)]
pub(super) struct Phrase {
    words: Vec<String>,
    slop: usize,
}

impl Phrase {
    /// Creates a phrase; at most `slop` other words may stand between its own.
    pub(super) fn new(text: &str, slop: usize) -> Self {
        Self { words: words(text).collect(), slop }
    }

    /// Returns how often the phrase is in a text; `None` if it is not. An empty phrase is in every text.
    pub(super) fn count(&self, text: &str) -> Option<u64> {
        let Some((first, rest)) = self.words.split_first() else { return Some(0) };
        let all: Vec<String> = words(text).collect();
        let starts = (0..all.len()).filter(|start| all[*start] == *first);
        let count = starts.filter(|start| self.follows(&all[start + 1..], rest)).count();
        (count > 0).then_some(count as u64)
    }

    /// Returns whether words follow in this order, close enough. The nearest next word leaves the most room for others.
    fn follows(&self, mut text: &[String], words: &[String]) -> bool {
        let mut skipped = 0;
        for word in words {
            let Some(at) = text.iter().position(|candidate| candidate == word) else { return false };
            skipped += at;
            text = &text[at + 1..];
        }
        skipped <= self.slop
    }
}

/// Returns the words of a text in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_in_its_order_with_few_words_between() {
        let count = |phrase: &str, slop, text: &str| Phrase::new(phrase, slop).count(text);
        assert_eq!(count("hot tea", 0, "Hot tea, HOT-TEA"), Some(2));
        assert_eq!(count("hot tea", 1, "hot green tea"), Some(1));
        assert_eq!(count("hot tea", 0, "hot green tea"), None);
        assert_eq!(count("tea hot", 5, "hot tea"), None);
        assert_eq!(count("a b c", 2, "a x b y c"), Some(1));
        assert_eq!(count("a b c", 1, "a x b y c"), None, "the words between are counted together");
        assert_eq!(count("tea", 2, "teapot"), None, "words are whole");
        assert_eq!(count("!?", 2, "anything"), Some(0));
    }
}
