//! The parts of a request that handlers read: the bot, ids, query, body, files, and the reason for the audit log.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::Response;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Rest;
use crate::draft::{self, Draft, Upload};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::in_flight::Acting;
use crate::ratelimit::Extra;
use crate::snowflake::Snowflake;
use crate::stage::Stage;
use crate::validate;
use crate::validate::message::MessageOrigin;

/// Largest request, including files.
pub(crate) const BODY_LIMIT: usize = 64 << 20;

/// Largest single file.
const FILE_LIMIT: usize = 10 << 20;

/// Data about a request for the log, collected while it is handled, and what keeps it in flight.
#[derive(Debug, Clone, Default)]
struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    extra: Extra,
    acting: Option<Arc<Acting>>,
}

impl Notes {
    /// Puts the request in flight: its body is there, and its handler acts next.
    fn begin(&self, rest: &Rest) {
        self.0.lock().acting = Some(Arc::new(rest.in_flight.begin()));
    }
}

/// Copies what handlers learn about a request to its response, from which the log takes it.
pub(super) async fn note(rest: Arc<Rest>, mut request: Request, next: Stage) -> Response {
    let notes = Notes::default();
    let token =
        request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bot_token);
    notes.0.lock().extra.bot = token.and_then(|token| rest.discord.lock().bot_by_token(token));
    request.extensions_mut().insert(notes.clone());
    let (mut response, unread) = collecting(next.run(request)).await;
    let Noted { mut extra, acting } = std::mem::take(&mut *notes.0.lock());
    extra.unread = unread;
    response.extensions_mut().insert(extra);
    if let Some(acting) = acting {
        response.extensions_mut().insert(acting);
    }
    response
}

/// Runs a handler and returns the fields of its body that nothing has read. Each poll is collected by itself, since
/// between two of them the thread serves other requests.
async fn collecting<T>(handler: impl Future<Output = T>) -> (T, Vec<String>) {
    let mut handler = pin!(handler);
    let mut unread = Vec::new();
    let output = poll_fn(|context| {
        let (poll, mut found) = validate::unread::collect(|| handler.as_mut().poll(context));
        unread.append(&mut found);
        poll
    });
    (output.await, unread)
}

/// Returns the token in `Authorization: Bot ...`.
fn bot_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bot").then(|| token.trim())
}

/// The bot that sent the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bot(pub(crate) Snowflake);

impl FromRequestParts<Rest> for Bot {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Rest) -> ApiResult<Self> {
        let bot = parts.extensions.get::<Notes>().and_then(|notes| notes.0.lock().extra.bot);
        bot.map(Bot).ok_or_else(ApiError::unauthorized)
    }
}

impl axum::extract::OptionalFromRequestParts<Rest> for Bot {
    type Rejection = ApiError;

    /// Reads the bot of a route that needs no token. A wrong one is refused there too.
    async fn from_request_parts(parts: &mut Parts, _: &Rest) -> ApiResult<Option<Self>> {
        let bot = parts.extensions.get::<Notes>().and_then(|notes| notes.0.lock().extra.bot);
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if bot.is_none() && header.and_then(bot_token).is_some() {
            return Err(ApiError::unauthorized());
        }
        Ok(bot.map(Bot))
    }
}

/// The first `N` parameters of the path, all ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids<const N: usize>(pub(crate) [Snowflake; N]);

impl<const N: usize> FromRequestParts<Rest> for Ids<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> ApiResult<Self> {
        let params =
            RawPathParams::from_request_parts(parts, rest).await.map_err(|_| ApiError::not_found())?;
        let mut ids = [Snowflake(0); N];
        for (id, (name, text)) in ids.iter_mut().zip(&params) {
            *id = parse_id(name, text)?;
        }
        Ok(Self(ids))
    }
}

/// Parameters of the path as they are. One that is not valid text after decoding is answered with a 404.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Rest> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, rest: &Rest) -> ApiResult<Self> {
        let path = axum::extract::Path::from_request_parts(parts, rest).await;
        path.map(|path| Self(path.0)).map_err(|_| ApiError::not_found())
    }
}

/// Parses an id of the path. The error is Discord's.
pub(crate) fn parse_id(name: &str, text: &str) -> ApiResult<Snowflake> {
    text.parse().map_err(|_| ApiError::field(&[name], FieldError::not_a("snowflake", &Value::from(text))))
}

/// `X-Audit-Log-Reason`, decoded.
#[derive(Debug, Default)]
pub(crate) struct Reason(pub(crate) Option<String>);

impl FromRequestParts<Rest> for Reason {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Rest) -> ApiResult<Self> {
        let header = parts.headers.get("x-audit-log-reason");
        Ok(Self(header.map(|value| percent_decode(value.as_bytes())).filter(|reason| !reason.is_empty())))
    }
}

/// Decodes percent-encoding. Bytes that are not UTF-8 are replaced.
fn percent_decode(bytes: &[u8]) -> String {
    percent_encoding::percent_decode(bytes).decode_utf8_lossy().into_owned()
}

/// Content type of the bodies of most routes.
const JSON: &str = "application/json";
/// Content types of forms, which routes that take files accept as well.
const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// The body: JSON. Other types are refused; an empty body counts as an empty object.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    /// The JSON.
    pub(crate) json: Value,
    /// The files.
    pub(crate) uploads: Vec<Upload>,
}

impl Payload {
    /// Returns the body as an object. The error is Discord's.
    pub(crate) fn object(&self) -> ApiResult<&Map<String, Value>> {
        self.json.as_object().ok_or_else(|| ApiError::field(&[], FieldError::not_an_object()))
    }

    /// Returns the body as a new message.
    pub(crate) fn draft(self, origin: MessageOrigin) -> ApiResult<Draft> {
        let message = validate::message::create(&self.json, &draft::names(&self.uploads), origin)?;
        Ok(Draft { message, uploads: self.uploads })
    }
}

impl FromRequest<Rest> for Payload {
    type Rejection = ApiError;

    async fn from_request(request: Request, rest: &Rest) -> ApiResult<Self> {
        let notes = request.extensions().get::<Notes>().cloned().unwrap_or_default();
        let payload = Self::read(request).await;
        notes.begin(rest);
        payload
    }
}

/// The body of a route that takes files: JSON, or a form of either kind with `payload_json`, and files if it is
/// multipart.
#[derive(Debug, Default)]
pub(crate) struct Form(pub(crate) Payload);

impl FromRequest<Rest> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, rest: &Rest) -> ApiResult<Self> {
        let notes = request.extensions().get::<Notes>().cloned().unwrap_or_default();
        let payload = Self::read(request).await;
        notes.begin(rest);
        payload.map(Self)
    }
}

impl Form {
    /// Reads the body of a request.
    pub(crate) async fn read(request: Request) -> ApiResult<Payload> {
        let kind = kind(&request);
        let notes = request.extensions().get::<Notes>().cloned().unwrap_or_default();
        let payload = match kind.as_str() {
            MULTIPART => {
                let mut limited = request.map(|body| Body::new(http_body_limit(body)));
                // Of all that reads bodies here, this alone obeys axum's own limit of 2 MB, which is less than Discord's.
                DefaultBodyLimit::disable().apply(&mut limited);
                let form = Multipart::from_request(limited, &()).await.map_err(|_| not_a_form())?;
                Payload::from_form(form).await?
            }
            URLENCODED => Payload { json: urlencoded(&read(request).await?)?, uploads: Vec::new() },
            JSON => return Payload::read(request).await,
            _ if read(request).await?.is_empty() => return Ok(Payload::default()),
            _ => return Err(not_a_form()),
        };
        let mut notes = notes.0.lock();
        notes.extra.body_read = true;
        notes.extra.request = Some(payload.json.clone());
        Ok(payload)
    }
}

/// Returns a body's content type without its parameters.
fn kind(request: &Request) -> String {
    let header = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = header.unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

async fn read(request: Request) -> ApiResult<Bytes> {
    axum::body::to_bytes(request.into_body(), BODY_LIMIT).await.map_err(|_| ApiError::entity_too_large())
}

fn not_a_form() -> ApiError {
    ApiError::wrong_content_type(&[JSON, URLENCODED, MULTIPART])
}

impl Payload {
    async fn read(request: Request) -> ApiResult<Self> {
        if let Some(notes) = request.extensions().get::<Notes>() {
            notes.0.lock().extra.body_read = true;
        }
        let is_json = kind(&request) == JSON;
        let bytes = read(request).await?;
        if !is_json && !bytes.is_empty() {
            return Err(ApiError::wrong_content_type(&[JSON]));
        }
        Ok(Self { json: json_body(&bytes)?, uploads: Vec::new() })
    }

    async fn from_form(mut form: Multipart) -> ApiResult<Self> {
        let mut fields = Map::new();
        let mut json = None;
        let mut uploads = Vec::new();
        let broken = |error: MultipartError| {
            if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::entity_too_large()
            } else {
                not_a_form()
            }
        };
        while let Some(field) = form.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            let filename = field.file_name().map(str::to_owned);
            let content_type = field.content_type().map(str::to_owned);
            let bytes = field.bytes().await.map_err(broken)?;
            if name == "payload_json" {
                json = Some(json_body(&bytes)?);
            } else if let Some(filename) = filename {
                if bytes.len() > FILE_LIMIT {
                    // Not 50045, which is for media: github.com/discord/discord-api-docs/issues/8572.
                    return Err(ApiError::entity_too_large());
                }
                let digits: String = name.chars().filter(char::is_ascii_digit).collect();
                let index = digits.parse().unwrap_or(uploads.len() as u64);
                uploads.push(Upload { field: name, index, filename, content_type, bytes });
            } else {
                fields.insert(name, String::from_utf8_lossy(&bytes).into_owned().into());
            }
        }
        if uploads.len() > 10 {
            return Err(ApiError::max_attachments());
        }
        uploads.sort_by_key(|upload| upload.index);
        Ok(Self { json: json.unwrap_or(Value::Object(fields)), uploads })
    }
}

/// Returns the fields of a form without files, which some libraries (py-cord) send. A field `payload_json` replaces all
/// others.
fn urlencoded(bytes: &[u8]) -> ApiResult<Value> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        if name == "payload_json" {
            return json_body(value.as_bytes());
        }
        fields.insert(name.into_owned(), value.into());
    }
    Ok(Value::Object(fields))
}

/// Parses JSON. An empty body counts as an empty object.
fn json_body(bytes: &[u8]) -> ApiResult<Value> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(bytes).map_err(|_| ApiError::invalid_json())
}

/// Makes a body fail past [`BODY_LIMIT`].
fn http_body_limit(body: Body) -> Body {
    use futures_util::StreamExt;
    let mut left = BODY_LIMIT;
    Body::from_stream(body.into_data_stream().map(move |chunk| {
        let chunk = chunk?;
        left = left.checked_sub(chunk.len()).ok_or_else(|| axum::Error::new(ApiError::entity_too_large()))?;
        Ok::<_, axum::Error>(chunk)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_decoded() {
        assert_eq!(percent_decode(b"spam%20%F0%9F%90%B1 100%"), "spam \u{1f431} 100%");
    }

    #[test]
    fn a_form_without_files_is_its_payload_or_its_fields() {
        let payload = urlencoded(b"payload_json=%7B%22content%22%3A%22a+%2B%20b%22%7D").unwrap();
        assert_eq!(payload, serde_json::json!({ "content": "a + b" }));
        assert_eq!(
            urlencoded(b"content=a%26b&&tts").unwrap(),
            serde_json::json!({ "content": "a&b", "tts": "" })
        );
        assert_eq!(urlencoded(b"payload_json=%7B").unwrap_err().code(), 50109);
    }

    #[test]
    fn only_a_bot_token_is_taken() {
        assert_eq!(bot_token("Bot abc"), Some("abc"));
        assert_eq!(bot_token("Bearer abc"), None);
        assert_eq!(bot_token("abc"), None);
    }
}
