//! What a plugin's library was linked from, so that two versions of one crate never meet.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Contents of the crates of which a plugin's library holds a copy. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linked(Option<Arc<BTreeMap<String, u64>>>);

impl Linked {
    /// Returns the value for a plugin that is linked into the binary, together with all others.
    pub fn into_the_binary() -> Self {
        Self(None)
    }

    /// Returns the value for a library of its own, with a hash of each workspace crate of which it holds a copy.
    ///
    /// The plugin's own crate has to be included, with a value that no other library has.
    pub fn into_a_library(crates: BTreeMap<String, u64>) -> Self {
        Self(Some(Arc::new(crates)))
    }

    /// Returns the name of a crate whose contents differ; `None` if values may be passed between the two libraries.
    pub fn differs_in<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        match (&self.0, &other.0) {
            (None, None) => None,
            (Some(one), Some(other)) => one
                .iter()
                .find(|(name, hash)| other.get(*name).is_some_and(|other| other != *hash))
                .map(|(name, _)| name.as_str()),
            _ => Some("the sdk"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(crates: &[(&str, u64)]) -> Linked {
        Linked::into_a_library(crates.iter().map(|(name, hash)| ((*name).to_owned(), *hash)).collect())
    }

    #[test]
    fn libraries_agree_when_what_both_hold_is_the_same() {
        let provider = library(&[("commands/a", 1), ("crates/words", 7), ("crates/more", 8)]);
        let same = library(&[("events/b", 2), ("crates/words", 7)]);
        let stale = library(&[("events/b", 2), ("crates/words", 6)]);
        assert_eq!(provider.differs_in(&same), None);
        assert_eq!(stale.differs_in(&provider), Some("crates/words"));
        assert_eq!(provider.differs_in(&provider), None);
    }

    #[test]
    fn a_later_generation_and_who_links_the_plugin_itself_are_strangers() {
        let plugin = library(&[("commands/a", 1)]);
        assert_eq!(library(&[("commands/a", 2)]).differs_in(&plugin), Some("commands/a"));
        assert_eq!(library(&[("events/b", 3), ("commands/a", 9)]).differs_in(&plugin), Some("commands/a"));
    }

    #[test]
    fn one_binary_has_one_copy_of_everything() {
        let linked = Linked::into_the_binary();
        assert_eq!(linked.differs_in(&Linked::default()), None);
        assert!(linked.differs_in(&library(&[])).is_some());
    }
}
