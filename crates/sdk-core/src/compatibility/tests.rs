use std::collections::BTreeMap;
use std::sync::Arc;

use crate::generation::Generation;
use crate::host::Host;
use crate::registry::Change;
use crate::routing_table::RoutingTable;
use crate::services::{Linked, Service};
use crate::settings::Settings;
use crate::{Dependency, Plugin, PluginEntry, PluginId, Services};

trait Greeter: Send + Sync {
    fn word(&self) -> String;
}

trait Other: Send + Sync {}

struct Says(String);

impl Greeter for Says {
    fn word(&self) -> String {
        self.0.clone()
    }
}

struct Sample {
    needs: fn() -> Vec<Dependency>,
    offers: &'static [(&'static str, &'static str)],
}

impl Plugin for Sample {
    fn dependencies(&self) -> Vec<Dependency> {
        (self.needs)()
    }

    fn services(&self, offer: &mut Services) {
        for (name, version) in self.offers {
            let word = format!("{} {}", offer.data().plugin(), offer.data().generation());
            offer.provide::<dyn Greeter>(name, version, Arc::new(Says(word)));
        }
    }
}

macro_rules! entry {
    ($package:literal, $offers:expr, $needs:expr) => {
        PluginEntry::new($package, "0.4.0", "", || Box::new(Sample { offers: &$offers, needs: || $needs }))
    };
}

fn host() -> Host {
    Host::new("1.0.0", Settings::default())
}

fn together(entries: &[PluginEntry]) -> Result<RoutingTable, Vec<String>> {
    let generations = entries.iter().map(|entry| Generation::new(entry, 1, &host()).unwrap());
    RoutingTable::new(generations.map(|generation| (generation.plugin().clone(), generation)).collect())
}

fn problems(entries: &[PluginEntry]) -> Vec<String> {
    together(entries).err().unwrap_or_default()
}

fn word(consumer: &Generation) -> Result<String, String> {
    let service: Result<Service<dyn Greeter>, _> = consumer.data.service("greeter");
    service.map(|greeter| greeter.word()).map_err(|error| error.to_string())
}

fn live(host: &Host, plugin: &str) -> Arc<Generation> {
    host.registry().snapshot().generations()[&PluginId::new(plugin)].clone()
}

fn library(crates: &[(&str, u64)]) -> Linked {
    Linked::into_a_library(crates.iter().map(|(name, hash)| ((*name).to_owned(), *hash)).collect())
}

#[test]
fn what_is_missing_or_unfit_is_told_with_both_names_and_versions() {
    let general = entry!("commands-general", [("greeter", "1.2.0")], vec![]);
    let fits = entry!("events-digest", [], vec![Dependency::service("greeter", "^1.2")]);
    assert!(problems(&[general, fits]).is_empty());
    assert_eq!(problems(&[fits]), ["events/digest needs service greeter ^1.2, which no live plugin offers"]);
    let unfit = entry!("events-digest", [], vec![Dependency::service("greeter", "^2")]);
    assert_eq!(
        problems(&[general, unfit]),
        ["events/digest needs service greeter ^2, which commands/general offers as 1.2.0"]
    );
    let fits = entry!("events-digest", [], vec![Dependency::required("commands/general").version("^0.4")]);
    assert!(problems(&[general, fits]).is_empty());
    assert_eq!(problems(&[fits]), ["events/digest needs commands/general ^0.4, which is not live"]);
    let unfit = entry!("events-digest", [], vec![Dependency::required("commands/general").version("^0.5")]);
    assert_eq!(
        problems(&[general, unfit]),
        ["events/digest needs commands/general ^0.5, which is live as 0.4.0"]
    );
}

#[test]
fn what_is_optional_may_be_missing_and_is_told_where_it_does_not_fit() {
    let digest = entry!("events-digest", [], vec![Dependency::optional_service("greeter", "^2")]);
    assert!(together(&[digest]).unwrap_or_else(|problems| panic!("{problems:?}")).notes().is_empty());
    let general = entry!("commands-general", [("greeter", "1.2.0")], vec![]);
    let snapshot = together(&[general, digest]).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(
        snapshot.notes(),
        ["events/digest would use service greeter ^2, which commands/general offers as 1.2.0"]
    );
}

#[test]
fn a_service_is_offered_by_one_plugin() {
    let entries = [
        entry!("commands-a", [("greeter", "1.0.0")], vec![]),
        entry!("commands-b", [("greeter", "2.0.0")], vec![]),
    ];
    assert_eq!(problems(&entries), ["service greeter is offered by commands/a and by commands/b"]);
}

#[test]
fn a_circle_of_what_is_needed_is_refused_and_one_of_what_is_used_is_not() {
    let a = entry!("commands-a", [("greeter", "1.0.0")], vec![Dependency::required("commands/b")]);
    let b = entry!("commands-b", [], vec![Dependency::service("greeter", "*")]);
    let told = problems(&[a, b]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("commands/a -> commands/b -> commands/a need each other in a circle"),
        "{told:?}"
    );
    let b = entry!("commands-b", [], vec![Dependency::optional_service("greeter", "*")]);
    assert!(problems(&[a, b]).is_empty());
}

#[test]
fn a_range_or_version_that_is_none_is_a_sentence_and_no_panic() {
    let refused =
        |entry: PluginEntry| Generation::new(&entry, 1, &host()).err().unwrap_or_default().join("; ");
    let told = refused(entry!("commands-a", [], vec![Dependency::required("commands/b").version("newest")]));
    assert!(told.contains("the versions 'newest' of commands/b are no semver range"), "{told}");
    let told = refused(entry!("commands-a", [("greeter", "1.x")], vec![]));
    assert!(told.contains("service greeter is offered as '1.x', which is no version"), "{told}");
    let told = refused(entry!("commands-a", [("greeter", "1.0.0"), ("greeter", "2.0.0")], vec![]));
    assert!(told.contains("service greeter is offered twice"), "{told}");
}

#[tokio::test]
async fn a_service_is_the_newest_except_in_a_call_that_a_swap_found_under_way() {
    let provider = entry!("commands-a", [("greeter", "1.0.0")], vec![]);
    let consumer = entry!("commands-b", [], vec![Dependency::service("greeter", "^1")]);
    let host = host();
    let made = |entry: &PluginEntry, number| Generation::new(entry, number, &host).unwrap();
    let swap = |install| host.registry().swap(Change { install, remove: Vec::new() }).map(|_| ());

    // Before the swap, a `start` hook finds the services of the same swap.
    let first = Change { install: vec![made(&provider, 1), made(&consumer, 1)], remove: Vec::new() };
    let old = first.install[1].clone();
    assert!(word(&old).unwrap_err().contains("no live plugin offers the service greeter"));
    let prospect = host.registry().prospect(&first).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(word(&old), Ok("commands/a 1".to_owned()));
    drop(prospect);
    swap(first.install).unwrap();

    // An event holds its snapshot while it is handled.
    let event = host.registry().snapshot();
    swap(vec![made(&provider, 2), made(&consumer, 2)]).unwrap();
    assert_eq!(word(&old), Ok("commands/a 1".to_owned()));
    assert_eq!(word(&live(&host, "commands/b")), Ok("commands/a 2".to_owned()));
    drop(event);
    assert_eq!(word(&old), Ok("commands/a 2".to_owned()));

    // If only the provider changes, a consumer that stays finds it.
    swap(vec![made(&provider, 3)]).unwrap();
    assert_eq!(word(&live(&host, "commands/b")), Ok("commands/a 3".to_owned()));
}

#[tokio::test]
async fn a_provider_in_use_is_not_quiet() {
    let host = host();
    let entries = [
        entry!("commands-a", [("greeter", "1.0.0")], vec![]),
        entry!("commands-b", [], vec![Dependency::service("greeter", "^1")]),
    ];
    let install = entries.iter().map(|entry| Generation::new(entry, 1, &host).unwrap()).collect();
    assert!(host.registry().swap(Change { install, remove: Vec::new() }).is_ok());
    let greeter: Service<dyn Greeter> = live(&host, "commands/b").data.service("greeter").unwrap();
    assert_eq!(live(&host, "commands/a").calls_under_way(), 1);
    assert_eq!(greeter.word(), "commands/a 1");
    drop(greeter);
    assert_eq!(live(&host, "commands/a").calls_under_way(), 0);
}

#[tokio::test]
async fn a_service_that_cannot_be_had_is_told_by_name() {
    let host = host();
    let entries = [
        entry!("commands-a", [("greeter", "1.0.0")], vec![]),
        entry!("commands-b", [], vec![Dependency::service("greeter", "^1")]),
        entry!("commands-c", [], vec![]),
        entry!("commands-d", [], vec![Dependency::optional_service("greeter", "^2")]),
    ];
    let install = entries.iter().map(|entry| Generation::new(entry, 1, &host).unwrap()).collect();
    assert!(host.registry().swap(Change { install, remove: Vec::new() }).is_ok());
    let told = word(&live(&host, "commands/c")).unwrap_err();
    assert!(told.contains("commands/c asks for the service greeter without naming it"), "{told}");
    let told = word(&live(&host, "commands/d")).unwrap_err();
    assert!(told.contains("service greeter ^2, which commands/a offers as 1.0.0"), "{told}");
    let other: Result<Service<dyn Other>, _> = live(&host, "commands/b").data.service("greeter");
    let told = other.unwrap_err().to_string();
    assert!(told.contains("commands/a offers the service greeter as dyn "), "{told}");
    assert!(told.contains("Greeter, and commands/b takes it for dyn ") && told.contains("Other"), "{told}");
}

#[tokio::test]
async fn libraries_that_hold_different_contents_of_a_crate_share_no_service() {
    let host = host();
    let provider = entry!("commands-a", [("greeter", "1.0.0")], vec![]);
    let consumer = entry!("commands-b", [], vec![Dependency::service("greeter", "^1")]);
    let loaded = |entry: &PluginEntry, linked| Generation::loaded(entry, 1, &host, linked).unwrap();
    let of_a = || library(&[("commands/a", 1), ("crates/words", 7)]);
    let snapshot = |of_b| {
        let both = [loaded(&provider, of_a()), loaded(&consumer, of_b)];
        RoutingTable::new(both.into_iter().map(|one| (one.plugin().clone(), one)).collect::<BTreeMap<_, _>>())
    };
    assert!(snapshot(library(&[("commands/b", 2), ("crates/words", 7)])).is_ok());
    let told = snapshot(library(&[("commands/b", 2), ("crates/words", 6)])).err().unwrap_or_default();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("different contents of crates/words; reload both"), "{told:?}");
    let told = snapshot(library(&[("commands/b", 2), ("commands/a", 6)])).err().unwrap_or_default();
    assert!(told.join("").contains("the trait has to be in a crate that both link"), "{told:?}");

    // A later generation of the plugin itself is also refused by the check of the cast.
    let itself =
        entry!("commands-a", [("greeter", "1.0.0")], vec![Dependency::optional_service("greeter", "^1")]);
    let old = Generation::loaded(&itself, 1, &host, library(&[("commands/a", 1)])).unwrap();
    let new = Generation::loaded(&itself, 2, &host, library(&[("commands/a", 2)])).unwrap();
    for generation in [&old, &new] {
        let change = Change { install: vec![generation.clone()], remove: Vec::new() };
        assert!(host.registry().swap(change).is_ok());
    }
    assert_eq!(word(&new), Ok("commands/a 2".to_owned()));
    let told = word(&old).unwrap_err();
    assert!(told.contains("commands/a cannot take service greeter of commands/a"), "{told}");
}
