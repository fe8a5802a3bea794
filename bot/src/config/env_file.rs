//! The `.env` file: where it may be, who must own it, and its content.
//!
//! Its lines determine the server that gets the token, and programs that the bot runs. So a file that another user of
//! the machine could have written is refused.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Mistakes, read_at_most};

/// Permission bit with which the group can write a file.
const GROUP_WRITES: u32 = 0o020;
const ALL_WRITE: u32 = 0o002;
/// Permission bits with which the group and others can read a file.
const OTHERS_READ: u32 = 0o044;
/// Maximum size of the file in bytes.
const LONGEST: u64 = 1 << 20;

/// Folders in which a `.env` is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Only the folder in which the bot is started.
    Folder,
    /// That folder and those above it, up to the root of its cargo workspace.
    Workspace,
}

impl Reach {
    /// Returns the reach of a bot. In production only its folder is searched.
    pub(super) fn of(environment: &BTreeMap<String, String>) -> Self {
        let production =
            environment.get("APP_ENV").is_some_and(|mode| mode.trim().eq_ignore_ascii_case("production"));
        if production || !cfg!(feature = "hmr") { Self::Folder } else { Self::Workspace }
    }
}

/// The content of a `.env`.
#[derive(Clone)]
pub(super) struct EnvFile {
    /// Path of the file.
    pub(super) path: PathBuf,
    /// Its variables. The first of two lines with the same name counts.
    pub(super) variables: BTreeMap<String, String>,
    /// Whether other users of the machine can read it.
    others_read: bool,
}

impl EnvFile {
    /// Reads the nearest `.env` within `reach` of `folder`; `None` if there is none.
    ///
    /// # Errors
    /// If it belongs to neither the user nor root, if others can write it, if it is too long, or if a line of it cannot be
    /// read.
    pub(super) fn nearest(folder: &Path, reach: Reach) -> Result<Option<Self>, Mistakes> {
        find(folder, reach).map(Self::read).transpose()
    }

    fn read(path: PathBuf) -> Result<Self, Mistakes> {
        let unreadable =
            |error: std::io::Error| Mistakes(vec![format!("{} cannot be read: {error}.", path.display())]);
        // The link itself could be another user's and lead to a file of ours.
        let link = std::fs::symlink_metadata(&path).map_err(unreadable)?;
        let file = std::fs::File::open(&path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let user = User::current();
        if let Some(problem) = user.distrusts(&link).or_else(|| user.distrusts(&metadata)) {
            return Err(Mistakes(vec![format!("{} {problem}", path.display())]));
        }
        let Some(bytes) = read_at_most(file, LONGEST).map_err(unreadable)? else {
            let problem = "is longer than 1 MiB; only lines NAME=value belong into it.";
            return Err(Mistakes(vec![format!("{} {problem}", path.display())]));
        };
        let variables = parse(&path, &bytes)?;
        Ok(Self { path, variables, others_read: metadata.mode() & OTHERS_READ != 0 })
    }

    /// Returns a warning if the file contains the token and other users of the machine can read it.
    pub(super) fn warning(&self) -> Option<String> {
        let holds_token = self.variables.get("DISCORD_TOKEN").is_some_and(|token| !token.trim().is_empty());
        let path = self.path.display();
        (self.others_read && holds_token).then(|| {
            format!("{path} holds DISCORD_TOKEN, and other users of this machine may read it; run: chmod 600 {path}")
        })
    }
}

/// The user that runs the bot.
struct User {
    id: u32,
    group: u32,
}

impl User {
    fn current() -> Self {
        Self { id: rustix::process::geteuid().as_raw(), group: rustix::process::getegid().as_raw() }
    }

    /// Returns how another user could have written a file, to follow its path in a sentence.
    fn distrusts(&self, file: &Metadata) -> Option<String> {
        // A link's own mode has no meaning.
        let mode = if file.is_symlink() { 0 } else { file.mode() };
        self.distrusts_one_of(file.uid(), file.gid(), mode)
    }

    fn distrusts_one_of(&self, owner: u32, group: u32, mode: u32) -> Option<String> {
        if owner != self.id && owner != 0 {
            return Some(format!(
                "belongs to the user with id {owner}, and the bot runs as {}; its lines could send the token \
                 elsewhere, so it is not read. If they are yours, make it your own (chown); else start the bot in \
                 another folder.",
                self.id
            ));
        }
        let written = mode & ALL_WRITE != 0 || (mode & GROUP_WRITES != 0 && group != self.group);
        written.then(|| {
            "can be written by other users of this machine, so it is not read; look at its lines, then run: \
             chmod 600 .env"
                .to_owned()
        })
    }
}

/// Returns the nearest `.env` within reach of a folder.
fn find(folder: &Path, reach: Reach) -> Option<PathBuf> {
    let above = match reach {
        Reach::Folder => 1,
        // Outside a workspace only the folder itself is searched.
        Reach::Workspace => 1 + folder.ancestors().position(is_workspace_root).unwrap_or(0),
    };
    folder.ancestors().take(above).map(|folder| folder.join(".env")).find(|path| path.is_file())
}

fn is_workspace_root(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line.trim_end() == "[workspace]"))
}

/// Parses the lines of a `.env`. The error lists each line that cannot be read, without its text, which may be the
/// token.
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
                // As elsewhere, the first of two lines with the same name counts.
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

    /// Creates a folder `work/a/b` in which `.env` is searched; `work` is a workspace.
    fn folders() -> (tempfile::TempDir, PathBuf) {
        let outside = tempfile::tempdir().unwrap();
        let inside = outside.path().join("work/a/b");
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(outside.path().join("work/Cargo.toml"), "[package]\n\n[workspace]\n").unwrap();
        (outside, inside)
    }

    fn write(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(path, "DISCORD_TOKEN=x\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_is_looked_for_up_to_the_root_of_the_workspace_and_in_production_not_above() {
        let (outside, inside) = folders();
        write(&outside.path().join(".env"), 0o600);
        assert_eq!(find(&inside, Reach::Workspace), None);
        let root = outside.path().join("work/.env");
        write(&root, 0o600);
        assert_eq!(find(&inside, Reach::Workspace), Some(root));
        assert_eq!(find(&inside, Reach::Folder), None);
        let here = inside.join(".env");
        write(&here, 0o600);
        assert_eq!(find(&inside, Reach::Folder), Some(here.clone()));
        assert_eq!(find(&inside, Reach::Workspace), Some(here));
        // Without a workspace, no folder above is searched.
        assert_eq!(find(&outside.path().join("elsewhere"), Reach::Workspace), None);
    }

    #[test]
    fn production_reaches_no_further_than_its_folder() {
        let environment = |mode: &str| [("APP_ENV".to_owned(), mode.to_owned())].into();
        assert_eq!(Reach::of(&environment(" Production ")), Reach::Folder);
        let development = if cfg!(feature = "hmr") { Reach::Workspace } else { Reach::Folder };
        assert_eq!(Reach::of(&environment("development")), development);
        assert_eq!(Reach::of(&BTreeMap::new()), development);
    }

    #[test]
    fn what_somebody_else_could_have_written_is_refused() {
        let me = User { id: 1000, group: 1000 };
        for (owner, group, mode, trusted) in [
            (1000, 1000, 0o100_600, true),
            (1000, 1000, 0o100_644, true),
            (1000, 1000, 0o100_664, true),
            (0, 0, 0o100_644, true),
            (1001, 1000, 0o100_600, false),
            (1000, 1000, 0o100_646, false),
            (1000, 100, 0o100_664, false),
            (0, 0, 0o100_666, false),
        ] {
            let distrusts = me.distrusts_one_of(owner, group, mode);
            assert_eq!(distrusts.is_none(), trusted, "{owner} {group} {mode:o}: {distrusts:?}");
        }
    }

    #[test]
    fn a_file_that_all_can_write_is_named_and_not_read() {
        let (_outside, inside) = folders();
        let path = inside.join(".env");
        write(&path, 0o646);
        let Err(Mistakes(mistakes)) = EnvFile::nearest(&inside, Reach::Folder) else { panic!("was read") };
        let start = format!("{} can be written by other users", path.display());
        assert!(mistakes[0].starts_with(&start), "{mistakes:?}");
    }

    #[test]
    fn a_file_that_is_too_long_to_be_one_is_refused() {
        let (_outside, inside) = folders();
        let path = inside.join(".env");
        write(&path, 0o600);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        let Err(Mistakes(mistakes)) = EnvFile::nearest(&inside, Reach::Folder) else { panic!("was read") };
        assert!(mistakes[0].contains("is longer than 1 MiB"), "{mistakes:?}");
    }

    #[test]
    fn a_token_that_others_can_read_is_warned_of() {
        let (_outside, inside) = folders();
        let path = inside.join(".env");
        for (mode, warns) in [(0o600, false), (0o640, true), (0o604, true)] {
            write(&path, mode);
            let file = EnvFile::nearest(&inside, Reach::Folder).unwrap().unwrap();
            assert_eq!(file.warning().is_some(), warns, "{mode:o}");
        }
        std::fs::write(&path, "DISCORD_TOKEN=\nA=1\n").unwrap();
        assert_eq!(EnvFile::nearest(&inside, Reach::Folder).unwrap().unwrap().warning(), None);
    }

    fn parsed(text: &str) -> Result<BTreeMap<String, String>, Mistakes> {
        parse(Path::new(".env"), text.as_bytes())
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
