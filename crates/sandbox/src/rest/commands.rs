//! Application commands, global and of guilds, and the permissions that admins set on them.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use indexmap::IndexMap;
use serde_json::{Value, json};

use super::applications::own;
use super::bearer::Caller;
use super::request::Bot;
use super::{Ids, Payload, Query, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::command::{Command, Commands};
use crate::validate::application::command_permissions;
use crate::validate::command::{self, Definition, Identity, Scope, ShownIn};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route(
            "/applications/{application_id}/commands",
            get(list_global).post(create_global).put(overwrite_global),
        )
        .route(
            "/applications/{application_id}/commands/{command_id}",
            get(one_global).patch(edit_global).delete(remove_global),
        )
        .route(
            "/applications/{application_id}/guilds/{guild_id}/commands",
            get(list_guild).post(create_guild).put(overwrite_guild),
        )
        .route("/applications/{application_id}/guilds/{guild_id}/commands/permissions", get(all_permissions))
        .route(
            "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}",
            get(one_guild).patch(edit_guild).delete(remove_guild),
        )
        .route(
            "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}/permissions",
            get(permissions).put(set_permissions),
        )
}

/// The application and guild of a request: checked to be the bot's own application, and a guild it is in.
struct Place {
    application: Snowflake,
    guild: Option<Snowflake>,
}

impl Place {
    fn new(
        live: &Live<'_>,
        bot: Snowflake,
        application: Snowflake,
        guild: Option<Snowflake>,
    ) -> ApiResult<Self> {
        own(bot, application)?;
        if let Some(guild) = guild {
            live.guild_for(guild, bot)?;
        }
        Ok(Self { application, guild })
    }

    fn scope(&self) -> Scope {
        if self.guild.is_some() { Scope::Guild } else { Scope::Global }
    }

    fn commands<'a>(&self, live: &'a mut Live<'_>) -> ApiResult<&'a mut Commands> {
        let application =
            live.applications.get_mut(&self.application).ok_or_else(ApiError::unknown_application)?;
        Ok(&mut application.commands)
    }

    fn find<'a>(&self, live: &'a Live<'_>, id: Snowflake) -> ApiResult<&'a Command> {
        let application =
            live.applications.get(&self.application).ok_or_else(ApiError::unknown_application)?;
        application.commands.get(self.guild, id).ok_or_else(ApiError::unknown_application_command)
    }

    fn make(&self, live: &Live<'_>, definition: Definition) -> Command {
        let identity = Identity {
            id: live.next_id(),
            application_id: self.application,
            guild_id: self.guild,
            version: live.next_id(),
        };
        Command { identity, definition }
    }
}

fn list(
    rest: &Rest,
    bot: Snowflake,
    application: Snowflake,
    guild: Option<Snowflake>,
    query: &Query,
    headers: &HeaderMap,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let place = Place::new(&live, bot, application, guild)?;
    let own = live.user(bot)?.locale.clone();
    let locale = requested_locale(headers).unwrap_or(&own);
    let shown = if query.flag("with_localizations") { ShownIn::Every } else { ShownIn::Locale(Some(locale)) };
    Ok(Json(place.commands(&mut live)?.scope(guild).map(|command| command.json(shown)).collect()))
}

/// Returns the locale of a request ("Retrieving localized commands"): that of `X-Discord-Locale`, else the first of
/// `Accept-Language` that Discord has.
fn requested_locale(headers: &HeaderMap) -> Option<&str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    header("x-discord-locale").or_else(|| {
        let languages = header("accept-language")?.split(',').filter_map(|entry| entry.split(';').next());
        languages.map(str::trim).find_map(|language| {
            let main = language.split('-').next().unwrap_or(language);
            [language, main].iter().find_map(|tag| {
                command::LOCALES.iter().find(|locale| locale.eq_ignore_ascii_case(tag)).copied()
            })
        })
    })
}

async fn list_global(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application]): Ids<1>,
    query: Query,
    headers: HeaderMap,
) -> ApiResult<Json<Value>> {
    list(&rest, bot, application, None, &query, &headers)
}

async fn list_guild(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, guild]): Ids<2>,
    query: Query,
    headers: HeaderMap,
) -> ApiResult<Json<Value>> {
    list(&rest, bot, application, Some(guild), &query, &headers)
}

/// Creates a command, or changes the command that has the name already.
fn create(
    rest: &Rest,
    bot: Snowflake,
    application: Snowflake,
    guild: Option<Snowflake>,
    payload: &Payload,
) -> ApiResult<Response> {
    let mut live = rest.discord.lock();
    let place = Place::new(&live, bot, application, guild)?;
    let definition = command::create(&payload.json, place.scope())?;
    let version = live.next_id();
    let commands = place.commands(&mut live)?;
    let taken = commands.named(guild, &definition.name, definition.kind).map(|command| command.identity.id);
    if let Some(command) = taken.and_then(|id| commands.scope_mut(guild).get_mut(&id)) {
        if command.definition != definition {
            command.definition = definition;
            command.identity.version = version;
        }
        return Ok(Json(command.json(ShownIn::Every)).into_response());
    }
    command::check_room(&definition, commands.scope(guild).map(|command| &command.definition))?;
    rest.limits.create_commands(rest.limits.clock().instant(), application, guild, 1)?;
    let command = place.make(&live, definition);
    let shown = command.json(ShownIn::Every);
    place.commands(&mut live)?.scope_mut(guild).insert(command.identity.id, command);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

async fn create_global(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application]): Ids<1>,
    payload: Payload,
) -> ApiResult<Response> {
    create(&rest, bot, application, None, &payload)
}

async fn create_guild(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, guild]): Ids<2>,
    payload: Payload,
) -> ApiResult<Response> {
    create(&rest, bot, application, Some(guild), &payload)
}

/// Replaces all commands of a scope. Commands with the same name and type keep their id.
fn overwrite(
    rest: &Rest,
    bot: Snowflake,
    application: Snowflake,
    guild: Option<Snowflake>,
    payload: &Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let place = Place::new(&live, bot, application, guild)?;
    let definitions = command::overwrite(&payload.json, place.scope())?;
    let commands = place.commands(&mut live)?;
    let is_new =
        |definition: &&Definition| commands.named(guild, &definition.name, definition.kind).is_none();
    let created = definitions.iter().filter(is_new).count();
    let created = u32::try_from(created).unwrap_or(u32::MAX);
    rest.limits.create_commands(rest.limits.clock().instant(), application, guild, created)?;
    let mut next = IndexMap::new();
    for definition in definitions {
        let mut fresh = place.make(&live, definition);
        let commands = place.commands(&mut live)?;
        if let Some(old) = commands.named(guild, &fresh.definition.name, fresh.definition.kind) {
            let same = old.definition == fresh.definition;
            fresh.identity.id = old.identity.id;
            fresh.identity.version = if same { old.identity.version } else { fresh.identity.version };
        }
        next.insert(fresh.identity.id, fresh);
    }
    let shown = next.values().map(|command: &Command| command.json(ShownIn::Every)).collect();
    *place.commands(&mut live)?.scope_mut(guild) = next;
    Ok(Json(shown))
}

async fn overwrite_global(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application]): Ids<1>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    overwrite(&rest, bot, application, None, &payload)
}

async fn overwrite_guild(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, guild]): Ids<2>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    overwrite(&rest, bot, application, Some(guild), &payload)
}

async fn one_global(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, id]): Ids<2>,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    Ok(Json(Place::new(&live, bot, application, None)?.find(&live, id)?.json(ShownIn::Every)))
}

async fn one_guild(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, guild, id]): Ids<3>,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    Ok(Json(Place::new(&live, bot, application, Some(guild))?.find(&live, id)?.json(ShownIn::Every)))
}

fn edit(
    rest: &Rest,
    bot: Snowflake,
    application: Snowflake,
    guild: Option<Snowflake>,
    id: Snowflake,
    payload: &Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let place = Place::new(&live, bot, application, guild)?;
    let current = &place.find(&live, id)?.definition;
    let definition = command::edit(current, &payload.json, place.scope())?;
    let version = live.next_id();
    let commands = place.commands(&mut live)?;
    let holder = commands.named(guild, &definition.name, definition.kind);
    if holder.is_some_and(|holder| holder.identity.id != id) {
        return Err(ApiError::duplicate_command_name());
    }
    let command = commands.scope_mut(guild).get_mut(&id).ok_or_else(ApiError::unknown_application_command)?;
    if command.definition != definition {
        command.definition = definition;
        command.identity.version = version;
    }
    Ok(Json(command.json(ShownIn::Every)))
}

async fn edit_global(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, id]): Ids<2>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    edit(&rest, bot, application, None, id, &payload)
}

async fn edit_guild(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, guild, id]): Ids<3>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    edit(&rest, bot, application, Some(guild), id, &payload)
}

fn remove(
    rest: &Rest,
    bot: Snowflake,
    application: Snowflake,
    guild: Option<Snowflake>,
    id: Snowflake,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let place = Place::new(&live, bot, application, guild)?;
    let removed = place.commands(&mut live)?.scope_mut(guild).shift_remove(&id);
    removed.map(|_| StatusCode::NO_CONTENT).ok_or_else(ApiError::unknown_application_command)
}

async fn remove_global(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, id]): Ids<2>,
) -> ApiResult<StatusCode> {
    remove(&rest, bot, application, None, id)
}

async fn remove_guild(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, guild, id]): Ids<3>,
) -> ApiResult<StatusCode> {
    remove(&rest, bot, application, Some(guild), id)
}

fn permissions_json(application: Snowflake, guild: Snowflake, id: Snowflake, permissions: &[Value]) -> Value {
    json!({ "id": id, "application_id": application, "guild_id": guild, "permissions": permissions })
}

async fn all_permissions(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, guild]): Ids<2>,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    Place::new(&live, bot, application, Some(guild))?;
    let found = live.applications.get(&application).ok_or_else(ApiError::unknown_application)?;
    let mine = found.command_permissions.iter().filter(|((of, _), _)| *of == guild);
    Ok(Json(mine.map(|((_, id), list)| permissions_json(application, guild, *id, list)).collect()))
}

async fn permissions(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([application, guild, id]): Ids<3>,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    Place::new(&live, bot, application, Some(guild))?;
    let found = live.applications.get(&application).ok_or_else(ApiError::unknown_application)?;
    let list = found.command_permissions.get(&(guild, id));
    let list = list.ok_or_else(ApiError::unknown_application_command_permissions)?;
    Ok(Json(permissions_json(application, guild, id, list)))
}

/// Discord allows this only with a user's token, since admins decide about it.
async fn set_permissions(
    State(rest): State<Rest>,
    caller: Caller,
    Ids([application, guild, id]): Ids<3>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let bot = match &caller {
        Caller::Bot(bot) => *bot,
        Caller::User(bearer) => bearer.0.application,
    };
    let place = Place::new(&live, bot, application, Some(guild))?;
    if id != application {
        place.find(&live, id)?;
    }
    let list = command_permissions(&payload.json)?;
    let Caller::User(bearer) = caller else { return Err(ApiError::bots_cannot_use()) };
    bearer.require("applications.commands.permissions.update")?;
    let user = bearer.0.user;
    super::guilds::require(&live, guild, user, Permissions::MANAGE_GUILD | Permissions::MANAGE_ROLES)?;
    live.set_command_permissions(application, guild, id, &list, user);
    Ok(Json(permissions_json(application, guild, id, &list)))
}
