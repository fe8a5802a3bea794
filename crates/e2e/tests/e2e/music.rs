//! Music while its commands reload: it keeps playing, and older messages stay up to date and keep working.

use e2e::TestHost;
use e2e::bot::PATIENCE;
use e2e::playground::workspace;
use sandbox::Client;
use sandbox::snowflake::Snowflake;
use serde_json::Value;

const PAUSE: &str = "commands/music/src/pause.rs";
const CARD: &str = "commands/music/src/card.rs";

/// The card of the current track, an answer of `/nowplaying`.
struct Card {
    message: Snowflake,
    channel: String,
}

impl Card {
    async fn ask(host: &TestHost) -> Self {
        let answer = host.say("/nowplaying").await;
        let message = answer.message.unwrap_or_else(|| panic!("{:?}", answer.content));
        let text = |field: &str| message[field].as_str().unwrap().to_owned();
        Self { message: text("id").parse().unwrap(), channel: text("channel_id") }
    }

    /// Waits until the card has this line above its title. Returns the message.
    async fn shows(&self, host: &TestHost, headline: &str) -> Value {
        let client = host.sandbox.client();
        let mut happenings = host.sandbox.event_log().subscribe(host.sandbox.event_log().newest() + 1);
        let shown = async {
            loop {
                if let Some(found) = self.look(&client, headline).await {
                    return found;
                }
                happenings.next().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, shown)
            .await
            .unwrap_or_else(|_| panic!("the card never says {headline}: {:?}", host.bot.lines_from(0)))
    }

    async fn look(&self, client: &Client, headline: &str) -> Option<Value> {
        let messages = client.messages("alice", &self.channel, 50).await.unwrap();
        let own = messages.into_iter().find(|message| message["id"] == self.message.to_string())?;
        (own["embeds"][0]["author"]["name"] == headline).then_some(own)
    }

    async fn press(&self, host: &TestHost, card: &Value, label: &str) {
        let buttons = card["components"][0]["components"].as_array().unwrap();
        let button = buttons.iter().find(|button| button["label"] == label);
        let id = button.unwrap_or_else(|| panic!("no {label} in {card}"))["custom_id"].as_str().unwrap();
        let answer = host.sandbox.client().press("alice", self.message, id).await.unwrap();
        assert!(answer.is_ok() && !answer.ephemeral, "{answer:?}");
    }
}

/// Waits until another second of the bot's sound has been received.
async fn is_heard(host: &TestHost) {
    let (guild, bot) = (host.sandbox.guild_id().to_string(), host.sandbox.bot_id().to_string());
    let client = host.sandbox.client();
    let before = client.heard(&guild, &bot).await.map_or(0, |heard| heard.counts.packets);
    let heard = client.heard_packets(&guild, &bot, before + 50, PATIENCE).await.unwrap();
    assert!(heard.counts.packets >= before + 50, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn music_plays_on_and_its_messages_go_on_while_its_commands_reload_and_the_bot_restarts() {
    let media = workspace().join("crates/e2e/media").display().to_string();
    let mut host = TestHost::new(&[("MUSIC_DIR", media.as_str())]).await;
    let guild = host.sandbox.guild_id().to_string();
    host.sandbox.client().enter_voice(&guild, "alice", "Lounge").await.unwrap();
    let answer = host.say("/play what:Melody").await;
    assert!(answer.content.starts_with("Playing **"), "{answer:?}");
    assert_eq!(host.say("/loop mode:track").await.content, "From now on the track repeats.");
    let card = Card::ask(&host).await;
    card.shows(&host, "Now playing").await;
    is_heard(&host).await;

    let lines = host.bot.line_count();
    host.playground.edit(PAUSE, "Paused; /resume plays on.", "Hushed.").unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/music from=1 to=2 ").await.unwrap();
    is_heard(&host).await;
    assert_eq!(host.say("/pause").await.content, "Hushed.");
    let paused = card.shows(&host, "Paused").await;

    // A save that changes the card also changes the existing one.
    let lines = host.bot.line_count();
    host.playground.edit(CARD, "=> \"Paused\",", "=> \"Halted\",").unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/music from=2 to=3 ").await.unwrap();
    card.shows(&host, "Halted").await;
    card.press(&host, &paused, "Resume").await;
    card.shows(&host, "Now playing").await;
    is_heard(&host).await;

    let lines = host.bot.line_count();
    let asked = host.say("/dev restart now:true").await;
    assert!(asked.content.contains("restarts now"), "{asked:?}");
    host.bot.wait_for_line(lines, "ready").await.unwrap();
    is_heard(&host).await;
    host.say("/pause").await;
    card.shows(&host, "Halted").await;
}
