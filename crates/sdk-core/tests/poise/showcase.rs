//! Every command of the showcase, by slash and by text where it has both.

use sandbox::answer::Answer;
use sandbox::client::Run;
use sdk::PluginEntry;
use serde_json::{Map, Value, json};

use crate::plugins::showcase::Showcase;
use crate::rig::{Bot, TEXT, id, plugin, text};

const SHOWCASE: PluginEntry = plugin("commands-showcase", || Box::new(Showcase));

/// `hello` in base64.
const HELLO: &str = "aGVsbG8=";

async fn start() -> Bot {
    Bot::start_with(&[SHOWCASE], None, TEXT).await
}

#[tokio::test]
async fn arguments_of_slash_commands() {
    let bot = start().await;
    for (typed, answer) in [
        ("/hail name:Ada number:2", "Hail, Ada the 2.!"),
        ("/forecast sunny:true", "Sun"),
        ("/between value:-6.5", "-6.5 it is"),
        ("/pick fruit:\"An apple\"", "Apple, please"),
        ("/continent name:Asia", "Long live Asia"),
        ("/count to:3", "Up to 3"),
        ("/count", "Not at all"),
        ("/sum small:-1 positive:2 large:1000000000000", "= 1000000000001"),
        ("/parrot words:\"so to speak\"", "so to speak"),
        ("/flagged flag:true", "There is one"),
        ("/address ip:::1", "IPv6"),
        ("/punish type:Ban user:@carol", "carol gets a ban"),
        ("/short_text text:four", "short: four"),
        ("/move loop:one fn:two", "one and two"),
    ] {
        let got = bot.run("bob", typed).await;
        assert_eq!(got.content, answer, "{typed}: {got:?}");
        assert_eq!(got.callbacks, 1, "{typed}: {got:?}");
    }
    bot.channel("parlour", json!({ "type": 2 })).await;
    assert_eq!(bot.run("bob", "/voice channel:parlour").await.content, "parlour with 64000 bits");
    let files =
        Run::typed("/compare_files first:a.txt second:b.txt").file("a.txt", b"12345").file("b.txt", b"1");
    assert_eq!(bot.ask(files).await.content, "a.txt is 4 bytes larger");
    assert_eq!(bot.complete("bob", "/hail name:A").await, [json!("Ada"), json!("Alan")]);
    assert_eq!(bot.complete("bob", "/hail name:Ada number:1").await, [json!(1), json!(2), json!(3)]);
    let wrong = bot.people.run(Run::typed("/short_text text:longer").by("bob")).await;
    assert!(wrong.is_err(), "Discord's client does not send this: {wrong:?}");
}

#[tokio::test]
async fn arguments_of_text_commands() {
    let bot = start().await;
    for (typed, answer) in [
        ("~forecast no", "Rain"),
        ("~BETWEEN 3", "3 it is"),
        ("~pick \"some pear or other\"", "Pear, please"),
        ("~script mode=fast ```rust\nfn main() {}\n```", "Some(\"fast\"); rust; fn main() {}"),
        ("~sum -1 2 1000000000000", "= 1000000000001"),
        ("~backwards one", "None None Some(\"one\")"),
        ("~backwards one two", "None Some(\"one\") Some(\"two\")"),
        ("~parrot so to speak", "so to speak"),
        ("~flagged", "There is none"),
        ("~flagged flag", "There is one"),
        ("~address 127.0.0.1", "IPv4"),
        ("~move 'one' \"two three\"", "'one' and two three"),
        ("~colour Sandbot", "Sandbot is 000000"),
    ] {
        assert_eq!(text(&bot.say("bob", typed).await), answer, "{typed}");
    }
    let upload = json!({ "base64": HELLO, "filename": "hello.txt" });
    let files = json!({ "one": upload, "two": upload });
    for (typed, answer) in
        [("~sizes", "10 bytes in 2 files"), ("~compare_files", "hello.txt is 0 bytes larger")]
    {
        let message = json!({ "as": "bob", "channel": "bot-test", "content": typed, "files": files });
        let sent = bot.control("messages", message).await;
        assert_eq!(text(&bot.after("bob", "bot-test", &sent).await), answer, "{typed}");
    }
}

#[tokio::test]
async fn menus() {
    let bot = start().await;
    let answer = bot.ask(Run::on("Look at", "carol").by("bob")).await;
    assert!(answer.content.starts_with("carol since "), "{answer:?}");
    assert_eq!(bot.run("bob", "/inspect user:@carol").await.content, answer.content);
    let message = bot.people.send("carol", "bot-test", "well then").await.unwrap();
    let target = id(&message).to_string();
    assert_eq!(bot.ask(Run::on("Say again", &target).by("bob")).await.content, "again: well then");
    let typed = Run::named("repeat", json!({ "message": target }));
    assert_eq!(bot.ask(typed.by("bob")).await.content, "again: well then");
    assert_eq!(bot.ask(Run::on("Anywhere", &target).by("bob")).await.content, "Replied");
    bot.until("the message has its reply", async || {
        let messages = bot.people.messages("bob", "bot-test", 50).await.unwrap();
        messages.into_iter().find(|one| one["message_reference"]["message_id"] == message["id"])
    })
    .await;
}

#[tokio::test]
async fn where_and_how_a_command_is_installed() {
    let bot = start().await;
    bot.people.install_app("bob", &bot.id()).await.unwrap();
    for (command, answer) in
        [("/anywhere", "Anywhere"), ("/own", "Your own"), ("/own_in_servers", "Your own, in servers")]
    {
        assert_eq!(bot.run("bob", command).await.content, answer);
    }
    for (command, answer) in
        [("/anywhere", "Anywhere"), ("/private", "In private"), ("/letter", "Between you and me")]
    {
        assert_eq!(bot.ask(Run::typed(command).by("bob").at("@Sandbot")).await.content, answer);
    }
    assert_eq!(text(&bot.say_in("bob", "@Sandbot", "~letter").await), "Between you and me");
}

#[tokio::test]
async fn checks_that_say_yes() {
    let bot = start().await;
    assert_eq!(bot.run("alice", "/moderators").await.content, "You keep order");
    assert_eq!(text(&bot.say("alice", "~moderators").await), "You keep order");
    bot.people.create_user("ferris").await.unwrap();
    bot.people.join(&bot.guild(), "ferris").await.unwrap();
    assert_eq!(bot.run("ferris", "/crabs").await.content, "🦀");
    assert_eq!(text(&bot.say("ferris", "~crabs").await), "🦀");
    assert_eq!(bot.run("bob", "/server_name").await.content, "Sandbox");
    assert_eq!(text(&bot.say("bob", "~server_name").await), "Sandbox");
    assert_eq!(bot.run("alice", "/administrators").await.content, "At your service");
    bot.channel("cellar", json!({ "nsfw": true })).await;
    assert_eq!(bot.ask(Run::typed("/grown_up").at("cellar")).await.content, "Taxes");
    assert_eq!(text(&bot.say_in("bob", "cellar", "~grown_up").await), "Taxes");
    assert_eq!(bot.run("bob", "/seldom").await.content, "Not for a while now");
    let waste = bot.people.send("bob", "bot-test", "waste").await.unwrap();
    let typed = Run::named("remove_message", json!({ "message": id(&waste).to_string() }));
    assert_eq!(bot.ask(typed.by("bob")).await.content, "Gone");
    let crabs = bot.stored::<u32>("commands/showcase", "checks");
    assert_eq!(crabs, Some(2), "the second check of /crabs ran each time");
}

#[tokio::test]
async fn commands_below_commands_inherit_checks() {
    let bot = start().await;
    let typed = "/outer middle deepest flag:true text:word number:3";
    let answer = bot.run("bob", typed).await;
    assert_eq!(answer.content, "3 checks: /outer middle deepest flag:true text:word number:3");
    let typed = "~outer middle deepest true word 3";
    assert_eq!(text(&bot.say("bob", typed).await), format!("3 checks: {typed}"));
    for (typed, answer) in [
        ("~family", "The parents"),
        ("~family son", "The son"),
        ("~family daughter", "The daughter"),
        ("~strict_family son", "The son"),
        ("~strict_family daughter", "The daughter"),
        ("~strict_family", "You must specify one of the following subcommands: son, daughter"),
    ] {
        assert_eq!(text(&bot.say("bob", typed).await), answer, "{typed}");
        if let (Some(typed), true) = (typed.strip_prefix('~'), typed.contains(' ')) {
            assert_eq!(bot.run("bob", &format!("/{typed}")).await.content, answer, "{typed}");
        }
    }
}

#[tokio::test]
async fn answers_of_all_kinds() {
    let bot = start().await;
    assert!(bot.run("bob", "/servers").await.content.starts_with("I am currently in 1 servers"));
    assert!(text(&bot.say("bob", "~servers").await).starts_with("I am currently in 1 servers"));
    let salute = Run::named("salute", json!({ "user": "carol", "words": "Coffee?" }));
    assert_eq!(bot.ask(salute.by("bob")).await.content, "carol: Coffee?");
    assert_eq!(bot.run("bob", "/divide a:7 b:2").await.content, "3");
    assert_eq!(text(&bot.say("bob", "~divide 7 2").await), "3");
    assert_eq!(bot.run("bob", "/answer_me").await.content, "Yes, bob?");
    let sent = bot.people.send("bob", "bot-test", "~answer_me").await.unwrap();
    let reply = bot.after("bob", "bot-test", &sent).await;
    assert_eq!(reply["message_reference"]["message_id"], sent["id"]);
    let first = bot.say("bob", "~twice").await;
    let second = bot.message(&first, |message| text(message) == "second").await;
    assert_eq!(second["embeds"][0]["description"], "embed 2");
    assert!(second["components"].as_array().is_none_or(Vec::is_empty), "{second}");
    let answer = bot.run("bob", "/twice").await;
    bot.until("the second answer is there", async || {
        let now = bot.people.interaction(answer.interaction).await.unwrap();
        // Without a message of its user's to follow, it is one answer and another.
        now.followups.first().is_some_and(|message| text(message) == "second").then_some(())
    })
    .await;
    assert_eq!(bot.run("bob", "/add a:1 b:2").await.content, "= 3");
    assert_eq!(text(&bot.say("bob", "~add 1 2").await), "= 3");
}

fn buttons(message: &Value) -> Vec<String> {
    let rows = message["components"].as_array().unwrap();
    let buttons = rows.iter().flat_map(|row| row["components"].as_array().unwrap());
    buttons.map(|button| button["custom_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn presses_and_pages() {
    let bot = start().await;
    let slash = bot.run("bob", "/boops").await.message.unwrap();
    for message in [slash, bot.say("bob", "~boops").await] {
        let button = buttons(&message).remove(0);
        for count in 1..=2 {
            let pressed = bot.people.press("bob", id(&message), &button).await.unwrap();
            assert!(pressed.is_ok(), "{pressed:?}");
            bot.message(&message, |message| text(message) == format!("Boops: {count}")).await;
        }
    }
    let slash = bot.run("bob", "/pages").await.message.unwrap();
    for message in [slash, bot.say("bob", "~pages").await] {
        let [previous, next] = buttons(&message).try_into().unwrap();
        for (button, page) in [(&next, "two"), (&next, "three"), (&next, "one"), (&previous, "three")] {
            bot.people.press("bob", id(&message), button).await.unwrap();
            bot.message(&message, |message| message["embeds"][0]["description"] == page).await;
        }
    }
}

/// Fills in both fields of the form that an answer has opened.
fn filled(answer: &Answer) -> Map<String, Value> {
    let modal = answer.modal.as_ref().unwrap_or_else(|| panic!("{answer:?}"));
    let rows = modal["components"].as_array().unwrap().iter();
    let inputs = rows.map(|row| row["components"][0]["custom_id"].as_str().unwrap().to_owned());
    inputs.zip(["one", "two"]).map(|(input, text)| (input, json!(text))).collect()
}

#[tokio::test]
async fn forms() {
    let bot = start().await;
    for typed in ["/button_form", "~button_form"] {
        let message = if typed.starts_with('/') {
            bot.run("bob", typed).await.message.unwrap()
        } else {
            bot.say("bob", typed).await
        };
        let button = buttons(&message).remove(0);
        let opened = bot.people.press("bob", id(&message), &button).await.unwrap();
        let closed = bot.people.submit(&opened, filled(&opened)).await.unwrap();
        assert!(closed.is_ok(), "{closed:?}");
        let answer = bot.after("bob", "bot-test", &message).await;
        assert_eq!(text(&answer), "one / Some(\"two\")");
    }
}

#[tokio::test]
async fn a_form_of_a_slash_command() {
    let bot = start().await;
    let opened = bot.run("bob", "/form").await;
    let closed = bot.people.submit(&opened, filled(&opened)).await.unwrap();
    assert!(closed.is_ok(), "{closed:?}");
    let followup = bot.until("the command goes on", async || {
        bot.people.interaction(opened.interaction).await.unwrap().followups.into_iter().next()
    });
    assert_eq!(text(&followup.await), "one / Some(\"two\")");
}

#[tokio::test]
async fn messages_that_are_no_commands_and_a_command_that_ends_the_bot() {
    let bot = start().await;
    bot.people.send("bob", "bot-test", "just talking").await.unwrap();
    let heard = async |words: &str| {
        bot.until("the message is heard", async || {
            let heard: Option<String> = bot.stored("commands/showcase", "heard");
            heard.filter(|heard| heard == words)
        })
        .await
    };
    heard("not a command: just talking").await;
    bot.people.send("bob", "bot-test", "fail").await.unwrap();
    heard("this message was meant to fail").await;
    assert_eq!(text(&bot.say("bob", "~heard").await), "Some(\"this message was meant to fail\"), None");
    assert_eq!(text(&bot.say("bob", "~switch_off").await), "Only bot owners can call this command");
    bot.people.send("alice", "bot-test", "~switch_off").await.unwrap();
    bot.until("the session has ended", async || {
        bot.people.sessions().await.unwrap().is_empty().then_some(())
    })
    .await;
}
