//! The requests of libraries at start-up and of ordinary bots, each answer checked against Discord's description.

use serde_json::json;

use crate::api::bot::{Bot, DISCORD};

#[tokio::test]
async fn every_answer_fits_discords_own_description() {
    if DISCORD.is_none() {
        return;
    }
    let bot = Bot::start().await;
    let application = bot.sandbox.bot_id();
    let bob = bot.sandbox.user_id("bob").unwrap();
    let (guild, general) = (bot.guild(), bot.channel("general"));
    let command = json!({ "name": "c", "description": "d", "options": [{ "type": 3, "name": "o", "description": "d",
        "choices": [{ "name": "n", "value": "v" }] }] });
    bot.register(command).await;
    bot.post(&format!("{general}/messages"), json!({ "content": "x", "embeds": [{ "title": "t" }] })).await;
    for path in [
        "/gateway".to_owned(),
        "/gateway/bot".to_owned(),
        "/users/@me".to_owned(),
        "/users/@me/guilds".to_owned(),
        "/applications/@me".to_owned(),
        "/oauth2/applications/@me".to_owned(),
        "/voice/regions".to_owned(),
        "/sticker-packs".to_owned(),
        "/soundboard-default-sounds".to_owned(),
        format!("/users/{bob}"),
        format!("/applications/{application}"),
        format!("/applications/{application}/commands"),
        format!("/applications/{application}/emojis"),
        format!("/applications/{application}/entitlements"),
        format!("/applications/{application}/role-connections/metadata"),
        format!("{}?with_localizations=true", bot.commands()),
        format!("{}/permissions", bot.commands()),
        guild.clone(),
        format!("{guild}?with_counts=true"),
        format!("{guild}/preview"),
        format!("{guild}/channels"),
        format!("{guild}/members?limit=10"),
        format!("{guild}/members/{bob}"),
        format!("{guild}/members/search?query=b"),
        format!("{guild}/roles"),
        format!("{guild}/roles/member-counts"),
        format!("{guild}/bans"),
        format!("{guild}/emojis"),
        format!("{guild}/stickers"),
        format!("{guild}/invites"),
        format!("{guild}/webhooks"),
        format!("{guild}/regions"),
        format!("{guild}/integrations"),
        format!("{guild}/scheduled-events"),
        format!("{guild}/soundboard-sounds"),
        format!("{guild}/auto-moderation/rules"),
        format!("{guild}/audit-logs"),
        format!("{guild}/threads/active"),
        general.clone(),
        format!("{general}/messages"),
        format!("{general}/messages/pins"),
        format!("{general}/pins"),
        format!("{general}/invites"),
        format!("{general}/webhooks"),
        format!("{general}/threads/archived/public"),
        format!("{general}/threads/archived/private"),
        bot.channel("Lounge"),
        bot.channel("Text channels"),
    ] {
        bot.get(&path).await;
    }
}
