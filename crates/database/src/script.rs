//! Looks at SQL without understanding it: where statements begin.

use std::str::CharIndices;

/// Returns whether a statement only reads. One that cannot be judged counts as writing.
pub(crate) fn only_reads(sql: &str) -> bool {
    matches!(first_words(sql).as_slice(), [word] if ["SELECT", "VALUES", "EXPLAIN"].contains(&word.as_str()))
        && !sql.to_ascii_uppercase().contains("FOR UPDATE")
}

/// Returns the statement of a script that begins or ends a transaction, if there is one.
pub(crate) fn transaction_control(script: &str) -> Option<String> {
    let control = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"];
    first_words(script).into_iter().find(|word| control.contains(&word.as_str()))
}

/// Returns the first word of each statement, in capitals. Comments, quoted text and the bodies of triggers are skipped.
fn first_words(script: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = script.char_indices();
    // None: the next word begins a statement.
    let mut statement: Option<Vec<String>> = None;
    // BEGIN ... END of a trigger's body, and CASE ... END within it.
    let mut depth = 0_usize;
    while let Some((at, letter)) = rest.next() {
        match letter {
            '-' if script[at..].starts_with("--") => skip_past(&mut rest, script, at, "\n"),
            '/' if script[at..].starts_with("/*") => skip_past(&mut rest, script, at + 2, "*/"),
            '\'' | '"' | '`' => skip_past(&mut rest, script, at + 1, letter.encode_utf8(&mut [0; 4])),
            '[' => skip_past(&mut rest, script, at + 1, "]"),
            '$' => {
                // Dollar quotes of PostgreSQL: $$ ... $$ or $name$ ... $name$. A parameter, $1, has no second sign.
                let length = script[at + 1..].find(|letter: char| !letter.is_alphanumeric() && letter != '_');
                if let Some(length) = length
                    && script[at + 1 + length..].starts_with('$')
                {
                    let quote = &script[at..at + length + 2];
                    skip_past(&mut rest, script, at + quote.len(), quote);
                }
            }
            ';' if depth == 0 => statement = None,
            _ if letter.is_alphabetic() || letter == '_' => {
                let length = script[at..]
                    .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
                    .unwrap_or(script.len() - at);
                let word = script[at..at + length].to_uppercase();
                advance(&mut rest, at + length);
                match &mut statement {
                    None => {
                        words.push(word.clone());
                        statement = Some(vec![word]);
                    }
                    Some(so_far) => {
                        let in_trigger =
                            so_far[0] == "CREATE" && so_far.iter().take(4).any(|word| word == "TRIGGER");
                        match word.as_str() {
                            "BEGIN" | "CASE" if in_trigger => depth += 1,
                            "END" if in_trigger => depth = depth.saturating_sub(1),
                            _ => {}
                        }
                        if so_far.len() < 4 {
                            so_far.push(word);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    words
}

/// Moves behind the next `end` at or after `from`, or to the end of the script.
fn skip_past(rest: &mut CharIndices<'_>, script: &str, from: usize, end: &str) {
    let to =
        script.get(from..).and_then(|text| text.find(end)).map_or(script.len(), |at| from + at + end.len());
    advance(rest, to);
}

fn advance(rest: &mut CharIndices<'_>, to: usize) {
    while rest.offset() < to && rest.next().is_some() {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reading_statements_are_told_from_writing_ones() {
        for sql in ["select 1", "  -- why\n SELECT a FROM b", "/* c; */ values (1)", "SELECT ';' FROM a;"] {
            assert!(only_reads(sql), "{sql}");
        }
        for sql in [
            "INSERT INTO a VALUES (1) RETURNING id",
            "WITH gone AS (DELETE FROM a RETURNING id) SELECT * FROM gone",
            "SELECT 1; DELETE FROM a",
            "SELECT a FROM b FOR UPDATE",
            "",
        ] {
            assert!(!only_reads(sql), "{sql}");
        }
    }

    #[test]
    fn a_script_must_not_end_the_transaction_that_it_runs_in() {
        for (script, found) in [
            ("CREATE TABLE a (b INT); commit; CREATE TABLE c (d INT)", Some("COMMIT")),
            ("BEGIN; CREATE TABLE a (b INT)", Some("BEGIN")),
            ("CREATE TABLE a (b TEXT DEFAULT '; COMMIT')", None),
            ("-- COMMIT\nCREATE TABLE a (commit INT)", None),
            (
                "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN 1 THEN 2 END; DELETE FROM c; END; \
                 CREATE TABLE d (e INT)",
                None,
            ),
            (
                "CREATE FUNCTION f() RETURNS trigger AS $x$ BEGIN RETURN NEW; COMMIT; END $x$ LANGUAGE plpgsql",
                None,
            ),
            ("CREATE TABLE \"a;COMMIT\" (b INT); END", Some("END")),
        ] {
            assert_eq!(transaction_control(script).as_deref(), found, "{script}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(script in "[-a-cé'\"$/*;\\[\\] \n]{0,60}") {
            let _ = transaction_control(&script);
            let _ = only_reads(&script);
        }
    }
}
