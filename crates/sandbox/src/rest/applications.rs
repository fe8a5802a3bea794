//! Applications: the bot's own, at its several addresses, its Activities, and the metadata of its linked roles.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::request::{Bot, parse_id};
use super::{Form, Ids, Path, Payload, Rest};
use crate::draft::{Upload, safe_name};
use crate::endpoint::Endpoints;
use crate::error::{ApiError, ApiResult, FieldError, FormErrors};
use crate::live::Live;
use crate::snowflake::Snowflake;
use crate::state::endpoint::Endpoint;
use crate::state::message::Attachment;
use crate::state::{File, picture, picture_hash};
use crate::validate;
use crate::validate::Change;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/applications/@me", get(me).patch(edit_me))
        .route("/oauth2/applications/@me", get(me))
        .route("/applications/{application_id}", get(by_id).patch(edit))
        .route("/applications/{application_id}/attachment", post(attach))
        .route("/applications/{application_id}/activity-instances/{instance_id}", get(activity))
        .route(
            "/applications/{application_id}/role-connections/metadata",
            get(role_metadata).put(set_role_metadata),
        )
}

fn show(live: &Live<'_>, bot: Snowflake) -> ApiResult<Json<Value>> {
    let application = live.applications.get(&bot).ok_or_else(ApiError::unknown_application)?;
    let guilds = live.guilds_of(bot).count();
    Ok(Json(application.json(live.user(bot)?, live.user(application.owner)?, guilds)))
}

/// Checks that an application is the bot's own.
pub(super) fn own(bot: Snowflake, application: Snowflake) -> ApiResult<()> {
    if bot == application { Ok(()) } else { Err(ApiError::wrong_application()) }
}

async fn me(State(rest): State<Rest>, Bot(bot): Bot) -> ApiResult<Json<Value>> {
    show(&rest.discord.lock(), bot)
}

async fn by_id(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    show(&rest.discord.lock(), bot)
}

async fn edit_me(State(rest): State<Rest>, Bot(bot): Bot, payload: Payload) -> ApiResult<Json<Value>> {
    change(&rest, bot, &payload).await
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    change(&rest, bot, &payload).await
}

/// Changes an application. Addresses for interactions and events are verified first.
async fn change(rest: &Rest, bot: Snowflake, payload: &Payload) -> ApiResult<Json<Value>> {
    let body = validate::application::modify(&payload.json, &["https", "http"])?;
    verify(&rest.endpoints, bot, &body.stored).await?;
    let mut live = rest.discord.lock();
    let application = live.applications.get_mut(&bot).ok_or_else(ApiError::unknown_application)?;
    body.description.apply_or(&mut application.description, String::new());
    body.tags.apply_or(&mut application.tags, Vec::new());
    body.icon.map(|()| picture_hash()).apply(&mut application.icon);
    body.cover_image.map(|()| picture_hash()).apply(&mut application.cover_image);
    // Only the flags of privileged intents can be set (Application, "Edit Current Application").
    if let Some(flags) = body.flags {
        application.set_intent_flags(u64::from(flags));
    }
    application.store_settings(body.stored);
    show(&live, bot)
}

/// Checks that the addresses among new settings answer PINGs as they have to.
pub(crate) async fn verify(
    endpoints: &Endpoints,
    application: Snowflake,
    settings: &[(&'static str, Change<Value>)],
) -> ApiResult<()> {
    let mut errors = FormErrors::default();
    for endpoint in Endpoint::ALL {
        let url = settings.iter().find_map(|(key, value)| match value {
            Change::Set(Value::String(url)) if *key == endpoint.field() => Some(url),
            _ => None,
        });
        let Some(url) = url else { continue };
        if let Err(reason) = endpoints.verify(application, endpoint, url).await {
            // The second code is not documented, and formed like the first. Discord's sentence ends before the reason.
            let (code, words) = match endpoint {
                Endpoint::Interactions => {
                    ("APPLICATION_INTERACTIONS_ENDPOINT_URL_INVALID", "interactions endpoint")
                }
                Endpoint::Events => ("APPLICATION_EVENT_WEBHOOKS_URL_INVALID", "event webhooks"),
            };
            let message = format!("The specified {words} url could not be verified: {reason}.");
            errors.push([endpoint.field().into()], FieldError::new(code, message));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(ApiError::form(errors)) }
}

/// Stores a file for an Activity, and returns its attachment.
async fn attach(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Form(payload): Form,
) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    let mut uploads = payload.uploads.into_iter();
    let file = uploads.next().ok_or_else(|| ApiError::field(&["file"], FieldError::required()))?;
    let Upload { filename, content_type, bytes, .. } = file;
    let filename = safe_name(&filename);
    let mut live = rest.discord.lock();
    let sniffed = picture::sniff(&bytes).unwrap_or(picture::content_type_of(&filename));
    let attachment = Attachment {
        id: live.next_id(),
        channel_id: id,
        title: None,
        description: None,
        content_type: content_type.unwrap_or_else(|| sniffed.to_owned()),
        size: bytes.len(),
        dimensions: picture::dimensions(&bytes),
        ephemeral: true,
        spoiler: false,
        recording: None,
        filename: filename.clone(),
    };
    let file = File { filename, content_type: attachment.content_type.clone(), bytes };
    live.keep_upload(attachment.id, file);
    Ok(Json(json!({ "attachment": attachment.json(&live.files_url) })))
}

async fn activity(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path((id, instance)): Path<(String, String)>,
) -> ApiResult<Json<Value>> {
    own(bot, parse_id("application_id", &id)?)?;
    let live = rest.discord.lock();
    let found = live.activities.get(&instance).filter(|found| found.application == bot);
    let found = found.ok_or_else(ApiError::not_found)?;
    let (kind, place) = match found.guild {
        Some(guild) => ("gc", format!("gc-{guild}-{}", found.channel)),
        None => ("pc", format!("pc-{}", found.channel)),
    };
    let mut location = json!({ "id": place, "kind": kind, "channel_id": found.channel });
    if let Some(guild) = found.guild {
        location["guild_id"] = json!(guild);
    }
    Ok(Json(json!({
        "application_id": bot,
        "instance_id": instance,
        "launch_id": found.launch,
        "location": location,
        "users": found.users,
    })))
}

async fn role_metadata(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    let live = rest.discord.lock();
    let application = live.applications.get(&id).ok_or_else(ApiError::unknown_application)?;
    Ok(Json(application.role_metadata.clone().into()))
}

async fn set_role_metadata(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    let records = validate::application::role_metadata(&payload.json)?;
    let mut live = rest.discord.lock();
    let application = live.applications.get_mut(&id).ok_or_else(ApiError::unknown_application)?;
    application.role_metadata.clone_from(&records);
    Ok(Json(records.into()))
}
