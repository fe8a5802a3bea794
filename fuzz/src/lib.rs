//! Shared code of all targets: panics that may be caught, a count of the memory in use, and a clock of processor time.

pub mod ogg;

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Most bytes that may be in use.
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);
static HELD: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which ends the process if more memory is in use than an input may use.
///
/// libFuzzer's own limit of a single allocation needs a sanitizer, and its limit of the whole process counts only
/// memory that is touched.
struct Limited;

#[global_allocator]
static ALLOCATOR: Limited = Limited;

fn take(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
    if held > MOST.load(Ordering::Relaxed) {
        // The panic allocates too.
        MOST.store(usize::MAX, Ordering::Relaxed);
        panic!("{held} bytes are in use, {bytes} of them just asked for");
    }
}

fn give(bytes: usize) {
    HELD.fetch_sub(bytes, Ordering::Relaxed);
}

// SAFETY: every call is forwarded unchanged. A panic in between aborts, see `forgive_libraries`.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: the caller's guarantee is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: the caller's guarantee is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        give(layout.size());
        // SAFETY: the caller's guarantee is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new: usize) -> *mut u8 {
        take(new);
        // SAFETY: the caller's guarantee is passed on.
        let moved = unsafe { System.realloc(pointer, layout, new) };
        give(layout.size());
        moved
    }
}

/// Runs `work`, during which at most `most` further bytes may be in use, and returns its result.
pub fn within<T>(most: usize, work: impl FnOnce() -> T) -> T {
    guard(false);
    MOST.store(HELD.load(Ordering::Relaxed).saturating_add(most), Ordering::Relaxed);
    let done = work();
    MOST.store(usize::MAX, Ordering::Relaxed);
    done
}

/// Lets panics in other crates unwind, which the player has guards for. Panics outside such a guard, and in our own
/// code, end the process.
pub fn forgive_libraries() {
    guard(true);
}

/// Installs a panic hook in front of libFuzzer's, once, and sets whether panics of libraries are forgiven.
fn guard(forgives: bool) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let ends = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // Reading debug information takes more memory than most inputs may use, and keeps it.
            let (most, held) = (MOST.swap(usize::MAX, Ordering::Relaxed), HELD.load(Ordering::Relaxed));
            let place = info.location().map(|place| place.file()).unwrap_or_default();
            // The standard library panics on behalf of its caller.
            let is_library =
                if place.starts_with("/rustc/") { is_called_by_library() } else { is_registry(place) };
            if !(forgives && is_library) {
                ends(info);
            }
            let kept = HELD.load(Ordering::Relaxed).saturating_sub(held);
            MOST.store(most.saturating_add(kept), Ordering::Relaxed);
        }));
    });
}

fn is_registry(place: &str) -> bool {
    place.contains("/registry/src/")
}

/// Returns whether the innermost function outside the standard library belongs to another crate.
fn is_called_by_library() -> bool {
    let trace = Backtrace::force_capture().to_string();
    let places = trace.lines().filter_map(|line| line.trim_start().strip_prefix("at "));
    let is_own = |place: &str| ["src/lib.rs", "./src/lib.rs"].iter().any(|own| place.starts_with(own));
    // The frames of this hook are among them.
    let mut callers = places.filter(|place| {
        !place.starts_with("/rustc/") && !place.contains("/fuzz/src/lib.rs") && !is_own(place)
    });
    callers.next().is_some_and(is_registry)
}

/// Returns how much processor time this thread has used.
pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) =
        (u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0));
    Duration::new(seconds, nanos)
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
}

/// Runs a future to its end on this thread. Tasks that it leaves behind continue with the next future.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}
