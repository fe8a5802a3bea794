//! Answers to REQUEST_GUILD_MEMBERS.

use serde_json::{Value, json};

use super::payload::MembersRequest;
use super::{Backend, Intents, MemberQuery};
use crate::gateway::viewer::Viewer;
use crate::snowflake::Snowflake;

/// Most members of one chunk.
const CHUNK: usize = 1000;
/// Most members that a prefix or a list of ids finds.
const FOUND: usize = 100;

/// Why a request gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unanswered {
    #[error("the whole member list of a guild needs the GUILD_MEMBERS intent; identify with it")]
    NeedsIntent,
    #[error("the bot is in no guild of this id")]
    NoGuild,
}

/// Returns whether this asks for all members of a guild and not for some: an empty `query`, and 0 as `limit`.
pub(super) fn wants_all(request: &MembersRequest) -> bool {
    request.user_ids.is_none()
        && request.query.as_deref().is_some_and(str::is_empty)
        && request.limit == Some(0)
}

/// Returns the data of the GUILD_MEMBERS_CHUNK events that answer a request.
pub(super) fn chunks(
    backend: &dyn Backend,
    viewer: &Viewer,
    request: &MembersRequest,
) -> Result<Vec<Value>, Unanswered> {
    let query = match &request.user_ids {
        Some(ids) => MemberQuery::Users(ids.iter().copied().take(FOUND).collect()),
        None => prefix(viewer, request)?,
    };
    let guild = request.guild_id;
    let members = backend.members(viewer.bot, guild, &query).ok_or(Unanswered::NoGuild)?;
    let not_found: Vec<Snowflake> = match &query {
        MemberQuery::Users(ids) => {
            let is_there = |id: &Snowflake| members.iter().any(|member| user_id(member) == Some(*id));
            ids.iter().copied().filter(|id| !is_there(id)).collect()
        }
        MemberQuery::Prefix { .. } => Vec::new(),
    };
    let with_presences =
        request.presences.unwrap_or_default() && viewer.intents.contains(Intents::GUILD_PRESENCES);
    // An empty list is still an answer.
    let count = members.len().div_ceil(CHUNK).max(1);
    Ok((0..count)
        .map(|index| {
            let part = &members[index * CHUNK..members.len().min((index + 1) * CHUNK)];
            let mut chunk = json!({
                "guild_id": guild,
                "members": part,
                "chunk_index": index,
                "chunk_count": count,
            });
            if index == 0 && !not_found.is_empty() {
                chunk["not_found"] = json!(not_found);
            }
            if with_presences {
                let users: Vec<_> = part.iter().filter_map(user_id).collect();
                chunk["presences"] = backend.presences(guild, &users).into();
            }
            if let Some(nonce) = request.nonce() {
                chunk["nonce"] = nonce.into();
            }
            chunk
        })
        .collect())
}

/// Returns the query of a request by name. Only the whole list has conditions, and no other list is long.
fn prefix(viewer: &Viewer, request: &MembersRequest) -> Result<MemberQuery, Unanswered> {
    let query = request.query.clone().unwrap_or_default();
    let limit = request.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or_default();
    let limit = if query.is_empty() {
        if !viewer.intents.contains(Intents::GUILD_MEMBERS) {
            return Err(Unanswered::NeedsIntent);
        }
        limit
    } else if limit == 0 {
        FOUND
    } else {
        limit.min(FOUND)
    };
    Ok(MemberQuery::Prefix { query, limit })
}

fn user_id(member: &Value) -> Option<Snowflake> {
    member["user"]["id"].as_str()?.parse().ok()
}
