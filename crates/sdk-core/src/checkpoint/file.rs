//! A file that is replaced whole, and where its like are put.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Puts `text` in the place of the file, which is whole at every moment and readable by its owner alone.
pub(super) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let new = beside(path, "new");
    // One that a crash has left may have other permissions.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)?;
    // The name has to last as well; where folders cannot be synchronised, the old file lasts instead.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Gives the path of a file's companion: `state.json.broken` of `state.json`.
pub(super) fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(word);
    name.into()
}

/// Gives the path itself, or one with a number behind it, that is not taken.
pub(super) fn free(path: &Path) -> PathBuf {
    let numbered = (2_u32..).map(|number| beside(path, &number.to_string()));
    std::iter::once(path.to_owned())
        .chain(numbered)
        .find(|path| !path.exists())
        .unwrap_or_else(|| path.to_owned())
}
