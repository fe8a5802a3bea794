//! Choices of autocompletion.

use std::collections::BTreeSet;

use sdk::autocomplete::{CHOICE, CHOICES, entered};
use sdk::prelude::*;
use sdk::server::{SettingKind, SettingValue};
use serenity::{AutocompleteChoice, CreateAutocompleteResponse, Guild};

use crate::admin;

/// A choice: what is shown, and what is sent.
type Choice = (String, String);

/// Returns the plugins that have settings.
pub(crate) async fn plugin(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let settings = admin(ctx).map(|admin| admin.settings()).unwrap_or_default();
    let plugins: BTreeSet<_> = settings.into_iter().map(|setting| setting.plugin.to_string()).collect();
    respond(plugins.into_iter().map(same), partial)
}

/// Returns the settings of all live plugins, with their descriptions.
pub(crate) async fn setting(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let settings = admin(ctx).map(|admin| admin.settings()).unwrap_or_default();
    let choices = settings.into_iter().map(|setting| {
        let shown = format!("{}: {}", setting.name, setting.declaration.description);
        (shown, setting.name)
    });
    respond(choices, partial)
}

/// Returns values of the setting that is entered: the current one first, then those that it can have.
pub(crate) async fn value(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let nothing = CreateAutocompleteResponse::new();
    let Some(name) = entered(ctx, "setting") else { return nothing };
    let Ok(admin) = admin(ctx) else { return nothing };
    let Ok(setting) = admin.setting(&name) else { return nothing };
    // Without the database, the values that it can have are still known.
    let current = admin.value(&setting).await.ok().and_then(|(value, _)| value);
    let choices = match ctx.guild() {
        Some(guild) => choices(&setting.declaration.kind, current.as_ref(), &guild),
        None => Vec::new(),
    };
    respond(choices, partial)
}

/// Returns what is switched on and can be switched off.
pub(crate) async fn switched_on(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let Ok(admin) = admin(ctx) else { return CreateAutocompleteResponse::new() };
    let off = admin.switched_off();
    let on = admin.switches().into_iter().filter(|switch| !off.contains(switch));
    respond(on.map(|switch| same(switch.to_string())), partial)
}

/// Returns what is switched off.
pub(crate) async fn switched_off(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let off = admin(ctx).map(|admin| admin.switched_off()).unwrap_or_default();
    respond(off.into_iter().map(|switch| same(switch.to_string())), partial)
}

fn choices(kind: &SettingKind, current: Option<&SettingValue>, guild: &Guild) -> Vec<Choice> {
    let mut all: Vec<Choice> = match *kind {
        SettingKind::Boolean { .. } => ["true", "false"].map(|value| same(value.to_owned())).into(),
        SettingKind::Choice { choices, .. } => {
            choices.iter().map(|value| same((*value).to_owned())).collect()
        }
        SettingKind::Channel { types } => {
            let fits = |kind| types.is_empty() || types.contains(kind);
            let mut fitting: Vec<_> = guild.channels.values().filter(|channel| fits(&channel.kind)).collect();
            fitting.sort_by_key(|channel| (channel.position, channel.id));
            fitting
                .into_iter()
                .map(|channel| (format!("#{}", channel.name), channel.id.to_string()))
                .collect()
        }
        SettingKind::Role => {
            let mut roles: Vec<_> = guild.roles.values().collect();
            roles.sort_by_key(|role| (std::cmp::Reverse(role.position), role.id));
            let shown = |name: &str| format!("@{}", name.strip_prefix('@').unwrap_or(name));
            roles.into_iter().map(|role| (shown(&role.name), role.id.to_string())).collect()
        }
        SettingKind::User => {
            let mut members: Vec<_> = guild.members.values().collect();
            members.sort_by(|one, other| one.user.name.cmp(&other.user.name));
            let choice =
                |member: &serenity::Member| (format!("@{}", member.user.name), member.user.id.to_string());
            members.into_iter().map(choice).collect()
        }
        SettingKind::Integer { .. } | SettingKind::Text { .. } | SettingKind::Duration { .. } => {
            kind.default_value().into_iter().map(|default| same(default.to_string())).collect()
        }
    };
    if let Some(current) = current.map(ToString::to_string) {
        let place = all.iter().position(|(_, value)| *value == current);
        // A channel that is gone has no name.
        let (shown, value) = place.map_or_else(|| same(current), |place| all.remove(place));
        all.insert(0, (format!("{shown} (current)"), value));
    }
    all
}

fn same(text: String) -> Choice {
    (text.clone(), text)
}

/// Returns the choices that contain what is entered so far, first those that begin with it.
fn respond(choices: impl IntoIterator<Item = Choice>, partial: &str) -> CreateAutocompleteResponse {
    let partial = partial.trim().to_lowercase();
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for (shown, value) in choices {
        // What is longer than a choice can be is not cut: it would be another value.
        if value.is_empty() || value.chars().count() > CHOICE {
            continue;
        }
        let is_value = value.to_lowercase().starts_with(&partial);
        let name = AutocompleteChoice::new(foreign(&shown, Surface::Label, CHOICE), value);
        match shown.to_lowercase().find(&partial) {
            Some(0) => first.push(name),
            _ if is_value => first.push(name),
            Some(_) => then.push(name),
            None => {}
        }
    }
    first.append(&mut then);
    first.truncate(CHOICES);
    CreateAutocompleteResponse::new().set_choices(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(choices: &[&str], partial: &str) -> Vec<String> {
        let response = respond(choices.iter().map(|name| same((*name).to_owned())), partial);
        let json = serenity::json::to_value(response).unwrap();
        let names = json["choices"].as_array().unwrap().iter().map(|choice| choice["name"].as_str().unwrap());
        names.map(str::to_owned).collect()
    }

    #[test]
    fn choices_are_those_that_contain_what_is_entered_and_no_more_than_discord_takes() {
        assert_eq!(names(&["welcome.channel", "modlog.channel"], "mod"), ["modlog.channel"]);
        assert_eq!(names(&["a long", "longer", "x"], "LONG"), ["longer", "a long"]);
        assert_eq!(names(&["", &"x".repeat(101)], ""), Vec::<String>::new());
        assert_eq!(names(&["same"; 40], "").len(), CHOICES);
    }
}
