//! Whether two libraries are the same code.
//!
//! # Theory of operation
//!
//! A comment changes debug information and the build id, and nothing that is loaded. So two libraries are the same code
//! if all sections that the loader maps are equal, with their names, addresses and contents. A panic location that has
//! moved, an embedded file or a variable of the build is among those contents. Whatever cannot be read, or is too long
//! to be, counts as a change.
//!
//! Sections are read as the [ELF specification](https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.sheader.html)
//! describes them, for 64 bits and the byte order of nearly all machines.

use std::fs;
use std::path::Path;

/// The start of every such file: the magic number, 64 bits, little endian.
const START: &[u8] = b"\x7fELF\x02\x01";
/// Bytes of a section's header.
const HEADER: usize = 64;
/// The type of a section without contents in the file.
const NO_CONTENTS: u64 = 8;
/// The flag of a section that the loader maps.
const MAPPED: u64 = 2;
/// The section with a hash of all others, debug information included.
const BUILD_ID: &[u8] = b".note.gnu.build-id";

/// Longest library that is read, in bytes. A longer one embeds large data, and counts as a change.
const LONGEST: u64 = 256 << 20;

/// Returns whether both files are libraries that differ at most in what is not loaded.
pub(super) fn is_same_code(one: &Path, other: &Path) -> bool {
    let read = |library: &Path| {
        let is_short = fs::metadata(library).is_ok_and(|metadata| metadata.len() <= LONGEST);
        is_short.then(|| fs::read(library).ok()).flatten()
    };
    let (Some(one), Some(other)) = (read(one), read(other)) else { return false };
    mapped(&one).is_some_and(|sections| Some(sections) == mapped(&other))
}

/// A section that the loader maps.
#[derive(PartialEq)]
struct Section<'a> {
    name: &'a [u8],
    /// Type, flags, address, size, links and alignment: the header without the section's place in the file.
    header: [u64; 8],
    contents: &'a [u8],
}

/// Reads the sections that the loader maps. Returns `None` if the file is not a library, or has none.
fn mapped(file: &[u8]) -> Option<Vec<Section<'_>>> {
    file.starts_with(START).then_some(())?;
    let (table, names) = (number::<8>(file, 0x28)?, number::<2>(file, 0x3e)?);
    let (size, count) = (number::<2>(file, 0x3a)?, number::<2>(file, 0x3c)?);
    (usize::try_from(size).ok()? == HEADER).then_some(())?;
    let header =
        |index: u64| table.checked_add(index * HEADER as u64).and_then(|at| usize::try_from(at).ok());
    let names = contents(file, header(names)?)?;
    let mut sections = Vec::new();
    for index in 0..count {
        let at = header(index)?;
        let kind = number::<4>(file, at.checked_add(4)?)?;
        let flags = number::<8>(file, at.checked_add(8)?)?;
        if flags & MAPPED == 0 {
            continue;
        }
        let name = names.get(usize::try_from(number::<4>(file, at)?).ok()?..)?;
        let name = name.split(|byte| *byte == 0).next()?;
        let contents = if kind == NO_CONTENTS || name == BUILD_ID { &[] } else { contents(file, at)? };
        let header = [
            kind,
            flags,
            number::<8>(file, at + 16)?,
            number::<8>(file, at + 32)?,
            number::<4>(file, at + 40)?,
            number::<4>(file, at + 44)?,
            number::<8>(file, at + 48)?,
            number::<8>(file, at + 56)?,
        ];
        sections.push(Section { name, header, contents });
    }
    Some(sections).filter(|sections| !sections.is_empty())
}

/// Returns the contents of the section whose header is at `at`.
fn contents(file: &[u8], at: usize) -> Option<&[u8]> {
    let start = usize::try_from(number::<8>(file, at.checked_add(24)?)?).ok()?;
    let size = usize::try_from(number::<8>(file, at.checked_add(32)?)?).ok()?;
    file.get(start..start.checked_add(size)?)
}

/// Returns the number of `SIZE` bytes at `at`.
fn number<const SIZE: usize>(file: &[u8], at: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    bytes[..SIZE].copy_from_slice(file.get(at..at.checked_add(SIZE)?)?);
    Some(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROGRAM: u64 = 1;
    const NOTE: u64 = 7;

    /// Returns a library of these sections: name, type, flags and contents.
    fn library(sections: &[(&str, u64, u64, &[u8])]) -> Vec<u8> {
        let (mut names, mut bodies, mut headers) = (Vec::new(), vec![0; 64], Vec::new());
        let mut add = |names: &mut Vec<u8>, name: &str, kind: u64, flags: u64, body: &[u8]| {
            let mut header = [0; HEADER];
            header[..4].copy_from_slice(&u32::try_from(names.len()).unwrap().to_le_bytes());
            header[4..8].copy_from_slice(&u32::try_from(kind).unwrap().to_le_bytes());
            header[8..16].copy_from_slice(&flags.to_le_bytes());
            names.extend(name.bytes().chain([0]));
            let body = if body.is_empty() { names.clone() } else { body.to_vec() };
            header[24..32].copy_from_slice(&(bodies.len() as u64).to_le_bytes());
            header[32..40].copy_from_slice(&(body.len() as u64).to_le_bytes());
            bodies.extend(body);
            headers.extend(header);
        };
        for (name, kind, flags, body) in sections {
            add(&mut names, name, *kind, *flags, body);
        }
        add(&mut names, ".shstrtab", 3, 0, &[]);
        bodies[..6].copy_from_slice(START);
        let table = bodies.len() as u64;
        bodies[0x28..0x30].copy_from_slice(&table.to_le_bytes());
        let count = u16::try_from(sections.len()).unwrap();
        for (at, number) in [(0x3a, 64), (0x3c, count + 1), (0x3e, count)] {
            bodies[at..at + 2].copy_from_slice(&number.to_le_bytes());
        }
        bodies.extend(headers);
        bodies
    }

    fn same(one: &[u8], other: &[u8]) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let files = [folder.path().join("one"), folder.path().join("other")];
        std::fs::write(&files[0], one).unwrap();
        std::fs::write(&files[1], other).unwrap();
        is_same_code(&files[0], &files[1])
    }

    #[test]
    fn only_what_is_loaded_counts() {
        let with = |text: &[u8], debug: &[u8], id: &[u8]| {
            library(&[
                (".text", PROGRAM, MAPPED, text),
                (".note.gnu.build-id", NOTE, MAPPED, id),
                (".debug_line", PROGRAM, 0, debug),
            ])
        };
        let first = with(b"code", b"lines", b"1234");
        assert!(same(&first, &first));
        assert!(same(&first, &with(b"code", b"other lines, and more", b"5678")));
        assert!(!same(&first, &with(b"CODE", b"lines", b"1234")));
        assert!(!same(&first, &with(b"code and more", b"lines", b"1234")));
        let text = |name, kind, flags| library(&[(name, kind, flags, &b"code"[..])]);
        let one = text(".text", PROGRAM, MAPPED);
        for other in
            [text(".data", PROGRAM, MAPPED), text(".text", NOTE, MAPPED), text(".text", PROGRAM, MAPPED | 1)]
        {
            assert!(!same(&one, &other));
        }
        assert!(!same(&one, &first), "one has more sections");
    }

    #[test]
    fn a_library_that_is_too_long_to_be_read_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.so");
        fs::write(&file, library(&[(".text", 1, 2, b"code")])).unwrap();
        assert!(is_same_code(&file, &file));
        fs::File::options().write(true).open(&file).unwrap().set_len(1 << 40).unwrap();
        assert!(!is_same_code(&file, &file));
    }

    #[test]
    fn what_is_no_library_is_a_change() {
        let nothing_mapped = library(&[(".comment", PROGRAM, 0, b"rustc")]);
        for bytes in [&b""[..], b"text", START, &nothing_mapped] {
            assert!(!same(bytes, bytes), "{bytes:?}");
        }
        let own = std::env::current_exe().unwrap();
        assert!(is_same_code(&own, &own));
        assert!(!is_same_code(&own, Path::new("/nowhere/lib.so")));
    }

    proptest! {
        #[test]
        fn a_damaged_library_is_read_or_refused(
            at in 0_usize..400,
            byte in any::<u8>(),
            end in 0_usize..500,
        ) {
            let mut bytes = library(&[(".text", PROGRAM, MAPPED, b"code"), (".data", PROGRAM, MAPPED, b"data")]);
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(end);
            let _ = mapped(&bytes);
        }
    }
}
