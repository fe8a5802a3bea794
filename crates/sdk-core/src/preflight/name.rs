//! Names and their translations.

use serde_json::Value;
use unicode_general_category::{GeneralCategory as Category, get_general_category};

use super::{Check, value};

/// Locales of Discord's reference, and two more that its API accepts (ar, he).
const LOCALES: &[&str] = &[
    "ar", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "he", "hi", "hr",
    "hu", "id", "it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru", "sv-SE", "th", "tr", "uk",
    "vi", "zh-CN", "zh-TW",
];

impl Check<'_> {
    /// Checks a name of 1 to 32 characters. The strict form is that of slash commands and options:
    /// `^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$`, in lower case where the script has it. Names of context menu
    /// entries may contain white space; around them it is trimmed.
    pub(super) fn name(&mut self, what: &str, name: &str, strict: bool) {
        if !strict {
            self.text(what, name.trim(), 1, 32);
            return;
        }
        self.text(what, name, 1, 32);
        if let Some(c) = name.chars().find(|c| !is_allowed(*c)) {
            self.problem(&format!("{what} holds {c:?}; letters, digits, - and _ are allowed"));
        }
        if name.chars().any(|c| !c.to_lowercase().eq([c])) {
            self.problem(&format!("{what} has to be in lower case: '{}'", name.to_lowercase()));
        }
    }

    /// Checks the translations of a field, each by the rules of the field itself.
    pub(super) fn localizations(
        &mut self,
        what: &str,
        translations: &Value,
        check: impl Fn(&mut Self, &str, &str),
    ) {
        let Some(translations) = translations.as_object() else {
            if !translations.is_null() {
                self.problem(&format!("{what} has translations that are no dictionary: {translations}"));
            }
            return;
        };
        for (locale, text) in translations {
            if !LOCALES.contains(&locale.as_str()) {
                self.problem(&format!(
                    "{what} has a translation for '{locale}', which is none of Discord's locales"
                ));
            } else if !text.is_null() {
                let translation = format!("{what} in '{locale}'");
                check(self, &translation, &value::text(text).unwrap_or_default());
            }
        }
    }
}

/// Returns whether a name in the strict form may contain a character.
pub(super) fn is_allowed(c: char) -> bool {
    // Every character of these scripts, including marks and signs (Unicode's Scripts.txt). Characters that they share
    // with other scripts, such as the danda, belong to neither.
    let of_script = |c| {
        matches!(c,
            '\u{900}'..='\u{950}' | '\u{955}'..='\u{963}' | '\u{966}'..='\u{97f}' // Devanagari
            | '\u{a8e0}'..='\u{a8ff}' | '\u{11b00}'..='\u{11b09}' // Devanagari, extended
            | '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e5b}') // Thai
    };
    match c {
        '-' | '_' | '\'' | 'a'..='z' | '0'..='9' => true,
        c => is_letter_or_number(c) || of_script(c),
    }
}

fn is_letter_or_number(c: char) -> bool {
    matches!(
        get_general_category(c),
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::ModifierLetter
            | Category::OtherLetter
            | Category::DecimalNumber
            | Category::LetterNumber
            | Category::OtherNumber
    )
}
