//! A bot of poise, with slash and prefix commands.

use poise::serenity_prelude as serenity;
use sandbox_test::TestSandbox;
use sandbox_test::sandbox::Sandbox;
use sandbox_test::sandbox::ratelimit::Config;
use serde_json::json;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Context<'a> = poise::Context<'a, (), Error>;

/// Repeats a text.
#[poise::command(slash_command, prefix_command)]
async fn echo(ctx: Context<'_>, #[autocomplete = "words"] text: String) -> Result<(), Error> {
    ctx.say(text).await?;
    Ok(())
}

async fn words(_: Context<'_>, partial: &str) -> serenity::CreateAutocompleteResponse {
    let fits = ["tea", "toast", "coffee"].into_iter().filter(|word| word.starts_with(partial));
    let choices = fits.map(|word| serenity::AutocompleteChoice::new(word, word)).collect();
    serenity::CreateAutocompleteResponse::new().set_choices(choices)
}

/// Adds numbers.
#[poise::command(slash_command, subcommands("two"), subcommand_required)]
async fn add(_: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Adds two numbers.
#[poise::command(slash_command)]
async fn two(ctx: Context<'_>, first: i64, second: i64) -> Result<(), Error> {
    ctx.defer_ephemeral().await?;
    ctx.say((first + second).to_string()).await?;
    Ok(())
}

/// Greets a member.
#[poise::command(context_menu_command = "Greet")]
async fn greet(ctx: Context<'_>, user: serenity::User) -> Result<(), Error> {
    ctx.say(format!("Hello {}", user.name)).await?;
    Ok(())
}

async fn build(token: &str, discord: &str) -> serenity::Client {
    let options = poise::FrameworkOptions {
        commands: vec![echo(), add(), greet()],
        prefix_options: poise::PrefixFrameworkOptions { prefix: Some("!".into()), ..Default::default() },
        ..Default::default()
    };
    let framework = poise::Framework::builder().options(options).setup(|ctx, _, framework| {
        Box::pin(async move {
            poise::builtins::register_globally(ctx, &framework.options().commands).await?;
            Ok(())
        })
    });
    let http = serenity::HttpBuilder::new(token).proxy(discord).ratelimiter_disabled(true).build();
    let intents = serenity::GatewayIntents::non_privileged() | serenity::GatewayIntents::MESSAGE_CONTENT;
    serenity::ClientBuilder::new_with_http(http, intents).framework(framework.build()).await.unwrap()
}

#[tokio::test]
async fn commands_of_all_kinds_are_answered() {
    let sandbox = TestSandbox::start_with(Sandbox::builder().rate_limits(Config::off())).await;
    let mut client = build(sandbox.token(), sandbox.url()).await;
    let _bot = sandbox.bot(async move { client.start().await }).await;
    let (alice, bob) = (sandbox.actor("alice"), sandbox.actor("bob"));

    assert_eq!(alice.runs("/echo text:hi").await.content, "hi");
    assert_eq!(alice.completes("/echo text:t").await, [json!("tea"), json!("toast")]);
    let sum = alice.runs("/add two").option("first", 40).option("second", 2).await;
    assert_eq!((sum.content.as_str(), sum.deferred, sum.ephemeral), ("42", true, true));
    assert_eq!(alice.uses("Greet", &bob).await.content, "Hello bob");

    alice.says("!echo once").await;
    assert_eq!(alice.hears().await.content, "once");
    let dave = sandbox.new_actor("dave").await;
    assert_eq!(dave.runs("/echo text:new").await.content, "new");
}
