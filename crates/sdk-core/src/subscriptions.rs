//! A plugin's subscriptions: gateway events by kind, components and modals by custom id, timers by name.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serenity::all::{
    Cache, CacheHttp, ComponentInteraction, FullEvent, GatewayIntents, Http, ModalInteraction,
};

use crate::bus::ReloadEvent;
use crate::event::Event;
use crate::raw::RawEvent;
use crate::scheduler::Timer;
use crate::voice::VoiceEvent;
use crate::{Data, Error, EventKind};

/// The context of a handler, passed with the event: serenity's context and the plugin's [`Data`].
///
/// It can be used like serenity's context: `channel.say(&ctx, ..)` and `ctx.cache` work as usual.
#[derive(Clone)]
pub struct EventContext {
    serenity: serenity::all::Context,
    data: Data,
}

impl EventContext {
    pub(crate) fn new(serenity: serenity::all::Context, data: Data) -> Self {
        Self { serenity, data }
    }

    /// Returns serenity's context.
    pub fn serenity_context(&self) -> &serenity::all::Context {
        &self.serenity
    }

    /// Returns the plugin's handle to the host.
    pub fn data(&self) -> &Data {
        &self.data
    }
}

impl Deref for EventContext {
    type Target = serenity::all::Context;

    fn deref(&self) -> &Self::Target {
        &self.serenity
    }
}

impl CacheHttp for EventContext {
    fn http(&self) -> &Http {
        &self.serenity.http
    }

    fn cache(&self) -> Option<&Arc<Cache>> {
        Some(&self.serenity.cache)
    }
}

impl AsRef<Http> for EventContext {
    fn as_ref(&self) -> &Http {
        &self.serenity.http
    }
}

impl AsRef<Cache> for EventContext {
    fn as_ref(&self) -> &Cache {
        &self.serenity.cache
    }
}

pub(crate) type Outcome = BoxFuture<'static, Result<(), Error>>;
type HandlerFn<T> = Box<dyn Fn(EventContext, T) -> Outcome + Send + Sync>;

/// One event listener of a plugin.
pub struct Listener {
    pub(crate) kind: EventKind,
    pub(crate) name: &'static str,
    pub(crate) handler: HandlerFn<Arc<FullEvent>>,
}

/// A handler of components, modals, timers or raw events, with its prefix or name.
pub struct Keyed<T> {
    pub(crate) key: String,
    pub(crate) handler: HandlerFn<T>,
}

/// A listener to reload events.
pub(crate) struct ReloadHandler {
    pub(crate) name: &'static str,
    pub(crate) handler: HandlerFn<ReloadEvent>,
}

/// A listener to voice events.
pub(crate) struct VoiceHandler {
    pub(crate) name: &'static str,
    pub(crate) handler: HandlerFn<VoiceEvent>,
}

/// All subscriptions of a generation.
#[derive(Default)]
pub struct Subscriptions {
    pub(crate) listeners: Vec<Listener>,
    pub(crate) components: Vec<Keyed<ComponentInteraction>>,
    pub(crate) modals: Vec<Keyed<ModalInteraction>>,
    pub(crate) timers: Vec<Keyed<Timer>>,
    pub(crate) raw: Vec<Keyed<RawEvent>>,
    pub(crate) reloads: Vec<ReloadHandler>,
    pub(crate) voice: Vec<VoiceHandler>,
}

impl Subscriptions {
    /// Subscribes to the event that is the handler's argument: `on.event(greet)` with `async fn greet(ctx:
    /// EventContext, joined: event::GuildMemberAddition) -> Result<(), Error>`.
    pub fn event<E: Event, F>(&mut self, handler: impl Fn(EventContext, E) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.listeners.push(Listener {
            kind: E::KIND,
            name: std::any::type_name_of_val(&handler),
            handler: Box::new(move |ctx, event| match E::from_full(&event) {
                Some(event) => handler(ctx, event).boxed(),
                None => std::future::ready(Ok(())).boxed(),
            }),
        });
    }

    /// Subscribes to a kind of event that is chosen at run time.
    pub fn kind<F>(
        &mut self,
        kind: EventKind,
        handler: impl Fn(EventContext, Arc<FullEvent>) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.listeners.push(Listener {
            kind,
            name: std::any::type_name_of_val(&handler),
            handler: Box::new(move |ctx, event| handler(ctx, event).boxed()),
        });
    }

    /// Handles presses and choices whose custom id begins with `prefix`. The longest prefix of all plugins wins.
    pub fn component<F>(
        &mut self,
        prefix: &str,
        handler: impl Fn(EventContext, ComponentInteraction) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.components.push(keyed(prefix, handler));
    }

    /// Handles modals whose custom id begins with `prefix`. The longest prefix of all plugins wins.
    pub fn modal<F>(
        &mut self,
        prefix: &str,
        handler: impl Fn(EventContext, ModalInteraction) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.modals.push(keyed(prefix, handler));
    }

    /// Handles timers that this plugin has set with [`Data::schedule`] under `name`, in any generation.
    pub fn timer<F>(&mut self, name: &str, handler: impl Fn(EventContext, Timer) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.timers.push(keyed(name, handler));
    }

    /// Subscribes to events about plugins, including this one's own reloads, from the first gateway session on:
    /// `on.reload(watch)` with `async fn watch(ctx: EventContext, event: ReloadEvent) -> Result<(), Error>`.
    ///
    /// An event goes to the generations that are live when it is dispatched. So the new generation receives the end of
    /// its own swap.
    pub fn reload<F>(&mut self, handler: impl Fn(EventContext, ReloadEvent) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.reloads.push(ReloadHandler {
            name: std::any::type_name_of_val(&handler),
            handler: Box::new(move |ctx, event| handler(ctx, event).boxed()),
        });
    }

    /// Subscribes to events about players: `on.voice(announce)` with `async fn announce(ctx: EventContext, event:
    /// VoiceEvent) -> Result<(), Error>`.
    ///
    /// A plugin receives one guild's events in order, each after it has handled the one before.
    pub fn voice<F>(&mut self, handler: impl Fn(EventContext, VoiceEvent) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.voice.push(VoiceHandler {
            name: std::any::type_name_of_val(&handler),
            handler: Box::new(move |ctx, event| handler(ctx, event).boxed()),
        });
    }

    /// Subscribes to an event by the gateway's name, as Discord sends it: `on.raw("INTERACTION_CREATE", read)` with
    /// `async fn read(ctx: EventContext, raw: RawEvent) -> Result<(), Error>`.
    ///
    /// It implies no intents; name those in [`Plugin::intents`](crate::Plugin::intents). Events come only while the host
    /// reads the gateway itself, besides serenity.
    pub fn raw<F>(
        &mut self,
        name: &str,
        handler: impl Fn(EventContext, RawEvent) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.raw.push(keyed(name, handler));
    }

    /// Returns the number of handlers.
    pub fn len(&self) -> usize {
        let keyed = self.components.len() + self.modals.len() + self.timers.len() + self.raw.len();
        self.listeners.len() + keyed + self.reloads.len() + self.voice.len()
    }

    /// Returns whether there is no handler.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the intents that Discord requires for these events.
    pub fn intents(&self) -> GatewayIntents {
        self.listeners.iter().map(|listener| listener.kind.intents()).collect()
    }

    /// Describes each subscription in a few words, sorted, for the report of what a reload changed.
    pub fn describe(&self) -> Vec<String> {
        let mut words: Vec<_> = self
            .listeners
            .iter()
            .map(|listener| listener.kind.name().to_owned())
            .chain(self.components.iter().map(|handler| format!("component {}", handler.key)))
            .chain(self.modals.iter().map(|handler| format!("modal {}", handler.key)))
            .chain(self.timers.iter().map(|handler| format!("timer {}", handler.key)))
            .chain(self.raw.iter().map(|handler| format!("raw {}", handler.key)))
            .chain(self.reloads.iter().map(|_| "reload events".to_owned()))
            .chain(self.voice.iter().map(|_| "voice events".to_owned()))
            .collect();
        words.sort_unstable();
        words
    }
}

fn keyed<T, F>(key: &str, handler: impl Fn(EventContext, T) -> F + Send + Sync + 'static) -> Keyed<T>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    Keyed { key: key.to_owned(), handler: Box::new(move |ctx, value| handler(ctx, value).boxed()) }
}
