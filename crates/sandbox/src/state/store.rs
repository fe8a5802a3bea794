//! What applications sell: SKUs, the entitlements to them, and subscriptions.

use indexmap::IndexMap;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::clock;
use crate::snowflake::Snowflake;

/// Discord's numbers of SKU types.
pub mod kind {
    /// Bought once and kept.
    pub const DURABLE: u8 = 2;
    /// Bought, consumed, and bought again.
    pub const CONSUMABLE: u8 = 3;
    /// Paid for period by period.
    pub const SUBSCRIPTION: u8 = 5;
    /// Discord's own, one for each subscription.
    pub const GROUP: u8 = 6;
}

/// Discord's numbers of entitlement types.
pub mod grant {
    /// Bought by the user.
    pub const PURCHASE: u8 = 1;
    /// "Bought" in an application's test mode.
    pub const TEST_MODE: u8 = 4;
    /// By a subscription.
    pub const SUBSCRIPTION: u8 = 8;
}

/// Discord's numbers of a subscription's states.
pub mod status {
    /// It will renew.
    pub const ACTIVE: u8 = 0;
    /// It is over, or has not begun.
    pub const INACTIVE: u8 = 1;
    /// It will not renew.
    pub const ENDING: u8 = 2;
}

/// Length of a subscription's period.
pub const PERIOD: time::Duration = time::Duration::days(30);

/// Something that is for sale.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Sku {
    /// Its id.
    pub id: Snowflake,
    /// Id of the group that Discord creates beside a subscription.
    pub group: Option<Snowflake>,
    /// Application that sells it.
    pub application: Snowflake,
    /// See [`kind`].
    pub kind: u8,
    /// Its name.
    pub name: String,
    /// Whether a subscription is for a guild and not for the user.
    pub for_guild: bool,
    /// Price, by which a change of subscriptions is an upgrade or a downgrade.
    pub price: u32,
}

impl Sku {
    /// Returns the SKU objects: of a subscription two.
    pub fn json(&self) -> Vec<Value> {
        let access = match (self.kind, self.for_guild) {
            (kind::SUBSCRIPTION, true) => 1 << 7,
            (kind::SUBSCRIPTION, false) => 1 << 8,
            _ => 0,
        };
        let words = self.name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
        let object = |id: Snowflake, kind: u8| {
            json!({
                "id": id,
                "type": kind,
                "application_id": self.application,
                "name": self.name,
                "slug": slug,
                "flags": 1 << 2 | access,
                "dependent_sku_id": null,
                "manifest_labels": null,
                "access_type": 1,
                "features": [],
                "release_date": null,
                "premium": false,
                "show_age_gate": false,
            })
        };
        let group = self.group.map(|id| object(id, kind::GROUP));
        group.into_iter().chain([object(self.id, self.kind)]).collect()
    }
}

/// Access of a user or guild to an SKU.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Entitlement {
    /// Its id.
    pub id: Snowflake,
    /// The SKU.
    pub sku: Snowflake,
    /// Application that sells it.
    pub application: Snowflake,
    /// User who bought it, or whom it was granted to.
    pub user: Snowflake,
    /// Guild that it is for.
    pub guild: Option<Snowflake>,
    /// See [`grant`].
    pub kind: u8,
    /// Whether the application created it to test with.
    pub test: bool,
    /// Whether it was taken away.
    pub deleted: bool,
    /// Whether it was used up.
    pub consumed: bool,
    /// From when on it is valid; always if there is no such time.
    pub starts_at: Option<OffsetDateTime>,
    /// Until when it is valid.
    pub ends_at: Option<OffsetDateTime>,
    /// Subscription that grants it.
    pub subscription: Option<Snowflake>,
}

impl Entitlement {
    /// Returns the entitlement object.
    pub fn json(&self) -> Value {
        let mut value = json!({
            "id": self.id,
            "sku_id": self.sku,
            "application_id": self.application,
            "user_id": self.user,
            "type": self.kind,
            "deleted": self.deleted,
            "consumed": self.consumed,
            "starts_at": self.starts_at.map(clock::iso),
            "ends_at": self.ends_at.map(clock::iso),
            "promotion_id": null,
            "gift_code_flags": 0,
        });
        if let Some(guild) = self.guild {
            value["guild_id"] = json!(guild);
        }
        if let Some(subscription) = self.subscription {
            value["subscription_id"] = json!(subscription);
        }
        value
    }

    /// Returns whether its time is over.
    pub fn ended(&self, now: OffsetDateTime) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }

    /// Returns whether it grants access at this time.
    pub fn is_active(&self, now: OffsetDateTime) -> bool {
        !self.deleted && !self.consumed && !self.ended(now)
    }
}

/// A user's recurring payment.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: Snowflake,
    /// User who pays.
    pub user: Snowflake,
    /// Guild that it is for.
    pub guild: Option<Snowflake>,
    /// The SKU.
    pub sku: Snowflake,
    /// The SKU from the next period on, if that is another.
    pub renewal: Option<Snowflake>,
    /// The entitlement that it grants.
    pub entitlement: Option<Snowflake>,
    /// Begin of the present period.
    pub start: OffsetDateTime,
    /// End of the present period.
    pub end: OffsetDateTime,
    /// See [`status`].
    pub status: u8,
    /// When the user cancelled it.
    pub canceled_at: Option<OffsetDateTime>,
}

impl Subscription {
    /// Returns the subscription object.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "user_id": self.user,
            "sku_ids": [self.sku],
            "renewal_sku_ids": self.renewal.map(|sku| [sku]),
            "entitlement_ids": self.entitlement.iter().collect::<Vec<_>>(),
            "current_period_start": clock::iso(self.start),
            "current_period_end": clock::iso(self.end),
            "status": self.status,
            "canceled_at": self.canceled_at.map(clock::iso),
        })
    }
}

/// All SKUs, entitlements and subscriptions by id.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Store {
    /// SKUs.
    pub skus: IndexMap<Snowflake, Sku>,
    /// Entitlements.
    pub entitlements: IndexMap<Snowflake, Entitlement>,
    /// Subscriptions.
    pub subscriptions: IndexMap<Snowflake, Subscription>,
}

impl Store {
    /// Returns an application's entitlements that a user has at this time, by themselves or through a
    /// guild.
    pub fn of(
        &self,
        application: Snowflake,
        user: Snowflake,
        guild: Option<Snowflake>,
        now: OffsetDateTime,
    ) -> Vec<Value> {
        let all = self.entitlements.values();
        let theirs = |entitlement: &&Entitlement| match entitlement.guild {
            None => entitlement.user == user,
            for_guild => for_guild == guild,
        };
        all.filter(|entitlement| entitlement.application == application && entitlement.is_active(now))
            .filter(theirs)
            .map(Entitlement::json)
            .collect()
    }
}
