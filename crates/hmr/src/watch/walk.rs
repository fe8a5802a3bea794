//! Files and folders below a folder, with links followed and no cycle of them walked twice.

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
    /// Returns whether an entry is skipped.
    fn leaves_out(&self, path: &Path, is_folder: bool) -> bool;
}

/// Walks through `folder`, unless it is a link to a folder around it.
pub(super) fn walk(folder: &Path, visit: &mut impl Visit) {
    if let Ok(real) = folder.canonicalize() {
        // A walk may begin at a new link, and the folders around it are not part of this walk.
        let mut above = folder.ancestors().skip(1).filter_map(|folder| folder.canonicalize().ok()).collect();
        descend(folder, &real, &mut above, visit);
    }
}

fn descend(folder: &Path, real: &Path, above: &mut Vec<PathBuf>, visit: &mut impl Visit) {
    // A link to a folder around it would lead here again.
    if above.iter().any(|above| above.starts_with(real)) {
        return;
    }
    visit.folder(folder, real);
    above.push(real.to_path_buf());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        let is_link = kind.is_symlink();
        let (is_folder, is_file) =
            if is_link { (path.is_dir(), path.is_file()) } else { (kind.is_dir(), kind.is_file()) };
        if visit.leaves_out(&path, is_folder) {
            continue;
        }
        if is_link {
            visit.link(&path);
        }
        if is_folder {
            let inside = if is_link { path.canonicalize().ok() } else { Some(real.join(entry.file_name())) };
            if let Some(inside) = inside {
                descend(&path, &inside, above, visit);
            }
        } else if is_file {
            visit.file(path);
        }
    }
    above.pop();
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
}
