//! Effects that users send in voice channels: sounds of the soundboard, and emojis.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;

use super::{BadRequest, Control, Path, Request, find};
use crate::live::Effect;
use crate::snowflake::Snowflake;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/guilds/{guild}/voice/{user}/effects", post(send))
}

/// An effect: a sound by id, and its guild if that is another, or an emoji.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    sound: Option<Snowflake>,
    source_guild: Option<String>,
    emoji: Option<String>,
}

/// Sends an effect in the voice channel that the user is in.
async fn send(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
    Request(asked): Request<Asked>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &user)?.id;
    let guild = find::guild(&live, Some(&guild))?;
    let Some(channel) = guild.voice_states.get(&user).map(|state| state.channel_id) else {
        return Err(BadRequest::new("They are in no voice channel."));
    };
    let effect = match (asked.sound, &asked.emoji) {
        (Some(sound), None) => {
            let source = asked.source_guild.as_deref();
            let source = source.map(|guild| find::guild(&live, Some(guild)).map(|guild| guild.id));
            Effect::Sound(sound, source.transpose()?)
        }
        (None, Some(emoji)) => Effect::Emoji(live.emoji(emoji)?),
        _ => return Err(BadRequest::new("An effect is either a sound or an emoji.")),
    };
    live.send_effect(channel, user, &effect)?;
    Ok(StatusCode::NO_CONTENT)
}
