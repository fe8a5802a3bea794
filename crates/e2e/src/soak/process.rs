//! A process's resources, read from the kernel.

use std::{fs, io};

/// A process's resources at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Memory that is private to this process, in KiB: `Private_Dirty`, and `Private_Clean` of plugins' libraries and
    /// of mappings without a file.
    ///
    /// Unchanged pages of the program and its shared libraries are left out: they do not grow, and whether they count
    /// as private depends on whether a probe process has mapped them too.
    pub private_kib: u64,
    /// Address space of plugins' libraries, in KiB.
    pub mapped_kib: u64,
    /// Open file descriptors.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
}

impl Held {
    /// Reads a process's resources.
    ///
    /// # Errors
    /// If the process is gone, or the system has no `/proc`.
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

/// Returns the sum of private memory in all mappings.
fn private(smaps: &str) -> u64 {
    let (mut sum, mut counts_clean) = (0, true);
    for line in smaps.lines() {
        let number = || line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
        if line.starts_with("Private_Dirty:") || counts_clean && line.starts_with("Private_Clean:") {
            sum += number().unwrap_or_default();
        } else if line.starts_with(|first: char| first.is_ascii_digit() || ('a'..='f').contains(&first)) {
            // The first line of a mapping begins with its address, in lower case.
            counts_clean = !line.contains(" /") || line.contains("/plugins/");
        }
    }
    sum
}

/// Returns the total size of mappings whose file is in the folder into which plugins are built.
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
