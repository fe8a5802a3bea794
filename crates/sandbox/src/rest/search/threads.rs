//! Searching the threads of a channel, such as the posts of a forum.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::request::Bot;
use super::super::{Ids, Query, Rest};
use super::words::Phrase;
use super::{LAST_OFFSET, PAGE, not_indexed};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, Thread};

/// The conditions of a search.
struct Filter {
    name: Phrase,
    min_id: Option<Snowflake>,
    max_id: Option<Snowflake>,
    tags: Vec<Snowflake>,
    all_tags: bool,
    archived: Option<bool>,
}

impl Filter {
    fn read(query: &Query) -> ApiResult<Self> {
        let name = query.short_text("name", 100)?.unwrap_or_default();
        Ok(Self {
            name: Phrase::new(name, query.number("slop", 0..=100, 2)?),
            min_id: query.id("min_id")?,
            max_id: query.id("max_id")?,
            tags: tags(query)?,
            all_tags: query.word("tag_setting", &["match_some", "match_all"])? == Some("match_all"),
            archived: query.strict_flag("archived")?,
        })
    }

    /// Returns how well a thread fits; `None` if it does not.
    fn relevance(&self, channel: &Channel, thread: &Thread) -> Option<u64> {
        let mut tags = self.tags.iter().map(|tag| thread.applied_tags.contains(tag));
        let tagged =
            if self.all_tags { tags.all(|has| has) } else { self.tags.is_empty() || tags.any(|has| has) };
        let fits = tagged
            && self.archived.is_none_or(|archived| thread.archived == archived)
            && self.min_id.is_none_or(|min| channel.id > min)
            && self.max_id.is_none_or(|max| channel.id < max);
        self.name.count(&channel.name).filter(|_| fits)
    }
}

/// Returns the tags, which are repeated values or one value with commas.
fn tags(query: &Query) -> ApiResult<Vec<Snowflake>> {
    let parts = query.all("tag").flat_map(|text| text.split(',')).map(str::trim);
    let mut tags: Vec<Snowflake> = Vec::new();
    for text in parts.filter(|text| !text.is_empty()) {
        let tag = text
            .parse()
            .map_err(|_| ApiError::field(&["tag"], FieldError::not_a("snowflake", &json!(text))))?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > 20 { Err(ApiError::field(&["tag"], FieldError::max_length(20))) } else { Ok(tags) }
}

pub(super) async fn search(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([parent]): Ids<1>,
    query: Query,
) -> ApiResult<Response> {
    const SORTS: &[&str] = &["last_message_time", "relevance", "creation_time", "archive_time"];
    let filter = Filter::read(&query)?;
    let sort_by = query.word("sort_by", SORTS)?.unwrap_or("last_message_time");
    let ascending = query.word("sort_order", &["desc", "asc"])? == Some("asc");
    let limit = query.number("limit", 1..=PAGE, PAGE)?;
    let offset = query.number("offset", 0..=LAST_OFFSET, 0)?;
    let mut live = rest.discord.lock();
    let found = live.channel_for(parent, bot, Permissions::READ_MESSAGE_HISTORY)?;
    let guild = found.guild_id.filter(|_| found.has_threads()).ok_or_else(ApiError::wrong_channel_type)?;
    if let Some(wait) = not_indexed(&mut live, parent) {
        return Ok(wait);
    }
    let guild = live.guild_for(guild, bot)?;
    let mut hits: Vec<(u64, &Channel, &Thread)> = guild
        .threads
        .iter()
        .filter_map(|id| live.channels.get(id))
        .filter(|channel| channel.parent_id == Some(parent))
        .filter(|channel| live.permissions_in(bot, channel).contains(Permissions::VIEW_CHANNEL))
        .filter_map(|channel| {
            let thread = channel.thread.as_deref()?;
            Some((filter.relevance(channel, thread)?, channel, thread))
        })
        .collect();
    // Times have one form, so their order as text is that of the moments.
    hits.sort_by(|(one_relevance, one, one_thread), (two_relevance, two, two_thread)| {
        let order = match sort_by {
            "relevance" => one_relevance.cmp(two_relevance),
            "archive_time" => one_thread.archive_timestamp.cmp(&two_thread.archive_timestamp),
            "last_message_time" => {
                one.last_message_id.unwrap_or(one.id).cmp(&two.last_message_id.unwrap_or(two.id))
            }
            _ => one.id.cmp(&two.id),
        };
        let order = order.then(one.id.cmp(&two.id));
        if ascending { order } else { order.reverse() }
    });
    let total = hits.len();
    let page: Vec<&Channel> =
        hits.into_iter().skip(offset).take(limit).map(|(_, channel, _)| channel).collect();
    let first =
        |thread: &&Channel| live.message(thread.id, thread.id).or_else(|| live.message(parent, thread.id));
    Ok(Json(json!({
        "threads": page.iter().map(|thread| live.channel_json(thread, Some(bot))).collect::<Vec<_>>(),
        "members": page.iter().filter_map(|thread| thread.thread_member(bot)).collect::<Vec<_>>(),
        "first_messages": page
            .iter()
            .filter_map(first)
            .map(|message| live.message_for(bot, message))
            .collect::<Vec<_>>(),
        "has_more": offset + page.len() < total,
        "total_results": total,
    }))
    .into_response())
}
