//! How much memory a loaded library takes, and how pages that can be read from its file again are released.
//!
//! A retired library stays mapped (see [`super::library`]). It then costs its private copies of pages: those that
//! relocation or the library itself has written to. The other pages are the file's. The kernel reads them again if any
//! of the old code runs again.

use std::ffi::c_void;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use sdk_core::ledger::Memory;

/// The mappings of one library in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    addresses: Range<usize>,
    is_writable: bool,
}

/// A page as `/proc/self/pagemap` describes it (Linux, Documentation/admin-guide/mm/pagemap.rst).
#[derive(Clone, Copy)]
struct Page(u64);

impl Page {
    fn is_in_memory(self) -> bool {
        self.0 >> 63 & 1 == 1
    }

    /// Returns whether it is a copy of this process's own, in memory or swapped out, and not the file's page.
    fn is_private(self) -> bool {
        let (is_swapped, is_the_files) = (self.0 >> 62 & 1 == 1, self.0 >> 61 & 1 == 1);
        is_swapped || self.is_in_memory() && !is_the_files
    }
}

impl Mapping {
    /// Finds the mappings of the library at `path`. Returns `None` if the system does not show them, or if the library
    /// is not loaded.
    ///
    /// Takes a few milliseconds in a process with thousands of libraries.
    pub fn of(path: &Path) -> Option<Self> {
        Self::read(&fs::read_to_string("/proc/self/maps").ok()?, path)
    }

    fn read(maps: &str, path: &Path) -> Option<Self> {
        let segments: Vec<_> = maps
            .lines()
            .filter_map(|line| {
                // 7f12a000-7f12b000 r-xp 00001000 fe:00 1234   /path/of/libone.so (deleted)
                let file = line.get(line.find('/')?..)?.trim_end_matches(" (deleted)");
                let (addresses, rest) = line.split_once(' ')?;
                let (start, end) = addresses.split_once('-')?;
                let address = |digits| usize::from_str_radix(digits, 16).ok();
                (Path::new(file) == path).then_some(Segment {
                    addresses: address(start)?..address(end)?,
                    is_writable: rest.as_bytes().get(1) == Some(&b'w'),
                })
            })
            .collect();
        (!segments.is_empty()).then_some(Self { segments })
    }

    /// Returns its memory at this moment, without zeroed data that belongs to no file.
    pub fn memory(&self) -> Memory {
        let mapped: usize = self.segments.iter().map(|segment| segment.addresses.len()).sum();
        let private = self.segments.iter().flat_map(Segment::pages).filter(|page| page.is_private()).count()
            * page_size();
        Memory { mapped: mapped as u64, private: private as u64 }
    }

    /// Releases the memory of pages that the file still has. Returns the number of bytes.
    pub fn give_back(&self) -> u64 {
        let mut given_back = 0;
        for segment in self.segments.iter().filter(|segment| !segment.is_writable) {
            let pages = segment.pages();
            // Relocation has written to some pages before they were made read-only. These hold the only copy.
            if pages.is_empty() || pages.iter().any(|page| page.is_private()) {
                continue;
            }
            let start = segment.addresses.start as *mut c_void;
            // SAFETY: the range is one mapping of a library that is never unloaded, so it stays this library's for the
            // life of the process. None of its pages is a private copy and none is writable, so each page is the
            // file's: after this call the next access reads the same bytes from the file again. The file is never
            // truncated or written to: rustc writes under another name, and a library that is not needed any more is
            // unlinked, which leaves its contents to the processes that have it mapped.
            #[allow(unsafe_code)]
            let advised = unsafe {
                rustix::mm::madvise(start, segment.addresses.len(), rustix::mm::Advice::LinuxDontNeed)
            };
            if advised.is_ok() {
                given_back += pages.iter().filter(|page| page.is_in_memory()).count() * page_size();
            }
        }
        given_back as u64
    }
}

impl Segment {
    /// Reads its pages. Returns none if the system does not show them.
    fn pages(&self) -> Vec<Page> {
        const ENTRY: usize = size_of::<u64>();
        let first = self.addresses.start / page_size();
        let mut bytes = vec![0; self.addresses.len() / page_size() * ENTRY];
        let read = File::open("/proc/self/pagemap")
            .and_then(|pagemap| pagemap.read_exact_at(&mut bytes, (first * ENTRY) as u64));
        if read.is_err() {
            return Vec::new();
        }
        bytes.as_chunks::<ENTRY>().0.iter().map(|entry| Page(u64::from_ne_bytes(*entry))).collect()
    }
}

fn page_size() -> usize {
    rustix::param::page_size()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_library_are_found_by_its_path() {
        let maps = "\
7f0000000000-7f0000001000 r--p 00000000 fe:00 12 /t/lib one.so (deleted)
7f0000001000-7f0000003000 r-xp 00001000 fe:00 12 /t/lib one.so (deleted)
7f0000003000-7f0000004000 rw-p 00003000 fe:00 12 /t/lib one.so (deleted)
7f0000004000-7f0000005000 rw-p 00000000 00:00 0
7f0000005000-7f0000006000 r--p 00000000 fe:00 13 /t/lib one.so.2
";
        let mapping = Mapping::read(maps, Path::new("/t/lib one.so")).unwrap();
        let writable: Vec<_> = mapping.segments.iter().map(|segment| segment.is_writable).collect();
        assert_eq!(writable, [false, false, true]);
        assert_eq!(mapping.segments[1].addresses, 0x7f00_0000_1000..0x7f00_0000_3000);
        assert_eq!(Mapping::read(maps, Path::new("/t/other.so")), None);
    }

    /// A file mapped like a library's text and one mapped like its relocated constants.
    #[test]
    fn only_pages_that_the_file_has_are_given_back() {
        use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mprotect};

        let page = page_size();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libone.so");
        fs::write(&path, vec![7; 4 * page]).unwrap();
        let file = File::open(&path).unwrap();
        let map = |offset: usize| {
            let flags = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: a fresh mapping of a file that only this test has.
            #[allow(unsafe_code)]
            let start = unsafe {
                mmap(std::ptr::null_mut(), 2 * page, flags, MapFlags::PRIVATE, &file, (offset * page) as u64)
            };
            start.unwrap().cast::<u8>()
        };
        let (text, relocated) = (map(0), map(2));
        // SAFETY: both mappings are two pages long and stay.
        #[allow(unsafe_code)]
        unsafe {
            relocated.write(9);
            assert_eq!((text.add(page).read(), relocated.add(page).read()), (7, 7));
            mprotect(text.cast(), 2 * page, MprotectFlags::READ).unwrap();
            mprotect(relocated.cast(), 2 * page, MprotectFlags::READ).unwrap();
        }
        let mapping = Mapping::of(&path).unwrap();
        assert_eq!(mapping.memory(), Memory { mapped: 4 * page as u64, private: page as u64 });
        fs::remove_file(&path).unwrap();
        assert!(mapping.give_back() >= page as u64);
        // SAFETY: as above. What was written is still there, and released pages are read from the file again.
        #[allow(unsafe_code)]
        unsafe {
            assert_eq!((text.read(), text.add(page).read(), relocated.read()), (7, 7, 9));
        }
    }
}
