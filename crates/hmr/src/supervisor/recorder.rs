//! Notes of what is in progress, in a file mapped into memory: they remain after the host has died.
//!
//! The file is an array of slots of fixed size. A slot is taken, filled and freed with a few stores to memory and no
//! system call. The kernel keeps what was stored, however the process ends.

use std::fmt::{self, Write as _};
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap};
use sdk_core::PluginId;

/// Number of slots. If all are taken, nothing more is noted.
const SLOTS: usize = 512;
const TEXT: usize = 120;

const FREE: u32 = 0;
const TAKEN: u32 = 1;
const WAITING: u32 = 2;
const RUNNING: u32 = 3;

/// One slot, with its layout in the file.
#[repr(C)]
struct Slot {
    state: AtomicU32,
    length: AtomicU32,
    text: [AtomicU8; TEXT],
}

/// Keeps the notes of this process.
pub(crate) struct Recorder {
    slots: &'static [Slot],
    next: AtomicUsize,
}

impl Recorder {
    /// Creates an empty file and maps it for the life of the process.
    pub(crate) fn create(file: &Path) -> io::Result<Self> {
        // A file of its own: an older process may still have the one before mapped.
        let _ = std::fs::remove_file(file);
        let mapped = OpenOptions::new().read(true).write(true).create_new(true).open(file)?;
        let length = SLOTS * size_of::<Slot>();
        mapped.set_len(u64::try_from(length).unwrap_or_default())?;
        // SAFETY: a fresh mapping at an address of the kernel's choice touches no memory of ours. It is never unmapped,
        // so it is valid for 'static. It is page-aligned, exactly `length` bytes long, and zeroed; `Slot` consists of
        // atomic integers only, for which any bytes are valid and which may change at any time. The file is ours alone
        // and is never truncated.
        #[allow(unsafe_code)]
        let slots = unsafe {
            let start = mmap(
                std::ptr::null_mut(),
                length,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &mapped,
                0,
            )?;
            std::slice::from_raw_parts(start.cast::<Slot>(), SLOTS)
        };
        Ok(Self { slots, next: AtomicUsize::new(0) })
    }
}

/// Writes text into a slot, as much as fits.
struct Text<'a> {
    slot: &'a Slot,
    length: usize,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, words: &str) -> fmt::Result {
        for byte in words.bytes().take(TEXT - self.length) {
            self.slot.text[self.length].store(byte, Ordering::Relaxed);
            self.length += 1;
        }
        Ok(())
    }
}

impl sdk_core::flight::Recorder for Recorder {
    fn begin(&self, plugin: &PluginId, generation: u64, what: fmt::Arguments<'_>) -> Option<usize> {
        let from = self.next.fetch_add(1, Ordering::Relaxed);
        let index = (0..SLOTS).map(|step| (from + step) % SLOTS).find(|index| {
            let state = &self.slots[*index].state;
            state.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok()
        })?;
        let slot = &self.slots[index];
        let mut text = Text { slot, length: 0 };
        let _ = write!(text, "{plugin}\n{generation}\n{what}");
        slot.length.store(u32::try_from(text.length).unwrap_or_default(), Ordering::Relaxed);
        slot.state.store(WAITING, Ordering::Release);
        Some(index)
    }

    fn set_running(&self, slot: usize, running: bool) {
        if let Some(slot) = self.slots.get(slot) {
            slot.state.store(if running { RUNNING } else { WAITING }, Ordering::Release);
        }
    }

    fn end(&self, slot: usize) {
        if let Some(slot) = self.slots.get(slot) {
            slot.state.store(FREE, Ordering::Release);
        }
    }
}

/// A call, task or hook that was in progress when a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// Plugin it belongs to.
    pub(crate) plugin: PluginId,
    /// Generation it belongs to.
    pub(crate) generation: u64,
    /// What it was, such as `/ping` or `task watch`.
    pub(crate) what: String,
    /// Whether a thread was running it at that moment.
    pub(crate) running: bool,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} {}", self.what, self.plugin, self.generation)
    }
}

/// Reads the notes that a process has left. Returns none if there is no file.
pub(crate) fn read(file: &Path) -> Vec<Note> {
    let bytes = std::fs::read(file).unwrap_or_default();
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_ne_bytes).unwrap_or_default();
    bytes
        .chunks_exact(size_of::<Slot>())
        .filter_map(|slot| {
            let (state, rest) = slot.split_at(4);
            let (length, text) = rest.split_at(4);
            let state = number(state);
            let length = usize::try_from(number(length)).ok()?;
            let text = String::from_utf8_lossy(text.get(..length)?);
            let mut parts = text.splitn(3, '\n');
            let (plugin, generation, what) = (parts.next()?, parts.next()?, parts.next()?);
            matches!(state, WAITING | RUNNING).then(|| Note {
                plugin: PluginId::new(plugin),
                generation: generation.parse().unwrap_or_default(),
                what: what.to_owned(),
                running: state == RUNNING,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use sdk_core::flight::Recorder as _;

    use super::*;

    #[test]
    fn what_is_under_way_is_in_the_file_and_what_has_ended_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flight");
        let recorder = Recorder::create(&file).unwrap();
        let plugin = PluginId::new("commands/one");
        let ping = recorder.begin(&plugin, 5, format_args!("/ping")).unwrap();
        let long = recorder.begin(&plugin, 5, format_args!("component {}", "ä".repeat(200))).unwrap();
        let over = recorder.begin(&plugin, 5, format_args!("/over")).unwrap();
        recorder.set_running(ping, true);
        recorder.end(over);
        let notes = read(&file);
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert_eq!(notes[0].to_string(), "/ping of commands/one 5");
        assert!(notes[0].running && !notes[1].running);
        assert!(notes[1].what.starts_with("component ää"), "{notes:?}");
        recorder.end(long);
        recorder.end(ping);
        assert_eq!(read(&file), []);
    }

    #[test]
    fn when_all_places_are_taken_nothing_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::create(&folder.path().join("flight")).unwrap();
        let plugin = PluginId::new("commands/one");
        let begin = || recorder.begin(&plugin, 1, format_args!("/ping"));
        let slots: Vec<_> = (0..SLOTS).map(|_| begin().unwrap()).collect();
        assert_eq!(begin(), None);
        recorder.end(slots[9]);
        assert_eq!(begin(), Some(slots[9]));
    }
}
