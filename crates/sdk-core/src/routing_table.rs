//! The routing table: everything that is live at one moment, by what dispatch looks it up with.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

use serenity::all::GatewayIntents;

use crate::compatibility::{self, Offers};
use crate::definition::{CommandKey, Definitions};
use crate::generation::Generation;
use crate::services::{Asked, NoService, Offer, Provided, ServiceDirectory};
use crate::{Command, EventKind, PluginId};

/// A reference to a handler: the generation and the index in its list.
pub(crate) type HandlerRef = (Arc<Generation>, usize);

/// An immutable view of all live generations. A swap replaces it as a whole.
#[derive(Default)]
pub struct RoutingTable {
    generations: BTreeMap<PluginId, Arc<Generation>>,
    commands: HashMap<CommandKey, Arc<Generation>>,
    readers: Vec<Arc<Generation>>,
    event_handlers: Vec<Arc<Generation>>,
    listeners: HashMap<EventKind, Vec<HandlerRef>>,
    components: Vec<(String, HandlerRef)>,
    modals: Vec<(String, HandlerRef)>,
    services: Offers,
    notes: Vec<String>,
}

impl RoutingTable {
    /// Builds the tables for a set of generations.
    ///
    /// # Errors
    /// One sentence for each name that two plugins claim, and for each dependency that is missing, incompatible or part
    /// of a circle.
    pub fn new(generations: BTreeMap<PluginId, Arc<Generation>>) -> Result<Self, Vec<String>> {
        let mut table = Self::default();
        let mut problems = Vec::new();
        let mut text_commands = TextCommands::default();
        for (id, generation) in &generations {
            for key in generation.definitions().keys() {
                if let Some(other) = table.commands.insert(key.clone(), generation.clone()) {
                    problems.push(format!("{key} is defined by {} and by {id}", other.plugin()));
                }
            }
            text_commands.add(generation, &mut problems);
            if generation.reads_messages() {
                table.readers.push(generation.clone());
            }
            if generation.handles_events() {
                table.event_handlers.push(generation.clone());
            }
            for (index, listener) in generation.subscriptions.listeners.iter().enumerate() {
                table.listeners.entry(listener.kind).or_default().push((generation.clone(), index));
            }
            for (index, handler) in generation.subscriptions.components.iter().enumerate() {
                table.components.push((handler.key.clone(), (generation.clone(), index)));
            }
            for (index, handler) in generation.subscriptions.modals.iter().enumerate() {
                table.modals.push((handler.key.clone(), (generation.clone(), index)));
            }
        }
        for (word, handlers) in [("component", &mut table.components), ("modal", &mut table.modals)] {
            // The longest prefix first, so that the first match is the longest.
            handlers.sort_by(|one, other| other.0.len().cmp(&one.0.len()).then_with(|| one.0.cmp(&other.0)));
            for pair in handlers.windows(2) {
                if pair[0].0 == pair[1].0 {
                    let (one, other) = (pair[0].1.0.plugin(), pair[1].1.0.plugin());
                    problems.push(format!("{word}s '{}' are handled by {one} and by {other}", pair[0].0));
                }
            }
        }
        table.services = compatibility::offers(&generations, &mut problems);
        let report = compatibility::check(&generations, &table.services);
        problems.extend(report.problems);
        table.notes = report.notes;
        table.generations = generations;
        if problems.is_empty() { Ok(table) } else { Err(problems) }
    }

    /// Returns the live generations, by plugin.
    pub fn generations(&self) -> &BTreeMap<PluginId, Arc<Generation>> {
        &self.generations
    }

    /// Returns the commands of all live generations, each with its plugin.
    pub fn commands(&self) -> impl Iterator<Item = (&PluginId, &Command)> {
        self.generations
            .values()
            .flat_map(|generation| generation.commands().iter().map(|command| (generation.plugin(), command)))
    }

    /// Returns all live definitions.
    pub fn definitions(&self) -> Definitions {
        self.generations.values().flat_map(|generation| generation.definitions().clone()).collect()
    }

    /// Returns the gateway intents that the live generations need.
    pub fn intents(&self) -> GatewayIntents {
        self.generations.values().map(|generation| generation.intents()).collect()
    }

    /// Returns the services of all live generations, each with its provider.
    pub fn services(&self) -> impl Iterator<Item = (&PluginId, &Offer)> {
        self.services
            .values()
            .map(|(generation, index)| (generation.plugin(), &generation.services()[*index]))
    }

    /// Returns a sentence for each optional dependency that is live but incompatible, and so is not used.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Makes `generations` find their services in this snapshot from now on, while it exists.
    pub fn show_to<'a>(self: &Arc<Self>, generations: impl IntoIterator<Item = &'a Arc<Generation>>) {
        for generation in generations {
            let directory: Weak<Self> = Arc::downgrade(self);
            generation.data.show(directory);
        }
    }

    pub(crate) fn command(&self, key: &CommandKey) -> Option<&Arc<Generation>> {
        self.commands.get(key)
    }

    /// Returns the generations that handle messages, sorted by the names of their plugins.
    pub(crate) fn readers(&self) -> &[Arc<Generation>] {
        &self.readers
    }

    /// Returns the generations whose options have an `event_handler`.
    pub(crate) fn event_handlers(&self) -> &[Arc<Generation>] {
        &self.event_handlers
    }

    pub(crate) fn listeners(&self, kind: EventKind) -> &[HandlerRef] {
        self.listeners.get(&kind).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn component(&self, custom_id: &str) -> Option<&HandlerRef> {
        closest(&self.components, custom_id)
    }

    pub(crate) fn modal(&self, custom_id: &str) -> Option<&HandlerRef> {
        closest(&self.modals, custom_id)
    }

    pub(crate) fn timer(&self, plugin: &PluginId, name: &str) -> Option<HandlerRef> {
        let generation = self.generations.get(plugin)?;
        let index = generation.subscriptions.timers.iter().position(|handler| handler.key == name)?;
        Some((generation.clone(), index))
    }
}

impl ServiceDirectory for RoutingTable {
    fn find(&self, asked: &Asked<'_>) -> Result<Provided, NoService> {
        let Asked { plugin, linked, dependency, name } = asked;
        let Some((provider, index)) = self.services.get(*name) else {
            return Err(NoService(format!(
                "no live plugin offers the service {name} that {plugin} asks for"
            )));
        };
        let offer = &provider.services()[*index];
        if let Some(words) = compatibility::incompatible_service(plugin, linked, dependency, provider, offer)
        {
            return Err(NoService(words));
        }
        let call = provider.enter_within(&format!("service {name} for {plugin}"));
        Ok(Provided { provider: provider.plugin().clone(), offer: offer.clone(), call })
    }
}

/// The names of text commands. A name that two plugins would answer to is a problem.
#[derive(Default)]
struct TextCommands<'a>(HashMap<String, Vec<(&'a str, &'a Arc<Generation>)>>);

impl<'a> TextCommands<'a> {
    fn add(&mut self, generation: &'a Arc<Generation>, problems: &mut Vec<String>) {
        let commands = generation.commands().iter().filter(|command| command.prefix_action.is_some());
        for name in commands.flat_map(|command| std::iter::once(&command.name).chain(command.aliases.iter()))
        {
            // poise ignores case only in ASCII.
            let same = self.0.entry(name.to_ascii_lowercase()).or_default();
            let answers_too = |(other, by): &&(&str, &Arc<Generation>)| {
                let is_equal = *other == &**name || by.ignores_case() || generation.ignores_case();
                is_equal && !Arc::ptr_eq(by, generation)
            };
            if let Some((_, other)) = same.iter().find(answers_too) {
                let (one, two) = (other.plugin(), generation.plugin());
                problems.push(format!("the text command '{name}' is defined by {one} and by {two}"));
            }
            same.push((name, generation));
        }
    }
}

fn closest<'a>(table: &'a [(String, HandlerRef)], custom_id: &str) -> Option<&'a HandlerRef> {
    table.iter().find(|(prefix, _)| custom_id.starts_with(prefix.as_str())).map(|(_, place)| place)
}
