//! A bot of serenity.

use std::time::Duration;

use sandbox_test::sandbox::Sandbox;
use sandbox_test::sandbox::event_log::{Event, Kind};
use sandbox_test::sandbox::ratelimit::Config;
use sandbox_test::{Bot, TestSandbox};
use serde_json::json;
use serenity::all::{
    ActionRowComponent, Client, ClientBuilder, Command, CommandOptionType, Context, CreateActionRow,
    CreateButton, CreateCommand, CreateCommandOption, CreateInputText, CreateInteractionResponse,
    CreateInteractionResponseMessage, CreateModal, EventHandler, GatewayIntents, HttpBuilder, InputTextStyle,
    Interaction, Message, Ready, VoiceState,
};
use serenity::async_trait;

// ---- the bot -----------------------------------------------------------------

struct Handler;

fn text(content: impl Into<String>) -> CreateInteractionResponseMessage {
    CreateInteractionResponseMessage::new().content(content)
}

fn counter(count: u32) -> CreateInteractionResponseMessage {
    let more = CreateButton::new(format!("more:{}", count + 1)).label("More");
    text(format!("{count} times")).components(vec![CreateActionRow::Buttons(vec![more])])
}

fn order() -> CreateModal {
    let dish = CreateInputText::new(InputTextStyle::Short, "Dish", "dish");
    CreateModal::new("order", "Your order").components(vec![CreateActionRow::InputText(dish)])
}

#[async_trait]
impl EventHandler for Handler {
    async fn ready(&self, ctx: Context, _: Ready) {
        let plain = |name: &str| CreateCommand::new(name).description("A command");
        let whom = CreateCommandOption::new(CommandOptionType::User, "whom", "Whom").required(true);
        let commands = vec![plain("ping"), plain("count"), plain("order"), plain("greet").add_option(whom)];
        Command::set_global_commands(&ctx.http, commands).await.unwrap();
    }

    async fn message(&self, ctx: Context, message: Message) {
        if message.content == "!ping" {
            message.reply(&ctx.http, "pong").await.unwrap();
        }
    }

    async fn interaction_create(&self, ctx: Context, interaction: Interaction) {
        use CreateInteractionResponse as Response;
        match interaction {
            Interaction::Command(command) => {
                let response = match command.data.name.as_str() {
                    "count" => Response::Message(counter(0)),
                    "order" => Response::Modal(order()),
                    "greet" => {
                        let whom = command.data.resolved.users.values().next().unwrap();
                        Response::Message(text(format!("Hello {}", whom.name)).ephemeral(true))
                    }
                    _ => Response::Message(text("pong")),
                };
                command.create_response(&ctx.http, response).await.unwrap();
            }
            Interaction::Component(pressed) => {
                let count = pressed.data.custom_id.rsplit(':').next().unwrap().parse().unwrap();
                pressed.create_response(&ctx.http, Response::UpdateMessage(counter(count))).await.unwrap();
            }
            Interaction::Modal(modal) => {
                let ActionRowComponent::InputText(dish) = &modal.data.components[0].components[0] else {
                    return;
                };
                let answer = format!("One {}, coming up.", dish.value.as_deref().unwrap_or_default());
                modal.create_response(&ctx.http, Response::Message(text(answer))).await.unwrap();
            }
            _ => {}
        }
    }

    async fn voice_state_update(&self, ctx: Context, _: Option<VoiceState>, now: VoiceState) {
        let (Some(guild), Some(member)) = (now.guild_id, &now.member) else { return };
        let channels = guild.channels(&ctx.http).await.unwrap();
        let general = channels.values().find(|channel| channel.name == "general").unwrap();
        general.say(&ctx.http, format!("{} is in voice", member.user.name)).await.unwrap();
    }
}

/// Builds the bot. `discord` is where Discord is, if it is not discord.com.
async fn build(token: &str, discord: Option<&str>) -> Client {
    let mut http = HttpBuilder::new(token);
    if let Some(discord) = discord {
        // serenity takes another address only with its own rate limiter off.
        http = http.proxy(discord).ratelimiter_disabled(true);
    }
    let intents = GatewayIntents::non_privileged() | GatewayIntents::MESSAGE_CONTENT;
    ClientBuilder::new_with_http(http.build(), intents).event_handler(Handler).await.unwrap()
}

// ---- its tests ---------------------------------------------------------------

async fn start() -> (TestSandbox, Bot) {
    let sandbox = TestSandbox::start_with(Sandbox::builder().rate_limits(Config::off())).await;
    let mut client = build(sandbox.token(), Some(sandbox.url())).await;
    let bot = sandbox.bot(async move { client.start().await }).await;
    (sandbox, bot)
}

#[tokio::test]
async fn a_message_is_answered() {
    let (sandbox, _bot) = start().await;
    let alice = sandbox.actor("alice");
    let question = alice.says("!ping").await;
    let reply = alice.hears().await;
    assert_eq!(reply.content, "pong");
    assert_eq!(reply.raw["message_reference"]["message_id"], json!(question.id));
    alice.hears_nothing().within(Duration::from_millis(50)).await;
}

#[tokio::test]
async fn commands_buttons_and_modals_are_answered() {
    let (sandbox, _bot) = start().await;
    let (alice, bob) = (sandbox.actor("alice"), sandbox.actor("bob"));
    assert_eq!(alice.runs("/ping").await.content, "pong");
    let reply = alice.runs("/greet").option("whom", bob.name()).at("general").await;
    assert_eq!((reply.content.as_str(), reply.ephemeral), ("Hello bob", true));

    let counter = alice.runs("/count").await;
    assert_eq!(counter.buttons(), ["More"]);
    alice.clicks(&counter, "More").await;
    assert_eq!(bob.clicks(&counter, "More").await.content, "2 times");

    let opened = alice.runs("/order").await;
    let reply = alice.submits(&opened, &json!({ "dish": "soup" })).await;
    assert_eq!(reply.content, "One soup, coming up.");
}

#[tokio::test]
async fn voice_is_noticed() {
    let (sandbox, _bot) = start().await;
    let alice = sandbox.actor("alice");
    alice.joins_voice("Lounge").await;
    assert_eq!(alice.hears().at("general").await.content, "alice is in voice");
}

#[tokio::test]
async fn a_lost_connection_loses_no_message() {
    let (sandbox, _bot) = start().await;
    let alice = sandbox.actor("alice");
    sandbox.drops_connections();
    alice.says("!ping").await;
    assert_eq!(alice.hears().within(Duration::from_secs(30)).await.content, "pong");
    sandbox.wait_for(Kind::Resumed, |_| true).await;
}

#[tokio::test]
async fn a_request_that_fails_is_in_the_log() {
    let (sandbox, _bot) = start().await;
    let alice = sandbox.actor("alice");
    alice.runs("/ping").await;
    sandbox.fails("POST", "/interactions/*/*/callback", 503, 1);
    let reply = alice.runs("/ping").allow_error().await;
    assert_eq!(reply.error.as_deref(), Some("The application did not respond"));
    let failed = sandbox.wait_for(
        Kind::Request,
        |entry| matches!(&entry.event, Event::Request(request) if request.status == Some(503)),
    );
    assert!(failed.await.line().contains("/callback"));
}

#[tokio::test]
async fn a_button_works_when_the_token_of_its_message_is_over() {
    let (sandbox, _bot) = start().await;
    let alice = sandbox.actor("alice");
    let counter = alice.runs("/count").await;
    sandbox.advance(Duration::from_mins(16)).await;
    assert_eq!(alice.clicks(&counter, "More").await.content, "1 times");
}
