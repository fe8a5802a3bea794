//! Kinds of arguments: files, choices, suggestions, limits, code blocks, and those that only text commands have.

use sdk::prelude::*;

/// Compares the sizes of two files
#[poise::command(prefix_command, slash_command)]
pub(super) async fn compare_files(
    ctx: Context<'_>,
    #[description = "A file"] first: serenity::Attachment,
    #[description = "Another one"] second: Option<serenity::Attachment>,
) -> Result<(), Error> {
    let difference = i64::from(first.size) - second.map_or(0, |file| i64::from(file.size));
    ctx.say(format!("{} is {difference} bytes larger", first.filename)).await?;
    Ok(())
}

#[poise::command(prefix_command)]
pub(super) async fn sizes(ctx: Context<'_>, files: Vec<serenity::Attachment>) -> Result<(), Error> {
    let total: u32 = files.iter().map(|file| file.size).sum();
    ctx.say(format!("{total} bytes in {} files", files.len())).await?;
    Ok(())
}

async fn names(_: Context<'_>, partial: &str) -> serenity::CreateAutocompleteResponse {
    let names = ["Ada", "Alan", "Grace"].into_iter().filter(|name| name.starts_with(partial));
    let choices = names.map(serenity::AutocompleteChoice::from).collect();
    serenity::CreateAutocompleteResponse::new().set_choices(choices)
}

async fn numbers(_: Context<'_>, _: &str) -> serenity::CreateAutocompleteResponse {
    let choices =
        [1_u32, 2, 3].map(|number| serenity::AutocompleteChoice::new(format!("number {number}"), number));
    serenity::CreateAutocompleteResponse::new().set_choices(choices.into())
}

/// Hails somebody
#[poise::command(slash_command)]
pub(super) async fn hail(
    ctx: Context<'_>,
    #[description = "Whom"]
    #[autocomplete = "names"]
    name: String,
    #[description = "Which of them"]
    #[autocomplete = "numbers"]
    number: Option<u32>,
) -> Result<(), Error> {
    let number = number.map(|number| format!(" the {number}.")).unwrap_or_default();
    ctx.say(format!("Hail, {name}{number}!")).await?;
    Ok(())
}

/// Tells the weather
#[poise::command(prefix_command, slash_command)]
pub(super) async fn forecast(ctx: Context<'_>, #[description = "Is it?"] sunny: bool) -> Result<(), Error> {
    ctx.say(if sunny { "Sun" } else { "Rain" }).await?;
    Ok(())
}

/// Takes a number within limits
#[poise::command(prefix_command, slash_command)]
pub(super) async fn between(
    ctx: Context<'_>,
    #[min = -7]
    #[max = 12.5]
    value: f32,
) -> Result<(), Error> {
    ctx.say(format!("{value} it is")).await?;
    Ok(())
}

#[derive(Debug, poise::ChoiceParameter)]
enum Fruit {
    #[name = "An apple"]
    Apple,
    #[name = "A pear"]
    #[name = "Some pear or other"]
    Pear,
    Plum,
}

/// Picks a fruit
#[poise::command(prefix_command, slash_command)]
pub(super) async fn pick(ctx: Context<'_>, #[description = "Which"] fruit: Fruit) -> Result<(), Error> {
    ctx.say(format!("{fruit:?}, please")).await?;
    Ok(())
}

/// Praises a continent
#[poise::command(slash_command)]
pub(super) async fn continent(
    ctx: Context<'_>,
    #[description = "Which"]
    #[choices("Africa", "Asia", "Europe")]
    name: &'static str,
) -> Result<(), Error> {
    ctx.say(format!("Long live {name}")).await?;
    Ok(())
}

/// Counts
#[poise::command(slash_command)]
pub(super) async fn count(
    ctx: Context<'_>,
    #[description = "How far"]
    #[choices(1, 2, 3)]
    to: Option<u32>,
) -> Result<(), Error> {
    ctx.say(to.map_or("Not at all".to_owned(), |to| format!("Up to {to}"))).await?;
    Ok(())
}

#[poise::command(prefix_command)]
pub(super) async fn script(
    ctx: Context<'_>,
    settings: poise::KeyValueArgs,
    code: poise::CodeBlock,
) -> Result<(), Error> {
    let language = code.language.as_deref().unwrap_or("none");
    ctx.say(format!("{:?}; {language}; {}", settings.get("mode"), code.code.trim())).await?;
    Ok(())
}

/// Adds numbers of several sizes
#[poise::command(prefix_command, slash_command)]
pub(super) async fn sum(
    ctx: Context<'_>,
    #[description = "Small"] small: i8,
    #[description = "Positive"] positive: u64,
    #[description = "Large"]
    #[min = 1_000_000_000_000_i64]
    #[max = 2_000_000_000_000_i64]
    large: i64,
) -> Result<(), Error> {
    ctx.say(format!("= {}", i128::from(small) + i128::from(positive) + i128::from(large))).await?;
    Ok(())
}

/// Describes a voice channel
#[poise::command(slash_command)]
pub(super) async fn voice(
    ctx: Context<'_>,
    #[description = "Which"]
    #[channel_types("Voice")]
    channel: serenity::GuildChannel,
) -> Result<(), Error> {
    ctx.say(format!("{} with {} bits", channel.name, channel.bitrate.unwrap_or_default())).await?;
    Ok(())
}

#[poise::command(prefix_command)]
pub(super) async fn backwards(
    ctx: Context<'_>,
    #[lazy] first: Option<String>,
    #[lazy] second: Option<String>,
    third: Option<String>,
) -> Result<(), Error> {
    ctx.say(format!("{first:?} {second:?} {third:?}")).await?;
    Ok(())
}

/// Says it after you
#[poise::command(prefix_command, slash_command)]
pub(super) async fn parrot(
    ctx: Context<'_>,
    #[description = "What"]
    #[rest]
    words: String,
) -> Result<(), Error> {
    ctx.say(words).await?;
    Ok(())
}

/// Looks for a flag
#[poise::command(prefix_command, slash_command)]
pub(super) async fn flagged(ctx: Context<'_>, #[flag] flag: bool) -> Result<(), Error> {
    ctx.say(if flag { "There is one" } else { "There is none" }).await?;
    Ok(())
}

/// Takes an address that is no type of Discord's
#[poise::command(prefix_command, slash_command)]
pub(super) async fn address(ctx: Context<'_>, #[string] ip: std::net::IpAddr) -> Result<(), Error> {
    ctx.say(format!("IPv{}", if ip.is_ipv4() { 4 } else { 6 })).await?;
    Ok(())
}

#[derive(poise::ChoiceParameter)]
enum Penalty {
    Warning,
    Ban,
}

/// Punishes nobody
#[poise::command(slash_command)]
pub(super) async fn punish(
    ctx: Context<'_>,
    #[description = "How"]
    #[rename = "type"]
    penalty: Penalty,
    #[description = "Whom"] user: serenity::User,
) -> Result<(), Error> {
    let word = match penalty {
        Penalty::Warning => "a warning",
        Penalty::Ban => "a ban",
    };
    ctx.say(format!("{} gets {word}", user.name)).await?;
    Ok(())
}

/// Takes three to five characters
#[poise::command(slash_command)]
pub(super) async fn short_text(
    ctx: Context<'_>,
    #[min_length = 3]
    #[max_length = 5]
    text: String,
) -> Result<(), Error> {
    ctx.say(format!("short: {text}")).await?;
    Ok(())
}

/// Has a name and arguments that are words of Rust
#[poise::command(prefix_command, slash_command)]
pub(super) async fn r#move(ctx: Context<'_>, r#loop: String, r#fn: String) -> Result<(), Error> {
    ctx.say([r#loop, r#fn].join(" and ")).await?;
    Ok(())
}

/// Looks at a user
#[poise::command(context_menu_command = "Look at", slash_command)]
pub(super) async fn inspect(
    ctx: Context<'_>,
    #[description = "Whom"] user: serenity::User,
) -> Result<(), Error> {
    ctx.say(format!("{} since {}", user.name, user.created_at().unix_timestamp() / 86_400)).await?;
    Ok(())
}

/// Repeats a message
#[poise::command(context_menu_command = "Say again", slash_command)]
pub(super) async fn repeat(
    ctx: Context<'_>,
    #[description = "Link or id"] message: serenity::Message,
) -> Result<(), Error> {
    ctx.say(format!("again: {}", message.content)).await?;
    Ok(())
}

#[poise::command(prefix_command)]
pub(super) async fn colour(ctx: Context<'_>, role: serenity::Role) -> Result<(), Error> {
    ctx.say(format!("{} is {}", role.name, role.colour.hex())).await?;
    Ok(())
}
