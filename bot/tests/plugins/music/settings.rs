//! `/settings`.

use sandbox::client::Run;

use super::band::Band;
use crate::bot::{Bot, words};

#[tokio::test]
async fn settings_are_shown_changed_and_put_back() {
    let bot = Bot::start().await;
    let said = async |command: &str| {
        let answer = bot.say("alice", command).await;
        assert!(answer.is_ok() && answer.ephemeral, "{answer:?}");
        words(&answer.embeds[0])
    };
    let shown = said("/settings").await;
    assert!(shown.starts_with("Music settings\n"), "{shown}");
    for line in ["**DJs:** everyone who listens", "after 5 minutes", "**Autoplay:** off"] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
    let changed = said(
        "/settings dj_role:@Moderator vote_ratio:75 idle_minutes:0 stay:true when_alone:leave \
         announce:#general max_volume:120 autoplay:true",
    )
    .await;
    assert!(changed.starts_with("Music settings, as they are from now on\n"), "{changed}");
    for line in [
        "managers, and who listens alone",
        "**Votes to skip:** 75 % of the listeners",
        "**I leave when nothing plays:** never",
        "**I stay around the clock:** on",
        "**When nobody listens:** I leave",
        "**Tracks are announced in:** <#",
        "**Loudest volume:** 120 %",
        "**Autoplay:** on",
    ] {
        assert!(changed.contains(line), "{line} is not in {changed}");
    }
    let lines = |words: &str| words.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&said("/settings").await), lines(&changed));
    let reset = said("/settings reset:announce channel").await;
    assert!(reset.contains("announced in:** nowhere") && reset.contains("75 %"), "{reset}");
    assert_eq!(lines(&said("/settings reset:everything").await), lines(&shown));
}

#[tokio::test]
async fn only_managers_of_the_server_see_settings() {
    let bot = Bot::start().await;
    let refused = bot.people.run(Run::typed("/settings stay:true").by("carol")).await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(
        !bot.people.commands("carol", "bot-test").await.unwrap().iter().any(|one| one["name"] == "settings")
    );
}

#[tokio::test]
async fn autoplay_goes_on_with_the_library_when_the_queue_has_ended() {
    let band = Band::of(&["carol"]).await;
    band.bot.say("alice", "/settings autoplay:true").await;
    band.told("carol", "/play what:Alpha").await;
    band.told("carol", "/skip").await;
    band.bot
        .until("another song is on", async || {
            let queue = band.queue().await;
            (queue.contains("Now: **") && !queue.contains("Now: **Alpha")).then_some(())
        })
        .await;
    band.is_heard().await;
}

#[tokio::test]
async fn the_bot_leaves_when_nobody_listens_if_that_is_wanted_and_says_so() {
    let band = Band::of(&["carol"]).await;
    band.bot.say("alice", "/settings when_alone:leave").await;
    band.told("carol", "/play what:Alpha").await;
    band.is_heard().await;
    band.bot.people.leave_voice(&band.bot.guild(), "carol").await.unwrap();
    let told = |words: &str| words.contains("I left because nobody else was in the voice channel.");
    band.bot
        .message("carol", "bot-test", |message| told(message["content"].as_str().unwrap_or_default()))
        .await;
}
