//! docs/metrics.md lists the registered metrics. `UPDATE_DOCS=1` in the environment updates its table.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use sdk::observer::{Call, Observer, Outcome, Trigger};

use super::*;

const BEGINS: &str = "<!-- the list: written by a test -->\n";

/// Returns the table of the page.
fn list(entries: &[catalogue::Entry]) -> String {
    let mut list = "| name | kind | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for entry in entries {
        let labels: Vec<_> = entry.labels.iter().map(|label| format!("`{label}`")).collect();
        list += &format!("| `{}` | {} | {} | {} |\n", entry.name, entry.kind, labels.join(", "), entry.help);
    }
    list
}

#[test]
fn the_page_of_metrics_lists_what_is_registered() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let kept = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = kept.split_once(BEGINS).unwrap();
    let list = list(&Metrics::catalogued().1);
    let tail = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
    let page = format!("{head}{BEGINS}{list}{tail}");
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| !value.is_empty()) {
        std::fs::write(&file, &page).unwrap();
        return;
    }
    let differs = kept.lines().zip(page.lines()).find(|(kept, page)| kept != page);
    assert!(
        kept == page,
        "docs/metrics.md is stale ({differs:?}); renew it with UPDATE_DOCS=1 cargo test -p bot the_page_of_metrics"
    );
}

#[test]
fn names_follow_prometheus_and_none_is_given_twice() {
    let (_, entries) = Metrics::catalogued();
    let mut names = BTreeSet::new();
    for entry in &entries {
        let name = &entry.name;
        assert!(name.starts_with("hotcord_") && names.insert(name.clone()), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), entry.kind == "counter", "{name}");
        assert_ne!(entry.kind, "unknown", "{name}");
        assert!(
            !entry.help.ends_with('.') && !entry.help.contains('|'),
            "the library adds a full stop: {name}"
        );
        let unit = entry.unit.map(|unit| name.trim_end_matches("_total").ends_with(unit));
        assert_ne!(unit, Some(false), "{name}");
    }
}

#[test]
fn what_is_observed_is_counted_under_its_labels() {
    let metrics = Metrics::new();
    let call = |trigger, name, outcome| Call { trigger, name, outcome, took: Duration::from_millis(20) };
    metrics.call(&call(Trigger::Slash, "dev reload", Outcome::Ok));
    metrics.call(&call(Trigger::Slash, "dev reload", Outcome::Refused));
    metrics.call(&call(Trigger::Autocomplete, "help", Outcome::Ok));
    metrics.call(&call(Trigger::Modal, "poll:\"x", Outcome::Panic));
    metrics.event(EventKind::Message);
    metrics.event(EventKind::Message);
    for _ in 0..3 {
        metrics.identified(0);
    }
    metrics.resumed(1);
    metrics.limited(true, Duration::from_millis(1500));
    let text = metrics.write();
    for line in [
        "hotcord_commands_total{command=\"dev reload\",kind=\"slash\",outcome=\"ok\"} 1",
        "hotcord_commands_total{command=\"dev reload\",kind=\"slash\",outcome=\"refused\"} 1",
        "hotcord_command_duration_seconds_bucket{le=\"0.01\",command=\"dev reload\",kind=\"slash\"} 0",
        "hotcord_command_duration_seconds_bucket{le=\"0.025\",command=\"dev reload\",kind=\"slash\"} 2",
        "hotcord_autocompletes_total{command=\"help\",outcome=\"ok\"} 1",
        "hotcord_interactions_total{kind=\"modal\",handler=\"poll:\\\"x\",outcome=\"panic\"} 1",
        "hotcord_events_total{type=\"Message\"} 2",
        "hotcord_gateway_identifies_total{shard=\"0\"} 3",
        "hotcord_gateway_reconnects_total{shard=\"0\"} 2",
        "hotcord_gateway_reconnects_total{shard=\"1\"} 1",
        "hotcord_rest_rate_limit_wait_seconds_total 1.5",
    ] {
        assert!(text.lines().any(|written| written == line), "{line} is not in:\n{text}");
    }
}
