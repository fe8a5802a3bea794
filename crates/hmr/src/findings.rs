//! The compiler's diagnostics, read from its JSON: rendered for the terminal, and as data for other readers.

use std::io::Write as _;

use sdk_core::bus::Diagnostic;
use sdk_core::text;
use serde::Deserialize;

use crate::link::LinkFailure;

/// Errors kept as data. The terminal shows all of them.
const KEPT: usize = 20;
/// Most characters kept of one error's text.
const TEXT: usize = 4000;

/// Errors and warnings of one crate.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Count of errors.
    pub errors: usize,
    /// Those errors that are the linker's.
    pub linking: Vec<LinkFailure>,
    /// rustc's rendered text of all of them, in colour if the terminal supports it.
    pub rendered: String,
    /// First errors, without colour.
    pub first: Vec<Diagnostic>,
    /// Bytes of `rendered` that the terminal shows already.
    pub(crate) shown: usize,
}

/// A diagnostic in rustc's JSON.
#[derive(Deserialize)]
pub(crate) struct Message {
    pub(crate) level: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    rendered: Option<String>,
    #[serde(default)]
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    column_start: u32,
    is_primary: bool,
}

impl Findings {
    /// Reads rustc's standard error in JSON format.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn read(output: &str) -> Self {
        let mut findings = Self::default();
        output.lines().for_each(|line| findings.read_line(line));
        findings
    }

    /// Reads one line of it.
    pub(crate) fn read_line(&mut self, line: &str) {
        match serde_json::from_str(line) {
            Ok(message) => self.add(message),
            // Text of the linker, or of a compiler that crashed.
            Err(_) => {
                self.rendered.push_str(line);
                self.rendered.push('\n');
            }
        }
    }

    /// Returns the rendered text that was not returned before, for the terminal; nothing as long as there is no error.
    pub(crate) fn next_to_show(&mut self) -> &str {
        if self.errors == 0 {
            return "";
        }
        let shown = std::mem::replace(&mut self.shown, self.rendered.len());
        &self.rendered[shown..]
    }

    /// Returns the rendered text that the terminal does not show yet.
    pub(crate) fn unshown(&self) -> &str {
        &self.rendered[self.shown..]
    }

    pub(crate) fn add(&mut self, message: Message) {
        let rendered = message.rendered.unwrap_or_default();
        self.rendered.push_str(&rendered);
        // The closing "aborting due to N errors" has neither a code nor a location of its own.
        let is_summary = message.code.is_none()
            && (rendered.contains("aborting due to") || rendered.contains("could not compile"));
        if !message.level.starts_with("error") || is_summary {
            return;
        }
        self.errors += 1;
        let plain = without_colour(&rendered);
        let linking = LinkFailure::read(&message.message, &plain);
        let in_words = linking.as_ref().map(ToString::to_string);
        self.linking.extend(linking);
        if self.first.len() < KEPT {
            let place = message.spans.iter().find(|span| span.is_primary).or(message.spans.first());
            self.first.push(Diagnostic {
                level: "error".to_owned(),
                code: message.code.map(|code| code.code),
                message: in_words
                    .unwrap_or_else(|| text::cut(message.message.lines().next().unwrap_or_default(), TEXT)),
                file: place.map(|span| span.file_name.clone()),
                line: place.map(|span| span.line_start),
                column: place.map(|span| span.column_start),
                rendered: text::cut(plain, TEXT),
            });
        }
    }

    /// Returns a short summary: the number of errors, or why the code does not link.
    pub fn summary(&self) -> String {
        match &self.linking[..] {
            // The linker is called only after all compilation.
            [failure, ..] if self.linking.len() == self.errors => failure.to_string(),
            _ => format!("{} compile error{}", self.errors, if self.errors == 1 { "" } else { "s" }),
        }
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.errors += other.errors;
        self.linking.append(&mut other.linking);
        self.rendered += &other.rendered;
        self.first.append(&mut other.first);
        self.first.truncate(KEPT);
    }
}

/// Prints the compiler's output to the terminal.
pub(crate) fn print(words: &str) {
    if !words.is_empty() {
        // A closed terminal is no reason to stop.
        let _ = std::io::stderr().lock().write_all(words.as_bytes());
    }
}

/// Removes the terminal's escape sequences that set colours (ESC, `[`, numbers, a letter), and any other ESC.
fn without_colour(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = sequence.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    plain.push_str(rest);
    // The text around a removed sequence may form another one.
    plain.retain(|c| c != '\u{1b}');
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = r#"{"level":"error","message":"no method","rendered":"\u001b[0m\u001b[1;31merror[E0599]\u001b[0m: no method\n","code":{"code":"E0599"},"spans":[{"file_name":"b.rs","line_start":1,"column_start":1,"is_primary":false},{"file_name":"commands/a.rs","line_start":12,"column_start":79,"is_primary":true}]}
{"level":"warning","message":"b","rendered":"warning: b\n","code":null,"spans":[]}
{"level":"error","message":"aborting due to 1 previous error","rendered":"error: aborting due to 1 previous error\n","code":null,"spans":[]}
linker says"#;

    #[test]
    fn errors_are_counted_without_the_closing_line_and_have_their_place() {
        let findings = Findings::read(OUTPUT);
        assert_eq!((findings.errors, findings.first.len()), (1, 1));
        assert!(findings.rendered.contains("warning: b") && findings.rendered.ends_with("linker says\n"));
        let error = &findings.first[0];
        assert_eq!(error.place().as_deref(), Some("commands/a.rs:12:79"));
        assert_eq!(error.code.as_deref(), Some("E0599"));
        assert_eq!(error.rendered, "error[E0599]: no method\n");
    }

    #[test]
    fn all_is_shown_once_from_the_first_error_on() {
        let mut findings = Findings::default();
        findings.read_line(r#"{"level":"warning","message":"a","rendered":"warning: a\n","code":null}"#);
        assert_eq!(findings.next_to_show(), "", "warnings of code that compiles are shown when they are new");
        let mut lines = OUTPUT.lines();
        findings.read_line(lines.next().unwrap());
        let shown = findings.next_to_show().to_owned();
        assert!(shown.starts_with("warning: a\n") && shown.ends_with(": no method\n"), "{shown}");
        assert_eq!(findings.next_to_show(), "");
        assert_eq!(findings.unshown(), "");
        findings.read_line(lines.next().unwrap());
        assert_eq!(findings.unshown(), "warning: b\n");
        assert_eq!(findings.next_to_show(), "warning: b\n");
    }

    #[test]
    fn what_does_not_link_is_no_compile_error() {
        let rendered = "error: linking with `cc` failed: exit status: 1\n  = note: \u{1b}[1mrust-lld: error: unable to find \
                        library -lnosuch\u{1b}[0m\n";
        let message = serde_json::json!({
            "level": "error", "message": "linking with `cc` failed: exit status: 1", "rendered": rendered,
            "code": null, "spans": [],
        });
        let mut findings = Findings::read(&message.to_string());
        assert!(
            findings.summary().starts_with("it does not link: library nosuch is not found"),
            "{findings:?}"
        );
        assert_eq!(findings.first[0].message, findings.summary());
        findings.append(Findings::read(OUTPUT));
        assert_eq!(findings.summary(), "2 compile errors", "with others it is one of them");
    }

    #[test]
    fn no_sequence_is_left_where_one_was_inside_of_another() {
        assert_eq!(without_colour("a\u{1b}\u{1b}[0m[31mb\u{1b}"), "a[31mb");
    }

    #[test]
    fn of_very_many_errors_the_first_are_kept() {
        let mut findings = Findings::read(OUTPUT);
        for _ in 0..100 {
            findings.append(Findings::read(OUTPUT));
        }
        assert_eq!((findings.errors, findings.first.len()), (101, KEPT));
    }
}
