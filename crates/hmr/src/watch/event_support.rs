//! Whether the system reports changes where the sources are.
//!
//! # Theory of operation
//!
//! The kernel reports no changes that another machine makes in a folder shared over a network or by the host of a
//! virtual machine. A trial on this side cannot show that, since changes made on this side are reported. So the kind of
//! file system decides. A trial is made nevertheless, for systems that report nothing at all.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher as _};

/// Longest wait for the event of a trial.
const TRIAL: Duration = Duration::from_secs(2);

/// Kinds of file systems that other machines may write to, by Linux's names: those of networks and virtual machines.
const SHARED: &[&str] = &[
    "9p",
    "acfs",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "drvfs",
    "fakeowner",
    "gfs2",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "prl_fs",
    "smb3",
    "smbfs",
    "vboxsf",
    "virtiofs",
    "vmhgfs",
];

/// File systems implemented by programs that no other machine writes to.
const OWN_PROGRAMS: &[&str] = &["fuse.fuse-overlayfs", "fuse.gocryptfs"];

/// Why the system reports no changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEvents {
    /// Another machine may change a folder without an event.
    Shared {
        /// Folder where the file system is mounted.
        place: PathBuf,
        /// Its kind, as the system names it.
        kind: String,
    },
    /// A trial caused no event.
    Nothing,
}

impl fmt::Display for NoEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared { place, kind } => {
                write!(
                    f,
                    "{} is on {kind}, which does not tell of what is written elsewhere",
                    place.display()
                )
            }
            Self::Nothing => f.write_str("this system tells of no saves"),
        }
    }
}

impl NoEvents {
    /// Returns why the system will not report changes in the workspace at `root`; `None` if it will.
    pub fn of(root: &Path) -> Option<Self> {
        // On systems other than Linux this file does not exist, and the trial alone decides.
        let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
        Self::by_mount(root, &Mount::all(&mounts))
            .or_else(|| (!tells(&root.join(".hotcord"))).then_some(Self::Nothing))
    }

    /// Checks the mount of `root`, and those below it that sources may be in.
    fn by_mount(root: &Path, mounts: &[Mount]) -> Option<Self> {
        let own = mounts.iter().rfind(|mount| mount.is_visible_at(root, mounts));
        let below = ["bot", "commands", "crates", "events"].map(|part| root.join(part));
        let inside = mounts.iter().filter(|mount| below.iter().any(|part| mount.place.starts_with(part)));
        let shared = own.into_iter().chain(inside).find(|mount| mount.is_shared())?;
        Some(Self::Shared { place: shared.place.clone(), kind: shared.kind.clone() })
    }
}

/// A line of `mountinfo`.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    place: PathBuf,
    kind: String,
}

impl Mount {
    /// Reads all lines. Mounts that cover others come last.
    ///
    /// Source: proc_pid_mountinfo(5): `36 35 98:0 /root /place options optional-fields - kind source options`.
    fn all(mountinfo: &[u8]) -> Vec<Self> {
        mountinfo.split(|byte| *byte == b'\n').filter_map(Self::read).collect()
    }

    fn read(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        let place = PathBuf::from(OsString::from_vec(unescaped(fields.nth(4)?)));
        fields.find(|field| *field == b"-")?;
        let kind = String::from_utf8(fields.next()?.to_vec()).ok()?;
        Some(Self { place, kind })
    }

    /// Returns whether `path` is on this mount and not on a deeper one. Mounts at the same place are not distinguished.
    fn is_visible_at(&self, path: &Path, mounts: &[Self]) -> bool {
        let depth = |mount: &Self| mount.place.components().count();
        path.starts_with(&self.place)
            && !mounts.iter().any(|other| path.starts_with(&other.place) && depth(other) > depth(self))
    }

    fn is_shared(&self) -> bool {
        let kind = self.kind.as_str();
        let is_program = kind == "fuse" || kind.starts_with("fuse.") && !OWN_PROGRAMS.contains(&kind);
        is_program || SHARED.contains(&kind)
    }
}

/// Decodes escapes such as `\040`, which the kernel writes for separators.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, after)) = rest.split_first() {
        let octal =
            after.get(..3).filter(|_| *byte == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    plain
}

/// Writes a file of its own into `folder`, and returns whether the system reported it. If that cannot be tried, returns
/// `true`.
fn tells(folder: &Path) -> bool {
    let (sender, events) = mpsc::channel();
    let tried = || -> notify::Result<bool> {
        fs::create_dir_all(folder)?;
        let mut watcher = RecommendedWatcher::new(sender, Config::default())?;
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        let file = folder.join(format!(".trial-{}", std::process::id()));
        fs::write(&file, "")?;
        let told = events.recv_timeout(TRIAL).is_ok();
        fs::remove_file(&file)?;
        Ok(told)
    };
    tried().unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts(lines: &[&str]) -> Vec<Mount> {
        Mount::all(lines.join("\n").as_bytes())
    }

    fn kind(root: &str, lines: &[&str]) -> Option<String> {
        match NoEvents::by_mount(Path::new(root), &mounts(lines))? {
            NoEvents::Shared { kind, .. } => Some(kind),
            NoEvents::Nothing => None,
        }
    }

    #[test]
    fn lines_are_read_with_their_escapes_and_optional_fields() {
        let lines = [
            r"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
            r"40 35 0:50 / /home/a\040b\134c rw - fuse.grpcfuse grpcfuse rw",
            "",
            "nonsense",
        ];
        let expected = [("/mnt2", "ext3"), (r"/home/a b\c", "fuse.grpcfuse")]
            .map(|(place, kind)| Mount { place: place.into(), kind: kind.to_owned() });
        assert_eq!(mounts(&lines), expected);
    }

    #[test]
    fn the_innermost_mount_counts_and_of_several_in_one_place_the_last() {
        let root = "1 0 8:1 / / rw - overlay overlay rw";
        let shared = "2 1 0:40 / /workspace rw - virtiofs host rw";
        let target = "3 2 8:1 /volume /workspace/target rw - ext4 /dev/a rw";
        let over = "4 2 8:1 / /workspace rw - ext4 /dev/a rw";
        assert_eq!(kind("/workspace", &[root]), None);
        assert_eq!(kind("/workspace", &[root, shared, target]), Some("virtiofs".to_owned()));
        assert_eq!(kind("/workspace/inner", &[shared, root]), Some("virtiofs".to_owned()));
        assert_eq!(kind("/workspaces", &[root, shared]), None);
        assert_eq!(kind("/workspace", &[root, shared, over]), None);
        assert_eq!(kind("/workspace", &[root, over, shared]), Some("virtiofs".to_owned()));
    }

    #[test]
    fn a_mount_below_the_workspace_counts_where_sources_are() {
        let root = "1 0 8:1 / / rw - ext4 /dev/a rw";
        let music = "2 1 0:40 / /w/music rw - nfs4 server:/music rw";
        let plugin = "3 1 0:41 / /w/commands/ours rw - cifs //server/ours rw";
        assert_eq!(kind("/w", &[root, music]), None);
        assert_eq!(kind("/w", &[root, music, plugin]), Some("cifs".to_owned()));
    }

    #[test]
    fn file_systems_of_networks_and_of_virtual_machines_are_shared() {
        for (name, is_shared) in [
            ("9p", true),
            ("virtiofs", true),
            ("fakeowner", true),
            ("fuse.osxfs", true),
            ("fuse.grpcfuse", true),
            ("fuse.sshfs", true),
            ("nfs4", true),
            ("vboxsf", true),
            ("ext4", false),
            ("btrfs", false),
            ("overlay", false),
            ("tmpfs", false),
            ("fuseblk", false),
            ("fuse.fuse-overlayfs", false),
        ] {
            let line = format!("1 0 8:1 / / rw - {name} x rw");
            assert_eq!(kind("/w", &[&line]).is_some(), is_shared, "{name}");
        }
    }

    #[test]
    fn here_saves_are_told_of_and_the_trial_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert!(tells(folder.path()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(
            NoEvents::Shared { place: "/w".into(), kind: "9p".to_owned() }.to_string(),
            "/w is on 9p, which does not tell of what is written elsewhere"
        );
    }
}
