//! Raw events, given as a reader of the gateway gives them.

use sdk::components::twilight_model::application::interaction::{Interaction, InteractionData};
use sdk::prelude::*;
use sdk::raw::RawEvent;
use serde_json::{Value, json};

use crate::rig::{Bot, plugin};

/// A plugin that stores what it hears, under a key with its version.
struct Listener(u8);

impl Plugin for Listener {
    fn subscriptions(&self, on: &mut Subscriptions) {
        let version = self.0;
        on.raw("INTERACTION_CREATE", move |ctx, raw| hear(ctx, raw, version));
        if version == 1 {
            on.raw("NEWER_THAN_SERENITY", async |_, _| panic!("expected by the test"));
        }
    }
}

async fn hear(ctx: EventContext, raw: RawEvent, version: u8) -> Result<(), Error> {
    let read = raw.parse::<Interaction>()?;
    let Some(InteractionData::ModalSubmit(modal)) = read.data else { return Err("not a modal".into()) };
    let heard = (raw.shard(), modal.components.len(), serde_json::from_str::<Value>(raw.json())?);
    ctx.data().store().put(&format!("heard by {version}"), &heard)?;
    Ok(())
}

fn submitted() -> Value {
    json!({
        "id": "1", "application_id": "2", "type": 5, "token": "t", "version": 1,
        "data": { "custom_id": "report:1", "components": [
            { "type": 18, "id": 1, "component": { "type": 4, "id": 2, "custom_id": "what", "value": "a bug" } },
            { "type": 18, "id": 3, "component": { "type": 3, "id": 4, "custom_id": "how", "values": ["bad"] } },
        ] },
        "entitlements": [], "authorizing_integration_owners": {}, "attachment_size_limit": 1,
    })
}

#[sdk::tokio::test]
async fn a_raw_listener_gets_what_serenity_drops_and_is_replaced_with_its_plugin() {
    let bot = Bot::start(&[plugin("listener", || Box::new(Listener(1)))]).await;
    assert_eq!(bot.raw_names(), ["INTERACTION_CREATE", "NEWER_THAN_SERENITY"]);
    bot.raw("NOBODY_LISTENS", &json!([])).await;
    bot.raw("NEWER_THAN_SERENITY", &json!({ "anything": 1 })).await;
    bot.raw("INTERACTION_CREATE", &json!({ "no": "interaction" })).await;
    bot.raw("INTERACTION_CREATE", &submitted()).await;
    let heard = |version: u8| bot.stored::<(u32, usize, Value)>("listener", &format!("heard by {version}"));
    assert_eq!(heard(1), Some((3, 2, submitted())));

    bot.swap(&[plugin("listener", || Box::new(Listener(2)))]).await;
    assert_eq!(bot.raw_names(), ["INTERACTION_CREATE"]);
    let mut second = submitted();
    second["id"] = "5".into();
    bot.raw("INTERACTION_CREATE", &second).await;
    assert_eq!(heard(2), Some((3, 2, second)));
    assert_eq!(heard(1), Some((3, 2, submitted())));
}
