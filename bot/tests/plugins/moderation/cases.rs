//! Cases, warnings and their consequences.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use sandbox::client::Run;
use serde_json::{Map, Value};

use super::{exported, fail, is_banned, logged, member, private, told};
use crate::bot::{Bot, id, words};

#[tokio::test]
async fn warnings_at_once_are_numbered_without_gaps_and_lead_to_one_consequence() {
    let bot = Bot::start().await;
    bot.say("alice", "/warnings consequence points:15 action:timeout duration:1h").await;
    let warns = (0..20).map(|number| {
        let bot = &bot;
        async move { bot.say("bob", &format!("/warn user:@carol reason:\"number {number}\"")).await }
    });
    let answers = join_all(warns).await;
    let consequences = answers.iter().filter(|answer| private(answer).contains("as a consequence")).count();
    assert_eq!(consequences, 1, "{answers:?}");
    let mut numbers = BTreeSet::new();
    for number in 1..=21 {
        let shown = words(&bot.say("bob", &format!("/case show number:{number}")).await.embeds[0]);
        assert!(shown.starts_with(&format!("Case {number}: ")), "{shown}");
        numbers.insert(shown);
    }
    assert_eq!(numbers.iter().filter(|shown| shown.contains("timeout")).count(), 1);
    assert_eq!(private(&bot.say("bob", "/case show number:22").await), "This server has no case 22.");
    let history = words(&bot.say("bob", "/case list user:@carol").await.embeds[0]);
    assert!(history.contains("has 20 points that count"), "{history}");
}

#[tokio::test]
async fn points_lead_to_the_consequences_that_the_server_has_set() {
    let bot = Bot::start().await;
    for (points, what) in [(3, "timeout duration:1h"), (5, "kick"), (8, "ban")] {
        let answer = bot.say("alice", &format!("/warnings consequence points:{points} action:{what}")).await;
        assert!(
            private(&answer).starts_with(&format!("From now on, a member who reaches {points} points")),
            "{answer:?}"
        );
    }
    let shown = words(&bot.say("alice", "/warnings show").await.embeds[0]);
    assert!(shown.contains("reaches 3 points gets a timeout for 1 hour\n"), "{shown}");
    assert!(shown.contains("reaches 8 points gets a ban\n") && shown.contains("count for ever"), "{shown}");

    let answer = bot.say("bob", "/warn user:@carol reason:one points:2").await;
    assert_eq!(private(&answer), "**carol** was warned with 2 points (case 1).");
    assert_eq!(told(&bot, "carol").await, ["You were warned in **Sandbox** with 2 points: one"]);
    let answer = bot.say("bob", "/warn user:@carol reason:two").await;
    let words_of = private(&answer);
    let begin = "**carol** was warned with 1 point and has 3 points now (case 2); as a consequence, **carol** was timed \
                 out until <t:";
    assert!(words_of.starts_with(begin) && words_of.ends_with(":f> (case 3)."), "{words_of}");
    assert!(member(&bot, "carol").await.unwrap()["communication_disabled_until"].is_string());
    logged(&bot, &["Case 3: timeout\nConsequence of 3 points of warnings", "Consequence of\ncase 2"]).await;

    let answer = bot.say("bob", "/warn user:@carol reason:three points:2").await;
    assert!(private(&answer).ends_with("; as a consequence, **carol** was kicked (case 5)."), "{answer:?}");
    assert!(member(&bot, "carol").await.is_none() && !is_banned(&bot, "carol").await);
    bot.people.join(&bot.guild(), "carol").await.unwrap();
    let answer = bot.say("bob", "/warn user:@carol reason:four points:3").await;
    assert!(private(&answer).ends_with("; as a consequence, **carol** was banned (case 7)."), "{answer:?}");
    assert!(is_banned(&bot, "carol").await);
}

#[tokio::test]
async fn removed_and_old_warnings_do_not_count() {
    let bot = Bot::start().await;
    bot.say("alice", "/warnings consequence points:3 action:kick").await;
    bot.say("bob", "/warn user:@carol reason:one points:2").await;
    let answer = bot.say("bob", "/case remove number:1").await;
    assert_eq!(private(&answer), "Case 1 is removed, and its points do not count any more.");
    assert_eq!(private(&bot.say("bob", "/case remove number:1").await), "Case 1 is removed already.");
    assert_eq!(private(&bot.say("bob", "/case remove number:9").await), "This server has no case 9.");
    let answer = bot.say("bob", "/warn user:@carol reason:two points:2").await;
    assert_eq!(private(&answer), "**carol** was warned with 2 points (case 2).");

    let answer = bot.say("alice", "/warnings decay after:1s").await;
    assert_eq!(private(&answer), "From now on, the points of a warning count for 1 second.");
    // A wall clock's second has to pass.
    bot.until("the points are old", async || {
        let history = words(&bot.say("bob", "/case list user:@carol").await.embeds[0]);
        history.contains("has 0 points that count").then_some(())
    })
    .await;
    let answer = bot.say("bob", "/warn user:@carol reason:three points:2").await;
    assert_eq!(private(&answer), "**carol** was warned with 2 points (case 3).");
    assert!(member(&bot, "carol").await.is_some());
    let answer = bot.say("alice", "/warnings decay after:never").await;
    assert_eq!(private(&answer), "From now on, the points of a warning count for ever.");
    let answer = bot.say("alice", "/warnings forget points:3").await;
    assert_eq!(private(&answer), "From now on, 3 points have no consequence.");
    let answer = bot.say("alice", "/warnings forget points:3").await;
    assert!(private(&answer).starts_with("3 points have no consequence;"), "{answer:?}");
}

#[tokio::test]
async fn a_consequence_that_fails_is_told_and_the_warning_stays() {
    let bot = Bot::start().await;
    bot.say("alice", "/warnings consequence points:1 action:ban duration:2d").await;
    fail(&bot, ("PUT", "/guilds/*/bans/*"), 403, 1).await;
    let answer = bot.say("bob", "/warn user:@carol reason:one").await;
    let said = private(&answer);
    assert!(
        said.starts_with("**carol** was warned with 1 point (case 1); the consequence was not carried out"),
        "{said}"
    );
    assert!(member(&bot, "carol").await.is_some());
}

#[tokio::test]
async fn an_edited_reason_keeps_the_old_ones_and_who_changed_them() {
    let bot = Bot::start().await;
    bot.say("bob", "/warn user:@carol reason:first").await;
    for reason in ["second", "third"] {
        let answer = bot.say("alice", &format!("/case edit number:1 reason:{reason}")).await;
        assert_eq!(private(&answer), "The reason of case 1 is changed.");
    }
    let shown = words(&bot.say("bob", "/case show number:1").await.embeds[0]);
    assert!(shown.starts_with("Case 1: warning\nthird\n"), "{shown}");
    let alice = bot.user("alice");
    let first = shown.find(&format!("by <@{alice}>, before: first")).unwrap();
    let second = shown.find(&format!("by <@{alice}>, before: second")).unwrap();
    assert!(first < second, "{shown}");
    assert_eq!(private(&bot.say("bob", "/case edit number:2 reason:x").await), "This server has no case 2.");
    logged(&bot, &["Case 1 edited\nthird"]).await;
}

#[tokio::test]
async fn a_case_about_oneself_is_changed_by_somebody_else() {
    let bot = Bot::start().await;
    bot.say("alice", "/warn user:@bob reason:first").await;
    for command in ["/case edit number:1 reason:none", "/case remove number:1"] {
        let refused = bot.say("bob", command).await;
        assert_eq!(private(&refused), "Case 1 is about you; somebody else has to change it.");
    }
    let shown = words(&bot.say("bob", "/case show number:1").await.embeds[0]);
    assert!(shown.starts_with("Case 1: warning\nfirst\n") && !shown.contains("Removed"), "{shown}");
    let answer = bot.say("alice", "/case remove number:1").await;
    assert!(private(&answer).starts_with("Case 1 is removed"), "{answer:?}");
}

#[tokio::test]
async fn a_history_has_pages_and_is_in_a_users_menu() {
    let bot = Bot::start().await;
    let none =
        words(&bot.people.run(Run::on("Moderation history", "carol").by("bob")).await.unwrap().embeds[0]);
    assert!(none.contains("There is no case."), "{none}");
    for number in 1..=10 {
        bot.say("bob", &format!("/warn user:@carol reason:\"number {number}.\" points:0")).await;
    }
    let answer = bot.people.run(Run::on("Moderation history", "carol").by("bob")).await.unwrap();
    assert!(answer.ephemeral);
    let first = words(&answer.embeds[0]);
    assert!(
        first.contains("`10` **warning**") && first.contains("`3` ") && !first.contains("`2` "),
        "{first}"
    );
    assert!(first.ends_with("Page 1 of 2 · 10 cases"), "{first}");
    let message = answer.message.as_ref().unwrap();
    let buttons = message["components"][0]["components"].as_array().unwrap();
    assert_eq!((&buttons[0]["disabled"], &buttons[1]["label"]), (&Value::Bool(true), &Value::from("Older")));
    let older = buttons[1]["custom_id"].as_str().unwrap();
    bot.people.press("bob", id(message), older).await.unwrap();
    bot.until("the page is turned", async || {
        let now = bot.people.interaction(answer.interaction).await.unwrap();
        words(now.embeds.first()?).contains("`2` **warning**").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_message_is_the_evidence_of_a_warning_from_its_menu() {
    let bot = Bot::start().await;
    let message = bot.people.send("carol", "bot-test", "buy **now** @everyone").await.unwrap();
    let menu = Run::on("Warn about this message", message["id"].as_str().unwrap()).by("bob");
    let form = bot.people.run(menu).await.unwrap();
    assert_eq!(form.modal.as_ref().unwrap()["title"], "Warn carol");
    let mut values = Map::new();
    values.insert("reason".into(), "advertising".into());
    values.insert("points".into(), "ten".into());
    let refused = bot.people.submit(&form, values.clone()).await.unwrap();
    assert_eq!(private(&refused), "The points have to be a number from 0 to 100.");
    let form =
        bot.people.run(Run::on("Warn about this message", message["id"].as_str().unwrap()).by("bob")).await;
    values.insert("points".into(), "2".into());
    let answer = bot.people.submit(&form.unwrap(), values).await.unwrap();
    assert_eq!(private(&answer), "**carol** was warned with 2 points (case 1).");
    let shown = words(&bot.say("bob", "/case show number:1").await.embeds[0]);
    let link = format!("/{}/{}/{}", bot.guild(), message["channel_id"].as_str().unwrap(), id(&message));
    assert!(shown.contains(&link) && shown.contains("> buy \\*\\*now\\*\\* \\@everyone"), "{shown}");
    // One's own message is refused before the form.
    let own = bot.people.send("bob", "bot-test", "mine").await.unwrap();
    let refused =
        bot.people.run(Run::on("Warn about this message", own["id"].as_str().unwrap()).by("bob")).await;
    assert_eq!(private(&refused.unwrap()), "You cannot warn yourself.");
}

#[tokio::test]
async fn cases_outlive_a_restart_and_their_numbers_go_on() {
    let mut bot = Bot::start().await;
    bot.say("bob", "/warn user:@carol reason:one").await;
    bot.restart().await;
    let answer = bot.say("bob", "/warn user:@carol reason:two").await;
    assert_eq!(private(&answer), "**carol** was warned with 1 point and has 2 points now (case 2).");
}

#[tokio::test]
async fn a_user_gets_their_cases_and_a_server_gets_and_erases_all_of_its_own() {
    let bot = Bot::start().await;
    bot.say("bob", "/warn user:@carol reason:\"too loud\"").await;
    bot.say("bob", "/case edit number:1 reason:\"much too loud\"").await;
    let carols = exported(&bot, "carol", "/privacy export").await;
    assert_eq!(carols["cases"][0]["reason"], "much too loud");
    assert_eq!(carols["edits"][0]["old_reason"], "too loud");
    let bobs = exported(&bot, "bob", "/privacy export").await;
    assert_eq!(bobs["cases"], Value::Array(Vec::new()), "the moderator's cases are about others");
    let servers = exported(&bot, "alice", "/privacy export about:server").await;
    assert_eq!(servers["cases"], carols["cases"]);

    let asked = bot.say("alice", "/privacy erase about:server").await;
    let message = asked.message.as_ref().unwrap();
    let button = message["components"][0]["components"][0]["custom_id"].as_str().unwrap();
    bot.people.press("alice", id(message), button).await.unwrap();
    bot.until("it is erased", async || {
        let now = bot.people.interaction(asked.interaction).await.unwrap();
        now.content.ends_with("erased.").then_some(())
    })
    .await;
    assert_eq!(exported(&bot, "carol", "/privacy export").await["cases"], Value::Array(Vec::new()));
}
