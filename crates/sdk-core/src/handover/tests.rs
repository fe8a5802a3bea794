//! Plugins of several versions that hand their state over to each other.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;
use crate::panics::Panicked;
use crate::settings::Settings;
use crate::state::{State, StateErrorKind, StateMoved, StateSlot, Value};
use crate::{Error, Plugin, PluginEntry};

/// State of the first version.
#[derive(Default, Serialize, Deserialize)]
struct Votes {
    votes: u32,
}

impl State for Votes {}

/// State of the second version.
#[derive(Default, Serialize, Deserialize)]
struct Ballots {
    ballots: Vec<String>,
}

impl State for Ballots {
    const VERSION: u32 = 2;

    fn migrate(from_version: u32, value: Value) -> Result<Self, Error> {
        assert!(value["votes"] != 13, "thirteen is expected by the test");
        match (from_version, value["votes"].as_u64()) {
            (1, Some(votes)) => Ok(Self { ballots: vec!["old".to_owned(); usize::try_from(votes)?] }),
            _ => Err(format!("version {from_version} is not known").into()),
        }
    }
}

/// As the first version, with a field of another type and no new version.
#[derive(Default, Serialize, Deserialize)]
struct Mistyped {
    votes: Vec<u32>,
}

impl State for Mistyped {}

/// A state that cannot be saved once it holds something.
#[derive(Default, Serialize, Deserialize)]
struct Unsavable {
    by_place: std::collections::BTreeMap<(u8, u8), u8>,
}

impl State for Unsavable {}

/// A plugin whose state is `S`.
struct Keeps<S>(std::marker::PhantomData<fn() -> S>);

impl<S: State> Plugin for Keeps<S> {
    fn state(&self) -> Option<StateSlot> {
        Some(StateSlot::of::<S>())
    }
}

struct Forgets;

impl Plugin for Forgets {}

fn host() -> Host {
    Host::new("1.0.0", Settings::default())
}

fn entry<S: State>() -> PluginEntry {
    PluginEntry::new("commands-votes", "1.0.0", "", || Box::new(Keeps::<S>(std::marker::PhantomData)))
}

fn generation<S: State>(host: &Host, number: u64) -> Arc<Generation> {
    Generation::new(&entry::<S>(), number, host).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn install(generation: &Arc<Generation>) -> Change {
    Change { install: vec![generation.clone()], remove: Vec::new() }
}

fn vote(generation: &Generation) -> Result<(), Error> {
    generation.data.state::<Votes>().update(|state| state.votes += 1)
}

fn votes(generation: &Generation) -> u32 {
    generation.data.state::<Votes>().read(|state| state.votes).unwrap()
}

/// Creates a host in which generation 1 is live with two votes.
async fn two_votes() -> (Host, Arc<Generation>) {
    let host = host();
    let first = generation::<Votes>(&host, 1);
    swap(&host, install(&first), HandoverPolicy::default()).await.ok().unwrap();
    vote(&first).unwrap();
    vote(&first).unwrap();
    (host, first)
}

async fn refused(host: &Host, generation: &Arc<Generation>) -> HandoverError {
    match swap(host, install(generation), HandoverPolicy::default()).await {
        Ok(_) => panic!("the swap went through"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn state_crosses_and_only_the_live_generation_changes_it() {
    let (host, first) = two_votes().await;
    let mut heard = host.bus().listen();
    let second = generation::<Votes>(&host, 2);
    prepare(&host, std::slice::from_ref(&second), HandoverPolicy::default()).await.unwrap();
    assert_eq!(votes(&second), 2, "a start hook sees the state");
    assert!(vote(&second).unwrap_err().to_string().contains("start hook"));
    vote(&first).unwrap();
    let handed_over = swap(&host, install(&second), HandoverPolicy::default()).await.ok().unwrap();
    assert!(matches!(handed_over.states[0].outcome, Outcome::Restored { migrated_from: None }));
    assert_eq!(votes(&second), 3);
    vote(&second).unwrap();
    assert!(vote(&first).unwrap_err().is::<StateMoved>());
    assert_eq!((votes(&first), votes(&second)), (3, 4));
    let told = [heard.try_recv().unwrap().event, heard.try_recv().unwrap().event];
    let plugin = first.plugin().clone();
    let (preserved, restored) = (
        ReloadEvent::StatePreserved { plugin: plugin.clone(), generation: 1, version: 1, bytes: 11 },
        ReloadEvent::StateRestored { plugin, generation: 2, version: 1, migrated_from: None },
    );
    assert_eq!(told, [preserved, restored]);
}

#[tokio::test]
async fn another_version_is_migrated_and_can_come_back_to_what_it_was() {
    let (host, first) = two_votes().await;
    let second = generation::<Ballots>(&host, 2);
    let handed_over = swap(&host, install(&second), HandoverPolicy::default()).await.ok().unwrap();
    assert!(matches!(handed_over.states[0].outcome, Outcome::Restored { migrated_from: Some(1) }));
    assert_eq!(second.save_state().unwrap().unwrap().value, json!({"ballots": ["old", "old"]}));
    // Back to the first version's code, which does not know version 2.
    let third = generation::<Votes>(&host, 3);
    let why = refused(&host, &third).await.to_string();
    assert!(why.contains("commands/votes") && why.contains("from version 2 to 1"), "{why}");
    let policy = HandoverPolicy { on_incompatible: OnIncompatible::Earlier, ..HandoverPolicy::default() };
    let handed_over = swap(&host, install(&third), policy).await.ok().unwrap();
    assert!(matches!(handed_over.states[0].outcome, Outcome::Earlier { snapshot: 1, .. }));
    assert_eq!(votes(&third), 2);
    let kept = host.state_history().of_generation(first.plugin(), 2).unwrap();
    assert_eq!((kept.reason, kept.state.version), (Reason::Incompatible, 2));
}

#[tokio::test]
async fn a_state_that_does_not_fit_refuses_the_swap_and_names_the_place() {
    let (host, first) = two_votes().await;
    let second = generation::<Mistyped>(&host, 2);
    for why in [
        prepare(&host, std::slice::from_ref(&second), HandoverPolicy::default()).await.unwrap_err(),
        refused(&host, &second).await,
    ] {
        let HandoverError::States(states) = &why else { panic!("{why}") };
        assert_eq!(states[0].kind(), StateErrorKind::Restore { version: 1 });
        let why = why.to_string();
        for part in ["commands/votes", "version 1", "votes: invalid type: integer `2`, expected a sequence"] {
            assert!(why.contains(part), "{part} is not in {why}");
        }
    }
    vote(&first).unwrap();
    assert_eq!((votes(&first), first.stage()), (3, Stage::Live));
    assert!(first.enter("call").now_or_never().is_some_and(|entered| entered.is_ok()), "its gate is open");
    // A migration that panics is contained.
    for _ in 0..10 {
        vote(&first).unwrap();
    }
    let why = refused(&host, &generation::<Ballots>(&host, 2)).await;
    let HandoverError::States(states) = &why else { panic!("{why}") };
    assert_eq!(states[0].kind(), StateErrorKind::Migrate { from: 1, to: 2 });
    assert!(states[0].source().unwrap().is::<Panicked>(), "{why}");
    assert!(why.to_string().contains("panicked: ") && why.to_string().contains("thirteen"), "{why}");
    assert_eq!(votes(&first), 13);
}

#[tokio::test]
async fn starting_from_the_default_loses_nothing() {
    let (host, first) = two_votes().await;
    let second = generation::<Mistyped>(&host, 2);
    let policy = HandoverPolicy { on_incompatible: OnIncompatible::Default, ..HandoverPolicy::default() };
    let handed_over = swap(&host, install(&second), policy).await.ok().unwrap();
    assert!(matches!(handed_over.states[0].outcome, Outcome::Default { .. }));
    let third = generation::<Votes>(&host, 3);
    swap(&host, install(&third), policy).await.ok().unwrap();
    assert_eq!(votes(&third), 0);
    let kept = host.state_history().of_generation(first.plugin(), 1).unwrap();
    let restored = restore_snapshot(&host, first.plugin(), kept.number).await.unwrap();
    assert_eq!((votes(&third), restored.generation, restored.migrated_from), (2, 3, None));
    vote(&third).unwrap();
    assert_eq!(restored.before.state.value, json!({"votes": 0}));
}

#[tokio::test]
async fn a_snapshot_is_put_back_into_newer_code_or_refused() {
    let (host, first) = two_votes().await;
    let plugin = first.plugin();
    let taken = host.state_history().take(&first).unwrap();
    assert_eq!((taken.number, taken.generation, taken.reason), (1, 1, Reason::ByHand));
    let second = generation::<Ballots>(&host, 2);
    swap(&host, install(&second), HandoverPolicy::default()).await.ok().unwrap();
    assert_eq!(restore_snapshot(&host, plugin, taken.number).await.unwrap().migrated_from, Some(1));
    let policy = HandoverPolicy { preserve: false, ..HandoverPolicy::default() };
    swap(&host, install(&generation::<Mistyped>(&host, 3)), policy).await.ok().unwrap();
    let why = restore_snapshot(&host, plugin, taken.number).await.unwrap_err();
    assert!(
        matches!(why, RestoreError::State(_)) && why.to_string().contains("votes: invalid type"),
        "{why}"
    );
    let why = restore_snapshot(&host, plugin, 99).await.unwrap_err();
    assert!(matches!(why, RestoreError::NoSnapshot { number: 99, .. }), "{why}");
}

#[tokio::test]
async fn a_plugin_that_goes_finds_its_state_when_it_returns() {
    let (host, first) = two_votes().await;
    let plugin = first.plugin().clone();
    let change = Change { install: Vec::new(), remove: vec![plugin.clone()] };
    swap(&host, change, HandoverPolicy::default()).await.ok().unwrap();
    assert_eq!(host.state_history().parked(&plugin).unwrap().value, json!({"votes": 2}));
    let second = generation::<Votes>(&host, 2);
    swap(&host, install(&second), HandoverPolicy::default()).await.ok().unwrap();
    assert_eq!(votes(&second), 2);
    assert_eq!(host.state_history().parked(&plugin), None);
    // The same with code that declares no state for a while.
    let entry = PluginEntry::new("commands-votes", "1.0.0", "", || Box::new(Forgets));
    let third = Generation::new(&entry, 3, &host).unwrap();
    swap(&host, install(&third), HandoverPolicy::default()).await.ok().unwrap();
    let fourth = generation::<Votes>(&host, 4);
    swap(&host, install(&fourth), HandoverPolicy::default()).await.ok().unwrap();
    assert_eq!(votes(&fourth), 2);
}

#[tokio::test]
async fn a_state_that_cannot_be_saved_is_named() {
    let host = host();
    let first = generation::<Unsavable>(&host, 1);
    swap(&host, install(&first), HandoverPolicy::default()).await.ok().unwrap();
    first.data.state::<Unsavable>().update(|state| state.by_place.insert((1, 2), 3)).unwrap();
    let why = refused(&host, &generation::<Unsavable>(&host, 2)).await.to_string();
    assert!(why.contains("commands/votes 1") && why.contains("key must be a string"), "{why}");
    assert!(first.data.state::<Unsavable>().update(|state| state.by_place.clear()).is_ok());
}

#[tokio::test]
async fn nothing_is_kept_where_that_is_not_wanted() {
    let (host, _) = two_votes().await;
    let second = generation::<Votes>(&host, 2);
    let policy = HandoverPolicy { preserve: false, ..HandoverPolicy::default() };
    let handed_over = swap(&host, install(&second), policy).await.ok().unwrap();
    assert!(handed_over.states.is_empty());
    assert_eq!((votes(&second), handed_over.held), (0, Duration::ZERO));
}

#[tokio::test]
async fn the_wrong_type_is_told_with_both_names() {
    let (_, first) = two_votes().await;
    let error = first.data.state::<Ballots>().read(|_| ()).unwrap_err().to_string();
    assert!(error.contains("Ballots") && error.contains("Votes"), "{error}");
}

#[tokio::test]
async fn a_call_that_outlives_the_hold_is_named_and_changes_nothing_any_more() {
    let (host, first) = two_votes().await;
    let mut heard = host.bus().listen();
    let call = first.enter("/slow").await.unwrap();
    let second = generation::<Votes>(&host, 2);
    let policy = HandoverPolicy { deadline: Duration::from_millis(20), ..HandoverPolicy::default() };
    let handed_over = swap(&host, install(&second), policy).await.ok().unwrap();
    assert_eq!(handed_over.outlived[0].2.what, "/slow");
    assert!(handed_over.held >= Duration::from_millis(20));
    call.run(async { assert!(vote(&first).unwrap_err().is::<StateMoved>()) }).await;
    drop(call);
    assert!(first.wait_idle(Duration::from_secs(30)).await);
    let mut notes = std::iter::from_fn(|| heard.try_recv().ok());
    let named =
        |event: ReloadEvent| matches!(event, ReloadEvent::Note { message, .. } if message.contains("/slow"));
    assert!(notes.any(|stamped| named(stamped.event)));
}

#[tokio::test]
async fn a_handover_that_is_given_up_lets_calls_go_on_in_the_old_generation() {
    let (host, first) = two_votes().await;
    let _call = first.enter("/slow").await.unwrap();
    let second = generation::<Votes>(&host, 2);
    let policy = HandoverPolicy { deadline: Duration::from_mins(1), ..HandoverPolicy::default() };
    let mut handover = Box::pin(swap(&host, install(&second), policy));
    assert!(handover.as_mut().now_or_never().is_none());
    let waiting = first.enter("/ping");
    tokio::pin!(waiting);
    assert!(waiting.as_mut().now_or_never().is_none(), "new calls are held");
    drop(handover);
    assert!(waiting.await.is_ok());
    vote(&first).unwrap();
}

/// Calls follow the newest generation while it is replaced again and again: each adds one vote, and none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_vote_is_counted_once_while_generations_come_and_go() {
    const CALLERS: usize = 6;
    let (host, _) = two_votes().await;
    let done = Arc::new(AtomicBool::new(false));
    let callers = (0..CALLERS).map(|_| {
        let (host, done) = (host.clone(), done.clone());
        tokio::spawn(async move {
            let mut cast = 0_u32;
            while !done.load(Ordering::Relaxed) {
                let live = host.registry().snapshot();
                let generation = live.generations().values().next().unwrap();
                // When redirected, it looks the generation up again, as dispatch does.
                let Ok(call) = generation.enter("vote").await else { continue };
                tokio::task::yield_now().await;
                call.run(async { vote(generation).unwrap() }).await;
                cast += 1;
            }
            cast
        })
    });
    let callers: Vec<_> = callers.collect();
    for number in 2..80 {
        let next = generation::<Votes>(&host, number);
        let policy = HandoverPolicy { deadline: Duration::from_mins(1), ..HandoverPolicy::default() };
        let handed_over = swap(&host, install(&next), policy).await.ok().unwrap();
        assert!(handed_over.outlived.is_empty());
        tokio::task::yield_now().await;
    }
    done.store(true, Ordering::Relaxed);
    let mut cast = 2;
    for caller in callers {
        cast += caller.await.unwrap();
    }
    let live = host.registry().snapshot();
    assert_eq!(votes(live.generations().values().next().unwrap()), cast);
}
