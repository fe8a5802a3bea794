//! Compatibility of generations: the dependencies of each are live, in accepted versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dependency::On;
use crate::generation::Generation;
use crate::order::{Needs, circle_words};
use crate::services::{Linked, Offer};
use crate::{Dependency, PluginId};

/// Services of all live generations, by name.
pub(crate) type Offers = BTreeMap<String, (Arc<Generation>, usize)>;

/// The result of a compatibility check.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Reasons why the generations cannot be live together.
    pub(crate) problems: Vec<String>,
    /// Optional dependencies that do not match, which the plugin does without.
    pub(crate) notes: Vec<String>,
}

/// Returns the services of `generations`. Adds a sentence to `problems` for each service that two of them offer.
pub(crate) fn offers(
    generations: &BTreeMap<PluginId, Arc<Generation>>,
    problems: &mut Vec<String>,
) -> Offers {
    let mut offers = Offers::new();
    for (id, generation) in generations {
        for (index, offer) in generation.services().iter().enumerate() {
            if let Some((other, _)) = offers.insert(offer.name().to_owned(), (generation.clone(), index)) {
                problems.push(format!(
                    "service {} is offered by {} and by {id}",
                    offer.name(),
                    other.plugin()
                ));
            }
        }
    }
    offers
}

/// Checks `generations` for missing, incompatible and circular dependencies. Returns the problems and notes.
pub(crate) fn check(generations: &BTreeMap<PluginId, Arc<Generation>>, offers: &Offers) -> Report {
    let mut report = Report::default();
    for (id, generation) in generations {
        for dependency in &generation.manifest().dependencies {
            let problem = match &dependency.on {
                On::Plugin(plugin) => match generations.get(plugin) {
                    Some(other) => incompatible_plugin(id, dependency, other),
                    None if dependency.optional => None,
                    None => Some(format!("{id} needs {dependency}, which is not live")),
                },
                On::Service(name) => match offers.get(name) {
                    Some((provider, index)) => incompatible_service(
                        id,
                        generation.linked(),
                        dependency,
                        provider,
                        &provider.services()[*index],
                    ),
                    None if dependency.optional => None,
                    None => Some(format!("{id} needs {dependency}, which no live plugin offers")),
                },
            };
            let words = if dependency.optional { &mut report.notes } else { &mut report.problems };
            words.extend(problem);
        }
    }
    let circles = Needs::among(generations.values()).circles();
    report.problems.extend(circles.iter().map(|circle| circle_words(circle)));
    report
}

fn incompatible_plugin(id: &PluginId, dependency: &Dependency, other: &Generation) -> Option<String> {
    let version = &other.manifest().version;
    (!dependency.takes(version))
        .then(|| format!("{id} {} {dependency}, which is live as {version}", verb(dependency)))
}

/// Returns why a service is incompatible with the plugin `id`, as a sentence; `None` if it is compatible.
pub(crate) fn incompatible_service(
    id: &PluginId,
    linked: &Linked,
    dependency: &Dependency,
    provider: &Generation,
    offer: &Offer,
) -> Option<String> {
    let from = provider.plugin();
    if !dependency.takes(offer.version()) {
        return Some(format!(
            "{id} {} {dependency}, which {from} offers as {}",
            verb(dependency),
            offer.version()
        ));
    }
    let differs = linked.differs_in(provider.linked())?;
    let own = |id: &PluginId| id.as_str() == differs;
    Some(if own(id) || own(from) {
        format!(
            "{id} cannot take service {} of {from} while one of them links the other's crate; the trait has to be in \
             a crate that both link",
            offer.name()
        )
    } else {
        format!(
            "{id} cannot take service {} of {from}: their libraries hold different contents of {differs}; reload both",
            offer.name()
        )
    })
}

fn verb(dependency: &Dependency) -> &'static str {
    if dependency.optional { "would use" } else { "needs" }
}

#[cfg(test)]
mod tests;
