//! A bot of poise alone, as poise's own documentation writes one, with one command. `./dev-env.sh bench --dispatch`
//! compares the time and the processor time that an interaction takes in it and in Hotcord.
//!
//! It reads `DISCORD_TOKEN`, `DISCORD_API_URL` and `TEST_GUILD_ID`, and writes `: ready ` when it can be used.

use std::env;

use poise::serenity_prelude as serenity;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Context<'a> = poise::Context<'a, (), Error>;

/// Answers, with the latency to Discord's gateway
#[poise::command(slash_command)]
async fn ping(ctx: Context<'_>) -> Result<(), Error> {
    let latency = ctx.ping().await;
    if latency.is_zero() {
        ctx.say("Pong! The gateway has not been measured yet.").await?;
    } else {
        ctx.say(format!("Pong! The gateway is {} ms away.", latency.as_millis())).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let guild = serenity::GuildId::new(env::var("TEST_GUILD_ID")?.parse()?);
    let options = poise::FrameworkOptions { commands: vec![ping()], ..Default::default() };
    let framework = poise::Framework::builder()
        .options(options)
        .setup(move |ctx, _, framework| {
            Box::pin(async move {
                poise::builtins::register_in_guild(ctx, &framework.options().commands, guild).await?;
                println!("INFO plain_poise: ready ");
                Ok(())
            })
        })
        .build();
    // serenity's documentation asks for this where requests go to another server.
    let http = serenity::HttpBuilder::new(env::var("DISCORD_TOKEN")?)
        .proxy(env::var("DISCORD_API_URL")?)
        .ratelimiter_disabled(true)
        .build();
    let intents = serenity::GatewayIntents::non_privileged();
    let mut client = serenity::ClientBuilder::new_with_http(http, intents).framework(framework).await?;
    client.start().await?;
    Ok(())
}
