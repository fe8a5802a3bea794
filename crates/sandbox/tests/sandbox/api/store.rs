//! What a bot sells: users buy it, consume it, renew, cancel, and let it expire.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};

async fn sku(bot: &Bot, kind: &str, price: u32) -> Value {
    let body = json!({ "name": format!("The {kind}!"), "type": kind, "price": price });
    bot.user.create_sku(&bot.sandbox.bot_id().to_string(), &body).await.unwrap()
}

fn application(bot: &Bot, rest: &str) -> String {
    format!("/applications/{}/{rest}", bot.sandbox.bot_id())
}

async fn buy(bot: &Bot, sku: &Value) -> Result<Value, sandbox::client::Error> {
    bot.user.buy(&json!({ "as": "bob", "sku": sku["id"] })).await
}

#[tokio::test]
async fn a_test_entitlement_is_granted_listed_and_deleted() {
    let mut bot = Bot::start().await;
    let sku = sku(&bot, "user_subscription", 0).await;
    let all = bot.unjudged(Method::GET, &application(&bot, "skus"), &json!({})).await;
    assert_eq!((&all[0]["type"], &all[1]), (&json!(6), &sku));
    assert_eq!((&sku["slug"], &sku["flags"]), (&json!("the-user-subscription"), &json!(1 << 2 | 1 << 8)));
    let bob = bot.sandbox.user_id("bob").unwrap();
    let path = application(&bot, "entitlements");
    let body = json!({ "sku_id": sku["id"], "owner_id": bob, "owner_type": 2 });
    let made = bot.post(&path, body.clone()).await;
    assert_eq!(
        (&made["starts_at"], &made["ends_at"], &made["type"]),
        (&Value::Null, &Value::Null, &json!(8))
    );
    assert_eq!(bot.event("ENTITLEMENT_CREATE").await, made);
    let one = format!("{path}/{}", text(&made["id"]));
    assert_eq!(bot.get(&one).await, made);
    assert_eq!(bot.call(Method::POST, &path, &body).await.1["code"], 40074);
    let for_guild = json!({ "sku_id": sku["id"], "owner_id": bot.sandbox.guild_id(), "owner_type": 1 });
    let of_guild = bot.post(&path, for_guild).await;
    assert_eq!(of_guild["guild_id"], json!(bot.sandbox.guild_id()));

    let (first, second) = (text(&made["id"]), text(&of_guild["id"]));
    let both = vec![first, second];
    for (query, expected) in [
        (String::new(), both.clone()),
        (format!("?user_id={bob}"), vec![first]),
        (format!("?guild_id={}", bot.sandbox.guild_id()), vec![second]),
        (format!("?sku_ids={},1", text(&sku["id"])), both.clone()),
        ("?sku_ids=1".to_owned(), vec![]),
        (format!("?after={first}"), vec![second]),
        (format!("?before={second}"), vec![first]),
        ("?limit=1".to_owned(), vec![first]),
        ("?only_active=true".to_owned(), both),
    ] {
        let found = bot.get(&format!("{path}{query}")).await;
        let ids: Vec<&str> = found.as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
        assert_eq!(ids, expected, "{query}");
    }
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(bot.event("ENTITLEMENT_DELETE").await["deleted"], true);
    assert_eq!(bot.get(&path).await.as_array().unwrap().len(), 1);
    assert_eq!(bot.get(&format!("{path}?exclude_deleted=false")).await.as_array().unwrap().len(), 2);
    assert_eq!(bot.call(Method::DELETE, &one, &Value::Null).await.1["code"], 10029);
    for (key, value, code) in [
        ("sku_id", json!("1"), 50057),
        ("owner_id", json!("1"), 10013),
        ("owner_id", json!("x"), 50035),
        ("owner_type", json!(3), 50035),
        ("sku_id", Value::Null, 50035),
    ] {
        let mut wrong = body.clone();
        wrong[key] = value;
        assert_eq!(bot.call(Method::POST, &path, &wrong).await.1["code"], code, "{key}");
    }
    assert_eq!(bot.call(Method::GET, "/applications/1/entitlements", &Value::Null).await.1["code"], 20012);
    assert_eq!(bot.call(Method::GET, &format!("{path}?limit=101"), &Value::Null).await.1["code"], 50035);
}

#[tokio::test]
async fn a_consumable_is_bought_again_when_it_is_consumed() {
    let mut bot = Bot::start().await;
    let (coin, hat) = (sku(&bot, "consumable", 0).await, sku(&bot, "durable", 0).await);
    let bought = buy(&bot, &coin).await.unwrap()["entitlement"].clone();
    assert_eq!((&bought["type"], &bought["consumed"]), (&json!(1), &json!(false)));
    assert_eq!(bot.event("ENTITLEMENT_CREATE").await, bought);
    assert!(buy(&bot, &coin).await.unwrap_err().to_string().contains("not consumed yet"));
    let test = json!({ "as": "bob", "sku": coin["name"], "test_mode": true });
    assert_eq!(bot.user.buy(&test).await.unwrap()["entitlement"]["type"], 4);
    bot.event("ENTITLEMENT_CREATE").await;

    let one = application(&bot, &format!("entitlements/{}", text(&bought["id"])));
    for _ in 0..2 {
        bot.expect(204, Method::POST, &format!("{one}/consume"), &Value::Null).await;
    }
    assert_eq!(bot.event("ENTITLEMENT_UPDATE").await["consumed"], true);
    assert_eq!(bot.call(Method::DELETE, &one, &Value::Null).await.1["code"], 40019);
    let kept = buy(&bot, &hat).await.unwrap()["entitlement"].clone();
    let consume = application(&bot, &format!("entitlements/{}/consume", text(&kept["id"])));
    assert_eq!(bot.call(Method::POST, &consume, &Value::Null).await.1["code"], 40018);
    assert!(buy(&bot, &hat).await.unwrap_err().to_string().contains("owned already"));
    bot.user.on_entitlement(text(&kept["id"]), "refund").await.unwrap();
    assert_eq!(bot.event("ENTITLEMENT_DELETE").await["id"], kept["id"]);
    buy(&bot, &hat).await.unwrap();
    let missing = application(&bot, "entitlements/1/consume");
    assert_eq!(bot.call(Method::POST, &missing, &Value::Null).await.1["code"], 10029);
}

#[tokio::test]
async fn a_subscription_runs_its_course() {
    let mut bot = Bot::start().await;
    let sku = sku(&bot, "user_subscription", 0).await;
    let bought = buy(&bot, &sku).await.unwrap();
    let created = bot.event("SUBSCRIPTION_CREATE").await;
    assert_eq!((&created["status"], &created["entitlement_ids"]), (&json!(1), &json!([])));
    assert_eq!(bot.names_until("SUBSCRIPTION_UPDATE").await, ["ENTITLEMENT_CREATE"]);
    let (subscription, entitlement) = (&bought["subscription"], &bought["entitlement"]);
    assert_eq!((&subscription["status"], &entitlement["ends_at"]), (&json!(0), &Value::Null));
    assert_eq!(subscription["entitlement_ids"], json!([entitlement["id"]]));
    let bob = bot.sandbox.user_id("bob").unwrap();
    let path = format!("/skus/{}/subscriptions", text(&sku["id"]));
    assert_eq!(bot.get(&format!("{path}?user_id={bob}")).await, json!([subscription]));
    let one = format!("{path}/{}", text(&subscription["id"]));
    assert_eq!(&bot.get(&one).await, subscription);
    assert_eq!(
        bot.call(Method::GET, &path, &Value::Null).await.1["errors"]["user_id"]["_errors"][0]["code"],
        "BASE_TYPE_REQUIRED"
    );
    assert_eq!(bot.call(Method::GET, "/skus/1/subscriptions?user_id=1", &Value::Null).await.1["code"], 10027);
    assert!(buy(&bot, &sku).await.is_err());

    let user = bot.user.clone();
    let id = text(&subscription["id"]).to_owned();
    let on = async |action: &str| user.on_subscription(&id, action).await;
    let renewed = on("renew").await.unwrap();
    assert_eq!(renewed["current_period_start"], subscription["current_period_end"]);
    assert_eq!(bot.event("SUBSCRIPTION_UPDATE").await, renewed);
    let ending = on("cancel").await.unwrap();
    assert_eq!((&ending["status"], ending["canceled_at"].is_string()), (&json!(2), true));
    assert_eq!(bot.names_until("SUBSCRIPTION_UPDATE").await, [""; 0]);
    assert!(on("renew").await.is_err() && on("cancel").await.is_err());
    let resumed = on("resume").await.unwrap();
    assert_eq!((&resumed["status"], &resumed["canceled_at"]), (&json!(0), &Value::Null));
    bot.event("SUBSCRIPTION_UPDATE").await;
    on("cancel").await.unwrap();
    bot.event("SUBSCRIPTION_UPDATE").await;
    on("expire").await.unwrap();
    let ended = bot.event("ENTITLEMENT_UPDATE").await;
    assert!(ended["ends_at"].is_string());
    assert_eq!(bot.event("SUBSCRIPTION_UPDATE").await["status"], 1);
    let path = application(&bot, "entitlements");
    assert_eq!(bot.get(&path).await, json!([ended]));
    assert_eq!(bot.get(&format!("{path}?exclude_ended=true")).await, json!([]));
    assert!(on("refund").await.is_err());

    // Another one is refunded, and deleted.
    let again = buy(&bot, &sku).await.unwrap()["subscription"]["id"].clone();
    bot.event("ENTITLEMENT_CREATE").await;
    bot.event("SUBSCRIPTION_UPDATE").await;
    bot.user.on_subscription(text(&again), "refund").await.unwrap();
    assert_eq!(bot.event("ENTITLEMENT_DELETE").await["deleted"], true);
    assert_eq!(bot.event("SUBSCRIPTION_UPDATE").await["status"], 1);
    bot.user.on_subscription(text(&again), "delete").await.unwrap();
    assert_eq!(bot.event("SUBSCRIPTION_DELETE").await["id"], again);
}

#[tokio::test]
async fn a_dearer_plan_begins_at_once_and_a_cheaper_one_with_the_renewal() {
    let mut bot = Bot::start().await;
    let (low, high) = (sku(&bot, "user_subscription", 1).await, sku(&bot, "user_subscription", 2).await);
    let first = buy(&bot, &low).await.unwrap();
    bot.event("SUBSCRIPTION_UPDATE").await;
    let upgraded = buy(&bot, &high).await.unwrap();
    assert_eq!(upgraded["subscription"]["id"], first["subscription"]["id"]);
    assert_eq!(upgraded["subscription"]["sku_ids"], json!([high["id"]]));
    assert_eq!(bot.names_until("SUBSCRIPTION_UPDATE").await, ["ENTITLEMENT_UPDATE", "ENTITLEMENT_CREATE"]);
    let downgraded = buy(&bot, &low).await.unwrap();
    assert_eq!(downgraded["subscription"]["renewal_sku_ids"], json!([low["id"]]));
    assert_eq!(downgraded["entitlement"], upgraded["entitlement"]);
    assert_eq!(bot.names_until("SUBSCRIPTION_UPDATE").await, [""; 0]);
    let renewed = bot.user.on_subscription(text(&first["subscription"]["id"]), "renew").await.unwrap();
    assert_eq!((&renewed["sku_ids"], &renewed["renewal_sku_ids"]), (&json!([low["id"]]), &Value::Null));
    assert_eq!(bot.names_until("SUBSCRIPTION_UPDATE").await, ["ENTITLEMENT_UPDATE", "ENTITLEMENT_CREATE"]);
}

#[tokio::test]
async fn an_interaction_says_what_its_user_and_guild_have() {
    let mut bot = Bot::start().await;
    let (own, shared) = (sku(&bot, "user_subscription", 0).await, sku(&bot, "guild_subscription", 0).await);
    assert!(buy(&bot, &shared).await.unwrap_err().to_string().contains("for a guild"));
    buy(&bot, &own).await.unwrap();
    let purchase = json!({ "as": "bob", "sku": shared["id"], "guild": "Sandbox" });
    let of_guild = bot.user.buy(&purchase).await.unwrap()["entitlement"].clone();
    assert_eq!(of_guild["guild_id"], json!(bot.sandbox.guild_id()));
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    let user = bot.user.clone();
    for (name, skus) in [("bob", vec![&own, &shared]), ("carol", vec![&shared])] {
        let run = sandbox::client::Run::typed("/ping").by(name);
        let (interaction, _) =
            bot.answers(user.run(run), json!({ "type": 4, "data": { "content": "pong" } })).await;
        let found: Vec<&Value> =
            interaction["entitlements"].as_array().unwrap().iter().map(|one| &one["sku_id"]).collect();
        assert_eq!(found, skus.iter().map(|sku| &sku["id"]).collect::<Vec<_>>(), "{name}");
    }
}

#[tokio::test]
async fn a_premium_button_opens_a_purchase_and_no_bot_hears_of_it() {
    let mut bot = Bot::start().await;
    let sku = sku(&bot, "durable", 0).await;
    let messages = format!("{}/messages", bot.channel("general"));
    let with = |button: Value| json!({ "components": [{ "type": 1, "components": [button] }] });
    let button = json!({ "type": 2, "style": 6, "sku_id": sku["id"] });
    let sent = bot.post(&messages, with(button.clone())).await;
    bot.event("MESSAGE_CREATE").await;
    assert_eq!(sent["components"][0]["components"][0]["sku_id"], sku["id"]);
    for (key, value, code) in
        [("sku_id", json!("1"), 50057), ("label", json!("Buy"), 50035), ("custom_id", json!("a"), 50035)]
    {
        let mut wrong = button.clone();
        wrong[key] = value;
        assert_eq!(bot.call(Method::POST, &messages, &with(wrong.clone())).await.1["code"], code, "{key}");
        let one = format!("{messages}/{}", text(&sent["id"]));
        assert_eq!(bot.call(Method::PATCH, &one, &with(wrong)).await.1["code"], code, "{key}");
    }
    let press = json!({ "as": "bob", "message": id(&sent["id"]) });
    let answer = bot.user.component(&press).await.unwrap();
    assert_eq!(answer.purchase.unwrap(), sku);
    let press =
        crate::api::cli::command_for(&bot).args(["press", text(&sent["id"]), text(&sku["id"])]).output();
    let shown = String::from_utf8(press.await.unwrap().stdout).unwrap();
    assert_eq!(
        shown,
        format!("A purchase opens: The durable!\n  buy with: sandbox buy {}\n", text(&sku["id"]))
    );
    bot.post(&messages, json!({ "content": "now" })).await;
    assert_eq!(bot.names_until("MESSAGE_CREATE").await, [""; 0]);
}

#[tokio::test]
async fn the_store_is_run_from_the_command_line() {
    let mut bot = Bot::start().await;
    let run = async |bot: &Bot, arguments: &[&str]| {
        let output = crate::api::cli::command_for(bot).args(arguments).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let sku = run(&bot, &["sku", "Gold", "--type", "user-subscription"]).await;
    let bought = run(&bot, &["buy", "gold", "--as", "carol"]).await;
    let subscription = bought.lines().next().unwrap().strip_prefix("subscription ").unwrap();
    let created = bot.event("SUBSCRIPTION_CREATE").await;
    assert_eq!((text(&created["sku_ids"][0]), text(&created["id"])), (sku.trim(), subscription));
    run(&bot, &["subscription", subscription, "expire"]).await;
    bot.event("ENTITLEMENT_UPDATE").await;
    run(&bot, &["sku", "Coin", "--type", "consumable"]).await;
    let bought = run(&bot, &["buy", "coin"]).await;
    let entitlement = bought.trim().strip_prefix("entitlement ").unwrap();
    run(&bot, &["entitlement", entitlement, "consume"]).await;
    assert_eq!(bot.event("ENTITLEMENT_UPDATE").await["consumed"], true);
    let all: Value = serde_json::from_str(&run(&bot, &["store"]).await).unwrap();
    assert_eq!((all["skus"].as_array().unwrap().len(), &all["subscriptions"][0]["status"]), (3, &json!(1)));
}
