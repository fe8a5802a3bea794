//! Files and folders below a folder, with links followed and no cycle of them walked twice.
//!
//! What a link leads to has a limit: a link to `/usr` would add a watch for each of its thousands of folders, and a
//! second for each of a save's checks. A folder of the workspace itself has none: it is not there by mistake.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Receives the entries of a walk.
pub(super) trait Visit {
    /// A folder, before its entries are read: the path it was reached by, and its real path.
    fn folder(&mut self, path: &Path, real: &Path);
    /// A link, before its target.
    fn link(&mut self, path: &Path);
    /// A file.
    fn file(&mut self, path: PathBuf);
    /// A link to a tree of more than [`MAX_FOLDERS`] folders or [`MAX_ENTRIES`] entries. The walk goes on after it, and
    /// what was visited below it is not part of the walk.
    fn too_large(&mut self, link: &Path);
    /// Returns whether an entry is skipped.
    fn leaves_out(&self, path: &Path, is_folder: bool) -> bool;
}

/// Maximum number of folders behind a link.
pub(super) const MAX_FOLDERS: usize = 1_000;
/// Maximum number of entries behind a link, in all folders together.
pub(super) const MAX_ENTRIES: usize = 20_000;

/// Walks through `folder`, unless it is a link to a folder around it.
pub(super) fn walk(folder: &Path, visit: &mut impl Visit) {
    if let Ok(real) = folder.canonicalize() {
        // A walk may begin at a new link, and the folders around it are not part of this walk.
        let above = folder.ancestors().skip(1).filter_map(|folder| folder.canonicalize().ok()).collect();
        let mut walk = Walk { above, behind_link: None };
        if folder.is_symlink() {
            walk.follow(folder, &real, visit);
        } else {
            walk.descend(folder, &real, visit);
        }
    }
}

/// A walk, at the folder where it is.
struct Walk {
    /// Real paths of the folders around it.
    above: Vec<PathBuf>,
    /// What may still be visited behind the link that led here; `None` if none did.
    behind_link: Option<Left>,
}

/// How much may still be visited.
struct Left {
    folders: usize,
    entries: usize,
}

/// The limit of what is behind a link is reached.
struct TooLarge;

impl Walk {
    /// Walks through the folder to which a link leads.
    fn follow(&mut self, link: &Path, real: &Path, visit: &mut impl Visit) {
        let depth = self.above.len();
        self.behind_link = Some(Left { folders: MAX_FOLDERS, entries: MAX_ENTRIES });
        if self.try_descend(link, real, visit).is_err() {
            self.above.truncate(depth);
            visit.too_large(link);
        }
        self.behind_link = None;
    }

    fn descend(&mut self, folder: &Path, real: &Path, visit: &mut impl Visit) {
        // Outside of links there is no limit that could be reached.
        let _ = self.try_descend(folder, real, visit);
    }

    fn try_descend(&mut self, folder: &Path, real: &Path, visit: &mut impl Visit) -> Result<(), TooLarge> {
        // A link to a folder around it would lead here again.
        if self.above.iter().any(|above| above.starts_with(real)) {
            return Ok(());
        }
        self.take(|left| &mut left.folders)?;
        visit.folder(folder, real);
        self.above.push(real.to_path_buf());
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            let is_link = kind.is_symlink();
            let (is_folder, is_file) =
                if is_link { (path.is_dir(), path.is_file()) } else { (kind.is_dir(), kind.is_file()) };
            if visit.leaves_out(&path, is_folder) {
                continue;
            }
            self.take(|left| &mut left.entries)?;
            if is_link {
                visit.link(&path);
            }
            if is_folder && is_link {
                if let Ok(inside) = path.canonicalize() {
                    // The first link on the way is the one that a developer can find and name.
                    if self.behind_link.is_some() {
                        self.try_descend(&path, &inside, visit)?;
                    } else {
                        self.follow(&path, &inside, visit);
                    }
                }
            } else if is_folder {
                self.try_descend(&path, &real.join(entry.file_name()), visit)?;
            } else if is_file {
                visit.file(path);
            }
        }
        self.above.pop();
        Ok(())
    }

    /// Takes one from what may still be visited.
    fn take(&mut self, part: impl FnOnce(&mut Left) -> &mut usize) -> Result<(), TooLarge> {
        let Some(left) = &mut self.behind_link else { return Ok(()) };
        let part = part(left);
        *part = part.checked_sub(1).ok_or(TooLarge)?;
        Ok(())
    }
}

/// Collects the files below `folder`, leaving out hidden folders and build output.
pub(crate) fn files_below(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    struct Collect<'a>(&'a mut BTreeSet<PathBuf>);

    impl Visit for Collect<'_> {
        fn folder(&mut self, _: &Path, _: &Path) {}
        fn link(&mut self, _: &Path) {}
        fn file(&mut self, path: PathBuf) {
            self.0.insert(path);
        }
        fn too_large(&mut self, link: &Path) {
            self.0.retain(|file| !file.starts_with(link));
        }
        fn leaves_out(&self, path: &Path, is_folder: bool) -> bool {
            is_folder && is_never_source(path)
        }
    }

    walk(folder, &mut Collect(files));
}

/// Returns whether a folder's name is one of build output or of tools.
pub(super) fn is_never_source(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| {
        name == "target" || name.as_encoded_bytes().first().is_some_and(|first| *first == b'.')
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_and_circles_end() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |inside: &str| folder.path().join(inside);
        fs::create_dir_all(at("one/src")).unwrap();
        fs::create_dir_all(at("two")).unwrap();
        fs::create_dir_all(at("one/target")).unwrap();
        for file in ["one/src/lib.rs", "one/target/out.rs", "two/a.rs"] {
            fs::write(at(file), "").unwrap();
        }
        fs::write(elsewhere.path().join("b.rs"), "").unwrap();
        symlink("..", at("one/src/up")).unwrap();
        symlink("/", at("one/src/top")).unwrap();
        symlink(".", at("one/src/here")).unwrap();
        symlink("itself", at("one/itself")).unwrap();
        symlink(at("two"), at("one/other")).unwrap();
        symlink(at("one"), at("two/other")).unwrap();
        symlink(elsewhere.path(), at("two/linked")).unwrap();
        symlink(elsewhere.path().join("b.rs"), at("two/b.rs")).unwrap();
        symlink(elsewhere.path().join("none.rs"), at("two/none.rs")).unwrap();

        let mut files = BTreeSet::new();
        files_below(&at("one"), &mut files);
        let expected = ["one/src/lib.rs", "one/other/a.rs", "one/other/b.rs", "one/other/linked/b.rs"];
        assert_eq!(files, expected.map(at).into());

        for link in
            ["one/src/up", "one/src/top", "one/src/here", "one/other/other", "one/other/other/src/top"]
        {
            let mut files = BTreeSet::new();
            files_below(&at(link), &mut files);
            assert!(
                files.is_empty(),
                "a walk that begins at {link} is in a circle from the start: {files:?}"
            );
        }
        let mut files = BTreeSet::new();
        files_below(&at("one/other"), &mut files);
        let expected = ["one/other/a.rs", "one/other/b.rs", "one/other/linked/b.rs"];
        assert_eq!(files, expected.map(at).into(), "a link that leads elsewhere is followed");
    }

    #[test]
    fn a_link_to_a_huge_tree_is_left_out_and_the_rest_is_walked() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (at, away) = (|inside: &str| folder.path().join(inside), elsewhere.path());
        fs::create_dir_all(at("src")).unwrap();
        // What is left out, such as build output, does not count.
        for number in 0..=MAX_FOLDERS {
            fs::create_dir_all(away.join(format!("target/{number}"))).unwrap();
        }
        for (number, file) in ["src/lib.rs", "z.rs"].into_iter().enumerate() {
            fs::write(at(file), number.to_string()).unwrap();
        }
        fs::write(away.join("a.rs"), "").unwrap();
        symlink(away, at("src/linked")).unwrap();
        symlink(away, at("linked")).unwrap();
        let walked = || {
            let mut files = BTreeSet::new();
            files_below(folder.path(), &mut files);
            files
        };
        let all = ["src/lib.rs", "z.rs", "linked/a.rs", "src/linked/a.rs"];
        assert_eq!(walked(), all.map(at).into());

        // As many folders as there may be, and one more.
        for number in 1..MAX_FOLDERS {
            fs::create_dir(away.join(number.to_string())).unwrap();
        }
        assert_eq!(walked(), all.map(at).into());
        fs::create_dir(away.join("one-more")).unwrap();
        assert_eq!(walked(), ["src/lib.rs", "z.rs"].map(at).into());
        let mut files = BTreeSet::new();
        files_below(&at("linked"), &mut files);
        assert!(files.is_empty(), "a walk that begins at the link: {files:?}");
        files_below(away, &mut files);
        assert_eq!(files, [away.join("a.rs")].into(), "a folder that no link leads to has no limit");
    }
}
