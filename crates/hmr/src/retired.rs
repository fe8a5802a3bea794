//! What becomes of the code of a retired generation: it stays mapped, and its memory is given back.
//!
//! # Theory of operation
//!
//! A library is never unloaded, see [`library`](crate::library). Of what it takes, its code and constants are as they
//! are in the file, so the process can let go of those pages: should something still run there, the kernel reads them
//! again. What the loader has relocated and what the plugin writes exists in this process alone and stays.

use std::path::Path;
use std::{fs, io};

/// Gives back the memory of a library's code and constants; returns how many bytes that is at most.
///
/// # Errors
/// When the system does not tell where the library is mapped, or refuses.
pub fn release(library: &Path) -> io::Result<usize> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let mut released = 0;
    for (address, length) in unwritten(&maps, library) {
        // SAFETY: these pages belong to a library that is never unloaded, and hold nothing but what is in its file:
        // they are mapped without leave to write, and are not those that the loader has relocated (see `unwritten`).
        // Giving them back changes no value that code can see; the next access reads them from the file, which stays
        // on disk as long as it is mapped.
        #[allow(unsafe_code)]
        unsafe { rustix::mm::madvise(address as *mut _, length, rustix::mm::Advice::LinuxDontNeed) }?;
        released += length;
    }
    Ok(released)
}

/// Finds the mappings of a library that nobody, the loader included, has ever written: its code, and what stands at
/// the very beginning of the file.
///
/// Relocated constants are mapped without leave to write as well, but neither executable nor from the beginning.
fn unwritten(maps: &str, library: &Path) -> Vec<(usize, usize)> {
    let of = |line: &str| {
        let mut fields = line.split_whitespace();
        let (range, permissions, offset) = (fields.next()?, fields.next()?, fields.next()?);
        let path = line.get(line.find('/')?..)?;
        let is_it = Path::new(path.strip_suffix(" (deleted)").unwrap_or(path)) == library;
        let permissions = permissions.as_bytes();
        let is_unwritten = permissions.get(1) == Some(&b'-')
            && (permissions.get(2) == Some(&b'x') || offset.bytes().all(|digit| digit == b'0'));
        if !is_it || !is_unwritten {
            return None;
        }
        let (from, to) = range.split_once('-')?;
        let from = usize::from_str_radix(from, 16).ok()?;
        Some((from, usize::from_str_radix(to, 16).ok()?.checked_sub(from)?))
    };
    maps.lines().filter_map(of).collect()
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
        assert_eq!(unwritten(maps, Path::new("/w/liba-1.so")), [(0x7000, 0x1000), (0x8000, 0x3000)]);
        assert_eq!(unwritten(maps, Path::new("/w/libc-1.so")), []);
    }

    #[test]
    fn code_that_was_given_back_still_runs() {
        // Any library that is mapped will do; the C library's code runs all the time.
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let line = maps.lines().find(|line| line.contains("libc.so") || line.contains("libm.so")).unwrap();
        let path = line.split_whitespace().last().unwrap().to_owned();
        assert!(release(Path::new(&path)).unwrap() > 0);
        assert!(fs::read_to_string("/proc/self/maps").unwrap().contains(&path));
    }
}
