//! An answer in the terminal: in the form of a message in Discord, or as JSON.

use std::fmt::Write;

use sandbox::Answer;
use sandbox::validate::component::kind;
use serde_json::Value;

use super::{Failure, Outcome, terminal};

/// Width of the boxes of embeds.
const WIDTH: usize = 72;

/// Prints an answer. No answer has an exit code of its own.
pub(super) fn show(answer: &Answer, json: bool) -> Result<Outcome, Failure> {
    if json {
        terminal::json_line(answer)?;
    } else {
        terminal::print(&render(answer))?;
    }
    Ok(if answer.is_ok() { Outcome::Good } else { Outcome::NoAnswer })
}

/// Returns the answer in the form for people.
fn render(answer: &Answer) -> String {
    let mut out = String::new();
    if let Some(error) = &answer.error {
        let _ = writeln!(out, "! {}", terminal::inline(error));
        for line in terminal::lines(answer.hint.as_deref().unwrap_or_default()) {
            let _ = writeln!(out, "  {line}");
        }
        return out;
    }
    if let Some(sku) = &answer.purchase {
        let _ = writeln!(out, "A purchase opens: {}", text(&sku["name"]));
        let _ = writeln!(out, "  buy with: sandbox buy {}", text(&sku["id"]));
        return out;
    }
    if let Some(choices) = &answer.choices {
        for choice in choices {
            let name = text(if choice["name_localized"].is_string() {
                &choice["name_localized"]
            } else {
                &choice["name"]
            });
            let _ = writeln!(out, "{name}  ({})", plain(&choice["value"]));
        }
        if choices.is_empty() {
            out.push_str("(no choices)\n");
        }
        return out;
    }
    if let Some(modal) = &answer.modal {
        modal_lines(&mut out, modal);
        let _ = writeln!(out, "  submit with: sandbox submit {} CUSTOM_ID=TEXT", answer.interaction);
    }
    let first = answer.message.as_ref();
    if let Some(message) = first {
        out.push_str(&message_lines(message));
    } else if let Some(activity) = &answer.activity {
        let _ = writeln!(out, "An Activity starts: {}", terminal::inline(activity));
    } else if answer.modal.is_none() {
        out.push_str("(acknowledged without a message)\n");
    }
    let shown = first.and_then(|message| message["id"].as_str());
    for followup in answer.followups.iter().filter(|followup| followup["id"].as_str() != shown) {
        out.push_str(&message_lines(followup));
    }
    if answer.callbacks > 1 {
        let _ = writeln!(
            out,
            "! {} initial responses arrived; all but the first were refused.",
            answer.callbacks
        );
    }
    out
}

/// Returns a message: author, text, embeds, buttons, and who sees it.
pub(super) fn message_lines(message: &Value) -> String {
    let mut out = String::new();
    let author = &message["author"];
    let name = author["global_name"].as_str().or(author["username"].as_str()).unwrap_or("?");
    let name = terminal::inline(name);
    let badge = if author["bot"] == true { " [BOT]" } else { "" };
    let edited = if message["edited_timestamp"].is_string() { "  (edited)" } else { "" };
    let _ = writeln!(out, "{name}{badge}  {}{edited}", text(&message["id"]));
    for line in lines(&message["content"]) {
        let _ = writeln!(out, "  {line}");
    }
    if message["flags"].as_u64().unwrap_or(0) & 128 != 0 {
        out.push_str("  is thinking...\n");
    }
    for embed in list(&message["embeds"]) {
        embed_box(&mut out, embed);
    }
    for file in list(&message["attachments"]) {
        let _ = writeln!(out, "  file {}  {}", text(&file["filename"]), text(&file["url"]));
    }
    for sticker in list(&message["sticker_items"]) {
        let _ = writeln!(out, "  sticker {}  {}", text(&sticker["name"]), text(&sticker["id"]));
    }
    for component in list(&message["components"]) {
        component_lines(&mut out, component, 1);
    }
    let reactions: Vec<String> = list(&message["reactions"])
        .iter()
        .map(|reaction| format!("{} {}", text(&reaction["emoji"]["name"]), plain(&reaction["count"])))
        .collect();
    if !reactions.is_empty() {
        let _ = writeln!(out, "  {}", reactions.join("  "));
    }
    if message["flags"].as_u64().unwrap_or(0) & 64 != 0 {
        out.push_str("  only you can see this\n");
    }
    out
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Returns a foreign text that is safe within a line.
fn text(value: &Value) -> String {
    terminal::inline(value.as_str().unwrap_or_default())
}

/// Returns the lines of a foreign text, to be indented.
fn lines(value: &Value) -> impl Iterator<Item = String> {
    terminal::lines(value.as_str().unwrap_or_default())
}

/// Returns a text without its quotes, and other values as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| terminal::json(&value.to_string()), terminal::inline)
}

fn embed_box(out: &mut String, embed: &Value) {
    let mut rows = Vec::new();
    let mut add = |text: &str| rows.extend(terminal::lines(text).flat_map(|line| wrap(&line, WIDTH - 4)));
    let raw = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    add(&raw(&embed["author"]["name"]));
    add(&raw(&embed["title"]));
    add(&raw(&embed["description"]));
    for field in list(&embed["fields"]) {
        add(&format!("{}: {}", raw(&field["name"]), raw(&field["value"])));
    }
    for part in ["image", "thumbnail"] {
        if let Some(url) = embed[part]["url"].as_str() {
            add(&format!("[{part}] {url}"));
        }
    }
    add(&raw(&embed["footer"]["text"]));
    let rule = "─".repeat(WIDTH - 2);
    let _ = writeln!(out, "  ┌{rule}┐");
    for line in rows {
        let pad = (WIDTH - 4).saturating_sub(line.chars().count());
        let _ = writeln!(out, "  │ {line}{} │", " ".repeat(pad));
    }
    let _ = writeln!(out, "  └{rule}┘");
}

/// Breaks a line at spaces if it is longer than `width`.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let last = lines.last_mut().expect("begins with one line");
            let used = last.chars().count();
            let gap = usize::from(used > 0);
            if used + gap + word.len() <= width {
                if gap > 0 {
                    last.push(' ');
                }
                last.extend(&word);
                break;
            }
            if used > 0 {
                lines.push(String::new());
            } else {
                let rest = word.split_off(width);
                last.extend(&word);
                lines.push(String::new());
                word = rest;
            }
        }
    }
    lines
}

fn component_lines(out: &mut String, component: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    let of = component["type"].as_u64().and_then(|kind| u8::try_from(kind).ok()).unwrap_or(0);
    match of {
        kind::ACTION_ROW => {
            let buttons: Vec<String> = list(&component["components"])
                .iter()
                .filter(|c| c["type"] == kind::BUTTON)
                .map(button)
                .collect();
            if buttons.is_empty() {
                for child in list(&component["components"]) {
                    component_lines(out, child, depth);
                }
            } else {
                let _ = writeln!(out, "{indent}{}", buttons.join(" "));
            }
        }
        kind::BUTTON => {
            let _ = writeln!(out, "{indent}{}", button(component));
        }
        kind::TEXT_DISPLAY => {
            for line in lines(&component["content"]) {
                let _ = writeln!(out, "{indent}{line}");
            }
        }
        kind::SEPARATOR => {
            let _ = writeln!(out, "{indent}{}", "─".repeat(WIDTH / 2));
        }
        kind::STRING_SELECT
        | kind::USER_SELECT
        | kind::ROLE_SELECT
        | kind::MENTIONABLE_SELECT
        | kind::CHANNEL_SELECT => {
            let options: Vec<String> =
                list(&component["options"]).iter().map(|option| text(&option["label"])).collect();
            let name = terminal::inline(component["placeholder"].as_str().unwrap_or("choose"));
            let _ = writeln!(
                out,
                "{indent}({name} ▾) {}  custom_id {}",
                options.join(" | "),
                text(&component["custom_id"])
            );
        }
        kind::MEDIA_GALLERY => {
            for item in list(&component["items"]) {
                let _ = writeln!(out, "{indent}[picture] {}", text(&item["media"]["url"]));
            }
        }
        kind::THUMBNAIL => {
            let _ = writeln!(out, "{indent}[picture] {}", text(&component["media"]["url"]));
        }
        kind::FILE => {
            let _ = writeln!(out, "{indent}[file] {}", text(&component["file"]["url"]));
        }
        _ => {
            let deeper = depth + usize::from(of == kind::CONTAINER);
            for child in list(&component["components"]) {
                component_lines(out, child, deeper);
            }
            if component["accessory"].is_object() {
                component_lines(out, &component["accessory"], deeper + 1);
            }
        }
    }
}

fn button(component: &Value) -> String {
    let emoji = component["emoji"]["name"].as_str();
    let label = component["label"].as_str();
    let name = terminal::inline(&[emoji, label].into_iter().flatten().collect::<Vec<_>>().join(" "));
    let name = match component["sku_id"].as_str() {
        Some(sku) => format!("buy {}", terminal::inline(sku)),
        None => name,
    };
    match (component["disabled"] == true, component["url"].as_str()) {
        (true, _) => format!("[{name} (disabled)]"),
        (_, Some(url)) => format!("[{name} -> {}]", terminal::inline(url)),
        _ => format!("[{name}]"),
    }
}

fn modal_lines(out: &mut String, modal: &Value) {
    let _ = writeln!(out, "A modal opens: {}", text(&modal["title"]));
    let mut pending: Vec<(&Value, &str)> =
        list(&modal["components"]).iter().rev().map(|component| (component, "")).collect();
    while let Some((component, label)) = pending.pop() {
        let own = component["label"].as_str().unwrap_or(label);
        if let Some(id) = component["custom_id"].as_str() {
            let required = if component["required"] == false { "" } else { ", required" };
            let _ = writeln!(out, "  {}  ({}{required})", terminal::inline(own), terminal::inline(id));
        } else if component["type"] == kind::TEXT_DISPLAY {
            for line in lines(&component["content"]) {
                let _ = writeln!(out, "  {line}");
            }
        }
        pending.extend(list(&component["components"]).iter().rev().map(|child| (child, own)));
        if component["component"].is_object() {
            pending.push((&component["component"], own));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::cli::terminal::tests::foreign;

    proptest! {
        /// Every text is foreign, in each field that is shown.
        #[test]
        fn nobodys_text_has_a_line_of_its_own(text in foreign()) {
            let text = text.as_str();
            let button = json!({"type": 2, "label": text, "url": text, "emoji": {"name": text}});
            let menu = json!({"type": 3, "placeholder": text, "custom_id": text, "options": [{"label": text}]});
            let shown = json!({"type": 10, "content": text});
            let message = json!({
                "id": text, "author": {"username": text, "global_name": text}, "content": text,
                "embeds": [{"author": {"name": text}, "title": text, "description": text,
                    "fields": [{"name": text, "value": text}], "image": {"url": text}, "footer": {"text": text}}],
                "attachments": [{"filename": text, "url": text}],
                "components": [{"type": 1, "components": [button]}, {"type": 1, "components": [menu]}, shown,
                    {"type": 12, "items": [{"media": {"url": text}}]}, {"type": 13, "file": {"url": text}},
                    {"type": 9, "components": [shown], "accessory": button}],
                "sticker_items": [{"name": text, "id": text}],
                "reactions": [{"emoji": {"name": text}, "count": text}],
            });
            let modal = json!({"title": text, "components": [
                {"type": 18, "label": text, "component": {"type": 4, "custom_id": text, "label": text}}, shown]});
            // The command line's own lines begin at the margin; foreign text never does.
            for (answer, own) in [
                (Answer { message: Some(message), ..Answer::default() }, 1),
                (Answer { modal: Some(modal), ..Answer::default() }, 1),
                (Answer { error: Some(text.into()), hint: Some(text.into()), ..Answer::default() }, 1),
                (Answer { choices: Some(vec![json!({"name": text, "value": text})]), ..Answer::default() }, 1),
                (Answer { purchase: Some(json!({"name": text, "id": text})), ..Answer::default() }, 1),
                (Answer { activity: Some(text.into()), ..Answer::default() }, 1),
            ] {
                let seen = render(&answer);
                prop_assert!(!seen.contains(|c| c != '\n' && terminal::is_control(c)), "{seen:?}");
                let margin = seen.split_terminator('\n').filter(|line| !line.starts_with("  ")).count();
                prop_assert!(margin <= own, "{seen}");
                prop_assert!(seen.ends_with('\n'));
            }
        }
    }

    #[test]
    fn an_answer_reads_like_a_message_in_discord() {
        let message = json!({
            "id": "5", "author": {"username": "Helper", "bot": true}, "content": "hello\nthere", "flags": 64,
            "embeds": [{"title": "News", "fields": [{"name": "a", "value": "b"}]}],
            "components": [{"type": 1, "components": [
                {"type": 2, "label": "Yes", "custom_id": "y"}, {"type": 2, "label": "No", "disabled": true}]}],
        });
        let answer = Answer { message: Some(message), callbacks: 1, ..Answer::default() };
        let seen = render(&answer);
        for part in [
            "Helper [BOT]  5",
            "  hello\n  there",
            "│ News",
            "│ a: b",
            "[Yes] [No (disabled)]",
            "only you can see this",
        ] {
            assert!(seen.contains(part), "{part:?} is missing in\n{seen}");
        }
    }

    #[test]
    fn a_silence_is_told_with_its_likely_cause() {
        let answer = Answer {
            error: Some("The application did not respond".into()),
            hint: Some("Helper has no open gateway connection; is it running?".into()),
            ..Answer::default()
        };
        assert!(render(&answer).starts_with("! The application did not respond\n  Helper"));
    }

    #[test]
    fn long_lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaa b", 3), ["aaa", "aaa", "a b"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
