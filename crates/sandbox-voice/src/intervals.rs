//! Distribution of the times between packets: counts in buckets of a tenth of a millisecond.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Width of a bucket, in microseconds.
const WIDTH: u64 = 100;
/// Number of buckets; a time beyond them is only known by its maximum.
const BUCKETS: usize = 5_000;

/// Distribution of times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Intervals {
    buckets: Vec<u32>,
    count: u64,
    longest: u64,
}

/// Times between packets, in milliseconds; percentiles are rounded up to a tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Between {
    /// Number of times measured. A time after silence, when a sender may stop, is not counted.
    pub count: u64,
    /// Median.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Longest time.
    pub max_ms: f64,
}

impl Intervals {
    /// Counts a time.
    pub(crate) fn add(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.count += 1;
        self.longest = self.longest.max(micros);
        let bucket = usize::try_from(micros / WIDTH).unwrap_or(BUCKETS);
        if bucket < BUCKETS {
            if self.buckets.len() <= bucket {
                self.buckets.resize(bucket + 1, 0);
            }
            self.buckets[bucket] += 1;
        }
    }

    /// Adds everything that another one has counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
    }

    /// Returns the distribution in five numbers.
    pub(crate) fn report(&self) -> Between {
        Between {
            count: self.count,
            p50_ms: self.percentile(50),
            p95_ms: self.percentile(95),
            p99_ms: self.percentile(99),
            max_ms: millis(self.longest),
        }
    }

    fn percentile(&self, percent: u64) -> f64 {
        let wanted = (self.count * percent).div_ceil(100);
        let mut seen = 0;
        for (upper, count) in (1_u64..).zip(&self.buckets) {
            seen += u64::from(*count);
            if seen >= wanted {
                return millis((upper * WIDTH).min(self.longest));
            }
        }
        millis(self.longest)
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of hours are far below 2^52")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::Intervals;

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_sorted_times(micros in vec(0_u64..700_000, 1..200), at in 0_usize..200) {
            let mut all = Intervals::default();
            let mut rest = Intervals::default();
            for (index, micros) in micros.iter().enumerate() {
                let part = if index < at { &mut all } else { &mut rest };
                part.add(Duration::from_micros(*micros));
            }
            all.merge(&rest);
            let report = all.report();
            let mut sorted = micros.clone();
            sorted.sort_unstable();
            let exact = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100) - 1];
            let longest = *sorted.last().unwrap();
            prop_assert_eq!(report.count, sorted.len() as u64);
            for (told, percent) in [(report.p50_ms, 50), (report.p95_ms, 95), (report.p99_ms, 99)] {
                let exact = exact(percent);
                let upper = if exact < 500_000 { (exact / 100 + 1) * 100 } else { longest }.min(longest);
                prop_assert!((told - super::millis(upper)).abs() < 1e-9, "{} for {}", told, exact);
            }
            prop_assert!((report.max_ms - super::millis(longest)).abs() < 1e-9);
        }
    }
}
