//! Hosts that end and start again with the same file.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::generation::Generation;
use crate::handover::{self, HandoverPolicy};
use crate::registry::Change;
use crate::settings::Settings;
use crate::state::{State, StateSlot};
use crate::{Plugin, PluginEntry};

const APPLICATION: u64 = 77;

#[derive(Default, Serialize, Deserialize)]
struct Counts {
    presses: u32,
}

impl State for Counts {}

struct Counter;

impl Plugin for Counter {
    fn state(&self) -> Option<StateSlot> {
        Some(StateSlot::of::<Counts>())
    }
}

async fn open(folder: &TempDir) -> (Host, Arc<Checkpoint>) {
    let host = Host::new("1.0.0", Settings::default());
    let checkpoint = Checkpoint::open(&host, folder.path().join("in/state.json"), APPLICATION).await;
    (host, checkpoint)
}

async fn counter(host: &Host, number: u64) -> Arc<Generation> {
    let entry = PluginEntry::new("commands-counter", "1.0.0", "", || Box::new(Counter));
    let generation = Generation::new(&entry, number, host).unwrap();
    let change = Change { install: vec![generation.clone()], remove: Vec::new() };
    handover::swap(host, change, HandoverPolicy::default()).await.ok().unwrap();
    generation
}

fn press(generation: &Arc<Generation>) -> u32 {
    let press = |counts: &mut Counts| {
        counts.presses += 1;
        counts.presses
    };
    generation.data.state::<Counts>().update(press).unwrap()
}

fn text(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("in/state.json")).unwrap()
}

#[tokio::test]
async fn a_host_that_begins_again_remembers() {
    let folder = TempDir::new().unwrap();
    let plugin = PluginId::new("commands/counter");
    let (host, checkpoint) = open(&folder).await;
    let first = counter(&host, 1).await;
    press(&first);
    press(&first);
    host.state_history().take(&first).unwrap();
    press(&first);
    host.store().of(&plugin).put("greeting", &"hello").unwrap();
    host.scheduler().set(&plugin, "close", "7", Duration::from_hours(1), json!([1, 2])).unwrap();
    checkpoint.save().await;

    let (host, checkpoint) = open(&folder).await;
    // A write before the plugin is back loses nothing.
    host.changes().mark();
    checkpoint.save().await;
    let (host, _) = {
        drop((host, checkpoint));
        open(&folder).await
    };
    assert_eq!(host.store().of(&plugin).get::<String>("greeting").unwrap().as_deref(), Some("hello"));
    assert_eq!(host.scheduler().kept()[0].payload, json!([1, 2]));
    assert_eq!(press(&counter(&host, 1).await), 4);
    assert_eq!(host.state_history().list(&plugin)[0].state.value, json!({"presses": 2}));
    handover::restore_snapshot(&host, &plugin, 1).await.unwrap();
    assert_eq!(press(host.registry().snapshot().generations().values().next().unwrap()), 3);
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone_and_replaced_whole() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().unwrap();
    let (host, checkpoint) = open(&folder).await;
    let first = counter(&host, 1).await;
    checkpoint.save().await;
    let path = folder.path().join("in/state.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // An interrupted write leaves the previous file.
    fs::write(folder.path().join("in/state.json.new"), "{\"format\": 1, \"sto").unwrap();
    assert!(open(&folder).await.0.state_history().parked(first.plugin()).is_some());
    press(&first);
    checkpoint.save().await;
    assert!(text(&folder).contains("\"presses\":1"));
    // So does a write that cannot start.
    let before = text(&folder);
    fs::create_dir(folder.path().join("in/state.json.new")).unwrap();
    press(&first);
    checkpoint.save().await;
    let told = checkpoint.written.lock().told.clone().unwrap();
    assert!(told.contains("state.json cannot be written"), "{told}");
    assert_eq!(text(&folder), before);
    fs::remove_dir(folder.path().join("in/state.json.new")).unwrap();
    checkpoint.save().await;
    assert!(text(&folder).contains("\"presses\":2"));
    assert_eq!(checkpoint.written.lock().told, None);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_put_aside_and_never_overwritten() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    for (number, broken) in ["{\"format\": 1, \"sto", "{\"format\": 99}", "[]"].iter().enumerate() {
        fs::write(folder.path().join("in/state.json"), broken).unwrap();
        let (host, checkpoint) = open(&folder).await;
        counter(&host, 1).await;
        checkpoint.save().await;
        let name = if number == 0 { "broken".to_owned() } else { format!("broken.{}", number + 1) };
        let aside = folder.path().join(format!("in/state.json.{name}"));
        assert_eq!(fs::read_to_string(aside).unwrap(), *broken);
        assert!(text(&folder).contains("commands/counter"));
    }
}

#[tokio::test]
async fn two_applications_do_not_share_what_they_remember() {
    let folder = TempDir::new().unwrap();
    let (host, checkpoint) = open(&folder).await;
    press(&counter(&host, 1).await);
    checkpoint.save().await;
    let other = Host::new("1.0.0", Settings::default());
    let others = Checkpoint::open(&other, folder.path().join("in/state.json"), 78).await;
    assert_eq!(press(&counter(&other, 1).await), 1);
    others.save().await;
    let (host, _) = open(&folder).await;
    assert_eq!(press(&counter(&host, 1).await), 2);
}

#[tokio::test]
async fn changes_are_written_as_they_come() {
    let folder = TempDir::new().unwrap();
    let (host, checkpoint) = open(&folder).await;
    let first = counter(&host, 1).await;
    let mut writes = checkpoint.writes();
    let keeping = tokio::spawn(checkpoint.clone().keep());
    for _ in 0..100 {
        press(&first);
    }
    let written = async {
        loop {
            writes.changed().await.unwrap();
            if text(&folder).contains("\"presses\":100}") {
                return *writes.borrow();
            }
        }
    };
    let count = tokio::time::timeout(Duration::from_mins(1), written).await.unwrap();
    assert!(count <= 10, "{count} writes for what came at once");
    keeping.abort();
}
