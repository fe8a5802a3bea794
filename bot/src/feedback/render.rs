//! The text of a status, within the limits of a message.

use std::fmt::Write as _;

use sdk::PluginId;
use sdk::bus::Diagnostic;
use sdk::text::{self, MESSAGE};

use super::status_messages::ReloadPhase;

/// Maximum number of characters of a reason, so that there is room for the compiler's messages below it.
const REASON: usize = 700;
/// Maximum number of characters of the line with the changes.
const CHANGES: usize = 900;
/// Ends a status in which not all errors fit.
const MORE: &str = "\n-# The rest is in the terminal.";
/// Opens and closes a code block.
const FENCES: [&str; 2] = ["\n```\n", "\n```"];

/// Formats a status.
pub(super) fn status(plugin: Option<&PluginId>, phase: &ReloadPhase, state: Option<&str>) -> String {
    let name = format!("**{}**", plugin.map_or("workspace", PluginId::as_str));
    let words = match phase {
        ReloadPhase::Building(group) if group.len() > 1 => {
            format!("🔨 {name} is being built, with {}", text::count(group.len() - 1, "other"))
        }
        ReloadPhase::Building(_) => format!("🔨 {name} is being built"),
        ReloadPhase::Live { from, to, ms, parts, changes } => {
            let mut words = match (from, to) {
                (Some(from), Some(to)) => format!("✅ {name} {from} → {to} live in {ms} ms"),
                (None, Some(to)) => format!("✅ {name} {to} live in {ms} ms"),
                (Some(from), None) => format!("📤 {name} {from} taken out"),
                (None, None) => format!("📤 {name} taken out"),
            };
            // In the order in which they happen, which is not alphabetical.
            let known = ["watch", "build", "probe", "preflight", "state", "swap"];
            let order = |part: &str| known.iter().position(|known| *known == part).unwrap_or(known.len());
            let mut parts: Vec<_> = parts.iter().collect();
            parts.sort_by_key(|(part, _)| order(part));
            let parts: Vec<_> = parts.iter().map(|(part, ms)| format!("{part} {ms:.0}")).collect();
            if !parts.is_empty() {
                words += &format!("\n-# {}", parts.join(", "));
            }
            if !changes.is_empty() {
                words += &format!("\n{}", cut(&changed(changes), CHANGES));
            }
            if let Some(state) = state {
                words += &format!("\n{state}");
            }
            words
        }
        ReloadPhase::Unchanged { live, ms } => {
            format!("✅ {name} {live} stays live: no change in the code\n-# {ms} ms")
        }
        ReloadPhase::Failed { live, reason, diagnostics } => {
            let (reason, whole) = (cut(reason, REASON), reason.encode_utf16().count() <= REASON);
            let head = match (plugin, live) {
                (Some(_), Some(live)) => format!("❌ {name} {live} stays live: {reason}"),
                (Some(_), None) => format!("❌ {name} is not live: {reason}"),
                (None, _) => format!("❌ {name}: {reason}"),
            };
            with_errors(head, diagnostics, whole)
        }
        ReloadPhase::HeldBack { by } => {
            format!("⏸️ {name} stays as it is: it goes live together with **{by}**, which failed")
        }
        ReloadPhase::RolledBack { from, to, code_of, reason } => {
            let code = if code_of == to { String::new() } else { format!(", with the code of {code_of}") };
            format!("↩️ {name} {from} → {to} rolled back{code}: {reason}")
        }
        ReloadPhase::Mended => format!("✅ {name} is understood again"),
        ReloadPhase::Restart { because, automatic: true } => {
            format!("♻️ a new host is being built, for {}", because.join(", "))
        }
        ReloadPhase::Restart { because, automatic: false } => {
            format!("♻️ a restart brings in {}", because.join(", "))
        }
    };
    cut(&words, MESSAGE)
}

fn changed(changes: &[String]) -> String {
    let marked: Vec<_> = changes.iter().map(|change| format!("`{}`", change.replace('`', "'"))).collect();
    marked.join(" ")
}

/// Appends the first errors in a code block, as many whole ones as fit, below the place of the first one.
fn with_errors(mut head: String, diagnostics: &[Diagnostic], mut whole: bool) -> String {
    let Some(first) = diagnostics.first() else { return head };
    if let Some(place) = first.place() {
        let _ = write!(head, "\n`{}`", cut(&place.replace('`', "'"), 300));
    }
    let taken = length(&head) + FENCES.iter().map(|fence| length(fence)).sum::<usize>() + length(MORE);
    let room = MESSAGE.saturating_sub(taken);
    let mut block = String::new();
    for diagnostic in diagnostics {
        let words = unfenced(diagnostic.rendered.trim_end());
        let gap = if block.is_empty() { "" } else { "\n\n" };
        if length(&block) + length(gap) + length(&words) <= room {
            block += gap;
            block += &words;
            continue;
        }
        whole = false;
        if block.is_empty() {
            block = first_lines(&words, room);
        }
        break;
    }
    let [open, close] = FENCES;
    let more = if whole && is_all(diagnostics) { "" } else { MORE };
    format!("{head}{open}{block}{close}{more}")
}

/// Returns whether these are all diagnostics of the compiler, as far as they show.
fn is_all(diagnostics: &[Diagnostic]) -> bool {
    // The engine keeps at most that many.
    diagnostics.len() < 20 && diagnostics.iter().all(|diagnostic| !diagnostic.rendered.ends_with('…'))
}

/// Returns text that cannot close the code block that contains it.
fn unfenced(words: &str) -> String {
    if words.contains("```") { words.replace('`', "`\u{200b}") } else { words.to_owned() }
}

/// Returns as many whole lines as fit, or the beginning of the first one.
fn first_lines(words: &str, most: usize) -> String {
    let mut kept = String::new();
    for line in words.lines() {
        let gap = usize::from(!kept.is_empty());
        if length(&kept) + gap + length(line) > most {
            break;
        }
        if gap > 0 {
            kept.push('\n');
        }
        kept += line;
    }
    if kept.is_empty() { cut(words, most) } else { kept }
}

/// Returns the length as Discord's clients count it, in UTF-16 code units.
fn length(words: &str) -> usize {
    words.encode_utf16().count()
}

fn cut(words: &str, most: usize) -> String {
    if length(words) <= most {
        return words.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let mut kept = String::new();
    for c in words.chars() {
        match room.checked_sub(c.len_utf16()) {
            Some(left) => room = left,
            None => break,
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostic(rendered: impl Into<String>) -> Diagnostic {
        Diagnostic {
            level: "error".to_owned(),
            file: Some("commands/general/src/ping.rs".to_owned()),
            line: Some(12),
            column: Some(79),
            rendered: rendered.into(),
            ..Diagnostic::default()
        }
    }

    fn failed(diagnostics: Vec<Diagnostic>, reason: &str) -> String {
        let phase = ReloadPhase::Failed { live: Some(2), reason: reason.to_owned(), diagnostics };
        status(Some(&PluginId::new("commands/general")), &phase, None)
    }

    fn is_well_formed(text: &str) {
        assert!(length(text) <= MESSAGE, "{} characters", length(text));
        assert_eq!(text.matches("```").count() % 2, 0, "{text}");
    }

    #[test]
    fn errors_stand_in_a_code_block_below_their_place() {
        let text = failed(vec![diagnostic("error[E0599]: no method\n --> a.rs:12:79\n")], "1 compile error");
        assert_eq!(
            text,
            "❌ **commands/general** 2 stays live: 1 compile error\n`commands/general/src/ping.rs:12:79`\n```\n\
             error[E0599]: no method\n --> a.rs:12:79\n```"
        );
    }

    #[test]
    fn five_thousand_errors_fit() {
        let errors = vec![diagnostic("error: x\n --> a.rs:1:1\n".repeat(5)); 20];
        let text = failed(errors, "5000 compile errors");
        is_well_formed(&text);
        assert!(
            text.contains("5000 compile errors") && text.ends_with("The rest is in the terminal."),
            "{text}"
        );
        assert!(length(&text) > MESSAGE - 200, "what fits is there");
    }

    #[test]
    fn whatever_the_compiler_says_the_block_is_whole_and_the_message_fits() {
        for rendered in [
            "x".repeat(5000),
            format!("{}\n{}", "é🎺".repeat(300), "line\n".repeat(1000)),
            "```".repeat(900),
            "`````` ``` `".to_owned(),
            "🎺".repeat(1990),
            String::new(),
        ] {
            for reason in ["1 compile error", &"very long ".repeat(500)] {
                let text = failed(vec![diagnostic(rendered.clone()), diagnostic("more")], reason);
                is_well_formed(&text);
                assert_eq!(text.matches("```").count(), 2, "{text}");
                assert!(text.contains("ping.rs:12:79"), "{text}");
            }
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let plugin = PluginId::new("commands/general");
        let names = (0..1000).map(|number| format!("+ /command{number}")).collect();
        let live = ReloadPhase::Live { from: Some(1), to: Some(2), ms: 3, parts: [].into(), changes: names };
        is_well_formed(&status(Some(&plugin), &live, Some("state kept (version 1)")));
        let because = (0..1000).map(|number| format!("bot/src/{number}.rs")).collect();
        is_well_formed(&status(None, &ReloadPhase::Restart { because, automatic: false }, None));
    }
}
