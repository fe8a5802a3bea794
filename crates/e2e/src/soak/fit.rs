//! A slope that is robust against outliers.

/// Maximum number of points between which slopes are computed. Of more, every second, third and so on is used.
const MOST: usize = 400;

/// Returns the median of the slopes between all pairs of points (Theil and Sen); 0 for fewer than two.
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

/// Returns whether a count keeps growing: the minimum of each third of the samples is at least the maximum of the third
/// before it, and above that one's minimum.
///
/// A single step, such as one more connection in a pool, is no growth.
pub fn grows(counts: &[u64]) -> bool {
    let third = counts.len().div_ceil(3).max(1);
    let thirds: Vec<_> = counts.chunks(third).map(|third| (third.iter().min(), third.iter().max())).collect();
    thirds.len() == 3 && thirds.windows(2).all(|pair| pair[1].0 >= pair[0].1 && pair[1].0 > pair[0].0)
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
    fn a_count_that_goes_up_and_down_or_up_once_does_not_grow() {
        assert!(!grows(&[20, 22, 20, 23, 20, 21, 20, 22, 21, 20]));
        assert!(!grows(&[27, 27, 27, 28, 28, 28, 28, 28, 28, 28]));
        assert!(!grows(&[]));
    }

    #[test]
    fn a_count_that_leaks_grows() {
        assert!(grows(&[20, 21, 22, 23, 24, 25, 26, 27, 28, 29]));
        let one_in_a_hundred: Vec<_> = (0..1000).map(|reload| 27 + reload / 100).collect();
        assert!(grows(&one_in_a_hundred));
    }
}
