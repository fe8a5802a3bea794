//! Dependencies among generations, and what follows from them: the order of starts and stops, circles, dependents.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::PluginId;
use crate::dependency::On;
use crate::generation::Generation;

/// For each plugin its dependencies, with whether each is required.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs(BTreeMap<PluginId, BTreeMap<PluginId, bool>>);

impl Needs {
    /// Collects the dependencies among `generations`. Dependencies that none of them satisfies are left out.
    pub fn among<'a>(generations: impl IntoIterator<Item = &'a Arc<Generation>>) -> Self {
        let generations: Vec<_> = generations.into_iter().collect();
        let plugins: BTreeSet<_> = generations.iter().map(|generation| generation.plugin()).collect();
        let services: HashMap<_, _> = generations
            .iter()
            .flat_map(|generation| {
                generation.services().iter().map(|offer| (offer.name(), generation.plugin()))
            })
            .collect();
        let mut needs = Self::default();
        for generation in &generations {
            let of_one = needs.0.entry(generation.plugin().clone()).or_default();
            for dependency in &generation.manifest().dependencies {
                let met_by = match &dependency.on {
                    On::Plugin(plugin) => plugins.get(plugin).copied(),
                    On::Service(name) => services.get(name.as_str()).copied(),
                };
                if let Some(plugin) = met_by {
                    *of_one.entry(plugin.clone()).or_default() |= !dependency.optional;
                }
            }
        }
        needs
    }

    /// Returns the dependencies of `plugin`, with whether each is required.
    pub fn of(&self, plugin: &PluginId) -> impl Iterator<Item = (&PluginId, bool)> {
        self.0.get(plugin).into_iter().flatten().map(|(plugin, required)| (plugin, *required))
    }

    /// Returns those of `waiting` that none of the others has to come before.
    ///
    /// What a plugin merely uses has to come before it too, except where that goes round in a circle. Returns none only
    /// where plugins that cannot do without each other go round in one.
    fn free<'a>(&self, waiting: &BTreeSet<&'a PluginId>) -> Vec<&'a PluginId> {
        let free = |optional_too: bool| -> Vec<_> {
            let is_free = |plugin: &&PluginId| {
                !self.of(plugin).any(|(other, required)| {
                    (required || optional_too) && other != *plugin && waiting.contains(other)
                })
            };
            waiting.iter().copied().filter(is_free).collect()
        };
        let with_optional = free(true);
        if with_optional.is_empty() { free(false) } else { with_optional }
    }

    /// Returns all plugins so that each comes after its required dependencies.
    ///
    /// Optional dependencies come first too, except in a circle.
    pub fn order(&self) -> Vec<PluginId> {
        let mut waiting: BTreeSet<_> = self.0.keys().collect();
        let mut order = Vec::new();
        // Nothing is free only in a circle, which is refused elsewhere.
        while let Some(next) = self.free(&waiting).first().or(waiting.first()).copied() {
            waiting.remove(next);
            order.push(next.clone());
        }
        order
    }

    /// Returns the circles of required dependencies, each starting with its first name. Of circles that overlap, one is
    /// returned.
    pub fn circles(&self) -> Vec<Vec<PluginId>> {
        let mut circles = Vec::new();
        let mut done = BTreeSet::new();
        for plugin in self.0.keys() {
            let mut path = Vec::new();
            self.walk(plugin, &mut path, &mut done, &mut circles);
        }
        circles
    }

    fn walk<'a>(
        &'a self,
        plugin: &'a PluginId,
        path: &mut Vec<&'a PluginId>,
        done: &mut BTreeSet<&'a PluginId>,
        circles: &mut Vec<Vec<PluginId>>,
    ) {
        if let Some(place) = path.iter().position(|one| *one == plugin) {
            let mut circle: Vec<_> = path[place..].iter().copied().cloned().collect();
            let first =
                circle.iter().enumerate().min_by_key(|(_, plugin)| *plugin).map_or(0, |(index, _)| index);
            circle.rotate_left(first);
            circles.push(circle);
            return;
        }
        if done.contains(plugin) {
            return;
        }
        path.push(plugin);
        for (other, required) in self.of(plugin) {
            if required {
                self.walk(other, path, done, circles);
            }
        }
        path.pop();
        done.insert(plugin);
    }

    /// Returns the plugins that depend on one of `plugins`, directly or indirectly, without these themselves.
    pub fn dependents(&self, plugins: &BTreeSet<PluginId>) -> BTreeSet<PluginId> {
        let mut found = plugins.clone();
        loop {
            let more: Vec<_> = self
                .0
                .keys()
                .filter(|plugin| {
                    !found.contains(*plugin) && self.of(plugin).any(|(other, _)| found.contains(other))
                })
                .cloned()
                .collect();
            if more.is_empty() {
                return found.difference(plugins).cloned().collect();
            }
            found.extend(more);
        }
    }
}

/// Plugins that are all to start: each has its turn after those that it needs.
///
/// The one order in which a host brings in its plugins at the beginning, linked or loaded. What a plugin needs and does not
/// find by its turn, because that was left out, is for whoever starts it to see.
pub struct Startup(BTreeMap<PluginId, Arc<Generation>>);

/// What comes next at a [`Startup`].
pub enum Turn {
    /// These start, side by side if need be.
    Start(Vec<Arc<Generation>>),
    /// These cannot: they cannot do without each other. Each circle begins with its first name.
    Circles(Vec<Vec<PluginId>>),
}

impl Startup {
    /// Plans the start of `generations`, one of each plugin.
    pub fn new(generations: impl IntoIterator<Item = Arc<Generation>>) -> Self {
        Self(generations.into_iter().map(|generation| (generation.plugin().clone(), generation)).collect())
    }
}

impl Iterator for Startup {
    type Item = Turn;

    fn next(&mut self) -> Option<Turn> {
        if self.0.is_empty() {
            return None;
        }
        let needs = Needs::among(self.0.values());
        let mut free: BTreeSet<_> = needs.free(&self.0.keys().collect()).into_iter().cloned().collect();
        // One that needs itself has nothing to wait for, and never starts.
        let circles = needs.circles();
        free.retain(|plugin| !circles.iter().any(|circle| circle.contains(plugin)));
        if free.is_empty() {
            self.0.retain(|plugin, _| !circles.iter().any(|circle| circle.contains(plugin)));
            return Some(Turn::Circles(circles));
        }
        Some(Turn::Start(free.iter().filter_map(|plugin| self.0.remove(plugin)).collect()))
    }
}

/// Returns a sentence about a circle: `a -> b -> a need each other ...`.
pub fn circle_words(circle: &[PluginId]) -> String {
    let names: Vec<_> = circle.iter().chain(circle.first()).map(PluginId::as_str).collect();
    format!(
        "{} need each other in a circle; make one of these dependencies optional or drop it",
        names.join(" -> ")
    )
}

/// Returns generations in the order in which they start: each after its dependencies.
pub fn to_start(generations: &[Arc<Generation>]) -> Vec<Arc<Generation>> {
    let by_plugin: BTreeMap<_, _> =
        generations.iter().map(|generation| (generation.plugin(), generation)).collect();
    Needs::among(generations)
        .order()
        .iter()
        .filter_map(|plugin| by_plugin.get(plugin).copied().cloned())
        .collect()
}

/// Returns generations in the order in which they stop: in groups that stop together, each before its dependencies.
pub fn to_stop(generations: Vec<Arc<Generation>>) -> Vec<Vec<Arc<Generation>>> {
    let needs = Needs::among(&generations);
    let mut steps = Vec::new();
    let mut left = generations;
    while !left.is_empty() {
        let plugins: Vec<_> = left.iter().map(|generation| generation.plugin().clone()).collect();
        let is_needed = |generation: &Arc<Generation>, optional_too: bool| {
            plugins.iter().filter(|other| *other != generation.plugin()).any(|other| {
                needs
                    .of(other)
                    .any(|(plugin, required)| plugin == generation.plugin() && (required || optional_too))
            })
        };
        let (mut later, mut now): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|generation| is_needed(generation, true));
        if now.is_empty() {
            // Optional dependencies may form a circle.
            (later, now) = later.into_iter().partition(|generation| is_needed(generation, false));
        }
        if now.is_empty() {
            now = std::mem::take(&mut later);
        }
        steps.push(now);
        left = later;
    }
    steps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u8) -> PluginId {
        PluginId::new(format!("p{number}"))
    }

    fn needs(edges: &[(u8, u8, bool)]) -> Needs {
        let mut needs = Needs::default();
        for (plugin, other, required) in edges {
            needs.0.entry(id(*other)).or_default();
            *needs.0.entry(id(*plugin)).or_default().entry(id(*other)).or_default() |= *required;
        }
        needs
    }

    fn place(order: &[PluginId], plugin: &PluginId) -> usize {
        order.iter().position(|one| one == plugin).unwrap()
    }

    #[test]
    fn what_is_used_comes_first_unless_that_goes_round() {
        let order = needs(&[(1, 2, false), (2, 3, true)]).order();
        assert_eq!(order, [id(3), id(2), id(1)]);
        // 1 requires 2, which only uses 1.
        assert_eq!(needs(&[(1, 2, true), (2, 1, false)]).order(), [id(2), id(1)]);
    }

    #[test]
    fn a_circle_is_told_once_from_its_first_name() {
        let circles = needs(&[(2, 3, true), (3, 1, true), (1, 2, true), (4, 1, true)]).circles();
        assert_eq!(circles, [[id(1), id(2), id(3)]]);
        assert!(circle_words(&circles[0]).starts_with("p1 -> p2 -> p3 -> p1 need each other in a circle"));
        assert!(needs(&[(1, 2, true), (2, 1, false)]).circles().is_empty());
        assert_eq!(needs(&[(1, 1, true)]).circles(), [[id(1)]]);
    }

    #[test]
    fn dependents_are_found_through_others() {
        let needs = needs(&[(1, 2, true), (2, 3, false), (4, 3, true), (5, 6, true)]);
        assert_eq!(needs.dependents(&[id(3)].into()), [id(1), id(2), id(4)].into());
        assert_eq!(needs.dependents(&[id(3), id(2)].into()), [id(1), id(4)].into());
        assert!(needs.dependents(&[id(5)].into()).is_empty());
    }

    proptest! {
        #[test]
        fn each_comes_after_what_it_needs(edges in prop::collection::vec((0u8..12, 0u8..12, any::<bool>()), 0..40)) {
            // Required edges point to smaller numbers, so that they form no circle; the others go anywhere.
            let edges: Vec<_> = edges
                .into_iter()
                .filter(|(one, other, required)| one != other && (!required || other < one))
                .collect();
            let needs = needs(&edges);
            prop_assert!(needs.circles().is_empty());
            let order = needs.order();
            prop_assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), needs.0.len());
            prop_assert_eq!(order.len(), needs.0.len());
            for (plugin, other, required) in &edges {
                if *required {
                    prop_assert!(place(&order, &id(*other)) < place(&order, &id(*plugin)), "{:?}", order);
                }
            }
            // Without circles of any kind, optional dependencies come first as well.
            if edges.iter().all(|(one, other, _)| other < one) {
                for (plugin, other, _) in &edges {
                    prop_assert!(place(&order, &id(*other)) < place(&order, &id(*plugin)), "{:?}", order);
                }
            }
        }

        #[test]
        fn a_circle_is_found_exactly_when_there_is_one(edges in prop::collection::vec((0u8..6, 0u8..6), 0..14)) {
            let needs = needs(&edges.iter().map(|(one, other)| (*one, *other, true)).collect::<Vec<_>>());
            // Repeatedly removing whatever needs nothing leaves nothing if and only if there is no circle.
            let mut left: BTreeSet<_> = needs.0.keys().cloned().collect();
            while let Some(free) = left.iter().find(|one| !needs.of(one).any(|(other, _)| left.contains(other))).cloned() {
                left.remove(&free);
            }
            let circles = needs.circles();
            prop_assert_eq!(circles.is_empty(), left.is_empty());
            for circle in circles {
                for (index, plugin) in circle.iter().enumerate() {
                    let next = &circle[(index + 1) % circle.len()];
                    prop_assert!(needs.of(plugin).any(|(other, required)| required && other == next));
                }
            }
        }
    }
}
