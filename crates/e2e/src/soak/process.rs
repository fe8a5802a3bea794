//! What a process holds, as the kernel tells it.

use std::{fs, io};

/// What a process holds at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Memory that is this process's alone, in KiB: `Private_Dirty`, and `Private_Clean` of plugins' libraries and of
    /// what has no file.
    ///
    /// Unchanged pages of the program and its shared libraries are left out: they do not grow, and count as private or
    /// not by whether a probe process is there that has them mapped too.
    pub private_kib: u64,
    /// Address space taken by plugins' libraries, in KiB.
    pub mapped_kib: u64,
    /// Open file descriptors.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
}

impl Held {
    /// Reads it.
    ///
    /// # Errors
    /// When the process is gone, or the system has no `/proc`.
    pub fn of(pid: u32) -> io::Result<Self> {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
        Ok(Self {
            private_kib: private(&read("smaps")?),
            mapped_kib: mapped(&read("maps")?) / 1024,
            descriptors: fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64,
            threads: field(&read("status")?, "Threads:").unwrap_or_default(),
        })
    }
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

/// Sums what is private in all mappings.
fn private(smaps: &str) -> u64 {
    let (mut sum, mut counts_clean) = (0, true);
    for line in smaps.lines() {
        let number = || line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
        if line.starts_with("Private_Dirty:") || counts_clean && line.starts_with("Private_Clean:") {
            sum += number().unwrap_or_default();
        } else if line.starts_with(|first: char| first.is_ascii_digit() || ('a'..='f').contains(&first)) {
            // The head of a mapping begins with its address, in small letters.
            counts_clean = !line.contains(" /") || line.contains("/plugins/");
        }
    }
    sum
}

/// Sums the sizes of mappings whose file is in the folder that plugins are built into.
fn mapped(maps: &str) -> u64 {
    let size = |line: &str| {
        let (from, to) = line.split_whitespace().next()?.split_once('-')?;
        Some(u64::from_str_radix(to, 16).ok()? - u64::from_str_radix(from, 16).ok()?)
    };
    maps.lines().filter(|line| line.contains("/plugins/")).filter_map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_holds_something() {
        let held = Held::of(std::process::id()).unwrap();
        assert!(held.private_kib > 0 && held.descriptors > 2 && held.threads > 0, "{held:?}");
        assert_eq!(held.mapped_kib, 0);
    }

    #[test]
    fn clean_pages_count_where_they_are_a_plugins() {
        let mapping = |path: &str| {
            format!("7f00-8f00 r-xp 0 0:1 2 {path}\nSize: 99 kB\nPrivate_Clean: 4 kB\nPrivate_Dirty: 8 kB\n")
        };
        assert_eq!(private(&mapping("/lib/libc.so.6")), 8);
        assert_eq!(private(&mapping("/w/target/hmr/plugins/commands-a/liba-1.so (deleted)")), 12);
        assert_eq!(private(&(mapping("") + &mapping("[heap]"))), 24);
    }

    #[test]
    fn libraries_of_plugins_are_told_from_others() {
        let maps = "7f00-8f00 r-xp 0 0:1 2 /w/target/hmr/plugins/commands-a/liba-1.so (deleted)\n\
                    9000-a000 r-xp 0 0:1 2 /lib/libc.so.6\n9000-a000 rw-p 0 0:0 0 \n";
        assert_eq!(mapped(maps), 0x1000);
    }
}
