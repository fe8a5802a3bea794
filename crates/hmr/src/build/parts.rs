//! The durations of the parts of a reload.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The durations of the parts of a reload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// From the save to the start of the build.
    pub watch: Duration,
    /// Compiler and linker.
    pub build: Duration,
    /// Loading in the child process.
    pub probe: Duration,
    /// Loading and checking in the host, and the `start` hook.
    pub preflight: Duration,
    /// Building the tables and the atomic store.
    pub swap: Duration,
}

impl Parts {
    /// Returns the milliseconds of each part by its name.
    pub fn by_name(&self) -> BTreeMap<String, f64> {
        let parts = [
            ("watch", self.watch),
            ("build", self.build),
            ("probe", self.probe),
            ("preflight", self.preflight),
            ("swap", self.swap),
        ];
        // Whole microseconds: anything finer is noise.
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        parts.into_iter().map(|(name, time)| (name.to_owned(), ms(time))).collect()
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        write!(
            f,
            "watch {:.0}, build {:.0}, probe {:.0}, preflight {:.1}, swap {:.1}",
            ms(self.watch),
            ms(self.build),
            ms(self.probe),
            ms(self.preflight),
            ms(self.swap)
        )
    }
}
