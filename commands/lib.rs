//! The static list of all command plugins, which production builds link.

use sdk::PluginEntry;

/// Every plugin under `commands/`; `./dev-env.sh new commands/NAME` adds its line here.
#[rustfmt::skip] // One line each, so that adding one changes one line.
pub static PLUGINS: &[&PluginEntry] = &[
    &commands_config::PLUGIN,
    &commands_dev::PLUGIN,
    &commands_general::PLUGIN,
    &commands_moderation::PLUGIN,
    &commands_music::PLUGIN,
    &commands_privacy::PLUGIN,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_plugin_folder_is_in_the_list() {
        let on_disk: BTreeSet<_> = Path::new(env!("CARGO_MANIFEST_DIR"))
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().join("Cargo.toml").exists())
            .map(|entry| format!("commands/{}", entry.file_name().display()))
            .collect();
        let listed: BTreeSet<_> = PLUGINS.iter().map(|entry| entry.id().to_string()).collect();
        assert_eq!(listed, on_disk);
        assert_eq!(listed.len(), PLUGINS.len());
    }
}
