//! The sources of variables: the environment, then `.env`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::env_file::{EnvFile, Reach};
use super::reader::Reader;
use super::{Config, Health, Mistakes, former, token_file};

/// The variables as read. Those of the environment take precedence over those of `.env`.
#[derive(Clone)]
pub(crate) struct Source {
    /// Folder in which `.env` is searched.
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))] // Only a bot that reloads reads it again.
    folder: Option<PathBuf>,
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))]
    reach: Reach,
    environment: BTreeMap<String, String>,
    file: Option<EnvFile>,
}

/// Shows no variable, because any may be a secret.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("file", &self.path()).finish_non_exhaustive()
    }
}

impl Source {
    /// Reads the environment, and `.env` in this folder or, in development, above it in the workspace.
    pub(crate) fn read() -> Result<Self, Mistakes> {
        Self::new(std::env::vars_os(), std::env::current_dir().ok())
    }

    fn new(
        environment: impl Iterator<Item = (OsString, OsString)>,
        folder: Option<PathBuf>,
    ) -> Result<Self, Mistakes> {
        // A variable that is not Unicode is not one of ours, whose values are all plain text.
        let environment = environment
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let reach = Reach::of(&environment);
        Self::with_reach(environment, folder, reach)
    }

    fn with_reach(
        environment: BTreeMap<String, String>,
        folder: Option<PathBuf>,
        reach: Reach,
    ) -> Result<Self, Mistakes> {
        let file = folder.as_deref().map_or(Ok(None), |folder| EnvFile::nearest(folder, reach))?;
        Ok(Self { folder, reach, environment, file })
    }

    /// Reads `.env` again. The environment stays the same.
    #[cfg(any(feature = "hmr", test))]
    pub(crate) fn again(&self) -> Result<Self, Mistakes> {
        Self::with_reach(self.environment.clone(), self.folder.clone(), self.reach)
    }

    /// Creates a configuration from the variables.
    pub(crate) fn config(&self) -> Result<Config, Mistakes> {
        let mut config = Config::from_variables(token_file::resolve(self.variables())?)?;
        config.warnings.extend(self.file.as_ref().and_then(EnvFile::warning));
        Ok(config)
    }

    /// Reads only the address of health. So a running bot can be queried even if other variables are wrong.
    pub(crate) fn health(&self) -> Result<Health, Mistakes> {
        let variables = self.variables();
        let mut reader = Reader::new(&variables);
        let health = Health::read(&mut reader);
        reader.finish().map(|()| health)
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let file = self.file.as_ref().map(|file| file.variables.clone()).unwrap_or_default();
        former::overlay(file, &self.environment)
    }

    /// Returns the path of the `.env` that was read, if there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// Returns the variables that changed in `.env` since `before` without effect, because the environment sets them to
    /// something else.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own with a `.env`, and one below it in which the bot is started.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("hotcord-{name}-{}", std::process::id()));
            std::fs::create_dir_all(folder.join("a/b")).unwrap();
            std::fs::write(folder.join("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
            Self(folder)
        }

        fn save(&self, text: &str) {
            std::fs::write(self.0.join(".env"), text).unwrap();
        }

        fn read(&self, environment: &[(&str, &str)]) -> Source {
            let environment =
                environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Source::with_reach(environment.collect(), Some(self.0.join("a/b")), Reach::Workspace).unwrap()
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
    fn a_token_of_a_file_is_taken_and_its_file_is_no_setting() {
        let folder = Folder::new("token-file");
        let file = folder.0.join("token");
        std::fs::write(&file, "secret-of-a-file\n").unwrap();
        let path = file.to_str().unwrap();
        let only = [("DISCORD_API_URL", "http://127.0.0.1:1"), ("DISCORD_TOKEN_FILE", path)];
        let config = folder.read(&only).config().unwrap();
        assert_eq!(config.connection.as_ref().unwrap().token.expose(), "secret-of-a-file");
        assert_eq!(config.settings().variable("DISCORD_TOKEN_FILE"), None);
        let both = folder.read(&[&only[..], &[("DISCORD_TOKEN", "another")]].concat()).config().unwrap_err();
        assert_eq!(both.0, ["DISCORD_TOKEN and DISCORD_TOKEN_FILE are both set; leave one of them out."]);
    }
}
