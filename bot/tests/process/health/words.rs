//! `hotcord health` and other arguments, and ports in use.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Output;

use super::bot::{Bot, discord, hotcord};

async fn run(words: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = hotcord(variables).args(words).output().await.unwrap();
    let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    assert!(said.lines().count() <= 1, "{said}");
    (status.code(), said)
}

#[tokio::test]
async fn a_bot_is_asked_by_its_own_binary() {
    let discord = discord().await;
    let bot = Bot::start(&discord, &[]).await;
    let address = bot.address.to_string();
    bot.answers("/ready", 200).await;
    for words in [&["health"][..], &["health", "--ready"]] {
        assert_eq!(run(words, &[("HEALTH_ADDR", &address)]).await, (Some(0), String::new()));
        // In a container the bot may listen on every address.
        let any = format!("0.0.0.0:{}", bot.address.port());
        assert_eq!(run(words, &[("HEALTH_ADDR", &any)]).await, (Some(0), String::new()));
    }
    // It reads nothing else of the configuration, and mistakes there do not matter.
    let (code, _) = run(&["health"], &[("HEALTH_ADDR", &address), ("APP_ENV", "?")]).await;
    assert_eq!(code, Some(0));

    discord.faults().add(sandbox::fault::Rule::new(sandbox::fault::On::Connect(
        sandbox::fault::ConnectRule { effect: sandbox::fault::ConnectEffect::Sever },
    )));
    let target = sandbox::gateway::Target::default();
    discord.client().gateway(&target, &sandbox::gateway::Command::Sever).await.unwrap();
    bot.answers("/ready", 503).await;
    let (code, said) = run(&["health", "--ready"], &[("HEALTH_ADDR", &address)]).await;
    assert_eq!((code, said.as_str()), (Some(1), "The bot is not ready: disconnected.\n"));
    assert_eq!(run(&["health"], &[("HEALTH_ADDR", &address)]).await.0, Some(0));
}

#[tokio::test]
async fn where_no_bot_answers_one_sentence_says_why() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string();
    for (address, words) in [
        (closed.as_str(), "No bot answers at 127.0.0.1:"),
        ("off", "HEALTH_ADDR is off"),
        ("127.0.0.1:0", "port 0"),
        ("localhost", "HEALTH_ADDR is 'localhost', which is no address"),
    ] {
        let (code, said) = run(&["health"], &[("HEALTH_ADDR", address)]).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn words_that_mean_nothing_are_told() {
    for words in [&["helth"][..], &["health", "--live"], &["--version"], &["health", "--ready", "now"]] {
        let (code, said) = run(words, &[]).await;
        assert_eq!(code, Some(64), "{said}");
        assert!(
            said.contains(&format!("'{}'", words.join(" "))) && said.contains("hotcord health"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_port_that_is_taken_ends_a_bot_that_was_told_to_use_it() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let discord = discord().await;
    let api = discord.api_url();
    let variables = [
        ("APP_ENV", "testing"),
        ("DISCORD_TOKEN", discord.token()),
        ("DISCORD_API_URL", &api),
        ("HEALTH_ADDR", &address),
    ];
    let Output { status, stderr, .. } = hotcord(&variables).output().await.unwrap();
    let errors = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(78), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains(&format!("HEALTH_ADDR is '{address}'")) && errors.contains("off"), "{errors}");
}

#[tokio::test]
async fn a_usual_port_that_is_taken_is_done_without() {
    // If another process uses it already, that works too.
    let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 9464));
    let discord = discord().await;
    let api = discord.api_url();
    let variables =
        [("APP_ENV", "testing"), ("DISCORD_TOKEN", discord.token()), ("DISCORD_API_URL", api.as_str())];
    let mut child = hotcord(&variables).spawn().unwrap();
    let mut lines = {
        use sdk::tokio::io::AsyncBufReadExt as _;
        sdk::tokio::io::BufReader::new(child.stdout.take().unwrap()).lines()
    };
    let ready = async {
        let mut warnings = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(" WARN ") {
                warnings.push(line.clone());
            }
            if line.contains(": ready ") {
                return warnings;
            }
        }
        panic!("the bot has ended: {warnings:?}");
    };
    let warnings = sdk::tokio::time::timeout(super::bot::PATIENCE, ready).await.unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("127.0.0.1:9464") && warnings[0].contains("HEALTH_ADDR"), "{warnings:?}");
}
