//! Music on a stage.

use serde_json::json;

use super::band::Band;

#[tokio::test]
async fn on_a_stage_it_speaks_or_says_which_permission_it_lacks() {
    let band = Band::silent().await;
    let (people, guild) = (&band.bot.people, band.bot.guild());
    people.create_channel(&guild, &json!({ "name": "Forum", "type": 13 })).await.unwrap();
    band.enters("carol", "Forum").await;
    assert_eq!(band.told("carol", "/play what:Alpha").await, "Playing **Alpha**.");
    band.is_heard().await;
    band.told("carol", "/leave").await;

    // The bot may only request to speak: the music waits, and the users are told.
    band.bot.is_no_administrator().await;
    people
        .edit_overwrite(&guild, "Forum", "Sandbot", &json!({ "allow": ["REQUEST_TO_SPEAK"] }))
        .await
        .unwrap();
    assert_eq!(band.told("carol", "/play what:Alpha").await, "Playing **Alpha**.");
    let told = band
        .bot
        .message("carol", "bot-test", |message| {
            message["content"].as_str().unwrap_or_default().contains("I have asked to speak on <#")
        })
        .await;
    let told = told["content"].as_str().unwrap();
    assert!(told.ends_with("or give me the permission Mute Members there."), "{told}");
    let card = band.bot.say("carol", "/nowplaying").await.message.unwrap();
    band.shows(&card, &["Waiting to speak on the stage\nAlpha"]).await;
    people.suppress_voice(&guild, &band.bot.id(), false).await.unwrap();
    band.shows(&card, &["Now playing\nAlpha"]).await;
    band.is_heard().await;
    band.told("carol", "/leave").await;

    let deny = json!({ "deny": ["REQUEST_TO_SPEAK"] });
    people.edit_overwrite(&guild, "Forum", "Sandbot", &deny).await.unwrap();
    let words = band
        .bot
        .until("it is refused", async || {
            let answer = band.bot.say("carol", "/join").await;
            if answer.ephemeral {
                return Some(answer.content);
            }
            band.bot.say("carol", "/leave").await;
            None
        })
        .await;
    assert!(words.starts_with("I may not speak on <#"), "{words}");
    assert!(words.ends_with("; give me the permission Mute Members there."), "{words}");
    assert_eq!(band.refused("carol", "/play what:Alpha").await, words);
}
