//! Which files count, by pattern and by extension.
//!
//! There are three rules, and the first that applies to a path decides: `HMR_IGNORE`, the `.gitignore` files from the
//! nearest folder upwards, and a rule that leaves out hidden folders and `target`. As with git, a file below a folder
//! that is left out cannot be included again by itself. Files that rustc has read are exempt from all rules except
//! `HMR_IGNORE`: a plugin may be built from a file that is not kept in git.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::walk::is_never_source;

/// Name of the files whose patterns are applied as they are saved.
pub(super) const GITIGNORE: &str = ".gitignore";

/// The developer's patterns of files to leave out, and the extensions that count. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Filter(Arc<Words>);

#[derive(Debug)]
struct Words {
    root: PathBuf,
    patterns: Vec<String>,
    ignored: Gitignore,
    extensions: BTreeSet<String>,
}

impl Default for Filter {
    fn default() -> Self {
        Self(Arc::new(Words {
            root: PathBuf::new(),
            patterns: Vec::new(),
            ignored: Gitignore::empty(),
            extensions: BTreeSet::new(),
        }))
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        let words =
            |filter: &Self| (filter.0.root.clone(), filter.0.patterns.clone(), filter.0.extensions.clone());
        words(self) == words(other)
    }
}

impl Eq for Filter {}

impl Filter {
    /// Creates a filter from patterns as in a `.gitignore` at `root`, and from extensions with or without their dot.
    ///
    /// Without extensions, a file that no compiler has read counts if it is a Rust source.
    ///
    /// # Errors
    /// When a pattern or an extension is invalid. The error names the first one.
    pub fn new(root: &Path, patterns: &[String], extensions: &[String]) -> Result<Self, FilterError> {
        let mut builder = GitignoreBuilder::new(root);
        for pattern in patterns {
            builder.add_line(None, pattern).map_err(|source| FilterError::pattern(pattern, source))?;
        }
        let ignored = builder.build().map_err(|source| FilterError::pattern(&patterns.join(","), source))?;
        let extensions =
            extensions.iter().map(|extension| self::extension(extension)).collect::<Result<_, _>>()?;
        let (root, patterns) = (root.to_path_buf(), patterns.to_vec());
        Ok(Self(Arc::new(Words { root, patterns, ignored, extensions })))
    }

    /// Returns whether a save of a file counts although no compiler reads it.
    pub(crate) fn names_extension_of(&self, path: &Path) -> bool {
        extension_of(path).is_some_and(|extension| self.0.extensions.contains(extension))
    }

    /// Returns whether a file counts while it is not known what its crate is built from.
    pub(crate) fn takes_for_source(&self, path: &Path) -> bool {
        if self.0.extensions.is_empty() {
            extension_of(path) == Some("rs")
        } else {
            self.names_extension_of(path)
        }
    }

    /// Returns whether a file has the name of a source, or of a file that defines how sources are built.
    pub(super) fn may_be_source(&self, path: &Path) -> bool {
        let is_told_of = |name: &str| matches!(name, "Cargo.toml" | "build.rs" | GITIGNORE);
        extension_of(path) == Some("rs")
            || self.names_extension_of(path)
            || path.file_name().and_then(|name| name.to_str()).is_some_and(is_told_of)
    }

    /// Returns whether a file or a folder above it is left out by the developer's own patterns.
    pub(super) fn leaves_out_file(&self, path: &Path) -> bool {
        let mut above: Vec<_> = path.ancestors().take_while(|folder| *folder != self.0.root).collect();
        above.reverse();
        above.into_iter().any(|part| self.verdict(part, part != path) == Some(true))
    }

    fn verdict(&self, path: &Path, is_folder: bool) -> Option<bool> {
        verdict(&self.0.ignored, path, is_folder)
    }
}

fn verdict(patterns: &Gitignore, path: &Path, is_folder: bool) -> Option<bool> {
    match patterns.matched(path, is_folder) {
        Match::None => None,
        Match::Ignore(_) => Some(true),
        Match::Whitelist(_) => Some(false),
    }
}

/// Why a filter cannot be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// A pattern is invalid.
    #[error("'{pattern}' is no pattern as in a .gitignore: {}", why(source))]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The parser's reason.
        source: ignore::Error,
    },
    /// A word is not an extension.
    #[error("'{0}' is no extension of a file: write it like rs or toml")]
    Extension(String),
}

impl FilterError {
    fn pattern(pattern: &str, source: ignore::Error) -> Self {
        Self::Pattern { pattern: pattern.to_owned(), source }
    }
}

/// Returns the parser's reason without the pattern, with which its message begins.
fn why(error: &ignore::Error) -> String {
    let why = error.to_string();
    why.rsplit_once("': ").map_or(why.clone(), |(_, why)| why.to_owned())
}

fn extension(text: &str) -> Result<String, FilterError> {
    let name = text.strip_prefix('.').unwrap_or(text);
    let is_extension =
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '+'));
    if is_extension { Ok(name.to_owned()) } else { Err(FilterError::Extension(text.to_owned())) }
}

fn extension_of(path: &Path) -> Option<&str> {
    path.extension().and_then(|extension| extension.to_str())
}

/// A filter together with the `.gitignore` files of the folders that were entered.
#[derive(Debug)]
pub(super) struct Rules {
    filter: Filter,
    by_folder: HashMap<PathBuf, Gitignore>,
}

impl Rules {
    pub(super) fn new(filter: Filter) -> Self {
        Self { filter, by_folder: HashMap::new() }
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Reads the `.gitignore` of a folder. A missing one has no patterns.
    pub(super) fn enter(&mut self, folder: &Path) {
        let file = folder.join(GITIGNORE);
        if file.is_file() {
            let mut builder = GitignoreBuilder::new(folder);
            if let Some(error) = builder.add(&file) {
                tracing::warn!(file = %file.display(), %error, "patterns are left out");
            }
            match builder.build() {
                Ok(patterns) => drop(self.by_folder.insert(folder.to_path_buf(), patterns)),
                Err(error) => tracing::warn!(file = %file.display(), %error, "all patterns are left out"),
            }
        } else {
            self.by_folder.remove(folder);
        }
    }

    /// Reads the `.gitignore` files of the folders above `path`, up to `root`.
    pub(super) fn enter_above(&mut self, path: &Path, root: &Path) {
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(root)) {
            self.enter(folder);
        }
    }

    /// Returns whether an entry of a folder that is not left out is left out itself.
    pub(super) fn leaves_out(&self, path: &Path, is_folder: bool) -> bool {
        self.filter
            .verdict(path, is_folder)
            .or_else(|| {
                let mut nearest = path.ancestors().skip(1).filter_map(|folder| self.by_folder.get(folder));
                nearest.find_map(|patterns| verdict(patterns, path, is_folder))
            })
            .unwrap_or_else(|| is_folder && is_never_source(path))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn filter(patterns: &[&str], extensions: &[&str]) -> Result<Filter, FilterError> {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        Filter::new(Path::new("/w"), &owned(patterns), &owned(extensions))
    }

    #[test]
    fn patterns_are_those_of_a_gitignore() {
        let rules = Rules::new(
            filter(&["*.gen.rs", "!keep.gen.rs", "/notes", "assets/", "# a comment", ""], &[]).unwrap(),
        );
        let left_out = |path: &str, is_folder| rules.leaves_out(Path::new(path), is_folder);
        assert!(left_out("/w/commands/a/src/x.gen.rs", false));
        assert!(!left_out("/w/commands/a/src/keep.gen.rs", false));
        assert!(left_out("/w/notes", true) && !left_out("/w/commands/notes", true), "/ begins at the root");
        assert!(left_out("/w/commands/assets", true) && !left_out("/w/commands/assets", false));
        assert!(left_out("/elsewhere/x.gen.rs", false), "a crate outside the workspace");
        assert!(left_out("/w/commands/a/.git", true) && left_out("/w/commands/a/target", true));
        assert!(!left_out("/w/.gitignore", false) && !left_out("/w/commands/a/target", false));
    }

    #[test]
    fn a_developers_word_goes_before_gitignore_and_the_nearest_gitignore_before_others() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("commands")).unwrap();
        fs::write(root.join(".gitignore"), "*.log\n*.tmp\n/generated\n").unwrap();
        fs::write(root.join("commands/.gitignore"), "!*.log\n").unwrap();
        let mut rules = Rules::new(Filter::new(root, &["!/generated".to_owned()], &[]).unwrap());
        rules.enter(root);
        rules.enter(&root.join("commands"));
        let left_out = |rules: &Rules, path: &str| rules.leaves_out(&root.join(path), false);
        assert!(left_out(&rules, "a.log") && !left_out(&rules, "commands/a.log"));
        assert!(left_out(&rules, "commands/a.tmp"));
        assert!(!left_out(&rules, "generated"));
        fs::remove_file(root.join("commands/.gitignore")).unwrap();
        rules.enter(&root.join("commands"));
        assert!(left_out(&rules, "commands/a.log"));
    }

    #[test]
    fn nothing_below_a_folder_that_is_left_out_comes_back_by_itself() {
        let filter = filter(&["assets/", "!assets/keep.rs", "b.rs", "!/c/b.rs"], &[]).unwrap();
        let left_out = |path: &str| filter.leaves_out_file(Path::new(path));
        assert!(left_out("/w/commands/a/assets/keep.rs"));
        assert!(left_out("/w/a/b.rs") && !left_out("/w/c/b.rs") && !left_out("/w/c.rs"));
        assert!(left_out("/elsewhere/assets/a.rs"));
    }

    #[test]
    fn extensions_say_what_counts_while_nobody_knows() {
        let (default, listed) = (filter(&[], &[]).unwrap(), filter(&[], &[".html", "toml"]).unwrap());
        let path = Path::new;
        assert!(default.takes_for_source(path("a.rs")) && !default.takes_for_source(path("a.html")));
        assert!(!default.names_extension_of(path("a.rs")), "the compiler tells of those");
        assert!(listed.takes_for_source(path("a.html")) && !listed.takes_for_source(path("a.rs")));
        assert!(listed.names_extension_of(path("x.toml")) && !listed.names_extension_of(path("html")));
    }

    #[test]
    fn what_is_no_pattern_or_extension_is_named() {
        let wrong = filter(&["*.rs", "[z-a]"], &[]).unwrap_err().to_string();
        assert!(wrong.starts_with("'[z-a]' is no pattern as in a .gitignore: "), "{wrong}");
        assert!(wrong.contains("invalid range"), "{wrong}");
        let wrong = filter(&[], &["rs", "*.toml"]).unwrap_err().to_string();
        assert_eq!(wrong, "'*.toml' is no extension of a file: write it like rs or toml");
        assert_eq!(filter(&["a"], &["rs"]).unwrap(), filter(&["a"], &[".rs"]).unwrap());
        assert_ne!(filter(&["a"], &[]).unwrap(), filter(&["b"], &[]).unwrap());
    }
}
