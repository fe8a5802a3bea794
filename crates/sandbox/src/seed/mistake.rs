//! Mistakes in a seed file: one sentence each, with the place.

use std::fmt;

use serde_saphyr::{Location, Spanned};

use super::Name;

/// A mistake in a seed file. Displayed as `FILE:LINE:COLUMN: sentence`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    /// Name of the file.
    pub file: String,
    /// Line, from 1; 0 if the mistake is in no line.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What is wrong, and what would be right.
    pub sentence: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.sentence),
            line => write!(f, "{}:{line}:{}: {}", self.file, self.column, self.sentence),
        }
    }
}

impl Mistake {
    /// Returns a mistake at a place of a file, whose name is added later.
    pub(crate) fn at<T>(place: &Spanned<T>, sentence: impl Into<String>) -> Self {
        Self::new("", place.referenced, sentence.into())
    }

    /// Returns a mistake of the whole file.
    pub(crate) fn anywhere(sentence: impl Into<String>) -> Self {
        Self::new("", Location::UNKNOWN, sentence.into())
    }

    /// Returns the mistake of a file that YAML or its form does not allow.
    pub(super) fn of_yaml(file: &str, error: &serde_saphyr::Error) -> Self {
        let place = error.location().unwrap_or(Location::UNKNOWN);
        let text = error.without_snippet().to_string();
        // The place stands in front of the sentence already.
        let text = text.split(" at line ").next().unwrap_or(&text).replace('\n', " ");
        let text = with_nearest(&text);
        let end = if text.contains("did you mean") { "?" } else { "." };
        Self::new(file, place, text + end)
    }

    /// Returns the mistake with the name of its file.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        if self.file.is_empty() {
            file.clone_into(&mut self.file);
        }
        self
    }

    fn new(file: &str, place: Location, sentence: String) -> Self {
        Self { file: file.to_owned(), line: place.line(), column: place.column(), sentence }
    }
}

/// Adds the nearest of the expected fields to "unknown field `x`, expected one of a, b".
fn with_nearest(text: &str) -> String {
    let unknown = text.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, expected "));
    let Some((wrong, expected)) = unknown else { return text.to_owned() };
    let known = expected.trim_start_matches("one of ").split(", ").map(|name| name.trim_matches('`'));
    match nearest(wrong, known.clone()) {
        Some(near) => format!("there is no field `{wrong}` here; did you mean `{near}`"),
        None => {
            format!("there is no field `{wrong}` here; there are {}", known.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Returns the name that is most like a wrong one, if any is.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&wrong, &name.to_lowercase());
    let best = known.into_iter().min_by_key(|name| distance(name))?;
    (distance(best) <= (best.len() / 3).max(1)).then_some(best)
}

/// Returns the mistake of a name that is not among these.
pub(crate) fn unknown<'a>(
    what: &str,
    wrong: &Name,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Mistake {
    let there_is_no = format!("there is no {what} \"{}\"", wrong.value);
    Mistake::at(
        wrong,
        match nearest(&wrong.value, known.clone()) {
            Some(near) => format!("{there_is_no}; did you mean \"{near}\"?"),
            None => match known.into_iter().take(12).collect::<Vec<_>>() {
                list if list.is_empty() => format!("{there_is_no}, and none is described."),
                list => format!("{there_is_no}; there are {}.", list.join(", ")),
            },
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        let known = ["SEND_MESSAGES", "SPEAK", "CONNECT"];
        assert_eq!(nearest("send_mesages", known), Some("SEND_MESSAGES"));
        assert_eq!(nearest("SPAEK", known), Some("SPEAK"));
        assert_eq!(nearest("bananas", known), None);
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn a_field_that_does_not_exist_is_named_with_the_nearest() {
        let text = with_nearest("unknown field `colour`, expected one of `name`, `color`, `hoist`");
        assert_eq!(text, "there is no field `colour` here; did you mean `color`");
        assert_eq!(with_nearest("invalid u32"), "invalid u32");
    }
}
