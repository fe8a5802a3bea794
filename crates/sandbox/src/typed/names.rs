//! Finding the known name that a mistyped one may mean.

/// Returns the known name with the fewest edits, if it is close enough.
pub(super) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let typed = typed.to_lowercase();
    let length = typed.chars().count();
    let (edits, name) =
        known.map(|name| (distance(&typed, &name.to_lowercase()), name)).min_by_key(|(edits, _)| *edits)?;
    (edits <= (length / 3).max(1) || name.to_lowercase().starts_with(&typed)).then(|| name.to_owned())
}

/// Returns the number of edits between two words, where two swapped neighbouring letters count once (optimal string
/// alignment).
fn distance(one: &str, two: &str) -> usize {
    let (one, two): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
    let mut rows = vec![(0..=two.len()).collect::<Vec<_>>()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(a != b);
            let mut least = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == two[j - 1] && one[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][two.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_the_name_that_was_meant() {
        let known = || ["text", "times", "user"].into_iter();
        assert_eq!(nearest("txet", known()).as_deref(), Some("text"));
        assert_eq!(nearest("usr", known()).as_deref(), Some("user"));
        assert_eq!(nearest("tim", known()).as_deref(), Some("times"));
        assert_eq!(nearest("colour", known()), None);
    }

    #[test]
    fn edits_are_counted_both_ways_alike() {
        assert_eq!((distance("", "abc"), distance("abc", "")), (3, 3));
        assert_eq!((distance("abcd", "acbd"), distance("kitten", "sitting")), (1, 3));
    }
}
