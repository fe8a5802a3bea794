//! Whether a text triggers a rule of auto moderation (Auto Moderation, "Keyword Matching Strategies").
//!
//! Everything here takes time linear in the text: keywords are searched as text, and regular expressions run on an engine
//! without backtracking, which is Discord's own dialect. What a pattern may compile to is limited.

mod folded;
mod presets;

use std::cell::LazyCell;
use std::collections::HashSet;
use std::ops::Range;

use regex::{Regex, RegexBuilder};

use crate::validate::auto_moderation::{Trigger, Words};
use folded::{Folded, Keyword};

/// Most bytes that one regular expression may compile to.
const PATTERN_SIZE: usize = 1 << 20;

/// Compiles a regular expression of a rule.
///
/// # Errors
/// Why it is no regular expression in Rust's dialect, in one line, or that it is too large.
pub fn pattern(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(text).size_limit(PATTERN_SIZE).dfa_size_limit(PATTERN_SIZE).build();
    built.map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
        reason.unwrap_or("invalid").trim_start_matches("error: ").to_owned()
    })
}

/// What in a text triggered a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The keyword or regular expression, as configured.
    pub keyword: Option<String>,
    /// The substring.
    pub content: Option<String>,
}

/// The compiled form of a trigger.
#[derive(Debug)]
pub enum Matcher {
    /// Looks for keywords and regular expressions.
    Words {
        /// Keywords.
        keywords: Vec<Keyword>,
        /// Regular expressions.
        patterns: Vec<Regex>,
        /// What is allowed nevertheless.
        allowed: Vec<Keyword>,
    },
    /// Counts mentions.
    Mentions {
        /// Most that are allowed.
        most: u32,
    },
    /// Recognises spam.
    Spam,
}

impl Matcher {
    /// Compiles a trigger. Patterns that do not compile, which validation refuses, are left out.
    pub fn new(trigger: &Trigger) -> Self {
        let keywords = |list: &[String]| list.iter().filter_map(|text| Keyword::new(text)).collect();
        match trigger {
            Trigger::Keyword(words) | Trigger::MemberProfile(words) => {
                let Words { keyword_filter, regex_patterns, allow_list } = words;
                Self::Words {
                    keywords: keywords(keyword_filter),
                    patterns: regex_patterns.iter().filter_map(|text| pattern(text).ok()).collect(),
                    allowed: keywords(allow_list),
                }
            }
            Trigger::KeywordPreset { presets, allow_list } => Self::Words {
                keywords: presets::words(presets).filter_map(Keyword::new).collect(),
                patterns: Vec::new(),
                allowed: keywords(allow_list),
            },
            Trigger::MentionSpam { mention_total_limit, .. } => Self::Mentions { most: *mention_total_limit },
            Trigger::Spam => Self::Spam,
        }
    }

    /// Returns what in a text triggers the rule.
    pub fn find(&self, text: &str) -> Option<Match> {
        match self {
            Self::Words { keywords, patterns, allowed } => find_words(text, keywords, patterns, allowed),
            Self::Mentions { most } => {
                let count = mentions(text);
                (count > *most as usize).then(Match::default)
            }
            Self::Spam => is_spam(text).then(Match::default),
        }
    }
}

fn find_words(text: &str, keywords: &[Keyword], patterns: &[Regex], allowed: &[Keyword]) -> Option<Match> {
    let folded = Folded::new(text);
    // Most texts match nothing, so that nothing has to be allowed.
    let harmless = LazyCell::new(|| -> Vec<Range<usize>> {
        allowed.iter().flat_map(|keyword| folded.words(keyword)).collect()
    });
    let counts = |found: &Range<usize>| {
        !harmless.iter().any(|allowed| allowed.start <= found.start && found.end <= allowed.end)
    };
    let matched = |keyword: &str, found: Range<usize>| Match {
        keyword: Some(keyword.to_owned()),
        content: text.get(found).map(str::to_owned),
    };
    let by_keyword = keywords.iter().find_map(|keyword| {
        let found = folded.matches(keyword).find(counts)?;
        Some(matched(keyword.text(), found))
    });
    by_keyword.or_else(|| {
        patterns.iter().find_map(|pattern| {
            let mut found = pattern.find_iter(text).map(|found| found.range());
            Some(matched(pattern.as_str(), found.find(counts)?))
        })
    })
}

/// Returns the number of different users and roles that a text mentions.
fn mentions(text: &str) -> usize {
    let inside = text.split("<@").skip(1).filter_map(|rest| rest.split_once('>').map(|(inside, _)| inside));
    let plain = inside.map(|inside| inside.trim_start_matches('!'));
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.filter(|text| is_id(text.trim_start_matches('&'))).collect::<HashSet<_>>().len()
}

/// The line that spam filters are tested with (GTUBE).
const TEST_SPAM: &str = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

/// Returns whether a text looks like spam by itself: the test line, or an offer of free Nitro with a link. Discord's own
/// model is not public.
fn is_spam(text: &str) -> bool {
    let lower = text.to_lowercase();
    let has_link = lower.contains("http://") || lower.contains("https://");
    text.contains(TEST_SPAM) || (has_link && lower.contains("free nitro"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(keywords: &[&str], patterns: &[&str], allowed: &[&str]) -> Matcher {
        let own = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Matcher::new(&Trigger::Keyword(Words {
            keyword_filter: own(keywords),
            regex_patterns: own(patterns),
            allow_list: own(allowed),
        }))
    }

    fn found(matcher: &Matcher, text: &str) -> Option<String> {
        matcher.find(text).and_then(|found| found.content)
    }

    #[test]
    fn wildcards_match_as_in_discords_tables() {
        for (keyword, hits, misses) in [
            ("cat*", &["catch", "Catapult", "a CAttLE"][..], &["wildcat", "location"][..]),
            ("the mat*", &["the matrix"], &["breathe matter"]),
            ("*cat", &["wildcat", "copyCat"], &["catch", "location"]),
            ("*the mat", &["breathe mat"], &["the matrix"]),
            ("*cat*", &["location", "eduCation", "cat"], &["dog"]),
            ("*the mat*", &["breathe matter"], &["thematter"]),
            ("cat", &["cat", "a CAT b", "a\ncat"], &["catch", "wildcat", "cat!"]),
            ("the mat", &["on the mat now"], &["the matrix"]),
        ] {
            let matcher = words(&[keyword], &[], &[]);
            for hit in hits {
                assert!(matcher.find(hit).is_some(), "{keyword} in {hit}");
            }
            for miss in misses {
                assert_eq!(matcher.find(miss), None, "{keyword} in {miss}");
            }
        }
    }

    #[test]
    fn a_match_tells_the_keyword_and_the_substring_as_written() {
        let matcher = words(&["*ana*", "i like c++"], &["(b|c)at"], &[]);
        let expect = |keyword: &str, content: &str| {
            Some(Match { keyword: Some(keyword.into()), content: Some(content.into()) })
        };
        assert_eq!(matcher.find("bANAna"), expect("*ana*", "ANA"));
        assert_eq!(matcher.find("well, I like C++ too"), expect("i like c++", "I like C++"));
        assert_eq!(matcher.find("a bat"), expect("(b|c)at", "bat"));
        assert_eq!(matcher.find("nothing"), None);
    }

    #[test]
    fn letters_that_change_their_length_keep_the_substring_right() {
        // The lower case of this letter is longer than itself.
        let matcher = words(&["*cat*"], &[], &[]);
        assert_eq!(found(&matcher, "\u{130}\u{130} a Cat").as_deref(), Some("Cat"));
    }

    #[test]
    fn an_allowed_word_does_not_trigger_and_others_beside_it_do() {
        let matcher = words(&["*ass*"], &["gr.ss"], &["class", "grass*"]);
        assert_eq!(matcher.find("a class of grassland"), None);
        assert_eq!(found(&matcher, "class and bass").as_deref(), Some("ass"));
        assert_eq!(found(&matcher, "classes").as_deref(), Some("ass"), "only the whole word is allowed");
        assert_eq!(found(&matcher, "gross").as_deref(), Some("gross"));
    }

    #[test]
    fn mentions_count_once_each() {
        let matcher = Matcher::new(&Trigger::MentionSpam {
            mention_total_limit: 2,
            mention_raid_protection_enabled: false,
        });
        assert_eq!(matcher.find("<@1> <@!1> <@&2> <@x> @everyone"), None);
        assert_eq!(matcher.find("<@1> <@2> <@&2>"), Some(Match::default()), "a role is no user");
    }

    #[test]
    fn spam_and_presets_have_words_to_test_with() {
        assert!(Matcher::new(&Trigger::Spam).find(TEST_SPAM).is_some());
        assert!(Matcher::new(&Trigger::Spam).find("Free Nitro: https://example.com").is_some());
        assert!(Matcher::new(&Trigger::Spam).find("hello").is_none());
        let slurs = Matcher::new(&Trigger::KeywordPreset { presets: vec![3], allow_list: Vec::new() });
        assert!(slurs.find("you sandbox-slur").is_some());
        assert!(slurs.find("sandbox-profanity").is_none(), "another wordset");
    }

    #[test]
    fn a_pattern_that_grows_too_large_is_refused() {
        assert!(pattern(r"(?i)\bfr[e3]{2}\s+n\w+o\b").is_ok());
        assert!(pattern(r"(((\w{50}){50}){50}){50}").unwrap_err().contains("size limit"));
        assert!(pattern("(").unwrap_err().contains("unclosed"));
    }

    proptest! {
        #[test]
        fn no_text_and_no_keyword_breaks_the_search(
            text in "\\PC{0,60}",
            keyword in "\\*?\\PC{1,6}\\*?",
            allowed in "\\*?\\PC{1,6}\\*?",
        ) {
            let matcher = words(&[&keyword], &[], &[&allowed]);
            if let Some(found) = matcher.find(&text) {
                prop_assert!(text.contains(&found.content.unwrap()));
            }
        }
    }
}
