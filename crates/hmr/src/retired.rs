//! What becomes of the code of a retired generation: it stays mapped, and its memory is given back.
//!
//! # Theory of operation
//!
//! A library is never unloaded, see [`library`](crate::library). Of what it takes, its code and constants are as they
//! are in the file, so the process can let go of those pages: should something still run there, the kernel reads them
//! again. What the loader has relocated and what the plugin writes exists in this process alone and stays.

use std::{fs, io};

/// Gives back the memory of code and constants of the library that has `code`; returns how many bytes that is at most.
///
/// # Errors
/// When the system does not tell where the library is mapped, or refuses.
pub fn release(code: usize) -> io::Result<usize> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let mut released = 0;
    for (address, length) in unwritten(&maps, code) {
        // SAFETY: these pages belong to a library that is never unloaded, and hold nothing but what is in its file:
        // they are mapped without leave to write, and are not those that the loader has relocated (see `unwritten`).
        // Giving them back changes no value that code can see; the next access reads them from the file, which stays
        // on disk as long as it is mapped.
        #[allow(unsafe_code)]
        unsafe {
            rustix::mm::madvise(address as *mut _, length, rustix::mm::Advice::LinuxDontNeed)
        }?;
        released += length;
    }
    Ok(released)
}

/// Finds those mappings of the library at an address that nobody, the loader included, has ever written: its code, and
/// what stands at the very beginning of the file.
///
/// Relocated constants are mapped without leave to write as well, but neither executable nor from the beginning.
fn unwritten(maps: &str, code: usize) -> Vec<(usize, usize)> {
    let all: Vec<_> = maps.lines().filter_map(Mapping::read).collect();
    let Some(own) = all.iter().find(|mapping| (mapping.from..mapping.to).contains(&code)) else {
        return Vec::new();
    };
    let is_unwritten = |mapping: &&Mapping<'_>| {
        mapping.file == own.file && !mapping.is_writable && (mapping.is_code || mapping.is_first)
    };
    all.iter().filter(is_unwritten).map(|mapping| (mapping.from, mapping.to - mapping.from)).collect()
}

/// A line of `/proc/self/maps` that tells of a file.
struct Mapping<'a> {
    from: usize,
    to: usize,
    is_writable: bool,
    is_code: bool,
    /// Whether it begins where the file does.
    is_first: bool,
    /// Device and inode.
    file: (&'a str, &'a str),
}

impl<'a> Mapping<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let (range, permissions, offset) = (fields.next()?, fields.next()?.as_bytes(), fields.next()?);
        let file = (fields.next()?, fields.next()?);
        let (from, to) = range.split_once('-')?;
        // Memory without a file has inode 0.
        (file.1 != "0").then_some(Self {
            from: usize::from_str_radix(from, 16).ok()?,
            to: usize::from_str_radix(to, 16).ok()?,
            is_writable: permissions.get(1) == Some(&b'w'),
            is_code: permissions.get(2) == Some(&b'x'),
            is_first: offset.bytes().all(|digit| digit == b'0'),
            file,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_writes_is_given_back() {
        let maps = "\
7000-8000 r--p 00000000 fd:00 7 /w/liba-1.so (deleted)
8000-b000 r-xp 00001000 fd:00 7 /w/liba-1.so (deleted)
b000-c000 r--p 00004000 fd:00 7 /w/liba-1.so (deleted)
c000-d000 rw-p 00005000 fd:00 7 /w/liba-1.so (deleted)
d000-e000 r-xp 00001000 fd:00 8 /w/libb-1.so
e000-f000 rw-p 00000000 00:00 0
";
        assert_eq!(unwritten(maps, 0x9abc), [(0x7000, 0x1000), (0x8000, 0x3000)]);
        assert_eq!(unwritten(maps, 0xe100), []);
    }

    #[test]
    fn code_that_was_given_back_still_runs() {
        // Any library will do; the C library's code runs all the time.
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let code = maps.lines().find(|line| line.contains("libc.so") && line.contains("r-xp")).unwrap();
        let from = usize::from_str_radix(code.split('-').next().unwrap(), 16).unwrap();
        assert!(release(from).unwrap() > 0);
        assert!(fs::read_to_string("/proc/self/maps").unwrap().lines().any(|line| line == code));
    }
}
