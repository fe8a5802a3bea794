//! The static list of all event plugins, as production builds link them.

use sdk::PluginEntry;

/// Every plugin under `events/`; `./dev-env.sh new events/NAME` adds its line here.
pub static PLUGINS: &[&PluginEntry] = &[
    &events_modlog::PLUGIN,
    &events_welcome::PLUGIN,
];
