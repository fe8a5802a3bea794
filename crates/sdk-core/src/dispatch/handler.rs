//! Running a handler: its panic is contained, and its failure is logged and turned into a message for the user.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::failure::{Reference, panicked};
use crate::generation::Generation;
use crate::panics::panic_text;
use crate::subscriptions::Outcome;
use crate::{Error, EventContext, Refusal, observer};

pub(super) enum Failed {
    Error(Error),
    /// Holds the message for the user.
    Panic(String),
}

impl From<&Result<(), Failed>> for observer::Outcome {
    fn from(handled: &Result<(), Failed>) -> Self {
        match handled {
            Ok(()) => Self::Ok,
            Err(Failed::Error(error)) => Self::of(error),
            Err(Failed::Panic(_)) => Self::Panic,
        }
    }
}

/// Runs a handler and logs its failure. Returns the message for the user, if it failed.
pub(super) async fn run(
    ctx: &serenity::all::Context,
    generation: &Generation,
    what: &str,
    handler: impl FnOnce(EventContext) -> Outcome,
) -> Option<String> {
    log_failure(generation, what, outcome(ctx, generation, what, handler).await)
}

pub(super) async fn outcome(
    ctx: &serenity::all::Context,
    generation: &Generation,
    what: &str,
    handler: impl FnOnce(EventContext) -> Outcome,
) -> Result<(), Failed> {
    let ctx = generation.own_context(ctx);
    let context = EventContext::new(ctx, generation.data.clone());
    match AssertUnwindSafe(async { handler(context).await }).catch_unwind().await {
        Ok(outcome) => outcome.map_err(Failed::Error),
        Err(panic) => Err(Failed::Panic(panicked(&generation.data, what, panic_text(&*panic)))),
    }
}

/// Logs a failure and returns the message for the user.
pub(super) fn log_failure(
    generation: &Generation,
    what: &str,
    outcome: Result<(), Failed>,
) -> Option<String> {
    let (plugin, number) = (generation.plugin(), generation.number());
    match outcome {
        Ok(()) => None,
        Err(Failed::Error(error)) => {
            let reference = Reference::of_error(&generation.data, &error);
            if Refusal::is(&error) {
                tracing::debug!(%plugin, generation = number, what, %error, "a handler refused");
            } else {
                let reference = reference.map(tracing::field::display);
                tracing::error!(%plugin, generation = number, what, reference, %error, "a handler failed");
            }
            Some(Reference::user_message(reference, &error))
        }
        Err(Failed::Panic(words)) => Some(words),
    }
}
