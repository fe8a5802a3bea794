//! docs/commands.md describes the plugins' definitions. `UPDATE_DOCS=1` in the environment updates it.

use std::path::Path;
use std::sync::Arc;

use sdk::definition::{CommandKey, CommandKind};
use sdk::generation::Generation;
use sdk::host::Host;
use sdk::poise::ContextMenuCommandAction;
use sdk::serenity::all::GatewayIntents;
use sdk::server::{SettingDeclaration, SettingKind, SettingValue};
use sdk::settings::Settings;
use sdk::{Command, PluginEntry};
use serde_json::Value;

const HEAD: &str = "\
# Commands and events

Written from the plugins themselves by `./dev-env.sh docs`; `./dev-env.sh test` fails when it is stale. Options in
brackets may be left out.
";

#[test]
fn the_page_of_commands_says_what_the_plugins_define() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| !value.is_empty()) {
        std::fs::write(&file, &page).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = kept.lines().zip(page.lines()).position(|(kept, now)| kept != now);
    let line = differs.unwrap_or_else(|| kept.lines().count().min(page.lines().count()));
    assert!(
        kept == page,
        "docs/commands.md is stale from line {} on, where it should say {:?}; renew it with ./dev-env.sh docs",
        line + 1,
        page.lines().nth(line).unwrap_or_default()
    );
}

fn page() -> String {
    let host = Host::new(env!("CARGO_PKG_VERSION"), Settings::default());
    let generations = |entries: &[&PluginEntry]| -> Vec<Arc<Generation>> {
        let made = entries.iter().map(|entry| Generation::new(entry, 1, &host));
        made.collect::<Result<_, _>>().unwrap_or_else(|problems| panic!("{problems:?}"))
    };
    let mut page = HEAD.to_owned();
    for generation in generations(commands::PLUGINS).iter().chain(&generations(events::PLUGINS)) {
        let manifest = generation.manifest();
        page += &format!("\n## {}\n\n{}\n", manifest.id, manifest.description);
        for command in generation.commands() {
            page += &sections(command, generation);
        }
        page += &settings(generation);
        page += &needs(generation);
    }
    page
}

/// Describes a command, and its context menu entry if it has one.
fn sections(command: &Command, generation: &Generation) -> String {
    let body = |kind: CommandKind, name: &str| {
        &generation.definitions()[&CommandKey { kind, name: name.to_owned() }]
    };
    let mut text = String::new();
    if command.slash_action.is_some() {
        text += &slash(command, body(CommandKind::Slash, &command.name));
    }
    if let Some(action) = command.context_menu_action {
        let (kind, menu) = match action {
            ContextMenuCommandAction::User(_) => (CommandKind::User, "user"),
            ContextMenuCommandAction::Message(_) => (CommandKind::Message, "message"),
            ContextMenuCommandAction::__NonExhaustive => return text,
        };
        let name = command.context_menu_name.as_ref().unwrap_or(&command.name);
        // Discord shows no description there, so the source's own is the only one.
        assert!(body(kind, name)["options"].as_array().is_none_or(Vec::is_empty), "{name} takes options");
        text += &format!("\n### {name} (in a {menu}'s menu, under Apps)\n\n{}\n", described(command));
    }
    text
}

fn slash(command: &Command, body: &Value) -> String {
    let options = body["options"].as_array().map_or(&[][..], Vec::as_slice);
    if !command.subcommands.is_empty() {
        let with_body = command.subcommands.iter().map(|subcommand| {
            let body = options.iter().find(|option| option["name"] == subcommand.name.as_ref());
            slash(subcommand, body.expect("Discord is told of every subcommand"))
        });
        return with_body.collect();
    }
    let mut usage = format!("/{}", command.qualified_name);
    let mut rows = String::new();
    for option in options {
        let name = option["name"].as_str().unwrap_or_default();
        usage += &if option["required"] == true { format!(" {name}:") } else { format!(" [{name}:]") };
        let (kind, description) = (kind(option), option["description"].as_str().unwrap_or_default());
        rows += &format!("| `{name}` | {description} | {kind} |\n");
    }
    let table = if rows.is_empty() {
        rows
    } else {
        format!("\n| option | what it is | takes |\n|---|---|---|\n{rows}")
    };
    format!("\n### `{usage}`\n\n{}\n{table}", described(command))
}

/// Returns a command's description, with who may use it where.
fn described(command: &Command) -> String {
    let mut words = command.description.as_deref().unwrap_or_default().to_owned();
    words += ".";
    for (holds, remark) in [
        (command.owners_only, " For the bot's owners."),
        (command.guild_only, " In servers only."),
        (command.dm_only, " In direct messages only."),
    ] {
        words += if holds { remark } else { "" };
    }
    if let Some(help) = command.help_text.as_deref().map(str::trim).filter(|help| !help.is_empty()) {
        words += &format!("\n\n{help}");
    }
    words
}

/// Describes the values of an option. Source: "Application Command Option Type" in Discord's documentation.
fn kind(option: &Value) -> String {
    let mut words = match option["type"].as_u64() {
        Some(3) => "text",
        Some(4) => "a whole number",
        Some(5) => "yes or no",
        Some(6) => "a user",
        Some(7) => "a channel",
        Some(8) => "a role",
        Some(9) => "a user or role",
        Some(10) => "a number",
        Some(11) => "a file",
        other => panic!("{other:?} is no type of an option"),
    }
    .to_owned();
    let limit = |name: &str| option[name].as_f64();
    words += &match (limit("min_value"), limit("max_value")) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" from {least}"),
        (None, Some(most)) => format!(" up to {most}"),
        (None, None) => String::new(),
    };
    words += &match (limit("min_length"), limit("max_length")) {
        (Some(least), Some(most)) => format!(", {least} to {most} characters"),
        (Some(least), None) => format!(", {least} characters or more"),
        (None, Some(most)) => format!(", up to {most} characters"),
        (None, None) => String::new(),
    };
    let choices = option["choices"].as_array().into_iter().flatten();
    let choices: Vec<_> = choices.filter_map(|choice| choice["name"].as_str()).collect();
    if !choices.is_empty() {
        words += &format!(": {}", choices.join(", "));
    }
    if option["autocomplete"] == true {
        words += ", with suggestions";
    }
    words
}

/// Describes the settings that each server can change.
fn settings(generation: &Generation) -> String {
    let mut rows = String::new();
    for SettingDeclaration { name, description, kind, .. } in generation.server_settings() {
        let (plugin, takes) = (generation.plugin().short(), takes(kind));
        let default = kind.default_value().map(|value| value.to_string()).filter(|text| !text.is_empty());
        let default = default.map_or_else(|| "none".to_owned(), |default| format!("`{default}`"));
        rows += &format!("| `{plugin}.{name}` | {description} | {takes} | {default} |\n");
    }
    if rows.is_empty() {
        return rows;
    }
    format!("\n| setting of a server | what it is | takes | default |\n|---|---|---|---|\n{rows}")
}

/// Describes the values of a setting.
fn takes(kind: &SettingKind) -> String {
    match *kind {
        SettingKind::Boolean { .. } => "yes or no".to_owned(),
        SettingKind::Integer { min, max, .. } => format!("a whole number from {min} to {max}"),
        SettingKind::Text { max_length, .. } => format!("text, up to {max_length} characters"),
        SettingKind::Choice { choices, .. } => choices.join(", "),
        SettingKind::Channel { .. } => "a channel".to_owned(),
        SettingKind::Role => "a role".to_owned(),
        SettingKind::User => "a member".to_owned(),
        SettingKind::Duration { min, max, .. } => {
            let shown = |time| SettingValue::Duration(time).to_string();
            format!("a duration from {} to {}", shown(min), shown(max))
        }
    }
}

/// Describes a plugin's subscriptions, and the intents that it needs.
fn needs(generation: &Generation) -> String {
    let listens = generation.subscriptions().describe();
    let intents: Vec<_> = generation
        .intents()
        .iter_names()
        .map(|(name, intent)| {
            let mark = if GatewayIntents::privileged().contains(intent) { " (privileged)" } else { "" };
            format!("`{name}`{mark}")
        })
        .collect();
    let mut lines = String::new();
    if !listens.is_empty() {
        lines += &format!("\nListens to: {}.\n", listens.join(", "));
    }
    if !intents.is_empty() {
        lines += &format!("\nIntents: {}.\n", intents.join(", "));
    }
    lines
}
