//! Messages, their edits and deletions: passed to the plugin whose text command it is, otherwise to the plugins that
//! want other messages.
//!
//! # Theory of operation
//!
//! Each plugin has a poise framework of its own, which knows only its prefixes and its commands. A message is first
//! parsed in all of them. If no code of the plugin decides what a prefix is, this needs no call, and the longest prefix
//! before a command wins. Only if none of these has the command, the plugins with `dynamic_prefix` or
//! `stripped_dynamic_prefix` are asked, concurrently, each through its own gate. The plugin that has the command runs
//! it, whatever the others would have done. If none has it, one plugin receives the unknown command after a prefix, and
//! `non_command_message` runs in each plugin in whose framework the message is not a command, as in poise.

use std::any::Any;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use poise::{FrameworkContext, FrameworkError, MessageDispatchTrigger};
use serenity::all::{Context, FullEvent, Message, ShardManager};
use tokio::sync::Mutex;

use super::call_timer::CallTimer;
use super::reply_target::ReplyTarget;
use super::{Dispatcher, enter, switch};
use crate::edits::Edit;
use crate::failure::{self, Failed, panicked};
use crate::gate::Call;
use crate::generation::Generation;
use crate::observer::{Outcome, Trigger, Unhandled};
use crate::options::{KnownPrefix, PREFIX};
use crate::panics::panic_text;
use crate::routing_table::RoutingTable;
use crate::{Data, Error, PluginId};

struct Said<'a> {
    message: &'a Message,
    trigger: MessageDispatchTrigger,
    edit: Option<&'a Edit>,
    shards: &'a Arc<ShardManager>,
}

/// What a message is in the framework of one plugin. Lengths are those of the prefix, in bytes.
enum Verdict {
    Command {
        prefix: u16,
        name: String,
    },
    Unknown {
        prefix: u16,
    },
    NoCommand,
    /// An edit that the plugin ignores.
    Ignored,
}

impl Said<'_> {
    /// Parses the message in a plugin's framework, which runs the plugin's code if it has prefix callbacks.
    async fn verdict(&self, ctx: &Context, generation: &Generation) -> Verdict {
        let options = generation.options();
        if self.edit.is_some_and(|edit| !edit.concerns(&options.prefix_options)) {
            return Verdict::Ignored;
        }
        // Without prefix callbacks no code of the plugin runs that could send a request.
        let own_context = generation.asks_for_prefix().then(|| generation.own_context(ctx));
        let ctx = own_context.as_ref().unwrap_or(ctx);
        let framework = framework(ctx, generation, &options, self.shards);
        let (data, mut tree) = (invocation_data(), Vec::new());
        match poise::parse_invocation(framework, self.message, self.trigger, &data, &mut tree).await {
            Ok(Some(found)) => Verdict::Command {
                prefix: found.content_start,
                name: found.command().qualified_name.to_string(),
            },
            Err(FrameworkError::UnknownCommand { content_start, .. }) => {
                Verdict::Unknown { prefix: content_start }
            }
            Ok(None) | Err(_) => Verdict::NoCommand,
        }
    }

    /// Handles the message with poise in a plugin's framework. Returns how that ended.
    async fn handle(&self, ctx: &Context, generation: &Generation, known: KnownPrefix) -> Failed {
        let options = generation.options();
        let own_context = generation.own_context(ctx);
        let framework = framework(&own_context, generation, &options, self.shards);
        let (data, mut tree) = (invocation_data(), Vec::new());
        let dispatched = poise::dispatch_message(framework, self.message, self.trigger, &data, &mut tree);
        match PREFIX.scope(Cell::new(known), dispatched).await {
            Ok(()) => Failed { outcome: Outcome::Ok, by_host: false },
            Err(error) => failure::handle(error, &options, None).await,
        }
    }

    /// Handles the message in a call of the generation; a panic that poise does not contain is contained here.
    async fn run(
        &self,
        ctx: &Context,
        generation: &Generation,
        call: &Call,
        what: &str,
        known: KnownPrefix,
    ) -> Failed {
        let handled = Box::pin(self.handle(ctx, generation, known));
        match AssertUnwindSafe(call.run(handled)).catch_unwind().await {
            Ok(failed) => failed,
            Err(panic) => {
                let words = panicked(&generation.data, what, panic_text(&*panic));
                ReplyTarget::Text(self.message.channel_id).tell(ctx, words).await;
                Failed { outcome: Outcome::Panic, by_host: false }
            }
        }
    }

    fn prefix(&self, length: u16) -> KnownPrefix {
        let prefix = self.message.content.get(..usize::from(length)).unwrap_or_default();
        KnownPrefix::Is(prefix.to_owned())
    }
}

fn framework<'a>(
    ctx: &'a Context,
    generation: &'a Generation,
    options: &'a crate::FrameworkOptions,
    shard_manager: &'a Arc<ShardManager>,
) -> FrameworkContext<'a, Data, Error> {
    FrameworkContext { serenity_context: ctx, options, user_data: &generation.data, shard_manager }
}

fn invocation_data() -> Mutex<Box<dyn Any + Send + Sync>> {
    Mutex::new(Box::new(()))
}

/// Returns a lookup of the live generation of a plugin, for [`enter`].
fn live(plugin: &PluginId) -> impl Fn(&RoutingTable) -> Option<(Arc<Generation>, ())> {
    move |snapshot| snapshot.generations().get(plugin).cloned().map(|found| (found, ()))
}

impl Dispatcher {
    /// Handles a message, an edit or a deletion. Other events are ignored.
    pub(super) async fn message(&self, ctx: &Context, snapshot: &Arc<RoutingTable>, event: &FullEvent) {
        let Some(shards) = self.host.shards() else { return };
        match event {
            FullEvent::Message { new_message: message } => {
                let trigger = MessageDispatchTrigger::MessageCreate;
                self.said(ctx, snapshot, &Said { message, trigger, edit: None, shards }).await;
            }
            FullEvent::MessageUpdate { old_if_available, event, .. } => {
                if snapshot.readers().is_empty() {
                    return;
                }
                let Some(edit) = self.host.edits().edited(old_if_available.as_ref(), event) else { return };
                let (message, trigger) = (&edit.message, edit.trigger());
                self.said(ctx, snapshot, &Said { message, trigger, edit: Some(&edit), shards }).await;
            }
            FullEvent::MessageDelete { deleted_message_id, .. } => {
                let Some(answer) = self.host.edits().deleted(*deleted_message_id) else { return };
                if let Err(error) = answer.delete(ctx).await {
                    tracing::warn!(message = %answer.id, %error, "an answer could not be deleted with its command");
                }
            }
            _ => {}
        }
    }

    async fn said(&self, ctx: &Context, snapshot: &Arc<RoutingTable>, said: &Said<'_>) {
        let mut snapshot = snapshot.clone();
        while !self.said_on(ctx, &snapshot, said).await {
            snapshot = self.host.registry().snapshot();
        }
    }

    /// Handles a message on a snapshot. Returns whether that is done; `false` if a swap has moved the command.
    async fn said_on(&self, ctx: &Context, snapshot: &Arc<RoutingTable>, said: &Said<'_>) -> bool {
        let guild = said.message.guild_id;
        let (asking, reading): (Vec<_>, Vec<_>) =
            snapshot.readers().iter().partition(|generation| generation.asks_for_prefix());
        // No code of a plugin that is switched off runs. What it says about prefixes is not known then.
        let asking = asking.into_iter().filter(|generation| !generation.is_off(guild, None));
        let mut verdicts = Vec::new();
        for generation in reading {
            verdicts.push((generation, said.verdict(ctx, generation).await));
        }
        let commands = verdicts.iter().filter_map(|(generation, verdict)| match verdict {
            Verdict::Command { prefix, name } => Some((*prefix, name, *generation)),
            _ => None,
        });
        if let Some((prefix, name, generation)) = commands.max_by_key(|(prefix, ..)| *prefix) {
            if self.is_switched_off(ctx, said, generation, name).await {
                return true;
            }
            let known = said.prefix(prefix);
            return self.text_command(ctx, snapshot, said, generation, name, known).await;
        }
        let claimed = AtomicBool::new(false);
        let asked = asking.map(async |generation| {
            (generation, self.ask_for_prefix(ctx, snapshot, said, generation, &claimed).await)
        });
        verdicts.extend(join_all(asked).await);
        if !claimed.into_inner() {
            verdicts.retain(|(generation, _)| !generation.is_off(guild, None));
            self.no_command(ctx, snapshot, said, verdicts).await;
        }
        true
    }

    /// Answers a text command that the server has switched off. Returns whether it has.
    async fn is_switched_off(
        &self,
        ctx: &Context,
        said: &Said<'_>,
        generation: &Generation,
        name: &str,
    ) -> bool {
        let command = name.split(' ').next().unwrap_or(name);
        let is_off = generation.is_off(said.message.guild_id, Some(command));
        if is_off {
            let timer = CallTimer::begin();
            ReplyTarget::Text(said.message.channel_id).tell(ctx, switch::sentence(command)).await;
            timer.report(&self.host, Trigger::Text, name, Outcome::Refused);
        }
        is_off
    }

    /// Runs a text command in the plugin's generation that is live by now. Returns whether that generation still has
    /// it.
    async fn text_command(
        &self,
        ctx: &Context,
        snapshot: &Arc<RoutingTable>,
        said: &Said<'_>,
        parsed_in: &Arc<Generation>,
        name: &str,
        known: KnownPrefix,
    ) -> bool {
        let what = format!("text command {name}");
        let timer = CallTimer::begin();
        let found = enter(&self.host, snapshot, &what, live(parsed_in.plugin())).await;
        let Some((generation, (), call)) = found else { return false };
        let mut known = known;
        if !Arc::ptr_eq(&generation, parsed_in) {
            let parsed = AssertUnwindSafe(call.run(said.verdict(ctx, &generation))).catch_unwind().await;
            let Ok(Verdict::Command { prefix, .. }) = parsed else { return false };
            known = said.prefix(prefix);
        }
        self.host.edits().purge();
        let failed = said.run(ctx, &generation, &call, &what, known).await;
        timer.report(&self.host, Trigger::Text, name, failed.outcome);
        true
    }

    /// Parses a message in a plugin that decides by its own code what a prefix is. Runs the command unless another
    /// plugin has claimed the message.
    async fn ask_for_prefix(
        &self,
        ctx: &Context,
        snapshot: &Arc<RoutingTable>,
        said: &Said<'_>,
        asked: &Arc<Generation>,
        claimed: &AtomicBool,
    ) -> Verdict {
        const WHAT: &str = "prefix of a message";
        let Some((generation, (), call)) = enter(&self.host, snapshot, WHAT, live(asked.plugin())).await
        else {
            return Verdict::Ignored;
        };
        let parsed = AssertUnwindSafe(call.run(said.verdict(ctx, &generation))).catch_unwind().await;
        let verdict = parsed.unwrap_or_else(|panic| {
            panicked(&generation.data, WHAT, panic_text(&*panic));
            Verdict::NoCommand
        });
        if let Verdict::Command { prefix, name } = &verdict
            && !claimed.swap(true, Ordering::AcqRel)
            && !self.is_switched_off(ctx, said, &generation, name).await
        {
            let (what, timer) = (format!("text command {name}"), CallTimer::begin());
            // The other call stays until this one ends, because it holds what was live when it began.
            let command = generation.enter_within(&what);
            self.host.edits().purge();
            let failed = said.run(ctx, &generation, &command, &what, said.prefix(*prefix)).await;
            timer.report(&self.host, Trigger::Text, name, failed.outcome);
        }
        verdict
    }

    /// Reports an unknown command to one plugin, and passes the message to those in which it is not a command.
    async fn no_command(
        &self,
        ctx: &Context,
        snapshot: &Arc<RoutingTable>,
        said: &Said<'_>,
        verdicts: Vec<(&Arc<Generation>, Verdict)>,
    ) {
        let mut unknown: Vec<_> = verdicts
            .iter()
            .filter(|(generation, _)| generation.has_text_commands())
            .filter_map(|(generation, verdict)| match verdict {
                Verdict::Unknown { prefix } => Some((*prefix, *generation)),
                _ => None,
            })
            .collect();
        // The sort is stable, so equals stay in the order of the plugins' names.
        unknown.sort_by_key(|(prefix, _)| std::cmp::Reverse(*prefix));
        if !unknown.is_empty() {
            self.report_unhandled(Unhandled::UnknownCommand);
        }
        for (prefix, parsed_in) in unknown {
            const WHAT: &str = "unknown text command";
            let found = enter(&self.host, snapshot, WHAT, live(parsed_in.plugin())).await;
            let Some((generation, (), call)) = found else { continue };
            if !said.run(ctx, &generation, &call, WHAT, said.prefix(prefix)).await.by_host {
                break;
            }
        }
        let none = verdicts.into_iter().filter(|(_, verdict)| matches!(verdict, Verdict::NoCommand));
        let handled = none.map(|(parsed_in, _)| async {
            const WHAT: &str = "non_command_message";
            if !parsed_in.handles_other_messages() {
                return;
            }
            let found = enter(&self.host, snapshot, WHAT, live(parsed_in.plugin())).await;
            if let Some((generation, (), call)) = found {
                said.run(ctx, &generation, &call, WHAT, KnownPrefix::None).await;
            }
        });
        join_all(handled).await;
    }
}
