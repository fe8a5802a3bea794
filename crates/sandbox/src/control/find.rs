//! Requests of the control API, and the lookup of users, guilds, channels and roles in them, by id or name.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::ApiError;
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::state::channel::Channel;
use crate::state::guild::Guild;
use crate::state::user::User;

/// Why a request is refused, as one sentence.
#[derive(Debug)]
pub(crate) struct BadRequest {
    status: StatusCode,
    sentence: String,
}

impl BadRequest {
    /// Returns a refusal with another status.
    pub(crate) fn with_status(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into() }
    }

    /// Returns the sentence.
    pub(crate) fn sentence(&self) -> &str {
        &self.sentence
    }

    /// Returns the refusal of an invalid request.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self::with_status(StatusCode::BAD_REQUEST, sentence)
    }

    /// Returns the refusal for an object that does not exist.
    pub(crate) fn missing(sentence: impl Into<String>) -> Self {
        Self::with_status(StatusCode::NOT_FOUND, sentence)
    }
}

impl From<ApiError> for BadRequest {
    fn from(error: ApiError) -> Self {
        let mut sentence = error.message().to_owned();
        if let Some(errors) = error.errors() {
            sentence = format!("{sentence}: {}", errors.to_json());
        }
        Self::with_status(error.status(), sentence)
    }
}

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        (self.status, axum::Json(json!({ "error": self.sentence }))).into_response()
    }
}

/// A JSON body. The rejection is one sentence.
pub(crate) struct Request<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Request<T> {
    type Rejection = BadRequest;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, BadRequest> {
        let body = axum::Json::<T>::from_request(request, state).await;
        body.map(|body| Self(body.0))
            .map_err(|why: JsonRejection| BadRequest::with_status(why.status(), why.body_text()))
    }
}

/// Parameters of the path. The rejection is one sentence.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = BadRequest;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, BadRequest> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|why| BadRequest::with_status(why.status(), why.body_text()))
    }
}

/// Parameters of the query. The rejection is one sentence.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = BadRequest;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, BadRequest> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|why| BadRequest::with_status(why.status(), why.body_text()))
    }
}

/// Finds an account by id or unique name.
pub(super) fn user<'a>(world: &'a World, wanted: &str) -> Result<&'a User, BadRequest> {
    world.find_user(wanted).ok_or_else(|| {
        let names: Vec<&str> = world.users.values().map(|user| user.username.as_str()).take(12).collect();
        BadRequest::missing(format!("There is no user \"{wanted}\"; there are {}.", names.join(", ")))
    })
}

/// Finds a user who is no bot by id or unique name, since bots act through the API.
pub(super) fn person<'a>(world: &'a World, wanted: &str) -> Result<&'a User, BadRequest> {
    let user = user(world, wanted)?;
    if user.bot {
        return Err(BadRequest::new(format!("{} is a bot; choose a person to act as.", user.username)));
    }
    Ok(user)
}

/// Finds a bot by id or name.
pub(super) fn bot(world: &World, wanted: &str) -> Result<Snowflake, BadRequest> {
    let found = world.find_user(wanted).map(|user| user.id).filter(|id| world.applications.contains_key(id));
    found.ok_or_else(|| BadRequest::missing(format!("There is no bot \"{wanted}\".")))
}

/// Returns the guild and the user that a path names.
pub(super) fn member(world: &World, guild: &str, user: &str) -> Result<(Snowflake, Snowflake), BadRequest> {
    Ok((self::guild(world, Some(guild))?.id, self::user(world, user)?.id))
}

/// Finds a guild by id or name; without either, the oldest.
pub(super) fn guild<'a>(world: &'a World, wanted: Option<&str>) -> Result<&'a Guild, BadRequest> {
    let Some(wanted) = wanted else {
        return world.guilds.values().next().ok_or_else(|| BadRequest::missing("There is no guild."));
    };
    let by_id = wanted.parse().ok().and_then(|id: Snowflake| world.guilds.get(&id));
    by_id
        .or_else(|| world.guilds.values().find(|guild| guild.name.eq_ignore_ascii_case(wanted)))
        .ok_or_else(|| BadRequest::missing(format!("There is no guild \"{wanted}\".")))
}

/// The user of a request that has nothing else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct As {
    #[serde(rename = "as")]
    pub(super) user: String,
}

/// The user of a request, and the channel that it is about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Where {
    #[serde(rename = "as")]
    user: String,
    channel: String,
    guild: Option<String>,
}

impl Where {
    /// Finds the user and the channel, which the user must see.
    pub(super) fn find(&self, live: &mut Live<'_>) -> Result<(Snowflake, Snowflake), BadRequest> {
        let user = person(live, &self.user)?.id;
        Ok((user, channel(live, &self.channel, self.guild.as_deref(), user)?.id))
    }
}

/// Finds a channel by id, by name in a guild, or by `@name` for direct messages between `user` and that account.
///
/// Only channels that `user` sees are found.
pub(super) fn channel<'a>(
    live: &'a mut Live<'_>,
    wanted: &str,
    in_guild: Option<&str>,
    user: Snowflake,
) -> Result<&'a Channel, BadRequest> {
    let id = if let Some(name) = wanted.strip_prefix('@') {
        let other = self::user(live, name)?.id;
        live.open_dm(user, other)
    } else {
        by_name(live, wanted, in_guild)?
    };
    let name = &live.user(user)?.username;
    let channel = live.channel(id)?;
    if live.permissions_in(user, channel).contains(Permissions::VIEW_CHANNEL) {
        Ok(channel)
    } else {
        Err(BadRequest::with_status(StatusCode::FORBIDDEN, format!("{name} can't see the channel {wanted}.")))
    }
}

/// Finds a channel by id, or by name in a guild, regardless of who sees it.
pub(super) fn by_name(world: &World, wanted: &str, in_guild: Option<&str>) -> Result<Snowflake, BadRequest> {
    let wanted = wanted.trim_start_matches("<#").trim_end_matches('>').trim_start_matches('#');
    if let Some(channel) = wanted.parse().ok().and_then(|id: Snowflake| world.channels.get(&id)) {
        return Ok(channel.id);
    }
    let guild = guild(world, in_guild)?;
    let mut channels = guild.channels.iter().chain(&guild.threads).filter_map(|id| world.channels.get(id));
    if let Some(channel) = channels.clone().find(|channel| channel.name.eq_ignore_ascii_case(wanted)) {
        return Ok(channel.id);
    }
    let names: Vec<&str> =
        channels.by_ref().filter(|c| c.is_text()).map(|c| c.name.as_str()).take(20).collect();
    Err(BadRequest::missing(format!(
        "There is no channel \"{wanted}\" in {}; there are {}.",
        guild.name,
        names.join(", ")
    )))
}

/// Finds a role of a guild by id or name.
pub(super) fn role(guild: &Guild, wanted: &str) -> Result<Snowflake, BadRequest> {
    let inside = wanted.trim_start_matches("<@&").trim_end_matches('>');
    let bare = inside.trim_start_matches('@');
    let by_id = bare.parse().ok().filter(|id: &Snowflake| guild.roles.contains_key(id));
    // The name of @everyone includes the at sign.
    let named = |name: &str| guild.roles.values().find(|role| role.name.eq_ignore_ascii_case(name));
    by_id
        .or_else(|| {
            [inside, bare, "@everyone"].into_iter().find_map(|name| {
                let is_meant = name != "@everyone" || bare.eq_ignore_ascii_case("everyone");
                named(name).filter(|_| is_meant).map(|role| role.id)
            })
        })
        .ok_or_else(|| BadRequest::missing(format!("There is no role \"{wanted}\" in {}.", guild.name)))
}
