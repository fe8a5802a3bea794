//! Attachments, at the addresses in messages.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{Path, Rest};
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/attachments/{channel_id}/{attachment_id}/{filename}", get(download))
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
}

async fn download(
    State(rest): State<Rest>,
    Path((_, id, filename)): Path<(String, String, String)>,
) -> ApiResult<Response> {
    let id: Snowflake = id.parse().map_err(|_| ApiError::not_found())?;
    let file = rest.discord.lock().files.get(&id).cloned();
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
