//! Medians and similar statistics.

use std::fmt;

use serde_json::{Value, json};

/// Measurements of one kind, in milliseconds.
#[derive(Clone, Default)]
pub struct Numbers(Vec<f64>);

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} measurements in ms: {}", self.len(), self.to_json())
    }
}

impl Numbers {
    /// Adds a measurement.
    pub fn push(&mut self, milliseconds: f64) {
        self.0.push(milliseconds);
    }

    /// Adds the measurements of another set.
    pub fn add(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Returns the number of measurements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no measurements.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value that a share of the measurements does not exceed (nearest rank); 0 if there are none.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn percentile(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.0.len() as f64).ceil() as usize;
        if self.0.is_empty() {
            return 0.0;
        }
        let mut sorted = self.0.clone();
        let place = rank.clamp(1, sorted.len()) - 1;
        *sorted.select_nth_unstable_by(place, f64::total_cmp).1
    }

    /// Returns the median.
    pub fn p50(&self) -> f64 {
        self.percentile(50.0)
    }

    /// Returns the largest measurement.
    pub fn max(&self) -> f64 {
        self.0.iter().copied().max_by(f64::total_cmp).unwrap_or_default()
    }

    /// Returns p50, p95 and max, rounded to a tenth.
    pub fn to_json(&self) -> Value {
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        json!({"p50": tenth(self.p50()), "p95": tenth(self.percentile(95.0)), "max": tenth(self.max())})
    }
}

impl FromIterator<f64> for Numbers {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut numbers = Self::default();
        values.into_iter().for_each(|value| numbers.push(value));
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measurements_of_the_nearest_rank() {
        let numbers: Numbers = (1..=100).rev().map(f64::from).collect();
        assert_eq!(numbers.to_json(), json!({"p50": 50.0, "p95": 95.0, "max": 100.0}));
        assert_eq!(Numbers::from_iter([7.0]).percentile(95.0).to_bits(), 7.0_f64.to_bits());
        assert!(Numbers::default().is_empty());
        let words = r#"100 measurements in ms: {"max":100.0,"p50":50.0,"p95":95.0}"#;
        assert_eq!(format!("{numbers:?}"), words);
    }
}
