//! `DISCORD_TOKEN_FILE`: the token in a file, like secrets of Docker and systemd, so that it does not appear among a
//! process's variables.

use std::collections::BTreeMap;

use super::{Mistakes, read_at_most};

const TOKEN: &str = "DISCORD_TOKEN";
const FILE: &str = "DISCORD_TOKEN_FILE";
/// Maximum size of the file in bytes.
const LONGEST: u64 = 4096;

/// Returns the variables with `DISCORD_TOKEN` set to the content of the file in `DISCORD_TOKEN_FILE`, if that is set.
///
/// # Errors
/// If both are set, or if the file cannot be read or is not a single line of text. The message does not contain the
/// content.
pub(super) fn resolve(mut variables: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Mistakes> {
    let set =
        |name: &str| variables.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let Some(path) = set(FILE) else { return Ok(variables) };
    if set(TOKEN).is_some() {
        return Err(Mistakes(vec![format!("{TOKEN} and {FILE} are both set; leave one of them out.")]));
    }
    let wrong = |problem: &str| Mistakes(vec![format!("{FILE} is '{path}', which {problem}.")]);
    let bytes = std::fs::File::open(&path)
        .and_then(|file| read_at_most(file, LONGEST))
        .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    let text = bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let token =
        text.map(str::trim).ok_or_else(|| wrong("holds more than a token; write the token alone into it"))?;
    if token.is_empty() {
        return Err(wrong("is empty; write the token into it"));
    }
    variables.insert(TOKEN.to_owned(), token.to_owned());
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(contents: &[u8]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, contents).unwrap();
        let variables = [(FILE.to_owned(), file.path().to_str().unwrap().to_owned())].into();
        let resolved = resolve(variables);
        resolved.map(|variables| variables[TOKEN].clone()).map_err(|mistakes| mistakes.to_string())
    }

    #[test]
    fn the_line_of_the_file_is_the_token() {
        for contents in ["abc.def", "abc.def\n", "abc.def\r\n", "  abc.def\n\n"] {
            assert_eq!(resolved(contents.as_bytes()).as_deref(), Ok("abc.def"), "{contents:?}");
        }
    }

    #[test]
    fn a_file_that_is_no_token_is_named_without_its_contents() {
        let long = "secret".repeat(1000);
        for (contents, words) in [
            (&b""[..], "is empty"),
            (b" \n", "is empty"),
            (b"\xff\xfe", "holds more than a token"),
            (long.as_bytes(), "holds more than a token"),
        ] {
            let sentence = resolved(contents).unwrap_err();
            assert!(sentence.starts_with("DISCORD_TOKEN_FILE is '/"), "{sentence}");
            assert!(sentence.contains(words) && !sentence.contains("secret"), "{sentence}");
        }
        let missing =
            resolve([(FILE.to_owned(), "/nowhere/token".to_owned())].into()).unwrap_err().to_string();
        assert!(missing.contains("'/nowhere/token', which cannot be read"), "{missing}");
    }

    #[test]
    fn an_empty_name_is_none() {
        let variables: BTreeMap<_, _> =
            [(FILE.to_owned(), " ".to_owned()), (TOKEN.to_owned(), "x".to_owned())].into();
        assert_eq!(resolve(variables.clone()).unwrap(), variables);
    }
}
