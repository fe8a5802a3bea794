//! Searching messages of a guild and threads of a channel.

mod filter;
mod kinds;
mod threads;
mod words;

use std::cmp::Reverse;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::request::Bot;
use super::{Ids, Query, Rest};
use crate::error::ApiResult;
use crate::gateway::Intents;
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::Channel;
use crate::state::guild::Guild;
use crate::state::message::Message;
use filter::Filter;

/// Most messages or threads of one page.
const PAGE: usize = 25;
/// Largest offset.
const LAST_OFFSET: usize = 9975;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/messages/search", get(messages))
        .route("/channels/{channel_id}/threads/search", get(threads::search))
}

/// Returns the answer while something is not indexed yet; `None` once it can be searched. The first search of it starts
/// the indexing.
fn not_indexed(live: &mut Live<'_>, what: Snowflake) -> Option<Response> {
    let left = live.index(what)?;
    let retry_after = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let body = json!({
        "message": "Index not yet available. Try again later",
        "code": 110_000,
        "documents_indexed": 0,
        "retry_after": retry_after,
    });
    Some((StatusCode::ACCEPTED, Json(body)).into_response())
}

async fn messages(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    query: Query,
) -> ApiResult<Response> {
    let asked = Search::read(&query)?;
    let mut live = rest.discord.lock();
    super::guilds::require(&live, guild, bot, Permissions::READ_MESSAGE_HISTORY)?;
    live.require_intent(bot, Intents::MESSAGE_CONTENT)?;
    if let Some(wait) = not_indexed(&mut live, guild) {
        return Ok(wait);
    }
    Ok(Json(asked.run(&live, live.guild_for(guild, bot)?, bot)).into_response())
}

/// A search of messages: what for, and which part of the results.
#[derive(Debug)]
pub(crate) struct Search {
    filter: Filter,
    limit: usize,
    offset: usize,
}

impl Search {
    /// Reads the query string.
    pub(crate) fn read(query: &Query) -> ApiResult<Self> {
        Ok(Self {
            filter: Filter::read(query)?,
            limit: query.number("limit", 1..=PAGE, PAGE)?,
            offset: query.number("offset", 0..=LAST_OFFSET, 0)?,
        })
    }

    /// Returns what a user or bot finds in a guild.
    pub(crate) fn run(&self, live: &Live<'_>, guild: &Guild, user: Snowflake) -> Value {
        let Self { filter, limit, offset } = self;
        let mut hits: Vec<(u64, &Message)> = searchable(live, guild, user, filter)
            .flat_map(|channel| channel.messages.values())
            .filter_map(|message| Some((filter.relevance(live, message)?, message)))
            .collect();
        if filter.by_relevance() {
            hits.sort_by_key(|(relevance, message)| Reverse((*relevance, message.id)));
        } else if filter.ascending() {
            hits.sort_by_key(|(_, message)| message.id);
        } else {
            hits.sort_by_key(|(_, message)| Reverse(message.id));
        }
        let total = hits.len();
        let page: Vec<&Message> =
            hits.into_iter().skip(*offset).take(*limit).map(|(_, message)| message).collect();
        let mut body = json!({
            "doing_deep_historical_index": false,
            "total_results": total,
            "messages": page.iter().map(|message| [hit(live, message, user)]).collect::<Vec<_>>(),
        });
        let threads = threads_of(live, &page);
        if !threads.is_empty() {
            let shown = threads.iter().map(|thread| live.channel_json(thread, Some(user)));
            body["threads"] = shown.collect();
            body["members"] = threads.iter().filter_map(|thread| thread.thread_member(user)).collect();
        }
        body
    }
}

/// Returns the channels and threads in which a bot may search, without those for adults unless the filter includes them.
fn searchable<'a>(
    live: &'a Live<'_>,
    guild: &'a Guild,
    bot: Snowflake,
    filter: &'a Filter,
) -> impl Iterator<Item = &'a Channel> {
    let all = guild.channels.iter().chain(&guild.threads).filter_map(|id| live.channels.get(id));
    all.filter(move |channel| {
        let parent = channel.parent_id.filter(|_| channel.is_thread()).and_then(|id| live.channels.get(&id));
        let nsfw = channel.nsfw || parent.is_some_and(|parent| parent.nsfw);
        let mut needed = Permissions::VIEW_CHANNEL | Permissions::READ_MESSAGE_HISTORY;
        if channel.is_voice() {
            needed |= Permissions::CONNECT;
        }
        filter.includes_channel(channel.id, nsfw) && live.permissions_in(bot, channel).contains(needed)
    })
}

/// Returns a message of a result: without its reactions.
fn hit(live: &Live<'_>, message: &Message, user: Snowflake) -> Value {
    let is_bot = live.applications.contains_key(&user);
    let mut value = if is_bot { live.message_for(user, message) } else { message.json(live, Some(user)) };
    if let Some(fields) = value.as_object_mut() {
        fields.remove("reactions");
        fields.insert("hit".into(), true.into());
    }
    value
}

/// Returns the threads of messages, each once.
fn threads_of<'a>(live: &'a Live<'_>, messages: &[&Message]) -> Vec<&'a Channel> {
    let mut threads: Vec<&Channel> = Vec::new();
    for message in messages {
        let channel = live.channels.get(&message.channel_id).filter(|channel| channel.is_thread());
        threads.extend(channel.filter(|channel| threads.iter().all(|known| known.id != channel.id)));
    }
    threads
}
