//! Variables that were renamed. The former name still works, with a warning.

use std::collections::BTreeMap;

/// Former names, each with the current one. `docs/configuration.md` lists them.
pub(super) const FORMER_NAMES: &[(&str, &str)] = &[("HMR_UNFIT_STATE", "HMR_INCOMPATIBLE_STATE")];

/// Returns the current name of a variable that was renamed.
pub(super) fn current(former: &str) -> Option<&'static str> {
    FORMER_NAMES.iter().find(|(name, _)| *name == former).map(|(_, current)| *current)
}

/// Returns the former name of a variable, if it has one.
pub(super) fn of(current: &str) -> Option<&'static str> {
    FORMER_NAMES.iter().find(|(_, name)| *name == current).map(|(former, _)| *former)
}

/// Returns a file's variables overlaid with those of the environment. The environment wins under either of two names.
pub(super) fn overlay(
    mut file: BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    for (former, current) in FORMER_NAMES {
        if environment.contains_key(*former) {
            file.remove(*current);
        }
    }
    file.extend(environment.clone());
    file
}

/// Returns a warning for each variable that is set under its former name.
pub(super) fn warnings(variables: &BTreeMap<String, String>) -> Vec<String> {
    let is_set = |name: &str| variables.get(name).is_some_and(|value| !value.trim().is_empty());
    FORMER_NAMES
        .iter()
        .filter(|(former, _)| is_set(former))
        .map(|(former, current)| {
            if is_set(current) {
                format!("{former} is ignored, because {current}, its present name, is set too; remove it.")
            } else {
                format!("{former} is now called {current}; the former name works for now.")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_environment_wins_under_either_name() {
        for (former, current) in FORMER_NAMES {
            let file = variables(&[(current, "file"), ("A", "file")]);
            let merged = overlay(file, &variables(&[(former, "environment")]));
            assert_eq!(merged, variables(&[(former, "environment"), ("A", "file")]));
            let file = variables(&[(former, "file")]);
            let merged = overlay(file, &variables(&[(current, "environment")]));
            assert_eq!(merged[*current], "environment");
        }
    }

    #[test]
    fn a_name_is_either_former_or_present() {
        for (former, current) in FORMER_NAMES {
            assert_eq!((super::current(former), of(current)), (Some(*current), Some(*former)));
            assert_eq!((super::current(current), of(former)), (None, None));
        }
    }
}
