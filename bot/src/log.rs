//! The log: one line per message, whatever its values contain, without tokens, and with the location of every panic.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal as _, Write};

use sdk::panics::panic_text;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::gateway::{RefusalLayer, Refusals};

mod fields;
pub(crate) mod redact;

/// Starts the log on standard output. Returns the receiver of the gateway's refusals found in the log.
pub(crate) fn start(filter: &str) -> Refusals {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = std::io::stdout().is_terminal() && !no_color;
    let lines = lines(colours, std::io::stdout).with_filter(changeable(parsed(filter)));
    let (layer, refusals) = RefusalLayer::new();
    let refusal_layer = layer.with_filter(Targets::new().with_target("serenity::gateway", Level::WARN));
    tracing_subscriber::registry().with(lines).with(refusal_layer).init();
    std::panic::set_hook(Box::new(|panic| {
        sdk::panics::note_place(panic);
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or("?").to_owned();
        let text = panic_text(panic.payload());
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            tracing::error!(panic = %text, at, thread, backtrace = %backtrace, "panicked");
        } else {
            tracing::error!(panic = %text, at, thread, "panicked");
        }
    }));
    refusals
}

/// Creates the layer that writes the log's lines, with or without colours.
fn lines<S, W>(colours: bool, to: impl Fn() -> W + Send + Sync + 'static) -> impl tracing_subscriber::Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Write + 'static,
{
    let to = move || redact::Redacted(to());
    tracing_subscriber::fmt::layer()
        .compact()
        .fmt_fields(fields::Fields)
        .with_ansi(colours)
        // Its own errors would go to standard error, whose reader may be gone too.
        .log_internal_errors(false)
        .with_writer(to)
}

/// Parses a filter. The configuration has checked it; the default is used if that check has a bug.
fn parsed(filter: &str) -> EnvFilter {
    EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"))
}

/// The filter of the log's lines.
#[cfg(feature = "hmr")]
static FILTER: std::sync::OnceLock<
    tracing_subscriber::reload::Handle<EnvFilter, tracing_subscriber::Registry>,
> = std::sync::OnceLock::new();

/// Replaces the log's filter.
#[cfg(feature = "hmr")]
pub(crate) fn set_filter(filter: &str) {
    if let Some(Err(error)) = FILTER.get().map(|handle| handle.reload(parsed(filter))) {
        tracing::error!(%error, "the log's filter cannot be replaced");
    }
}

/// Lets [`set_filter`] replace the filter.
#[cfg(feature = "hmr")]
fn changeable(
    filter: EnvFilter,
) -> tracing_subscriber::reload::Layer<EnvFilter, tracing_subscriber::Registry> {
    let (filter, handle) = tracing_subscriber::reload::Layer::new(filter);
    // The log is started once.
    let _ = FILTER.set(handle);
    filter
}

/// Returns the filter unchanged: without hot reload it is never replaced.
#[cfg(not(feature = "hmr"))]
fn changeable(filter: EnvFilter) -> EnvFilter {
    filter
}

/// Runs `work` and returns what it logs, as the terminal shows it, with or without colours.
#[cfg(test)]
pub(crate) fn logged(colours: bool, work: impl FnOnce()) -> String {
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let written = Lines::default();
    let to = written.clone();
    let layer = lines(colours, move || to.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    let bytes = written.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}
