//! Fields of the log's lines: no value can add a line or control a terminal.
//!
//! Values come from users and servers, through this bot and the libraries below it, so they are escaped here, where all
//! of them pass. tracing-subscriber's own fields escape some control characters of a message and none of a field's
//! value.

use std::error::Error;
use std::fmt;

use sdk::text::{Surface, foreign, is_control};
use tracing::field::{Field, Visit};
use tracing_subscriber::field::{RecordFields, VisitOutput as _};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};

/// The only field with several lines: they follow the line, indented.
const BACKTRACE: &str = "backtrace";

/// Formats fields as tracing-subscriber does, with control characters and line breaks as escapes.
pub(super) struct Fields;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = Escaping(DefaultVisitor::new(writer, true));
        fields.record(&mut visitor);
        visitor.0.finish()
    }
}

struct Escaping<'w>(DefaultVisitor<'w>);

impl Visit for Escaping<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.record_debug(field, &format_args!("{value}"));
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut words = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            words += &format!(": {error}");
            cause = error.source();
        }
        self.record_debug(field, &format_args!("{words}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        let shown = match field.name() {
            BACKTRACE => {
                let lines = text.lines().map(|line| format!("\n    {}", escaped(line)));
                lines.collect()
            }
            _ => escaped(&text),
        };
        self.0.record_debug(field, &format_args!("{shown}"));
    }
}

fn escaped(text: &str) -> String {
    if text.contains(is_control) { foreign(text, Surface::Log, usize::MAX) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::logged;
    use super::*;

    const FORGED: &str = "x\n2026-01-01T00:00:00Z ERROR bot: forged\r\x1b[2J\u{9b}2J\u{202e}\u{2028}";

    #[test]
    fn a_value_makes_no_line_wherever_it_stands() {
        let error = std::io::Error::other(FORGED);
        let cause: &dyn Error = &error;
        let log = logged(false, || {
            let _span = tracing::info_span!("call", name = %FORGED).entered();
            tracing::info!("{FORGED}");
            tracing::info!(shown = %FORGED, debug = ?FORGED, plain = FORGED, cause, "fields");
        });
        assert_eq!(log.lines().count(), 2, "{log}");
        assert!(!log.contains(|c| is_control(c) && c != '\n'), "{log:?}");
        let escaped = r"x\n2026-01-01T00:00:00Z ERROR bot: forged\r\u{1b}[2J\u{9b}2J\u{202e}\u{2028}";
        assert_eq!(log.matches(escaped).count(), 7, "{log}");
    }

    #[test]
    fn a_backtrace_keeps_its_lines_indented() {
        let log = logged(false, || {
            let backtrace = format_args!("0: first\n1: second\x1b[2J");
            tracing::error!(panic = "no", backtrace = %backtrace, "panicked");
        });
        let lines: Vec<_> = log.lines().collect();
        assert!(lines[0].contains("panicked panic=\"no\"") && lines.len() == 3, "{log}");
        assert_eq!(lines[1..], ["    0: first", r"    1: second\u{1b}[2J"]);
    }

    #[test]
    fn an_ordinary_line_is_as_it_was() {
        let log = logged(
            false,
            || tracing::info!(plugin = %"commands/general", from = 1, name = "a\"b", "reloaded"),
        );
        assert!(
            log.ends_with("fields::tests: reloaded plugin=commands/general from=1 name=\"a\\\"b\"\n"),
            "{log}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_one_line(text in any::<String>(), ansi: bool) {
            let log = logged(ansi, || tracing::info!(value = %text, "{text}"));
            prop_assert_eq!(log.matches('\n').count(), 1);
            let controls = |c: char| is_control(c) && c != '\n' && !(ansi && c == '\x1b');
            prop_assert!(!log.contains(controls), "{:?}", log);
        }
    }
}
