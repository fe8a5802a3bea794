//! When a file was saved, by the file system's time stamp where that can be true.
//!
//! An event may be read long after its save, on a machine that is busy with compilers. The kernel stamps every change
//! of a file with its own clock, and no program can set that stamp (inode(7), ctime). So a save is dated by it, as long
//! as it is near the moment at which the event was read. The time of modification may be anything: `cp -p`, a rename
//! and another machine's clock cause old and future ones.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant, SystemTime};

/// Longest delay of the system's report of a save. An older change was not this save.
const LATEST_REPORT: Duration = Duration::from_secs(10);

/// Longest time between writing a file and renaming it into place, if both are one save.
const ONE_SAVE: Duration = Duration::from_millis(250);

/// Largest step of the clock that the kernel stamps files with, which is advanced by its timer.
const GRAIN: Duration = Duration::from_millis(10);

/// A moment on the monotonic clock and on the wall clock, which stamps files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) steady: Instant,
    pub(super) wall: SystemTime,
}

/// What is known about when a change was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Noticed {
    /// When it was reported or, by polling, seen.
    pub(super) at: Moment,
    /// Longest time before `at` at which the change may have happened.
    pub(super) within: Duration,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { steady: Instant::now(), wall: SystemTime::now() }
    }

    /// Returns whether a file has changed since this moment.
    pub(super) fn precedes_change(&self, metadata: &Metadata) -> bool {
        changed_at(metadata).is_some_and(|changed| changed + GRAIN >= self.wall)
    }

    /// Returns the monotonic time of a wall clock time, as the clocks stood at this moment.
    fn of(&self, wall: SystemTime) -> Option<Instant> {
        match wall.duration_since(self.wall) {
            Ok(later) => self.steady.checked_add(later),
            Err(earlier) => self.steady.checked_sub(earlier.duration()),
        }
    }
}

impl Noticed {
    /// A change that the system has reported.
    pub(super) fn reported(at: Moment) -> Self {
        Self { at, within: LATEST_REPORT }
    }

    /// A change that is seen now and was not there `within` this time.
    pub(super) fn seen(within: Duration) -> Self {
        Self { at: Moment::now(), within }
    }

    /// A change that came along with this one: it was not there earlier, whatever its own time is.
    pub(super) fn along(self) -> Self {
        Self { within: Duration::ZERO, ..self }
    }

    /// Returns when a file with this metadata was saved.
    pub(super) fn saved(&self, metadata: &Metadata, now: Instant) -> Instant {
        self.date(changed_at(metadata), metadata.modified().ok(), now)
    }

    fn date(&self, changed: Option<SystemTime>, modified: Option<SystemTime>, now: Instant) -> Instant {
        let Some(changed) = changed else { return self.at.steady };
        let written =
            modified.filter(|modified| changed.duration_since(*modified).is_ok_and(|age| age < ONE_SAVE));
        let earliest = self.at.steady.checked_sub(self.within);
        let is_likely =
            |moment: &Instant| *moment <= now && earliest.is_none_or(|earliest| *moment >= earliest);
        let dated = [written, Some(changed)].into_iter().flatten().filter_map(|wall| self.at.of(wall));
        dated.into_iter().find(is_likely).unwrap_or(self.at.steady)
    }
}

/// Returns when a file was last changed, by the kernel's stamp.
fn changed_at(metadata: &Metadata) -> Option<SystemTime> {
    let time =
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(metadata.ctime()).ok()?))?;
    time.checked_add(Duration::from_nanos(u64::try_from(metadata.ctime_nsec()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Returns how long before the report a save was, by the times of its file before the report and the time since it.
    fn age(changed: Duration, modified: Duration, since: Duration) -> Duration {
        let noticed = Noticed::reported(Moment::now());
        let (wall, now) = (noticed.at.wall, noticed.at.steady + since);
        noticed.at.steady - noticed.date(Some(wall - changed), Some(wall - modified), now)
    }

    #[test]
    fn a_save_is_dated_by_its_file_although_its_report_is_late() {
        let (late, written) = (SECOND * 3, SECOND * 3 + Duration::from_millis(40));
        assert_eq!(age(late, late, SECOND), late, "written in place");
        assert_eq!(age(late, written, SECOND), written, "written aside and renamed");
    }

    #[test]
    fn an_old_time_of_modification_is_not_that_of_the_save() {
        let (late, hour) = (Duration::from_millis(5), SECOND * 3600);
        assert_eq!(age(late, hour, SECOND), late, "cp -p, or an old file renamed into place");
        assert_eq!(age(hour, hour, SECOND), Duration::ZERO, "a file system that does not stamp a rename");
    }

    #[test]
    fn times_to_come_and_clocks_that_were_set_leave_the_report() {
        let noticed = Noticed::reported(Moment::now());
        let (wall, now) = (noticed.at.wall, noticed.at.steady + SECOND);
        let dated = |changed, modified| noticed.date(changed, modified, now);
        assert_eq!(dated(Some(wall), Some(wall + SECOND * 60)), noticed.at.steady, "touch -d tomorrow");
        assert_eq!(dated(Some(wall + SECOND * 60), Some(wall + SECOND * 60)), noticed.at.steady, "set back");
        assert_eq!(dated(Some(wall - SECOND * 60), Some(wall - SECOND * 60)), noticed.at.steady, "set ahead");
        assert_eq!(dated(None, None), noticed.at.steady);
        let later = wall + SECOND / 2;
        assert_eq!(dated(Some(later), Some(later)), noticed.at.steady + SECOND / 2, "saved again since");
    }

    #[test]
    fn what_came_along_with_a_folder_is_no_older_than_its_coming() {
        let noticed = Noticed::reported(Moment::now());
        let (wall, now) = (noticed.at.wall - SECOND, noticed.at.steady + SECOND);
        assert_eq!(noticed.along().date(Some(wall), Some(wall), now), noticed.at.steady);
        let polled = Noticed { within: SECOND * 2, ..noticed };
        assert_eq!(polled.date(Some(wall), Some(wall), now), noticed.at.steady.checked_sub(SECOND).unwrap());
    }
}
