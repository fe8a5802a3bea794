//! Maps ordered by path: entries at or below a path are adjacent, so no others are visited.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};

/// Returns the entries at or below `path`.
pub(super) fn below<'a, V>(
    map: &'a BTreeMap<PathBuf, V>,
    path: &'a Path,
) -> impl Iterator<Item = (&'a PathBuf, &'a V)> {
    // Paths are ordered by their components.
    map.range::<Path, _>((Bound::Included(path), Bound::Unbounded))
        .take_while(move |(at, _)| at.starts_with(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_what_is_in_it_stand_together() {
        let names = ["/w/a", "/w/a/b", "/w/a/b/c", "/w/a-b", "/w/a.b/c", "/w/a0", "/w/b", "/w", "/"];
        let map: BTreeMap<_, _> =
            (0..).zip(names).map(|(n, name)| (PathBuf::from(name), n)).collect::<BTreeMap<_, u8>>();
        let found: Vec<_> = below(&map, Path::new("/w/a")).map(|(path, _)| path.clone()).collect();
        assert_eq!(found, ["/w/a", "/w/a/b", "/w/a/b/c"].map(PathBuf::from));
        assert_eq!(below(&map, Path::new("/w/a.b")).count(), 1);
        assert_eq!(below(&map, Path::new("/w/a.b/d")).count(), 0);
    }
}
