//! Templates of guilds.

use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::Value;

use super::guilds::require;
use super::request::{Bot, parse_id};
use super::{Ids, Path, Payload, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::secret;
use crate::state::template::Template;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/templates/{code}", get(one))
        .route("/guilds/{guild_id}/templates", get(list).post(create))
        .route("/guilds/{guild_id}/templates/{code}", put(sync).patch(edit).delete(remove))
}

/// Anyone may look at a template, without a token too.
async fn one(State(rest): State<Rest>, Path(code): Path<String>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let template = live.templates.get(&code).ok_or_else(ApiError::unknown_template)?;
    Ok(Json(template.json(&live)))
}

async fn list(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    require(&live, id, bot, Permissions::MANAGE_GUILD)?;
    let of_guild = live.templates.values().filter(|template| template.guild_id == id);
    Ok(Json(of_guild.map(|template| template.json(&live)).collect()))
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::template::create(&payload.json)?;
    let mut live = rest.discord.lock();
    let guild = require(&live, id, bot, Permissions::MANAGE_GUILD)?;
    if live.templates.values().any(|template| template.guild_id == id) {
        return Err(ApiError::has_template());
    }
    let now = live.clock.now();
    let template = Template {
        code: secret(12),
        name: body.name.unwrap_or_default(),
        description: body.description.value(),
        uses: 0,
        creator: bot,
        created_at: now,
        updated_at: now,
        guild_id: id,
        snapshot: live.snapshot(guild),
    };
    let shown = template.json(&live);
    live.templates.insert(template.code.clone(), template);
    Ok(Json(shown))
}

/// Returns a guild's template that a bot may change, to be put back.
fn own(live: &Live<'_>, bot: Snowflake, guild: &str, code: &str) -> ApiResult<Template> {
    let guild = parse_id("guild_id", guild)?;
    require(live, guild, bot, Permissions::MANAGE_GUILD)?;
    let template = live.templates.get(code).filter(|template| template.guild_id == guild);
    template.cloned().ok_or_else(ApiError::unknown_template)
}

async fn sync(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path((guild, code)): Path<(String, String)>,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let mut template = own(&live, bot, &guild, &code)?;
    template.snapshot = live.snapshot(live.guild_for(template.guild_id, bot)?);
    template.updated_at = live.clock.now();
    let shown = template.json(&live);
    live.templates.insert(code, template);
    Ok(Json(shown))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path((guild, code)): Path<(String, String)>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::template::modify(&payload.json)?;
    let mut live = rest.discord.lock();
    let mut template = own(&live, bot, &guild, &code)?;
    template.name = body.name.unwrap_or(template.name);
    body.description.apply(&mut template.description);
    let shown = template.json(&live);
    live.templates.insert(code, template);
    Ok(Json(shown))
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path((guild, code)): Path<(String, String)>,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let template = own(&live, bot, &guild, &code)?;
    live.templates.shift_remove(&code);
    Ok(Json(template.json(&live)))
}
