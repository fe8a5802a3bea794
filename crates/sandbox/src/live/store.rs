//! Purchases, and what becomes of entitlements and subscriptions, with the events for the application (Monetization,
//! "Implementing App Subscriptions" and "Implementing One-Time Purchases").

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::agenda::Due;
use crate::state::store::{Entitlement, PERIOD, Sku, Subscription, grant, kind, status};
use crate::validate::component::flatten;

/// A purchase by a user.
#[derive(Debug, Clone, Copy)]
pub struct Purchase {
    /// User who pays.
    pub user: Snowflake,
    /// The SKU.
    pub sku: Snowflake,
    /// Guild that a guild subscription is for.
    pub guild: Option<Snowflake>,
    /// Whether the application is in test mode, in which a consumable is bought again before it is consumed.
    pub test_mode: bool,
}

/// Why a user cannot do something in the store, as one sentence.
type Refusal = String;

impl Live<'_> {
    /// Returns an SKU that this application sells, or Discord's error.
    pub fn own_sku(&self, application: Snowflake, id: Snowflake) -> ApiResult<&Sku> {
        let found = self.store.skus.get(&id).filter(|sku| sku.application == application);
        found.ok_or_else(ApiError::invalid_sku)
    }

    /// Checks that the premium buttons of a message are for SKUs of its application.
    pub fn check_skus(&self, application: Option<Snowflake>, components: &[Value]) -> ApiResult<()> {
        for sku in
            flatten(components).into_iter().map(|component| &component["sku_id"]).filter(|sku| !sku.is_null())
        {
            let id = serde_json::from_value(sku.clone()).map_err(|_| ApiError::invalid_sku())?;
            self.own_sku(application.ok_or_else(ApiError::invalid_sku)?, id)?;
        }
        Ok(())
    }

    /// Sends an event of an entitlement through the gateway and to the application's address.
    fn entitlement_event(&mut self, name: &'static str, id: Snowflake) {
        let Some(entitlement) = self.store.entitlements.get(&id) else { return };
        let (application, data) = (entitlement.application, entitlement.json());
        self.dispatch_bot(application, name, None, data.clone());
        self.notify(application, name, data);
    }

    fn subscription_event(&self, name: &'static str, id: Snowflake) {
        let Some(subscription) = self.store.subscriptions.get(&id) else { return };
        if let Some(sku) = self.store.skus.get(&subscription.sku) {
            self.dispatch_bot(sku.application, name, None, subscription.json());
        }
    }

    /// Adds an entitlement and sends the event.
    fn grant(&mut self, entitlement: Entitlement) -> Snowflake {
        let id = entitlement.id;
        self.store.entitlements.insert(id, entitlement);
        self.entitlement_event("ENTITLEMENT_CREATE", id);
        id
    }

    /// Grants an entitlement that an application creates to test with.
    pub fn grant_test(
        &mut self,
        application: Snowflake,
        sku: Snowflake,
        user: Snowflake,
        guild: Option<Snowflake>,
    ) -> ApiResult<Value> {
        self.own_sku(application, sku)?;
        let now = self.clock.now();
        let same = |other: &Entitlement| {
            other.test && other.is_active(now) && (other.sku, other.user, other.guild) == (sku, user, guild)
        };
        if self.store.entitlements.values().any(same) {
            return Err(ApiError::already_entitled());
        }
        let id = self.next_id();
        let entitlement = Entitlement {
            id,
            sku,
            application,
            user,
            guild,
            kind: grant::SUBSCRIPTION,
            test: true,
            deleted: false,
            consumed: false,
            starts_at: None,
            ends_at: None,
            subscription: None,
        };
        let shown = entitlement.json();
        self.grant(entitlement);
        Ok(shown)
    }

    /// Buys an SKU. A subscription to another one of the same application changes at once if the new one costs as much
    /// or more, and otherwise when it renews.
    pub fn buy(&mut self, purchase: Purchase) -> Result<Value, Refusal> {
        let Purchase { user, sku, guild, test_mode } = purchase;
        let found = self.store.skus.get(&sku).cloned().ok_or_else(|| format!("There is no SKU {sku}."))?;
        let guild = guild.filter(|_| found.for_guild);
        if found.for_guild && guild.is_none() {
            return Err(format!("{} is for a guild; choose one.", found.name));
        }
        if found.kind == kind::SUBSCRIPTION {
            return self.start_subscription(user, guild, &found);
        }
        let now = self.clock.now();
        let owned = |other: &&Entitlement| other.sku == sku && other.user == user && other.is_active(now);
        if self.store.entitlements.values().any(|other| owned(&other)) && !test_mode {
            return Err(match found.kind {
                kind::CONSUMABLE => format!("{} is owned, and not consumed yet.", found.name),
                _ => format!("{} is owned already.", found.name),
            });
        }
        let id = self.next_id();
        self.grant(Entitlement {
            id,
            sku,
            application: found.application,
            user,
            guild: None,
            kind: if test_mode { grant::TEST_MODE } else { grant::PURCHASE },
            test: false,
            deleted: false,
            consumed: false,
            starts_at: None,
            ends_at: None,
            subscription: None,
        });
        Ok(json!({ "entitlement": self.store.entitlements.get(&id).map(Entitlement::json) }))
    }

    fn start_subscription(
        &mut self,
        user: Snowflake,
        guild: Option<Snowflake>,
        sku: &Sku,
    ) -> Result<Value, Refusal> {
        let application = |id: &Snowflake| self.store.skus.get(id).map(|sku| sku.application);
        let running = self.store.subscriptions.values().find(|other| {
            (other.user, other.guild) == (user, guild)
                && other.status != status::INACTIVE
                && application(&other.sku) == Some(sku.application)
        });
        if let Some(running) = running {
            let id = running.id;
            return self.change_plan(id, sku).map(|()| self.purchased(id));
        }
        let (id, now) = (self.next_id(), self.clock.now());
        let subscription = Subscription {
            id,
            user,
            guild,
            sku: sku.id,
            renewal: None,
            entitlement: None,
            start: now,
            end: now + PERIOD,
            status: status::INACTIVE,
            canceled_at: None,
        };
        self.store.subscriptions.insert(id, subscription);
        self.schedule(now + PERIOD, Due::Subscription { subscription: id });
        self.subscription_event("SUBSCRIPTION_CREATE", id);
        self.entitle(id);
        if let Some(subscription) = self.store.subscriptions.get_mut(&id) {
            subscription.status = status::ACTIVE;
        }
        self.subscription_event("SUBSCRIPTION_UPDATE", id);
        Ok(self.purchased(id))
    }

    /// Returns a subscription with its entitlement, for the user.
    fn purchased(&self, id: Snowflake) -> Value {
        let subscription = self.store.subscriptions.get(&id);
        let entitlement = subscription.and_then(|found| self.store.entitlements.get(&found.entitlement?));
        json!({
            "subscription": subscription.map(Subscription::json),
            "entitlement": entitlement.map(Entitlement::json),
        })
    }

    /// Grants the entitlement of a subscription.
    fn entitle(&mut self, id: Snowflake) {
        let Some(subscription) = self.store.subscriptions.get(&id).cloned() else { return };
        let Some(sku) = self.store.skus.get(&subscription.sku) else { return };
        let entitlement = Entitlement {
            id: self.next_id(),
            sku: sku.id,
            application: sku.application,
            user: subscription.user,
            guild: subscription.guild,
            kind: grant::SUBSCRIPTION,
            test: false,
            deleted: false,
            consumed: false,
            starts_at: Some(subscription.start),
            ends_at: None,
            subscription: Some(id),
        };
        let entitlement = self.grant(entitlement);
        if let Some(subscription) = self.store.subscriptions.get_mut(&id) {
            subscription.entitlement = Some(entitlement);
        }
    }

    /// Ends the entitlement of a subscription.
    fn end_entitlement(&mut self, id: Snowflake) {
        let Some(entitlement) = self.store.subscriptions.get(&id).and_then(|found| found.entitlement) else {
            return;
        };
        let now = self.clock.now();
        if let Some(found) = self.store.entitlements.get_mut(&entitlement) {
            found.ends_at = Some(now);
            self.entitlement_event("ENTITLEMENT_UPDATE", entitlement);
        }
    }

    fn change_plan(&mut self, id: Snowflake, sku: &Sku) -> Result<(), Refusal> {
        let Some(found) = self.store.subscriptions.get(&id) else { return Err(no_subscription(id)) };
        if found.sku == sku.id {
            return Err(format!("{} is subscribed to already.", sku.name));
        }
        let before = self.store.skus.get(&found.sku).map_or(0, |sku| sku.price);
        if sku.price < before {
            if let Some(subscription) = self.store.subscriptions.get_mut(&id) {
                subscription.renewal = Some(sku.id);
            }
            self.subscription_event("SUBSCRIPTION_UPDATE", id);
            return Ok(());
        }
        self.begin_period(id, Some(sku.id), self.clock.now());
        Ok(())
    }

    /// Begins a period at this time, with another SKU or the same one.
    fn begin_period(&mut self, id: Snowflake, sku: Option<Snowflake>, start: OffsetDateTime) {
        if sku.is_some() {
            self.end_entitlement(id);
        }
        if let Some(subscription) = self.store.subscriptions.get_mut(&id) {
            (subscription.start, subscription.end) = (start, start + PERIOD);
            subscription.renewal = None;
            subscription.sku = sku.unwrap_or(subscription.sku);
        }
        self.schedule(start + PERIOD, Due::Subscription { subscription: id });
        if sku.is_some() {
            self.entitle(id);
        }
        self.subscription_event("SUBSCRIPTION_UPDATE", id);
    }

    /// Returns a subscription that has one of these states.
    fn subscription_in(
        &mut self,
        id: Snowflake,
        states: &[u8],
        refusal: &str,
    ) -> Result<&mut Subscription, Refusal> {
        let found = self.store.subscriptions.get_mut(&id).ok_or_else(|| no_subscription(id))?;
        if states.contains(&found.status) { Ok(found) } else { Err(format!("The subscription {refusal}.")) }
    }

    /// Cancels a subscription, which then ends with its period.
    pub fn cancel_subscription(&mut self, id: Snowflake) -> Result<(), Refusal> {
        let now = self.clock.now();
        let found = self.subscription_in(id, &[status::ACTIVE], "does not renew anyway")?;
        (found.status, found.canceled_at) = (status::ENDING, Some(now));
        self.subscription_event("SUBSCRIPTION_UPDATE", id);
        Ok(())
    }

    /// Takes a cancellation back.
    pub fn resume_subscription(&mut self, id: Snowflake) -> Result<(), Refusal> {
        let found = self.subscription_in(id, &[status::ENDING], "is not cancelled, or over")?;
        (found.status, found.canceled_at) = (status::ACTIVE, None);
        self.subscription_event("SUBSCRIPTION_UPDATE", id);
        Ok(())
    }

    /// Begins the next period, as at its end.
    pub fn renew_subscription(&mut self, id: Snowflake) -> Result<(), Refusal> {
        let found = self.subscription_in(id, &[status::ACTIVE], "does not renew")?;
        let (end, renewal) = (found.end, found.renewal);
        self.begin_period(id, renewal, end);
        Ok(())
    }

    /// Ends a subscription, as at the end of its period if it was cancelled or is not paid for.
    pub fn expire_subscription(&mut self, id: Snowflake) -> Result<(), Refusal> {
        let now = self.clock.now();
        let found = self.subscription_in(id, &[status::ACTIVE, status::ENDING], "is over already")?;
        found.end = now;
        found.status = status::INACTIVE;
        self.end_entitlement(id);
        self.subscription_event("SUBSCRIPTION_UPDATE", id);
        Ok(())
    }

    /// Renews a subscription at the end of its period, or lets it expire if it was cancelled.
    pub(super) fn period_is_due(&mut self, id: Snowflake, now: OffsetDateTime) {
        let due = self.store.subscriptions.get(&id).filter(|found| found.end <= now);
        // Each has a state from which the change is possible.
        let _ = match due.map(|found| found.status) {
            Some(status::ACTIVE) => self.renew_subscription(id),
            Some(status::ENDING) => self.expire_subscription(id),
            _ => Ok(()),
        };
    }

    /// Refunds a subscription: it is over, and its entitlement is deleted.
    pub fn refund_subscription(&mut self, id: Snowflake) -> Result<(), Refusal> {
        let found = self.subscription_in(id, &[status::ACTIVE, status::ENDING], "is over already")?;
        found.status = status::INACTIVE;
        if let Some(entitlement) = found.entitlement {
            self.delete_entitlement(entitlement);
        }
        self.subscription_event("SUBSCRIPTION_UPDATE", id);
        Ok(())
    }

    /// Deletes a subscription, as Discord's support does, with its entitlement.
    pub fn delete_subscription(&mut self, id: Snowflake) -> Result<(), Refusal> {
        let found = self.store.subscriptions.get_mut(&id).ok_or_else(|| no_subscription(id))?;
        found.status = status::INACTIVE;
        if let Some(entitlement) = found.entitlement {
            self.delete_entitlement(entitlement);
        }
        self.subscription_event("SUBSCRIPTION_DELETE", id);
        self.store.subscriptions.shift_remove(&id);
        Ok(())
    }

    /// Marks an entitlement as deleted, and sends the event.
    pub fn delete_entitlement(&mut self, id: Snowflake) {
        if let Some(entitlement) = self.store.entitlements.get_mut(&id).filter(|found| !found.deleted) {
            entitlement.deleted = true;
            self.entitlement_event("ENTITLEMENT_DELETE", id);
        }
    }

    /// Marks an entitlement as consumed, and sends the event.
    pub fn consume_entitlement(&mut self, id: Snowflake) -> ApiResult<()> {
        let found = self.store.entitlements.get(&id).filter(|found| !found.deleted);
        let found = found.ok_or_else(ApiError::unknown_entitlement)?;
        let is_consumable = self.store.skus.get(&found.sku).is_some_and(|sku| sku.kind == kind::CONSUMABLE);
        if !is_consumable {
            return Err(ApiError::not_consumable());
        }
        if let Some(found) = self.store.entitlements.get_mut(&id).filter(|found| !found.consumed) {
            found.consumed = true;
            self.entitlement_event("ENTITLEMENT_UPDATE", id);
        }
        Ok(())
    }
}

fn no_subscription(id: Snowflake) -> Refusal {
    format!("There is no subscription {id}.")
}
