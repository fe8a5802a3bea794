//! The plugins of these tests.

use std::marker::PhantomData;
use std::time::Duration;

use sdk_core::bus::ReloadEvent;
use sdk_core::serenity::async_trait;
use sdk_core::state::{State, StateSlot};
use sdk_core::{Data, Dependency, Error, Plugin, PluginEntry, Services};
use serde::{Deserialize, Serialize};

/// The content of a plugin's sources: its version, and how an instance is created.
#[derive(Clone, Copy)]
pub(super) struct Code {
    pub(super) version: &'static str,
    make: fn() -> Box<dyn Plugin>,
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && std::ptr::fn_addr_eq(self.make, other.make)
    }
}

impl Code {
    /// Returns the plugin as a library would export it, for the life of the process.
    pub(super) fn entry(self, package: &str) -> &'static PluginEntry {
        let package = Box::leak(package.to_owned().into_boxed_str());
        Box::leak(Box::new(PluginEntry::new(package, self.version, "", self.make)))
    }
}

/// The behaviour of a plugin beyond what all plugins of these tests do.
pub(super) trait Behaviour: Send + Sync + 'static {
    /// Plugins and services that it needs.
    fn needs() -> Vec<Dependency> {
        Vec::new()
    }

    /// Service that it offers.
    fn offers() -> Option<&'static str> {
        None
    }

    /// State that it keeps.
    fn state() -> Option<StateSlot> {
        None
    }

    /// Whether its `start` hook fails, or waits until a test sends [`GO`].
    fn start() -> Start {
        Start::AtOnce
    }
}

pub(super) enum Start {
    AtOnce,
    Fails,
    Waits,
}

/// Lets a plugin that waits in its `start` hook continue.
pub(super) const GO: &str = "go on";

/// Returns the text with which a test makes a generation do something.
pub(super) fn order(what: &str, generation: u64) -> String {
    format!("{what} in {generation}")
}

/// Creates code of that behaviour.
pub(super) fn code<B: Behaviour>(version: &'static str) -> Code {
    Code { version, make: || Box::new(Sample::<B>(PhantomData)) }
}

/// Creates code without a behaviour of its own.
pub(super) fn plain(version: &'static str) -> Code {
    code::<Plain>(version)
}

/// A plugin that reports its start and stop on the bus, and panics on request.
struct Sample<B>(PhantomData<B>);

#[async_trait]
impl<B: Behaviour> Plugin for Sample<B> {
    fn dependencies(&self) -> Vec<Dependency> {
        B::needs()
    }

    fn services(&self, offer: &mut Services) {
        if let Some(name) = B::offers() {
            offer.provide::<dyn Answers>(name, "1.0.0", std::sync::Arc::new(Yes));
        }
    }

    fn state(&self) -> Option<StateSlot> {
        B::state()
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        let mut heard = data.bus().listen();
        note(data, "starts");
        match B::start() {
            Start::AtOnce => {}
            Start::Fails => return Err("as the test wants it".into()),
            Start::Waits => while !is_told(&heard.recv().await?.event, data, GO) {},
        }
        let task = data.clone();
        data.spawn("orders", async move {
            while let Ok(stamped) = heard.recv().await {
                let is = |what| is_told(&stamped.event, &task, &order(what, task.generation()));
                assert!(!is("panic"), "as the test wants it");
                if is("call") {
                    let name = B::needs().first().map(|need| format!("{:?}", need.on)).unwrap_or_default();
                    let answer = task.service::<dyn Answers>("answers").map(|service| service.answer());
                    note(&task, &format!("{answer:?} of {name}"));
                }
                if is("count") {
                    let counted = task.state::<Count>().update(|count| count.times += 1);
                    note(&task, &format!("counted: {counted:?}"));
                }
            }
        });
        Ok(())
    }

    async fn stop(&self, data: &Data) -> Result<(), Error> {
        note(data, "stops");
        Ok(())
    }
}

fn note(data: &Data, words: &str) {
    let plugin = Some(data.plugin().clone());
    let message = format!("{} {words}", data.generation());
    data.bus().emit(ReloadEvent::Note { plugin, message });
}

fn is_told(event: &ReloadEvent, data: &Data, expected: &str) -> bool {
    matches!(event, ReloadEvent::Note { plugin: Some(plugin), message }
        if plugin == data.plugin() && message == expected)
}

/// The service of these tests.
pub(super) trait Answers: Send + Sync {
    fn answer(&self) -> bool;
}

struct Yes;

impl Answers for Yes {
    fn answer(&self) -> bool {
        true
    }
}

/// A plugin without a behaviour of its own.
pub(super) struct Plain;
impl Behaviour for Plain {}

/// Needs `commands/one`.
pub(super) struct NeedsOne;
impl Behaviour for NeedsOne {
    fn needs() -> Vec<Dependency> {
        vec![Dependency::required("commands/one")]
    }
}

/// Needs `commands/one` in a second version.
pub(super) struct NeedsNewOne;
impl Behaviour for NeedsNewOne {
    fn needs() -> Vec<Dependency> {
        vec![Dependency::required("commands/one").version("^2")]
    }
}

/// Needs `events/two`.
pub(super) struct NeedsTwo;
impl Behaviour for NeedsTwo {
    fn needs() -> Vec<Dependency> {
        vec![Dependency::required("events/two")]
    }
}

/// Offers the service `answers`.
pub(super) struct Offers;
impl Behaviour for Offers {
    fn offers() -> Option<&'static str> {
        Some("answers")
    }
}

/// Calls the service `answers`.
pub(super) struct Calls;
impl Behaviour for Calls {
    fn needs() -> Vec<Dependency> {
        vec![Dependency::service("answers", "^1")]
    }
}

/// Fails in its `start` hook.
pub(super) struct FailsToStart;
impl Behaviour for FailsToStart {
    fn start() -> Start {
        Start::Fails
    }
}

/// Waits in its `start` hook.
pub(super) struct WaitsToStart;
impl Behaviour for WaitsToStart {
    fn start() -> Start {
        Start::Waits
    }
}

/// Keeps a count as its state.
pub(super) struct Counts;
impl Behaviour for Counts {
    fn state() -> Option<StateSlot> {
        Some(StateSlot::of::<Count>())
    }
}

/// Keeps a name as its state, and cannot restore it from a count.
pub(super) struct Names;
impl Behaviour for Names {
    fn state() -> Option<StateSlot> {
        Some(StateSlot::of::<Name>())
    }
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Count {
    times: u32,
}

impl State for Count {}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Name {
    name: String,
}

impl State for Name {
    const VERSION: u32 = 2;
}

/// Longest time that a test waits for something.
pub(super) const WITHIN: Duration = Duration::from_secs(20);
