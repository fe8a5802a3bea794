use super::*;
use crate::generation::Generation;
use crate::registry::Change;
use crate::{Dependency, Plugin, PluginEntry};

struct Sample;

impl Plugin for Sample {
    fn dependencies(&self) -> Vec<Dependency> {
        vec![Dependency::optional_service("greeter", "*")]
    }
}

#[test]
fn a_dropped_host_frees_what_is_live_and_a_handle_that_outlives_it_finds_nothing() {
    let entry = PluginEntry::new("commands-sample", "1.2.3", "", || Box::new(Sample));
    let host = Host::new("1.0.0", Settings::default());
    let generation = Generation::new(&entry, 1, &host).unwrap();
    let (weak, data) = (Arc::downgrade(&generation), generation.data.clone());
    assert!(host.registry().swap(Change { install: vec![generation], remove: Vec::new() }).is_ok());
    assert_eq!((data.live().generations().len(), data.ledger().len()), (1, 1));
    assert!(data.service::<dyn Any>("greeter").unwrap_err().to_string().contains("no live plugin offers"));

    drop(host);
    assert_eq!(weak.strong_count(), 0);
    assert!(data.live().generations().is_empty() && data.ledger().is_empty());
    assert!(data.reloader().is_none() && data.registrar().is_none());
    assert!(data.service::<dyn Any>("greeter").unwrap_err().to_string().contains("after the host has ended"));
    assert_eq!(data.version(), "1.0.0", "its own services are still there");
}
