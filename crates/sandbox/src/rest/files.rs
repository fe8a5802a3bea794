//! Files: attachments, at the addresses in messages, and avatars, icons, emojis, stickers and sounds, at those of Discord's
//! CDN.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{Path, Rest};
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::File;
use crate::state::sticker::pack_banner;

/// Id of the application whose assets are the banners of sticker packs.
const STORE: &str = "710982414301790216";

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/attachments/{channel_id}/{attachment_id}/{filename}", get(download))
        .route("/avatars/{owner_id}/{filename}", get(picture))
        .route("/icons/{guild_id}/{filename}", get(picture))
        .route("/splashes/{guild_id}/{filename}", get(picture))
        .route("/discovery-splashes/{guild_id}/{filename}", get(picture))
        .route("/banners/{owner_id}/{filename}", get(picture))
        .route("/emojis/{filename}", get(emoji))
        .route("/stickers/{filename}", get(sticker))
        .route(&format!("/app-assets/{STORE}/store/{{filename}}"), get(banner))
        .route("/soundboard-sounds/{sound_id}", get(sound))
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
}

async fn download(
    State(rest): State<Rest>,
    Path((_, id, filename)): Path<(String, String, String)>,
) -> ApiResult<Response> {
    let id: Snowflake = id.parse().map_err(|_| ApiError::not_found())?;
    let file = rest.discord.lock().files.get(&id).cloned();
    serve(file, &filename)
}

/// Returns the id in the name of a picture that is at an address of its own.
fn id_of(filename: &str) -> ApiResult<Snowflake> {
    filename.split('.').next().and_then(|id| id.parse().ok()).ok_or_else(ApiError::not_found)
}

async fn emoji(State(rest): State<Rest>, Path(filename): Path<String>) -> ApiResult<Response> {
    let (id, live) = (id_of(&filename)?, rest.discord.lock());
    let file = live.custom_emoji(id).and_then(|_| live.files.get(&id).cloned());
    serve(file, &filename)
}

/// Returns an avatar, icon, splash or banner by its hash, in the format in which it was uploaded.
async fn picture(
    State(rest): State<Rest>,
    Path((_, filename)): Path<(String, String)>,
) -> ApiResult<Response> {
    let hash = filename.split('.').next().unwrap_or_default();
    serve(rest.discord.lock().picture(hash).cloned(), hash)
}

async fn sticker(State(rest): State<Rest>, Path(filename): Path<String>) -> ApiResult<Response> {
    serve(rest.discord.lock().sticker_file(id_of(&filename)?), &filename)
}

async fn banner(Path(filename): Path<String>) -> ApiResult<Response> {
    serve(pack_banner(id_of(&filename)?), &filename)
}

async fn sound(State(rest): State<Rest>, Path(filename): Path<String>) -> ApiResult<Response> {
    let (id, live) = (id_of(&filename)?, rest.discord.lock());
    let known = live.guilds.values().any(|guild| guild.sounds.contains_key(&id));
    serve(live.files.get(&id).filter(|_| known).cloned(), &filename)
}

/// Returns the answer with a file, if it has this name.
fn serve(file: Option<File>, filename: &str) -> ApiResult<Response> {
    let file = file.filter(|file| file.filename == filename).ok_or_else(ApiError::not_found)?;
    let kind = HeaderValue::from_str(&file.content_type)
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    // A page that a bot uploaded must not run as part of this site.
    let disposition = HeaderValue::from_static("attachment");
    let cached = HeaderValue::from_static("private, max-age=86400");
    let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, disposition), (CACHE_CONTROL, cached)];
    let mut response = (headers, file.bytes).into_response();
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    Ok(response)
}
