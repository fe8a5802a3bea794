//! Webhooks: of interactions (followups and the original response) and of channels.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use super::request::{Bot, parse_id};
use super::{Form, Ids, Path, Payload, Query, Reason, Rest};
use crate::draft::{self, Draft};
use crate::error::{ApiError, ApiResult};
use crate::live::{Live, Sender};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, kind};
use crate::state::webhook::Webhook;
use crate::state::{picture_hash, secret};
use crate::validate::channel::ThreadBody;
use crate::validate::message::{MessageCreate, MessageOrigin};
use crate::validate::webhook::WebhookBody;
use crate::validate::{self, Change};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/channels/{channel_id}/webhooks", get(of_channel).post(create))
        .route("/guilds/{guild_id}/webhooks", get(of_guild))
        .route("/webhooks/{webhook_id}", get(by_id).patch(edit).delete(remove))
        .route(
            "/webhooks/{webhook_id}/{token}",
            post(execute).get(by_token).patch(edit_by_token).delete(remove_by_token),
        )
        .route(
            "/webhooks/{webhook_id}/{token}/messages/{message_id}",
            get(message).patch(edit_message).delete(delete_message),
        )
}

/// The target of an address `webhooks/{id}/{token}`: an interaction, or a webhook of a channel.
pub(super) enum Address {
    Interaction { id: Snowflake, application: Snowflake, channel: Snowflake, original: Option<Snowflake> },
    Channel(Webhook),
}

pub(super) fn resolve(live: &Live<'_>, id: &str, token: &str) -> ApiResult<Address> {
    let id = parse_id("webhook_id", id)?;
    if let Some(webhook) = live.webhooks.get(&id) {
        if webhook.token != token || webhook.follows.is_some() {
            return Err(ApiError::invalid_webhook_token());
        }
        return Ok(Address::Channel(webhook.clone()));
    }
    let interaction = live.interaction_webhook(id, token)?;
    Ok(Address::Interaction {
        id: interaction.id,
        application: interaction.application_id,
        channel: interaction.channel_id,
        original: interaction.original,
    })
}

async fn execute(
    State(rest): State<Rest>,
    Path((id, token)): Path<(String, String)>,
    query: Query,
    Form(payload): Form,
) -> ApiResult<Response> {
    let Payload { json: body, uploads } = payload;
    let mut live = rest.discord.lock();
    match resolve(&live, &id, &token)? {
        Address::Interaction { id, application, channel, .. } => {
            let message = live.follow_up(id, &body, uploads)?;
            let message = live.any_message(channel, message).ok_or_else(ApiError::unknown_message)?;
            Ok(Json(message.json(&live, Some(application))).into_response())
        }
        Address::Channel(webhook) => {
            let message = validate::message::create(&body, &draft::names(&uploads), MessageOrigin::Webhook)?;
            let sender = Sender::Webhook {
                id: webhook.id,
                application: webhook.application_id,
                name: message.username.clone().unwrap_or(webhook.name),
                // Discord fetches the picture of `avatar_url`, and shows a hash of it.
                avatar: message.avatar_url.as_ref().map(|_| picture_hash()).or(webhook.avatar),
            };
            let thread = query.id("thread_id")?;
            let channel = target(&mut live, webhook.id, webhook.channel_id, thread, &message)?;
            let opened = message.thread_name.is_some();
            let sent = live.send(channel, &sender, Draft { message, uploads });
            if sent.is_err() && opened {
                live.delete_channel(channel)?;
            }
            let message = sent?;
            if !query.flag("wait") {
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
            let message = live.message(channel, message).ok_or_else(ApiError::unknown_message)?;
            Ok(Json(message.json(&live, None)).into_response())
        }
    }
}

/// Returns where a webhook posts: its channel, a thread there, or in a forum a new one (Webhook Resource, "Execute
/// Webhook").
pub(super) fn target(
    live: &mut Live<'_>,
    webhook: Snowflake,
    channel: Snowflake,
    thread: Option<Snowflake>,
    message: &MessageCreate,
) -> ApiResult<Snowflake> {
    let forum = live.channel(channel)?.is_forum();
    match (thread, &message.thread_name) {
        (Some(_), Some(_)) => Err(ApiError::webhook_names_two_threads()),
        (None, Some(_)) if !forum => Err(ApiError::webhook_opens_no_thread()),
        (None, None) if forum => Err(ApiError::webhook_needs_thread()),
        (None, None) => Ok(channel),
        (Some(thread), None) if thread == channel => Ok(channel),
        (Some(thread), None) if live.channel(thread)?.parent_id == Some(channel) => Ok(thread),
        (Some(_), None) => Err(ApiError::unknown_channel()),
        (None, Some(name)) => {
            let applied_tags = Change::Set(message.applied_tags.clone());
            let settings = ThreadBody { name: Some(name.clone()), applied_tags, ..ThreadBody::default() };
            live.open_thread(channel, None, kind::PUBLIC_THREAD, webhook, settings)
        }
    }
}

/// Returns the channel and the message of an address. `@original` is the first answer.
fn find(
    live: &Live<'_>,
    address: &Address,
    message: &str,
    query: &Query,
) -> ApiResult<(Snowflake, Snowflake)> {
    match address {
        Address::Interaction { channel, original, id, .. } => {
            let wanted = match message {
                "@original" => original.ok_or_else(ApiError::unknown_message)?,
                id => parse_id("message_id", id)?,
            };
            let theirs = live.interactions.get(*id).is_some_and(|interaction| {
                interaction.original == Some(wanted)
                    || interaction.followups.contains(&wanted)
                    || interaction.source_message == Some(wanted)
            });
            if !theirs || live.any_message(*channel, wanted).is_none() {
                return Err(ApiError::unknown_message());
            }
            Ok((*channel, wanted))
        }
        Address::Channel(webhook) => {
            let wanted = parse_id("message_id", message)?;
            let channel = query.id("thread_id")?.unwrap_or(webhook.channel_id);
            let found =
                live.message(channel, wanted).filter(|message| message.webhook_id == Some(webhook.id));
            found.map(|_| (channel, wanted)).ok_or_else(ApiError::unknown_message)
        }
    }
}

async fn message(
    State(rest): State<Rest>,
    Path((id, token, message)): Path<(String, String, String)>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let address = resolve(&live, &id, &token)?;
    let (channel, wanted) = find(&live, &address, &message, &query)?;
    show(&live, &address, channel, wanted)
}

fn show(
    live: &Live<'_>,
    address: &Address,
    channel: Snowflake,
    message: Snowflake,
) -> ApiResult<Json<Value>> {
    let viewer = match address {
        Address::Interaction { application, .. } => Some(*application),
        Address::Channel(_) => None,
    };
    let message = live.any_message(channel, message).ok_or_else(ApiError::unknown_message)?;
    Ok(Json(message.json(live, viewer)))
}

async fn edit_message(
    State(rest): State<Rest>,
    Path((id, token, message)): Path<(String, String, String)>,
    query: Query,
    Form(payload): Form,
) -> ApiResult<Json<Value>> {
    let Payload { json: body, uploads } = payload;
    let mut live = rest.discord.lock();
    let address = resolve(&live, &id, &token)?;
    let (channel, wanted) = find(&live, &address, &message, &query)?;
    match &address {
        Address::Interaction { id, .. } => live.edit_answer(*id, wanted, &body, uploads)?,
        Address::Channel(_) => live.edit(channel, wanted, &body, uploads)?,
    }
    show(&live, &address, channel, wanted)
}

async fn delete_message(
    State(rest): State<Rest>,
    Path((id, token, message)): Path<(String, String, String)>,
    query: Query,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let address = resolve(&live, &id, &token)?;
    let (channel, wanted) = find(&live, &address, &message, &query)?;
    match &address {
        Address::Interaction { id, .. } => live.delete_answer(*id, wanted)?,
        Address::Channel(_) => live.delete(channel, &[wanted]),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Returns whether a channel may have webhooks: one of a guild that messages can be sent to, and no thread.
fn takes_webhooks(channel: &Channel) -> bool {
    channel.guild_id.is_some() && !channel.is_thread() && channel.kind != kind::CATEGORY
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::webhook::create(&payload.json)?;
    let mut live = rest.discord.lock();
    let found = live.channel_for(channel, bot, Permissions::MANAGE_WEBHOOKS)?;
    if !takes_webhooks(found) {
        return Err(ApiError::wrong_channel_type());
    }
    let guild_id = found.guild_id;
    let webhook = Webhook {
        id: live.next_id(),
        guild_id,
        channel_id: channel,
        name: body.name.unwrap_or_default(),
        avatar: body.avatar.value().map(|bytes| live.keep_picture(bytes, false)),
        token: secret(68),
        application_id: Some(bot),
        creator: bot,
        follows: None,
    };
    let value = webhook.json(&live, true);
    live.add_webhook(webhook, reason.as_deref())?;
    Ok(Json(value))
}

async fn of_channel(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    live.require(channel, bot, Permissions::MANAGE_WEBHOOKS)?;
    let list = live.webhooks.values().filter(|webhook| webhook.channel_id == channel);
    Ok(Json(list.map(|webhook| webhook.json(&live, true)).collect()))
}

async fn of_guild(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    super::guilds::require(&live, guild, bot, Permissions::MANAGE_WEBHOOKS)?;
    let list = live.webhooks.values().filter(|webhook| webhook.guild_id == Some(guild));
    Ok(Json(list.map(|webhook| webhook.json(&live, true)).collect()))
}

/// Returns a webhook that the bot may manage.
fn managed(live: &Live<'_>, bot: Snowflake, id: Snowflake) -> ApiResult<Webhook> {
    let webhook = live.webhooks.get(&id).ok_or_else(ApiError::unknown_webhook)?;
    live.require(webhook.channel_id, bot, Permissions::MANAGE_WEBHOOKS)?;
    Ok(webhook.clone())
}

async fn by_id(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    Ok(Json(managed(&live, bot, id)?.json(&live, true)))
}

async fn by_token(
    State(rest): State<Rest>,
    Path((id, token)): Path<(String, String)>,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    match resolve(&live, &id, &token)? {
        Address::Channel(webhook) => Ok(Json(webhook.json(&live, false))),
        Address::Interaction { .. } => Err(ApiError::unknown_webhook()),
    }
}

/// Applies a change to a webhook, and sends the events of the channels that it concerns.
fn change(live: &mut Live<'_>, id: Snowflake, body: WebhookBody) -> ApiResult<()> {
    let avatar = body.avatar.map(|bytes| live.keep_picture(bytes, false));
    let Some(webhook) = live.webhooks.get_mut(&id) else { return Err(ApiError::unknown_webhook()) };
    let before = webhook.channel_id;
    if let Some(name) = body.name {
        webhook.name = name;
    }
    avatar.apply(&mut webhook.avatar);
    webhook.channel_id = body.channel_id.unwrap_or(before);
    let now = webhook.channel_id;
    live.webhooks_changed(before);
    if now != before {
        live.webhooks_changed(now);
    }
    Ok(())
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let guild = managed(&live, bot, id)?.guild_id;
    let body = validate::webhook::modify(&payload.json, true)?;
    if let Some(target) = body.channel_id {
        live.require(target, bot, Permissions::MANAGE_WEBHOOKS)?;
        let target = live.channel(target)?;
        if target.guild_id != guild {
            return Err(ApiError::unknown_channel());
        }
        if !takes_webhooks(target) {
            return Err(ApiError::wrong_channel_type());
        }
    }
    let before = live.webhook_now(id);
    change(&mut live, id, body)?;
    live.audit_webhook(id, &before, bot, reason.as_deref());
    Ok(Json(managed(&live, bot, id)?.json(&live, true)))
}

async fn edit_by_token(
    State(rest): State<Rest>,
    Path((id, token)): Path<(String, String)>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let Address::Channel(webhook) = resolve(&live, &id, &token)? else {
        return Err(ApiError::unknown_webhook());
    };
    change(&mut live, webhook.id, validate::webhook::modify(&payload.json, false)?)?;
    let webhook = live.webhooks.get(&webhook.id).ok_or_else(ApiError::unknown_webhook)?;
    Ok(Json(webhook.json(&live, false)))
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let webhook = managed(&live, bot, id)?;
    let before = live.webhook_now(id);
    live.webhooks.shift_remove(&id);
    live.webhooks_changed(webhook.channel_id);
    live.audit_webhook(id, &before, bot, reason.as_deref());
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_by_token(
    State(rest): State<Rest>,
    Path((id, token)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let Address::Channel(webhook) = resolve(&live, &id, &token)? else {
        return Err(ApiError::unknown_webhook());
    };
    live.webhooks.shift_remove(&webhook.id);
    live.webhooks_changed(webhook.channel_id);
    Ok(StatusCode::NO_CONTENT)
}
