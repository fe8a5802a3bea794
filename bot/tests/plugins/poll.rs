//! Polls: votes, closing by timer or by hand, and concurrent votes.

use futures_util::future::join_all;
use sandbox::answer::Answer;
use serde_json::Value;

use crate::bot::{Bot, id, words};

const ASK: &str = "/poll question:Lunch? option1:Soup option2:Salad minutes:60";

/// Returns the custom ids of a poll's buttons: the answers, then the one that closes it.
fn buttons(message: &Value) -> Vec<String> {
    let rows = message["components"].as_array().unwrap();
    let buttons = rows.iter().flat_map(|row| row["components"].as_array().unwrap());
    buttons.map(|button| button["custom_id"].as_str().unwrap().to_owned()).collect()
}

fn message(answer: &Answer) -> &Value {
    answer.message.as_ref().unwrap_or_else(|| panic!("{answer:?}"))
}

/// Waits until the poll's message shows all of `parts`. Returns the message.
async fn shows(bot: &Bot, poll: &Value, parts: &[&str]) -> Value {
    bot.message("bob", "bot-test", |message| {
        message["id"] == poll["id"] && parts.iter().all(|part| words(&message["embeds"][0]).contains(part))
    })
    .await
}

#[tokio::test]
async fn votes_move_and_are_taken_back_and_the_counts_follow() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", ASK).await;
    let poll = message(&answer);
    let buttons = buttons(poll);
    bot.people.press("bob", id(poll), &buttons[0]).await.unwrap();
    shows(&bot, poll, &["**Soup**\n`██████████` 1 vote, 100 %"]).await;
    bot.people.press("bob", id(poll), &buttons[1]).await.unwrap();
    shows(&bot, poll, &["0 votes, 0 %", "**Salad**\n`██████████` 1 vote, 100 %"]).await;
    bot.people.press("bob", id(poll), &buttons[1]).await.unwrap();
    shows(&bot, poll, &["**Soup**\n`░░░░░░░░░░` 0 votes", "**Salad**\n`░░░░░░░░░░` 0 votes"]).await;
}

#[tokio::test]
async fn votes_at_once_are_all_counted_and_the_message_ends_with_them() {
    let bot = Bot::start().await;
    let voters: Vec<_> = (0..12).map(|number| format!("voter{number}")).collect();
    for voter in &voters {
        bot.people.create_user(voter).await.unwrap();
        bot.people.join(&bot.guild(), voter).await.unwrap();
    }
    let answer = bot.say("alice", ASK).await;
    let poll = message(&answer);
    let buttons = buttons(poll);
    let presses = voters.iter().map(|voter| bot.people.press(voter, id(poll), &buttons[0]));
    for pressed in join_all(presses).await {
        assert!(pressed.unwrap().is_ok());
    }
    shows(&bot, poll, &["12 votes, 100 %"]).await;
}

#[tokio::test]
async fn an_answer_that_arrives_late_does_not_undo_a_newer_count() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", ASK).await;
    let poll = message(&answer);
    let buttons = buttons(poll);
    bot.hold_next_answer(300).await;
    let (first, second) = tokio::join!(bot.people.press("bob", id(poll), &buttons[0]), async {
        bot.held().await;
        bot.people.press("carol", id(poll), &buttons[0]).await
    });
    assert!(first.unwrap().is_ok() && second.unwrap().is_ok());
    // Both answers have arrived, the one that says 1 vote last.
    shows(&bot, poll, &["2 votes, 100 %"]).await;
}

#[tokio::test]
async fn a_vote_after_the_end_is_told_so() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", ASK).await;
    let poll = message(&answer);
    let buttons = buttons(poll);
    bot.hold_next_answer(300).await;
    let (closed, late) = tokio::join!(bot.people.press("alice", id(poll), &buttons[2]), async {
        bot.held().await;
        bot.people.press("bob", id(poll), &buttons[0]).await.unwrap()
    });
    assert!(closed.unwrap().is_ok());
    assert!(late.ephemeral && late.content == "This poll is over.", "{late:?}");
    shows(&bot, poll, &["Closed. Nobody voted."]).await;
}

#[tokio::test]
async fn the_timer_closes_a_poll() {
    let bot = Bot::start().await;
    // In tests a minute lasts a second.
    let answer = bot.say("alice", "/poll question:Quick? option1:Yes option2:No minutes:1").await;
    let poll = message(&answer);
    let buttons = buttons(poll);
    bot.people.press("bob", id(poll), &buttons[0]).await.unwrap();
    let closed = shows(&bot, poll, &["Closed. **Yes** won with 1 of 1 vote."]).await;
    let rows = closed["components"].as_array().unwrap();
    let mut all = rows.iter().flat_map(|row| row["components"].as_array().unwrap());
    assert!(all.all(|button| button["disabled"] == true), "{closed}");
}

#[tokio::test]
async fn only_the_asker_or_who_manages_messages_closes_early() {
    let bot = Bot::start().await;
    // carol creates the poll; bob is a moderator, and dave is neither.
    bot.people.create_user("dave").await.unwrap();
    bot.people.join(&bot.guild(), "dave").await.unwrap();
    for closer in ["carol", "bob"] {
        let answer = bot.say("carol", ASK).await;
        let poll = message(&answer);
        let close = buttons(poll).pop().unwrap();
        let refused = bot.people.press("dave", id(poll), &close).await.unwrap();
        assert!(refused.ephemeral && refused.content.contains("manage messages"), "{refused:?}");
        bot.people.press(closer, id(poll), &close).await.unwrap();
        shows(&bot, poll, &["Closed. Nobody voted."]).await;
    }
}

#[tokio::test]
async fn the_moderators_log_tells_who_closed_somebody_elses_poll() {
    let bot = Bot::start().await;
    // That carol closes her own poll is not logged; that bob does is.
    for (closer, question) in [("carol", "Hers?"), ("bob", "Whose?")] {
        let asked = format!("/poll question:{question} option1:Soup option2:Salad");
        let answer = bot.say("carol", &asked).await;
        let poll = message(&answer);
        bot.people.press(closer, id(poll), &buttons(poll).pop().unwrap()).await.unwrap();
    }
    let logged =
        bot.message("bob", "mod-log", |entry| words(&entry["embeds"][0]).contains("Closed by")).await;
    let (told, mentions) = (words(&logged["embeds"][0]), &logged["mentions"]);
    assert!(told.contains("Whose?") && told.contains("Asked by"), "{told}");
    assert_eq!(mentions.as_array().unwrap().len(), 0);
    let entries = bot.people.messages("bob", "mod-log", 50).await.unwrap();
    assert!(!entries.iter().any(|entry| entry.to_string().contains("Hers?")), "{entries:?}");
}

#[tokio::test]
async fn a_poll_with_the_same_answer_twice_is_refused_in_a_sentence() {
    let bot = Bot::start().await;
    let answer = bot.say("bob", "/poll question:Lunch? option1:Soup option2:Soup").await;
    assert!(answer.ephemeral && answer.content.contains("'Soup'"), "{answer:?}");
}

#[tokio::test]
async fn open_polls_are_bounded_and_the_refusal_says_the_way_out() {
    let bot = Bot::start().await;
    let mut polls = Vec::new();
    for _ in 0..5 {
        polls.push(bot.say("carol", ASK).await);
    }
    let refused = bot.say("carol", ASK).await;
    let words = "You have 5 open polls, which is the most for one person; close one of them first.";
    assert!(refused.ephemeral && refused.content == words, "{refused:?}");
    assert!(bot.say("bob", ASK).await.message.is_some(), "others have polls of their own");
    let first = message(&polls[0]);
    bot.people.press("carol", id(first), &buttons(first).pop().unwrap()).await.unwrap();
    assert!(!bot.say("carol", ASK).await.ephemeral);
}

#[tokio::test]
async fn a_question_and_its_answers_mark_nothing_up() {
    let bot = Bot::start().await;
    let asked =
        "/poll question:\"||Lunch||\u{202e}\" option1:\"[Soup](https://evil.example)\" option2:@everyone";
    let answer = bot.say("alice", asked).await;
    let shown = words(&message(&answer)["embeds"][0]);
    assert!(shown.starts_with("\\|\\|Lunch\\|\\|\n"), "{shown}");
    assert!(
        shown.contains(r"**\[Soup\](https\://evil.example)**") && shown.contains(r"**\@everyone**"),
        "{shown}"
    );
}

#[tokio::test]
async fn votes_buttons_and_the_end_outlive_a_restart() {
    let mut bot = Bot::start().await;
    let (long, short) = (
        bot.say("alice", ASK).await,
        bot.say("alice", "/poll question:Quick? option1:Yes option2:No minutes:1").await,
    );
    let (long, short) = (message(&long), message(&short));
    let (buttons, quick) = (buttons(long), buttons(short));
    bot.people.press("bob", id(long), &buttons[0]).await.unwrap();
    bot.people.press("bob", id(short), &quick[0]).await.unwrap();
    bot.restart().await;
    // Its time, a second here, has passed meanwhile or passes now.
    shows(&bot, short, &["Closed. **Yes** won with 1 of 1 vote."]).await;
    bot.people.press("carol", id(long), &buttons[0]).await.unwrap();
    shows(&bot, long, &["2 votes, 100 %"]).await;
    bot.restart().await;
    bot.people.press("alice", id(long), &buttons[2]).await.unwrap();
    shows(&bot, long, &["Closed. **Soup** won with 2 of 2 votes."]).await;
}

#[tokio::test]
async fn without_its_database_a_bot_has_forgotten_polls_and_says_so() {
    let mut bot = Bot::start().await;
    let answer = bot.say("alice", ASK).await;
    let poll = message(&answer);
    let buttons = buttons(poll);
    let database = bot.database();
    bot.restart_after(async || std::fs::remove_file(database).unwrap()).await;
    let late = bot.people.press("bob", id(poll), &buttons[0]).await.unwrap();
    assert!(late.ephemeral && late.content == "This poll is over.", "{late:?}");
}

#[tokio::test]
async fn the_owner_puts_back_earlier_votes_when_sure() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", ASK).await;
    let poll = message(&answer);
    let buttons = buttons(poll);
    bot.people.press("bob", id(poll), &buttons[0]).await.unwrap();
    let taken = bot.say("alice", "/dev snapshot plugin:commands/general").await;
    assert!(taken.content.starts_with("Snapshot 1 of the state of commands/general"), "{taken:?}");
    bot.people.press("carol", id(poll), &buttons[0]).await.unwrap();
    for (button, done) in [(1, false), (0, true)] {
        let asked = bot.say("alice", "/dev restore plugin:commands/general snapshot:1").await;
        assert!(asked.ephemeral && asked.content.ends_with("taken by hand?"), "{asked:?}");
        let choice = self::buttons(message(&asked))[button].clone();
        let answer = bot.people.press("alice", id(message(&asked)), &choice).await.unwrap();
        assert!(answer.is_ok(), "{answer:?}");
        // The poll itself shows the counted votes only with the next one.
        bot.until("the question has its answer", async || {
            let now = bot.people.interaction(asked.interaction).await.unwrap();
            now.content.contains(if done { "is in force" } else { "is as it was" }).then_some(())
        })
        .await;
    }
    bot.people.press("alice", id(poll), &buttons[0]).await.unwrap();
    shows(&bot, poll, &["2 votes, 100 %"]).await;
}
