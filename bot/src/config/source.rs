//! Where variables come from: the environment, and behind it `.env`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::reader::Reader;
use super::{Config, Health, Mistakes};

/// Variables as they were read; the environment's come before those of `.env`.
#[derive(Clone)]
pub(crate) struct Source {
    /// Folder from which `.env` is looked for, upwards.
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))] // Only a bot that reloads reads it again.
    folder: Option<PathBuf>,
    environment: BTreeMap<String, String>,
    file: Option<File>,
}

/// A `.env` as it was read.
#[derive(Clone)]
struct File {
    path: PathBuf,
    variables: BTreeMap<String, String>,
}

/// Shows no variable, since any may be a secret.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("file", &self.path()).finish_non_exhaustive()
    }
}

impl Source {
    /// Reads the environment, and `.env` in this folder or one above it.
    pub(crate) fn read() -> Result<Self, Mistakes> {
        Self::new(std::env::vars_os(), std::env::current_dir().ok())
    }

    fn new(
        environment: impl Iterator<Item = (OsString, OsString)>,
        folder: Option<PathBuf>,
    ) -> Result<Self, Mistakes> {
        // What is no Unicode is none of our variables, whose values are all plain.
        let environment = environment
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let file = folder.as_deref().and_then(find).map(File::read).transpose()?;
        Ok(Self { folder, environment, file })
    }

    /// Reads `.env` once more; the environment stays what it was.
    #[cfg(any(feature = "hmr", test))]
    pub(crate) fn again(&self) -> Result<Self, Mistakes> {
        let file = self.folder.as_deref().and_then(find).map(File::read).transpose()?;
        Ok(Self { folder: self.folder.clone(), environment: self.environment.clone(), file })
    }

    /// Makes a configuration of what was read.
    pub(crate) fn config(&self) -> Result<Config, Mistakes> {
        Config::from_variables(self.variables())
    }

    /// Reads where health is served, and nothing else: whatever else is wrong, a running bot can be asked.
    pub(crate) fn health(&self) -> Result<Health, Mistakes> {
        let variables = self.variables();
        let mut reader = Reader::new(&variables);
        let health = Health::read(&mut reader);
        reader.finish().map(|()| health)
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.file.as_ref().map(|file| file.variables.clone()).unwrap_or_default();
        variables.extend(self.environment.clone());
        variables
    }

    /// Gives the `.env` that was read, if there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// Gives the variables that `.env` sets otherwise than `before`, in vain: the environment sets them to something
    /// else.
    #[cfg(any(feature = "hmr", test))]
    pub(crate) fn overruled<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a str> {
        let variables = self.file.iter().flat_map(|file| &file.variables);
        variables
            .filter(|(name, value)| {
                before.file.as_ref().and_then(|file| file.variables.get(*name)) != Some(value)
            })
            .filter(|(name, value)| self.environment.get(*name).is_some_and(|real| real != *value))
            .map(|(name, _)| name.as_str())
    }
}

impl File {
    fn read(path: PathBuf) -> Result<Self, Mistakes> {
        let bytes = std::fs::read(&path)
            .map_err(|error| Mistakes(vec![format!("{} cannot be read: {error}.", path.display())]))?;
        let variables = parse(&path, &bytes)?;
        Ok(Self { path, variables })
    }
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

    /// A folder of its own with a `.env`, and one below it in which the bot is started.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("hotcord-{name}-{}", std::process::id()));
            std::fs::create_dir_all(folder.join("a/b")).unwrap();
            Self(folder)
        }

        fn save(&self, text: &str) {
            std::fs::write(self.0.join(".env"), text).unwrap();
        }

        fn read(&self, environment: &[(&str, &str)]) -> Source {
            let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
            Source::new(environment, Some(self.0.join("a/b"))).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const ENOUGH: &[(&str, &str)] = &[("DISCORD_TOKEN", "x"), ("DISCORD_API_URL", "http://127.0.0.1:1")];

    #[test]
    fn the_environment_wins_even_when_it_is_empty() {
        let folder = Folder::new("wins");
        folder.save("A=file\nB=file\nC=file # comment\n");
        let source = folder.read(&[ENOUGH, &[("A", "real"), ("B", "")]].concat());
        let settings = source.config().unwrap().settings();
        assert_eq!(["A", "B", "C"].map(|name| settings.variable(name)), [Some("real"), None, Some("file")]);
        assert!(!format!("{source:?}").contains("real"));
    }

    #[test]
    fn a_changed_line_that_the_environment_overrules_is_named() {
        let folder = Folder::new("overruled");
        folder.save("A=1\nB=1\nC=1\nD=1\n");
        let before = folder.read(&[("A", "1"), ("B", "x"), ("C", "x"), ("E", "x")]);
        folder.save("A=2\nB=1\nC=x\nD=2\nE=1\n");
        let after = before.again().unwrap();
        assert_eq!(after.overruled(&before).collect::<Vec<_>>(), ["A", "E"]);
        assert_eq!(after.overruled(&after).count(), 0);
    }

    #[test]
    fn a_file_that_comes_or_goes_is_noticed() {
        let folder = Folder::new("comes");
        let none = folder.read(ENOUGH);
        assert_eq!(none.path(), None);
        folder.save("COMMAND_PREFIX=!\n");
        let there = none.again().unwrap();
        assert_eq!(there.path(), Some(folder.0.join(".env").as_path()));
        assert_eq!(there.config().unwrap().prefix.as_deref(), Some("!"));
        std::fs::remove_file(folder.0.join(".env")).unwrap();
        assert_eq!(there.again().unwrap().path(), None);
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
