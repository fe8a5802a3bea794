//! Where variables come from: the environment, and behind it `.env`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Mistakes;

/// Merges the environment with the `.env` of `folder` or the nearest folder above it; the environment wins.
pub(super) fn variables(
    environment: impl Iterator<Item = (OsString, OsString)>,
    folder: Option<&Path>,
) -> Result<BTreeMap<String, String>, Mistakes> {
    let mut variables = match folder.and_then(find) {
        Some(path) => {
            let bytes = std::fs::read(&path)
                .map_err(|error| Mistakes(vec![format!("{} cannot be read: {error}.", path.display())]))?;
            parse(&path, &bytes)?
        }
        None => BTreeMap::new(),
    };
    variables.extend(environment.filter_map(|(name, value)| {
        // What is no Unicode is none of our variables, whose values are all plain.
        Some((name.into_string().ok()?, value.into_string().ok()?))
    }));
    Ok(variables)
}

fn find(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(".env")).find(|path| path.is_file())
}

/// Reads the lines of a `.env`, or tells of each that cannot be read; its text stays out, it may be the token.
fn parse(path: &Path, bytes: &[u8]) -> Result<BTreeMap<String, String>, Mistakes> {
    let shown = path.display();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            return Err(Mistakes(vec![format!(
                "{shown}, line {line}: this is not UTF-8; save the file as UTF-8."
            )]));
        }
    };
    let mut variables = BTreeMap::new();
    let mut mistakes = Vec::new();
    let mut read_to = 0;
    for item in dotenvy::from_read_iter(text.as_bytes()) {
        match item {
            Ok((name, value)) => {
                // As elsewhere, the first of two lines with one name counts.
                variables.entry(name).or_insert(value);
            }
            Err(dotenvy::Error::LineParse(line, _)) => {
                let wrong = line.trim();
                let at = text[read_to..].find(wrong).map_or(read_to, |at| read_to + at);
                read_to = at + wrong.len();
                let number = 1 + text[..at].matches('\n').count();
                mistakes.push(format!(
                    "{shown}, line {number}: this is not NAME=value; put a value with spaces, quotes or # into \
                     double quotes."
                ));
            }
            Err(error) => mistakes.push(format!("{shown} cannot be read: {error}.")),
        }
    }
    if mistakes.is_empty() { Ok(variables) } else { Err(Mistakes(mistakes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<BTreeMap<String, String>, Mistakes> {
        parse(Path::new(".env"), text.as_bytes())
    }

    #[test]
    fn the_environment_wins_even_when_it_is_empty() {
        let folder = std::env::temp_dir().join(format!("hotcord-env-{}", std::process::id()));
        let below = folder.join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(folder.join(".env"), "A=file\nB=file\nC=file # comment\n").unwrap();
        let environment = [("A", "real"), ("B", "")].map(|(name, value)| (name.into(), value.into()));
        let variables = variables(environment.into_iter(), Some(&below));
        std::fs::remove_dir_all(&folder).unwrap();
        let expected = [("A", "real"), ("B", ""), ("C", "file")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(variables.unwrap(), expected.into());
    }

    #[test]
    fn a_malformed_line_is_told_by_number_and_not_by_content() {
        let Mistakes(mistakes) =
            parsed("# comment\nA=1\nTOKEN=abc def\n\nA=1\nTOKEN=abc def\nB=\"open\n").unwrap_err();
        assert!(mistakes[0].starts_with(".env, line 3: "), "{mistakes:?}");
        assert!(mistakes[1].starts_with(".env, line 6: "), "{mistakes:?}");
        assert!(mistakes[2].starts_with(".env, line 7: "), "{mistakes:?}");
        assert!(!mistakes.concat().contains("abc"), "{mistakes:?}");
    }

    #[test]
    fn another_encoding_is_told() {
        let Mistakes(mistakes) = parse(Path::new(".env"), b"A=1\nB=\xff\xfe\n").unwrap_err();
        assert_eq!(mistakes, [".env, line 2: this is not UTF-8; save the file as UTF-8."]);
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_do_not_matter() {
        let variables = parsed("\u{feff}A=1\r\nB='x y'\r\n").unwrap();
        assert_eq!(variables["A"], "1");
        assert_eq!(variables["B"], "x y");
    }
}
