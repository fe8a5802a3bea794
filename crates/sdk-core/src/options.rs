//! poise's options of one generation, whose owners are those of this moment.

use std::collections::{BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use poise::FrameworkOptions;
use serenity::all::UserId;

use crate::dispatch::{framework_options, panic_text};
use crate::{Command, Data, Error, Plugin};

/// Options as poise wants them, for one generation.
///
/// poise reads the owners from its options, which also hold the commands, and neither can be changed or copied. So
/// when the owners change, the plugin makes its commands once more; cooldowns begin anew with them.
pub(crate) struct Options {
    first: Arc<FrameworkOptions<Data, Error>>,
    renewed: ArcSwapOption<FrameworkOptions<Data, Error>>,
}

impl Options {
    /// Makes the options of a new generation.
    pub(crate) fn new(commands: Vec<Command>, owners: &BTreeSet<UserId>) -> Self {
        Self { first: Arc::new(framework_options(commands, owners)), renewed: ArcSwapOption::empty() }
    }

    /// Gives the commands as they were first made.
    pub(crate) fn commands(&self) -> &[Command] {
        &self.first.commands
    }

    /// Gives the options with these owners, for one event.
    pub(crate) fn with(
        &self,
        owners: &BTreeSet<UserId>,
        instance: &dyn Plugin,
    ) -> Arc<FrameworkOptions<Data, Error>> {
        if are_same(&self.first.owners, owners) {
            return self.first.clone();
        }
        if let Some(renewed) = self.renewed.load_full()
            && are_same(&renewed.owners, owners)
        {
            return renewed;
        }
        let commands = catch_unwind(AssertUnwindSafe(|| instance.commands())).unwrap_or_else(|panic| {
            let panic = panic_text(&*panic);
            tracing::error!(
                panic,
                "a plugin cannot make its commands for other owners, so none of them runs"
            );
            Vec::new()
        });
        let options = Arc::new(framework_options(commands, owners));
        self.renewed.store(Some(options.clone()));
        options
    }
}

fn are_same(one: &HashSet<UserId>, other: &BTreeSet<UserId>) -> bool {
    one.len() == other.len() && other.iter().all(|owner| one.contains(owner))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Plugin for Nothing {}

    struct Panics;

    impl Plugin for Panics {
        fn commands(&self) -> Vec<Command> {
            panic!("expected by the test")
        }
    }

    fn owners<const N: usize>(ids: [u64; N]) -> BTreeSet<UserId> {
        ids.map(UserId::new).into()
    }

    #[test]
    fn owners_of_this_moment_count_and_options_are_made_once_for_them() {
        let options = Options::new(Vec::new(), &owners([1]));
        let same = |one: &BTreeSet<UserId>| options.with(one, &Nothing);
        assert!(Arc::ptr_eq(&same(&owners([1])), &options.first));
        let other = same(&owners([2, 3]));
        assert_eq!(other.owners, HashSet::from([2, 3].map(UserId::new)));
        assert!(Arc::ptr_eq(&other, &same(&owners([3, 2]))));
        assert_eq!(same(&owners([])).owners.len(), 0);
        assert!(Arc::ptr_eq(&same(&owners([1])), &options.first));
    }

    #[test]
    fn commands_that_panic_leave_no_former_owner_in_power() {
        let options = Options::new(Vec::new(), &owners([1]));
        assert!(options.with(&owners([2]), &Panics).commands.is_empty());
    }
}
