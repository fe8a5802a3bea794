//! Tests of what remains of untrusted text, by examples and for any text.

use proptest::prelude::*;

use super::*;

const SURFACES: [Surface; 6] =
    [Surface::Label, Surface::Line, Surface::Lines, Surface::Quote, Surface::Code, Surface::Log];

fn shown(text: &str) -> String {
    foreign(text, Surface::Line, 200)
}

#[test]
fn a_name_mentions_nobody_and_marks_nothing_up() {
    for (text, line) in [
        ("*@everyone* <@1>\n[x](y)", r"\*\@everyone\* \<\@1> \[x\](y)"),
        ("[free](https://evil.example)", r"\[free\](https\://evil.example)"),
        ("||no|| ~~no~~ http://no.example", r"\|\|no\|\| \~\~no\~\~ http\://no.example"),
        ("# no", r"\# no"),
        ("  -# no", r"\-# no"),
        ("1. no", r"1\. no"),
        ("- no", r"\- no"),
        (">>> no", r"\>>> no"),
        ("```no```", r"\`\`\`no\`\`\`"),
        (r"\*no\*", r"\\\*no\\\*"),
        ("</dev:1> <t:1:R> <#2> <:a:3>", r"\</dev:1> \<t:1:R> \<#2> \<:a:3>"),
        ("Discord.gg/x", r"Discord.gg\/x"),
        // Characters hidden inside a pair of marks are removed before marks are recognised.
        ("|\u{202e}|no|\u{200f}|", r"\|\|no\|\|"),
    ] {
        assert_eq!(shown(text), line, "{text:?}");
    }
}

#[test]
fn what_marks_nothing_up_is_left_as_it_is() {
    let plain = "Hotcord: Melody, One | Two (live) #3, No. 5 - it's 4:33 > all, ~ 1.5, 👩\u{200d}👧 שלום";
    for surface in [Surface::Label, Surface::Line, Surface::Lines, Surface::Code, Surface::Log] {
        assert_eq!(foreign(plain, surface, 200), plain, "{surface:?}");
    }
}

#[test]
fn each_surface_has_line_breaks_and_controls_in_its_own_way() {
    let text = "a\x1b[2J\r\nb\u{202e}c\rd\u{2028}e\n";
    for (surface, expected) in [
        (Surface::Label, "a [2J  bc d e"),
        (Surface::Line, r"a \[2J  bc d e"),
        (Surface::Lines, "a \\[2J\nbc d e"),
        (Surface::Quote, "> a \\[2J\n> bc d e"),
        (Surface::Code, "a [2J  bc d e"),
        (Surface::Log, r"a\u{1b}[2J\r\nb\u{202e}c\rd\u{2028}e\n"),
    ] {
        assert_eq!(foreign(text, surface, 200), expected, "{surface:?}");
    }
    assert_eq!(foreign("`a`", Surface::Code, 9), "'a'");
    assert_eq!(foreign("a\n\n# b", Surface::Quote, 99), "> a\n> \n> \\# b");
}

#[test]
fn a_text_is_cut_between_its_parts() {
    assert_eq!(foreign("****", Surface::Line, 8), r"\*\*\*\*");
    assert_eq!(foreign("****", Surface::Line, 7), r"\*\*\*…");
    assert_eq!(foreign("****", Surface::Line, 6), r"\*\*…");
    assert_eq!(foreign("ab", Surface::Label, 1), "…");
    assert_eq!(foreign("ab", Surface::Label, 0), "");
    assert_eq!(foreign("a\u{202e}", Surface::Log, 8), "a…");
}

#[test]
fn of_text_that_is_nothing_but_controls_a_sign_is_left() {
    for text in [" ", "\u{202e}", "\u{202e}\n\u{200f}", "\n\x07\n"] {
        for surface in [Surface::Label, Surface::Line, Surface::Lines, Surface::Quote, Surface::Code] {
            assert_eq!(foreign(text, surface, 9), "\u{fffd}", "{text:?} {surface:?}");
        }
    }
    assert_eq!(foreign("", Surface::Line, 9), "");
}

/// Returns text with more control characters and marks than people write.
fn nasty() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "\0",
        "\t",
        "\n",
        "\r",
        "\x1b",
        "\x7f",
        "\u{85}",
        "\u{9b}",
        "\u{61c}",
        "\u{200e}",
        "\u{2028}",
        "\u{2029}",
        "\u{202a}",
        "\u{202e}",
        "\u{2066}",
        "\u{2069}",
        " ",
        "*",
        "_",
        "`",
        "```",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        "@",
        "@everyone",
        "~",
        "|",
        "#",
        "-",
        "+",
        "1.",
        "://",
        "https",
        "\\",
        ":",
        "discord.gg",
        "/",
        "a",
        "ß",
    ];
    let part = prop_oneof![
        4 => prop::sample::select(PARTS).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

/// Splits formatted text as Discord does. Returns the visible text and the text with a meaning.
fn halves(text: &str) -> (String, String) {
    let (mut seen, mut live) = (String::new(), String::new());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            let escaped = characters.next().unwrap_or_else(|| panic!("{text:?} ends within an escape"));
            assert!(escaped.is_ascii_punctuation(), "{text:?} escapes {escaped:?}");
            seen.push(escaped);
            // It stands for any character without a meaning.
            live.push('x');
        } else {
            seen.push(character);
            live.push(character);
        }
    }
    (seen, live)
}

proptest! {
    #[test]
    fn no_control_is_left_anywhere(text in nasty(), most in 0..60_usize) {
        for surface in SURFACES {
            let shown = foreign(&text, surface, most);
            let has_lines = matches!(surface, Surface::Lines | Surface::Quote);
            prop_assert!(!shown.contains(|c| is_control(c) && !(has_lines && c == '\n')), "{:?}: {:?}", surface, shown);
            prop_assert!(shown.chars().count() <= most, "{:?}: {:?}", surface, shown);
            prop_assert_eq!(shown.is_empty(), most == 0 || text.is_empty(), "{:?}: {:?}", surface, shown);
        }
    }

    #[test]
    fn no_markup_is_left_however_it_is_cut(text in nasty(), most in 1..120_usize) {
        for surface in [Surface::Line, Surface::Lines, Surface::Quote] {
            let shown = foreign(&text, surface, most);
            for line in shown.split('\n') {
                let line = if surface == Surface::Quote && line.starts_with("> ") { &line[2..] } else { line };
                let (_, live) = halves(line);
                prop_assert!(!live.contains(['*', '_', '`', '[', ']', '<', '@']), "{:?}", shown);
                prop_assert!(!["||", "~~", "://", "discord.gg/"].iter().any(|mark| live.contains(mark)), "{:?}", shown);
                let begin = live.trim_start();
                prop_assert!(!begin.starts_with(['#', '>', '-', '+']), "{:?}", shown);
                let rest = begin.trim_start_matches(|c: char| c.is_ascii_digit());
                prop_assert!(rest.len() == begin.len() || !rest.starts_with('.'), "{:?}", shown);
            }
        }
        prop_assert!(!foreign(&text, Surface::Code, most).contains('`'));
    }

    #[test]
    fn a_reader_sees_what_was_written_but_its_controls(text in "[ -~\u{202e}\x07é]{1,60}") {
        let shown = foreign(&text, Surface::Line, usize::MAX);
        let written = foreign(&text, Surface::Label, usize::MAX);
        prop_assert_eq!(halves(&shown).0, written);
    }

    #[test]
    fn every_line_of_a_quotation_is_marked(text in nasty(), most in 4..80_usize) {
        let shown = foreign(&text, Surface::Quote, most);
        for line in shown.split('\n').filter(|_| shown != "\u{fffd}" && !shown.is_empty()) {
            // The last one may be the ellipsis of a cut text.
            prop_assert!(line.starts_with("> ") || line == "…", "{:?}", shown);
        }
    }
}
