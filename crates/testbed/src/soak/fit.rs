//! A slope that a few odd samples do not move.

/// Points between which slopes are taken; of more, every second, third ... is used.
const MOST: usize = 400;

/// Gives the median of the slopes between all pairs of points (Theil and Sen); 0 for fewer than two.
#[allow(clippy::cast_precision_loss)] // Counts of reloads and KiB are far below 2^52.
pub fn slope(points: &[(u64, u64)]) -> f64 {
    let step = points.len().div_ceil(MOST).max(1);
    let points: Vec<_> = points.iter().step_by(step).map(|(x, y)| (*x as f64, *y as f64)).collect();
    let mut slopes: Vec<_> = points
        .iter()
        .enumerate()
        .flat_map(|(index, from)| points[index + 1..].iter().map(move |to| (from, to)))
        .filter(|(from, to)| to.0 > from.0)
        .map(|(from, to)| (to.1 - from.1) / (to.0 - from.0))
        .collect();
    slopes.sort_by(f64::total_cmp);
    slopes.get(slopes.len() / 2).copied().unwrap_or_default()
}

/// Says whether a count has grown: even the least of the last fifth is above the most of the first fifth.
pub fn has_grown(counts: &[u64]) -> bool {
    let fifth = counts.len().div_ceil(5);
    let first = counts.iter().take(fifth).max();
    let last = counts.iter().rev().take(fifth).min();
    last > first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_many() {
        let mut points: Vec<_> = (0..1000).map(|x| (x, 5000 + 18 * x)).collect();
        points[70].1 = 900_000;
        points[500].1 = 0;
        assert!((slope(&points) - 18.0).abs() < 0.5, "{}", slope(&points));
        assert!(slope(&points[..1]).abs() < f64::EPSILON);
    }

    #[test]
    fn a_count_that_goes_up_and_down_has_not_grown() {
        assert!(!has_grown(&[20, 22, 20, 23, 20, 21, 20, 22, 21, 20]));
        assert!(has_grown(&[20, 21, 22, 23, 24, 25, 26, 27, 28, 29]));
        assert!(!has_grown(&[]));
    }
}
