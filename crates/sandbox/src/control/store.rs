//! The store: SKUs, as their application's owner sets them up, and purchases of users.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request, find};
use crate::live::{Live, Purchase};
use crate::snowflake::Snowflake;
use crate::state::store::{Entitlement, Sku, Subscription, kind};

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/store", get(all))
        .route("/sandbox/bots/{bot}/skus", post(create_sku))
        .route("/sandbox/purchases", post(buy))
        .route("/sandbox/entitlements/{entitlement}/{action}", post(entitlement))
        .route("/sandbox/subscriptions/{subscription}/{action}", post(subscription))
}

/// Returns all SKUs, entitlements and subscriptions.
async fn all(State(control): State<Control>) -> Json<Value> {
    let live = control.discord.lock();
    Json(json!({
        "skus": live.store.skus.values().flat_map(Sku::json).collect::<Vec<_>>(),
        "entitlements": live.store.entitlements.values().map(Entitlement::json).collect::<Vec<_>>(),
        "subscriptions": live.store.subscriptions.values().map(Subscription::json).collect::<Vec<_>>(),
    }))
}

/// What an SKU is.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Durable,
    Consumable,
    UserSubscription,
    GuildSubscription,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSku {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    price: u32,
}

async fn create_sku(
    State(control): State<Control>,
    Path(bot): Path<String>,
    Request(new): Request<NewSku>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let application = find::bot(&live, &bot)?;
    let kind = match new.kind {
        Kind::Durable => kind::DURABLE,
        Kind::Consumable => kind::CONSUMABLE,
        Kind::UserSubscription | Kind::GuildSubscription => kind::SUBSCRIPTION,
    };
    let group = (kind == kind::SUBSCRIPTION).then(|| live.next_id());
    let sku = Sku {
        id: live.next_id(),
        group,
        application,
        kind,
        name: new.name,
        for_guild: matches!(new.kind, Kind::GuildSubscription),
        price: new.price,
    };
    let shown = sku.json().pop().unwrap_or_default();
    live.store.skus.insert(sku.id, sku);
    Ok(Json(shown))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Buy {
    #[serde(rename = "as")]
    user: String,
    /// SKU by id or name.
    sku: String,
    guild: Option<String>,
    #[serde(default)]
    test_mode: bool,
}

/// Finds an SKU by id or name.
fn sku(live: &Live<'_>, wanted: &str) -> Result<Snowflake, BadRequest> {
    let by_id = wanted.parse().ok().filter(|id: &Snowflake| live.store.skus.contains_key(id));
    let named = || live.store.skus.values().find(|sku| sku.name.eq_ignore_ascii_case(wanted));
    by_id.or_else(|| named().map(|sku| sku.id)).ok_or_else(|| {
        let names: Vec<&str> = live.store.skus.values().map(|sku| sku.name.as_str()).take(12).collect();
        BadRequest::missing(format!("There is no SKU \"{wanted}\"; there are {}.", names.join(", ")))
    })
}

async fn buy(
    State(control): State<Control>,
    Request(asked): Request<Buy>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let guild = match &asked.guild {
        Some(name) => {
            let guild = find::guild(&live, Some(name))?;
            if !guild.members.contains_key(&user) {
                return Err(BadRequest::new(format!("{} is not in {}.", asked.user, guild.name)));
            }
            Some(guild.id)
        }
        None => None,
    };
    let purchase = Purchase { user, sku: sku(&live, &asked.sku)?, guild, test_mode: asked.test_mode };
    live.buy(purchase).map(Json).map_err(BadRequest::new)
}

/// What happens to an entitlement.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnEntitlement {
    Consume,
    Refund,
}

async fn entitlement(
    State(control): State<Control>,
    Path((id, action)): Path<(Snowflake, OnEntitlement)>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    if !live.store.entitlements.contains_key(&id) {
        return Err(BadRequest::missing(format!("There is no entitlement {id}.")));
    }
    match action {
        OnEntitlement::Consume => live.consume_entitlement(id)?,
        OnEntitlement::Refund => live.delete_entitlement(id),
    }
    Ok(Json(live.store.entitlements.get(&id).map(Entitlement::json).unwrap_or_default()))
}

/// What happens to a subscription.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnSubscription {
    Cancel,
    Resume,
    Renew,
    Expire,
    Refund,
    Delete,
}

async fn subscription(
    State(control): State<Control>,
    Path((id, action)): Path<(Snowflake, OnSubscription)>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let done = match action {
        OnSubscription::Cancel => live.cancel_subscription(id),
        OnSubscription::Resume => live.resume_subscription(id),
        OnSubscription::Renew => live.renew_subscription(id),
        OnSubscription::Expire => live.expire_subscription(id),
        OnSubscription::Refund => live.refund_subscription(id),
        OnSubscription::Delete => live.delete_subscription(id),
    };
    done.map_err(BadRequest::new)?;
    Ok(Json(live.store.subscriptions.get(&id).map(Subscription::json).unwrap_or_default()))
}
