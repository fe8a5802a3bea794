//! The static list of all command plugins, as production builds link them.

use sdk::PluginEntry;

/// Every plugin under `commands/`; `./dev-env.sh new commands/NAME` adds its line here.
pub static PLUGINS: &[&PluginEntry] = &[
    &commands_dev::PLUGIN,
    &commands_general::PLUGIN,
];
