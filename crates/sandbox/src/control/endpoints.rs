//! The endpoints of a bot's application, set as on the pages "General Information" and "Webhooks" of its settings.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{BadRequest, Control, Path, Request, find};
use crate::rest::applications;
use crate::snowflake::Snowflake;
use crate::state::endpoint::Endpoint;
use crate::state::user::Application;
use crate::validate;
use crate::validate::Change;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/bots/{bot}/endpoints", get(show).patch(change))
        .route("/sandbox/bots/{bot}/endpoints/check", post(check))
}

/// Fields of Discord's application object.
const FIELDS: [&str; 4] =
    ["interactions_endpoint_url", "event_webhooks_url", "event_webhooks_status", "event_webhooks_types"];

/// New settings.
#[derive(Debug, Deserialize)]
struct New {
    /// Whether addresses are set only if they answer PINGs as they have to, as at Discord.
    #[serde(default = "yes")]
    verify: bool,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

fn yes() -> bool {
    true
}

fn shown(control: &Control, bot: Snowflake) -> Json<Value> {
    let live = control.discord.lock();
    Json(live.applications.get(&bot).map(Application::endpoints_json).unwrap_or_default())
}

async fn show(State(control): State<Control>, Path(bot): Path<String>) -> Result<Json<Value>, BadRequest> {
    let bot = find::bot(&control.discord.lock(), &bot)?;
    Ok(shown(&control, bot))
}

/// Sets addresses, and the webhook events that are sent.
async fn change(
    State(control): State<Control>,
    Path(bot): Path<String>,
    Request(new): Request<New>,
) -> Result<Json<Value>, BadRequest> {
    let bot = find::bot(&control.discord.lock(), &bot)?;
    if let Some(unknown) = new.fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        let known = FIELDS.join(", ");
        return Err(BadRequest::new(format!("There is no field \"{unknown}\"; there are verify, {known}.")));
    }
    let body = validate::application::modify(&new.fields.into(), &["https", "http"])?;
    for (_, value) in
        body.stored.iter().filter(|(field, _)| Endpoint::ALL.iter().any(|one| one.field() == *field))
    {
        if let Change::Set(Value::String(url)) = value {
            control.endpoints.check(url).map_err(|reason| BadRequest::new(format!("{reason}.")))?;
        }
    }
    if new.verify {
        applications::verify(&control.endpoints, bot, &body.stored).await?;
    }
    if let Some(application) = control.discord.lock().applications.get_mut(&bot) {
        application.store_settings(body.stored);
    }
    Ok(shown(&control, bot))
}

/// Verifies the addresses of a bot again, as Discord does from time to time, and removes one that fails (Interactions
/// Overview, "Validating Security Request Headers"). The answer has the reasons as `removed`.
async fn check(State(control): State<Control>, Path(bot): Path<String>) -> Result<Json<Value>, BadRequest> {
    let bot = find::bot(&control.discord.lock(), &bot)?;
    let mut removed = Map::new();
    for endpoint in Endpoint::ALL {
        let url = {
            let live = control.discord.lock();
            live.applications.get(&bot).and_then(|found| found.endpoint(endpoint).map(str::to_owned))
        };
        let Some(url) = url else { continue };
        let Err(reason) = control.endpoints.verify(bot, endpoint, &url).await else { continue };
        removed.insert(endpoint.field().to_owned(), format!("{reason}.").into());
        let mut live = control.discord.lock();
        let application = live.applications.get_mut(&bot);
        // Somebody may have set another address meanwhile.
        if let Some(application) = application.filter(|found| found.endpoint(endpoint) == Some(&*url)) {
            application.store_settings(vec![(endpoint.field(), Change::Clear)]);
        }
    }
    let Json(mut shown) = shown(&control, bot);
    shown["removed"] = removed.into();
    Ok(Json(shown))
}
