//! The requests that carry messages, through serenity's `Http`.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serenity::all::{ApplicationId, CreateAttachment, Http, InteractionId, Message};
use serenity::http::{LightMethod, Multipart, MultipartUpload, Request, Route};

use super::ComponentMessage;
use crate::Error;

/// A type of initial response. Source: "Interaction Callback Type".
#[derive(Clone, Copy)]
pub(super) enum Callback {
    Message = 4,
    Update = 7,
}

fn request<'a>(
    route: Route<'a>,
    method: LightMethod,
    body: &Value,
    file: Option<CreateAttachment>,
) -> Request<'a> {
    let request = Request::new(route, method);
    match file {
        None => request.body(Some(body.to_string().into_bytes())),
        Some(file) => request.multipart(Some(Multipart {
            upload: MultipartUpload::Attachments(vec![file]),
            fields: Vec::new(),
            payload_json: Some(body.to_string()),
        })),
    }
}

async fn fire<T: DeserializeOwned>(
    http: &Http,
    route: Route<'_>,
    method: LightMethod,
    message: ComponentMessage,
) -> Result<T, Error> {
    let (body, file) = message.finish()?;
    Ok(http.fire(request(route, method, &body, file)).await?)
}

/// Sends a message or an edit that Discord answers with the message.
pub(super) async fn send(
    http: &Http,
    route: Route<'_>,
    method: LightMethod,
    message: ComponentMessage,
) -> Result<Message, Error> {
    fire(http, route, method, message).await
}

/// Sends a message as the initial response of an interaction.
pub(super) async fn respond_with(
    http: &Http,
    (interaction_id, token): (InteractionId, &str),
    callback: Callback,
    message: ComponentMessage,
) -> Result<(), Error> {
    let (data, file) = message.finish()?;
    let body = json!({ "type": callback as u8, "data": data });
    let route = Route::InteractionResponse { interaction_id, token };
    http.request(request(route, LightMethod::Post, &body, file)).await?;
    Ok(())
}

pub(super) fn followups(application_id: ApplicationId, token: &str) -> Route<'_> {
    Route::WebhookFollowupMessages { application_id, token }
}

pub(super) fn original(application_id: ApplicationId, token: &str) -> Route<'_> {
    Route::WebhookOriginalInteractionResponse { application_id, token }
}
