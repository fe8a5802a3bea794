//! The ways in which editors save a file.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::Path;

/// How a save reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The file is overwritten, then truncated to its new length: mmap editors, `dd conv=notrunc`.
    InPlace,
    /// A new file is renamed over the old one: vim, VS Code with atomic saves, `sed -i`.
    Rename,
    /// The file is truncated, then written piece by piece: nano, `echo >`, most others.
    Truncate,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::InPlace, Self::Rename, Self::Truncate];

    pub(super) fn save(self, path: &Path, text: &str) -> io::Result<()> {
        match self {
            Self::InPlace => {
                let mut file = File::options().write(true).open(path)?;
                file.rewind()?;
                file.write_all(text.as_bytes())?;
                file.set_len(text.len() as u64)
            }
            Self::Rename => {
                let beside = path.with_extension("save");
                fs::write(&beside, text)?;
                fs::rename(&beside, path)
            }
            Self::Truncate => {
                let mut file = File::create(path)?;
                for piece in text.as_bytes().chunks(200) {
                    file.write_all(piece)?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_leaves_the_text_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rs");
        fs::write(&path, "x".repeat(1000)).unwrap();
        for way in Way::ALL {
            for text in [format!("{way:?} {}", "long ".repeat(100)), format!("{way:?} short")] {
                way.save(&path, &text).unwrap();
                assert_eq!(fs::read_to_string(&path).unwrap(), text);
                assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
            }
        }
    }
}
