//! Bots of a seed, with their commands.

use super::apply::Planter;
use super::file::Bot;
use super::mistake::{Mistake, unknown};
use super::{Name, name};
use crate::error::ApiError;
use crate::gateway::Intents;
use crate::snowflake::Snowflake;
use crate::state::command::Command;
use crate::state::scenario::{BOT, bot_of};
use crate::validate::command::{self, Identity, Scope};

/// Adds the bot of a world whose seeds have none.
pub(super) fn default(
    planter: &mut Planter<'_>,
    bot_name: &str,
    token: Option<String>,
    privileged: Intents,
) -> Result<(), Mistake> {
    let id = token.as_deref().and_then(bot_of).unwrap_or(BOT);
    let bot = Bot {
        name: name(bot_name),
        id: Some(name(id.to_string())),
        token: None,
        owner: None,
        intents: None,
        commands: Vec::new(),
    };
    add(planter, &bot, token, privileged)
}

/// Adds a bot. A token that is given replaces that of the file.
pub(super) fn add(
    planter: &mut Planter<'_>,
    entry: &Bot,
    token: Option<String>,
    privileged: Intents,
) -> Result<(), Mistake> {
    let bot_name = &entry.name.value;
    if planter.world.users.values().any(|user| user.username.eq_ignore_ascii_case(bot_name)) {
        return Err(Mistake::at(
            &entry.name,
            format!("there is another account \"{bot_name}\"; names are unique."),
        ));
    }
    let owner = match &entry.owner {
        Some(owner) => super::names::user(planter.world, owner)?,
        None => planter.first_person(&entry.name)?,
    };
    let written = entry.token.as_ref().map(|token| token.value.clone());
    // Libraries read the bot's id from its token.
    let of_token = token.as_deref().or(written.as_deref()).and_then(bot_of).filter(|_| entry.id.is_none());
    let given = of_token.map(|id| name(id.to_string()));
    let id = planter.id(given.as_ref().or(entry.id.as_ref()), &format!("bot:{bot_name}"), &entry.name)?;
    if let Some(taken) = written.as_deref().filter(|token| planter.world.bot_by_token(token).is_some()) {
        let place = entry.token.as_ref().unwrap_or(&entry.name);
        debug_assert!(!taken.is_empty(), "an empty token belongs to no bot");
        return Err(Mistake::at(place, "another bot has this token; each has its own."));
    }
    planter.world.create_application(id, bot_name, owner, token.or(written));
    let enabled = match &entry.intents {
        Some(names) => intents(names)?,
        None => privileged,
    };
    let mut commands = Vec::new();
    for body in &entry.commands {
        let definition = command::create(&body.value, Scope::Global)
            .map_err(|error| Mistake::at(body, refused("this is no command", &error)))?;
        let path = format!("bot:{bot_name}/command:{}:{}", definition.kind, definition.name);
        let own = planter.id(None, &path, &super::unplaced_at(definition.name.clone(), body))?;
        commands.push(Command {
            identity: Identity { id: own, application_id: id, guild_id: None, version: own },
            definition,
        });
    }
    if let Some(application) = planter.world.applications.get_mut(&id) {
        application.privileged = enabled;
        let scope = application.commands.scope_mut(None);
        scope.extend(commands.into_iter().map(|command| (command.identity.id, command)));
    }
    Ok(())
}

fn intents(names: &[Name]) -> Result<Intents, Mistake> {
    let one = |wanted: &Name| {
        let found = Intents::from_name(&wanted.value.to_uppercase());
        found.filter(|intent| Intents::PRIVILEGED.contains(*intent)).ok_or_else(|| {
            unknown("privileged intent", wanted, Intents::PRIVILEGED.names().collect::<Vec<_>>())
        })
    };
    names.iter().try_fold(Intents::empty(), |all, wanted| Ok(all | one(wanted)?))
}

/// Returns the sentence for what Discord's rules refuse.
pub(super) fn refused(what: &str, error: &ApiError) -> String {
    match error.errors() {
        Some(errors) => format!("{what}: {}.", errors.to_json()),
        None => format!("{what}: {}.", error.message().trim_end_matches('.')),
    }
}

/// Returns the bot of a name.
pub(super) fn find(planter: &Planter<'_>, wanted: &Name) -> Result<Snowflake, Mistake> {
    let world = &planter.world;
    let found =
        world.find_user(&wanted.value).map(|user| user.id).filter(|id| world.applications.contains_key(id));
    found.ok_or_else(|| {
        unknown("bot", wanted, world.applications.values().map(|application| application.name.as_str()))
    })
}
