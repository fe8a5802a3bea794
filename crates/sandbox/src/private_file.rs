//! Files that only their owner can read, replaced as a whole.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes a file, so that no reader sees half of it. A missing folder is made, for its owner alone too.
///
/// # Errors
/// When the file or its folder cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, false)
}

/// Does the same, so that after a crash of the machine it is the old or the new file, whole.
///
/// # Errors
/// When the file or its folder cannot be written.
pub fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, true)
}

fn replace(path: &Path, bytes: &[u8], durably: bool) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder)?;
    let draft = draft(path);
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Never into an existing file, which another user may have put there.
    let mut file = options().create_new(true).open(&draft)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| if durably { file.sync_all() } else { Ok(()) })
        .and_then(|()| std::fs::rename(&draft, path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&draft);
        return Err(error);
    }
    // Without this the new name may be lost.
    #[cfg(unix)]
    if durably {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Returns the path of a file that is being written.
fn draft(path: &Path) -> PathBuf {
    path.with_extension(format!("new.{}", std::process::id()))
}

/// Returns options to write a file that only its owner can read if it is made.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Makes a folder that only its owner can read, and those around it, if they are missing.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut folders = DirBuilder::new();
    folders.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        folders.mode(0o700);
    }
    folders.create(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn only_its_owner_can_read_it_whatever_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file.json");
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
        for write in [write, write_durably] {
            write(&path, b"ours").unwrap();
            assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
            let other = folder.path().join("others");
            for place in [&path, &draft(&path)] {
                std::fs::write(&other, "theirs").unwrap();
                let _ = std::fs::remove_file(place);
                symlink(&other, place).unwrap();
                write(&path, b"ours again").unwrap();
                assert_eq!(std::fs::read_to_string(&path).unwrap(), "ours again");
                assert_eq!(
                    (mode(&path), std::fs::read_to_string(&other).unwrap().as_str()),
                    (0o600, "theirs")
                );
                assert!(path.symlink_metadata().unwrap().is_file());
            }
        }
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "a draft is left");
    }
}
