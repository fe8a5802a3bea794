//! The progress of a track as a line of characters.

use std::time::Duration;

/// Number of characters of the line.
const CELLS: u128 = 18;

/// Draws the progress of `position` towards `length`.
pub(crate) fn bar(position: Duration, length: Duration) -> String {
    let done = position.as_millis() * CELLS / length.as_millis().max(1);
    (0..CELLS).map(|cell| if cell == done.min(CELLS - 1) { '🔘' } else { '▬' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knob(position: u64, length: u64) -> usize {
        let line = bar(Duration::from_secs(position), Duration::from_secs(length));
        assert_eq!(line.chars().count(), 18);
        assert_eq!(line.matches('🔘').count(), 1);
        line.chars().position(|cell| cell == '🔘').unwrap()
    }

    #[test]
    fn the_knob_goes_from_the_first_cell_to_the_last() {
        assert_eq!([knob(0, 180), knob(9, 180), knob(10, 180), knob(90, 180)], [0, 0, 1, 9]);
        assert_eq!([knob(179, 180), knob(180, 180), knob(500, 180)], [17, 17, 17]);
        assert_eq!(knob(5, 0), 17);
    }
}
