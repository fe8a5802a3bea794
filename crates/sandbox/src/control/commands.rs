//! Running commands: those that the user sees and may use, with options as Discord's client reads them.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::find::Where;
use super::values::{FileGiven, Lookup, Resolved};
use super::{BadRequest, Control, Query, find};
use crate::live::{Live, Trigger};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::state::channel::Channel;
use crate::state::command::Command;
use crate::state::interaction::kind;
use crate::state::user::Application;
use crate::typed;
use crate::validate::command::kind as command_kind;
use crate::validate::command::{Definition, ShownIn};

/// A command to run, or to complete.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunCommand {
    /// User who runs it.
    #[serde(rename = "as")]
    pub(super) user: String,
    /// Channel.
    pub(super) channel: String,
    /// Guild in which the channel is looked up by name.
    pub(super) guild: Option<String>,
    /// As typed: `/poll question:"a b"`.
    pub(super) text: Option<String>,
    /// Name of the command, with separate options.
    pub(super) name: Option<String>,
    /// Options as JSON.
    pub(super) options: Option<Value>,
    /// For autocompletion with separate options: the option being typed.
    pub(super) focused: Option<String>,
    /// For a user command or message command: its user or message.
    pub(super) target: Option<String>,
    /// Bot of the command, if several have one of that name.
    pub(super) bot: Option<String>,
    /// Files that options name, by the path in the option.
    #[serde(default)]
    pub(super) files: HashMap<String, FileGiven>,
    /// How long to wait for a deferred answer, from the start.
    pub(super) deadline_ms: Option<u64>,
    /// How long to wait after the answer, for second callbacks and followups.
    pub(super) settle_ms: Option<u64>,
    /// Whether to wait no longer than for the bot's first callback; what comes later is in the stream.
    #[serde(default)]
    pub(super) until_acknowledged: bool,
}

/// Returns the commands that a user can run in a channel.
pub(super) async fn list(
    State(control): State<Control>,
    Query(asked): Query<Where>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let (user, channel) = asked.find(&mut live)?;
    let locale = live.user(user)?.locale.clone();
    let channel = live.channel(channel)?;
    let all = live.commands_for(user, channel);
    let usable =
        all.into_iter().filter(|(app, command)| why_not(&live, user, channel, app, command).is_none());
    Ok(Json(usable.map(|(_, command)| command.json(ShownIn::Client(&locale))).collect()))
}

/// Returns why a user may not run a command here; `None` if they may.
fn why_not(
    world: &World,
    user: Snowflake,
    channel: &Channel,
    application: &Application,
    command: &Command,
) -> Option<String> {
    let guild = channel.guild_id.and_then(|id| world.guilds.get(&id))?;
    let has = world.permissions_in(user, channel);
    let who = world.users.get(&user).map_or("This user", |user| user.username.as_str());
    let locale = world.users.get(&user).map_or("", |user| user.locale.as_str());
    let name = command.definition.shown_name(locale);
    if command.definition.nsfw && !channel.nsfw {
        return Some(format!("/{name} is age-restricted and #{} is not.", channel.name));
    }
    if has.contains(Permissions::ADMINISTRATOR) {
        return None;
    }
    if !has.contains(Permissions::USE_APPLICATION_COMMANDS) {
        return Some(format!("{who} may not use application commands in #{}.", channel.name));
    }
    // The permissions of commands are those of servers, so not those of one that only the user has installed.
    world.owners(application, Some(command), user, channel).guild?;
    let roles: &[Snowflake] = guild.members.get(&user).map_or(&[], |member| &member.roles);
    let mut decided = None;
    for target in [application.id, command.identity.id] {
        let Some(set) = application.command_permissions.get(&(guild.id, target)) else { continue };
        let rule = |kind: u64, id: Snowflake| {
            let same = |rule: &&Value| rule["type"] == kind && rule["id"] == id.to_string();
            set.iter().find(same).and_then(|rule| rule["permission"].as_bool())
        };
        let all_channels = Snowflake(guild.id.0 - 1);
        if rule(3, channel.id).or_else(|| rule(3, all_channels)) == Some(false) {
            return Some(format!("An admin has turned /{name} off in #{}.", channel.name));
        }
        let of_roles: Vec<bool> = roles.iter().filter_map(|role| rule(1, *role)).collect();
        let of_roles = (!of_roles.is_empty()).then(|| of_roles.contains(&true));
        decided = rule(2, user).or(of_roles).or_else(|| rule(1, guild.id)).or(decided);
    }
    let needed = command.definition.default_member_permissions;
    match (decided, needed) {
        (Some(false), _) => Some(format!("An admin has turned /{name} off for {who}.")),
        (Some(true), _) | (None, None) => None,
        (None, Some(Permissions::NONE)) => {
            Some(format!("/{name} is for administrators only, and {who} is none."))
        }
        (None, Some(needed)) if has.contains(needed) => None,
        (None, Some(needed)) => {
            let names: Vec<&str> = (needed & !has).names().collect();
            Some(format!("{who} may not use /{name}: it needs {}.", names.join(", ")))
        }
    }
}

/// Creates the interaction of a command, or of an option that is being typed.
pub(super) fn run(live: &mut Live<'_>, asked: &RunCommand, completing: bool) -> Result<Trigger, BadRequest> {
    let user = find::person(live, &asked.user)?;
    let (user, locale) = (user.id, user.locale.clone());
    let channel_id = find::channel(live, &asked.channel, asked.guild.as_deref(), user)?.id;
    let bot = match &asked.bot {
        Some(bot) => Some(find::user(live, bot)?.id),
        None => None,
    };
    let world: &World = live;
    let channel = world.channel(channel_id)?;
    let mut candidates = world.commands_for(user, channel);
    candidates.retain(|(application, _)| bot.is_none_or(|bot| application.id == bot));
    let (application, command, rest) = choose(&candidates, asked, &locale)?;
    if let Some(why) = why_not(world, user, channel, application, command) {
        return Err(BadRequest::with_status(axum::http::StatusCode::FORBIDDEN, why));
    }
    let (application, command) = (application.id, command.clone());
    let data = if command.definition.kind == command_kind::CHAT_INPUT {
        slash(live, (user, &locale), channel_id, &command, asked, rest, completing)?
    } else if command.definition.kind == command_kind::PRIMARY_ENTRY_POINT {
        json!({ "id": command.identity.id, "name": command.definition.name, "type": command.definition.kind })
    } else {
        on_target(live, (user, &locale), channel_id, &command, asked.target.as_deref())?
    };
    Ok(Trigger {
        application,
        kind: if completing { kind::AUTOCOMPLETE } else { kind::COMMAND },
        user,
        channel: channel_id,
        command: Some((full_name(&data), command.definition.kind)),
        data,
        message: None,
        opener: None,
    })
}

/// Returns the command that is meant, and the rest of its text.
fn choose<'a, 't>(
    candidates: &[(&'a Application, &'a Command)],
    asked: &'t RunCommand,
    locale: &str,
) -> Result<(&'a Application, &'a Command, &'t str), BadRequest> {
    if let Some(text) = &asked.text {
        let is_entry_point = |command: &Command| {
            command.definition.kind == command_kind::PRIMARY_ENTRY_POINT
                && command.definition.shown_name(locale) == text.trim().trim_start_matches('/')
        };
        if let Some((application, command)) = candidates.iter().find(|(_, command)| is_entry_point(command)) {
            return Ok((application, command, ""));
        }
        let known: Vec<typed::Command<'_>> =
            candidates.iter().map(|(_, command)| as_typed(command, locale)).collect();
        let (found, rest) = typed::find(text, &known).map_err(|why| BadRequest::new(why.to_string()))?;
        let (application, command) = candidates
            .iter()
            .find(|(_, command)| command.identity.id == found.id)
            .ok_or_else(|| BadRequest::missing("There is no such command."))?;
        return Ok((application, command, rest));
    }
    let name =
        asked.name.as_deref().ok_or_else(|| BadRequest::new("Give the command as `text` or `name`."))?;
    let wants_target = asked.target.is_some();
    let name = name.trim_start_matches('/');
    let called = |what: fn(&'a Definition, &str) -> &'a str| {
        candidates.iter().find(|(_, command)| {
            let on_target = matches!(command.definition.kind, command_kind::USER | command_kind::MESSAGE);
            on_target == wants_target && what(&command.definition, locale) == name
        })
    };
    // A program that gives a name separately most likely has it from the bot's code.
    let found = called(|definition, _| &definition.name).or_else(|| called(Definition::shown_name));
    let (application, command) = found.ok_or_else(|| {
        let what = if wants_target { "user or message command" } else { "command" };
        BadRequest::missing(format!("There is no {what} \"{name}\" here."))
    })?;
    Ok((application, command, ""))
}

fn as_typed<'a>(command: &'a Command, locale: &'a str) -> typed::Command<'a> {
    typed::Command {
        id: command.identity.id,
        guild_id: command.identity.guild_id,
        definition: &command.definition,
        locale,
    }
}

fn slash(
    live: &mut Live<'_>,
    (user, locale): (Snowflake, &str),
    channel: Snowflake,
    command: &Command,
    asked: &RunCommand,
    rest: &str,
    completing: bool,
) -> Result<Value, BadRequest> {
    let mut lookup = Lookup::new(live, user, channel, &asked.files);
    let command = as_typed(command, locale);
    let data = match (&asked.text, completing) {
        (Some(_), false) => typed::parse(rest, command, &mut lookup),
        (Some(_), true) => typed::parse_partial(rest, command, &mut lookup),
        (None, false) => {
            let options = asked.options.clone().unwrap_or_else(|| json!([]));
            typed::structured(&options, command, &mut lookup)
        }
        (None, true) => {
            let options = asked.options.clone().unwrap_or_else(|| json!([]));
            let focused = asked.focused.as_deref();
            let focused =
                focused.ok_or_else(|| BadRequest::new("Name the option being typed as `focused`."))?;
            typed::structured_partial(&options, focused, command, &mut lookup)
        }
    };
    data.map_err(|mistakes| BadRequest::new(mistakes.to_string()))
}

/// Returns the data of a user command or message command.
fn on_target(
    live: &mut Live<'_>,
    (user, locale): (Snowflake, &str),
    channel: Snowflake,
    command: &Command,
    target: Option<&str>,
) -> Result<Value, BadRequest> {
    let name = &command.definition.name;
    let target = target.ok_or_else(|| {
        BadRequest::new(format!("\"{}\" needs a `target`.", command.definition.shown_name(locale)))
    })?;
    let mut data = json!({ "id": command.identity.id, "name": name, "type": command.definition.kind });
    if let Some(guild) = command.identity.guild_id {
        data["guild_id"] = json!(guild);
    }
    if command.definition.kind == command_kind::USER {
        // As an option of a slash command names a user: by id, mention, user name, nickname or display name.
        let files = HashMap::new();
        let mut resolved = Resolved::default();
        let id = match resolved.user(&mut Lookup::new(live, user, channel, &files), target) {
            Some(id) => id,
            None => find::user(live, target)?.id,
        };
        data["target_id"] = json!(id);
        data["resolved"] = json!(resolved.finish());
        return Ok(data);
    }
    let id: Snowflake =
        target.parse().map_err(|_| BadRequest::new(format!("\"{target}\" is no message id.")))?;
    let message = live.any_message(channel, id).filter(|message| live.sees_message(user, message));
    let message =
        message.ok_or_else(|| BadRequest::missing(format!("There is no message {id} in this channel.")))?;
    data["target_id"] = json!(id);
    data["resolved"] = json!({ "messages": { id.to_string(): message.json(live, None) } });
    Ok(data)
}

/// Returns the name of a command with its group and subcommand.
fn full_name(data: &Value) -> String {
    let mut name = data["name"].as_str().unwrap_or_default().to_owned();
    let mut inner = data;
    while let Some(next) =
        inner["options"].get(0).filter(|option| matches!(option["type"].as_u64(), Some(1 | 2)))
    {
        name.push(' ');
        name.push_str(next["name"].as_str().unwrap_or_default());
        inner = next;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_goes_down_to_the_subcommand() {
        let data = json!({"name": "poll", "options": [{"type": 2, "name": "admin", "options": [
            {"type": 1, "name": "close", "options": [{"type": 3, "name": "id", "value": "1"}]}]}]});
        assert_eq!(full_name(&data), "poll admin close");
        assert_eq!(full_name(&json!({"name": "ping"})), "ping");
    }
}
