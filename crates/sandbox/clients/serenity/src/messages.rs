//! Answers to messages that begin with an exclamation mark, and to direct ones.

use serde_json::json;
use serenity::all::*;

use crate::{Bot, Outcome, posts};

pub(crate) async fn handle(bot: &Bot, ctx: &Context, message: Message) -> Outcome {
    let channel = message.channel_id;
    if message.guild_id.is_none() {
        channel.say(ctx, format!("direct {}", message.content)).await?;
        return Ok(());
    }
    let Some(said) = message.content.strip_prefix('!') else { return Ok(()) };
    let (name, text) = said.split_once(' ').unwrap_or((said, ""));
    let post = || bot.post.lock().ok().and_then(|post| post.clone()).ok_or("there is no post");
    match name {
        "post" => {
            let embed = CreateEmbed::new()
                .title("Title")
                .url("https://example.com")
                .colour(0x00_ff00)
                .author(CreateEmbedAuthor::new("Author"))
                .footer(CreateEmbedFooter::new("Foot"))
                .timestamp(Timestamp::now())
                .field("Field", "one", true);
            let file = CreateAttachment::bytes("hello file", "hello.txt");
            let new = CreateMessage::new()
                .content("posted")
                .embed(embed)
                .add_file(file)
                .reference_message(&message);
            let mut post = channel.send_message(ctx, new).await?;
            post.edit(ctx, EditMessage::new().content("posted and edited")).await?;
            post.react(ctx, '✅').await?;
            *bot.post.lock().map_err(|error| error.to_string())? = Some(post);
        }
        "fetch" => {
            let history = channel.messages(ctx, GetMessages::new().limit(5)).await?;
            let post = post()?;
            let found = history.iter().find(|found| found.id == post.id).ok_or("not in the history")?;
            let seen = json!({
                "content": found.content,
                "embeds": found.embeds.len(),
                "files": found.attachments.iter().map(|file| &file.filename).collect::<Vec<_>>(),
                "reactions": found.reactions.iter().map(|r| r.reaction_type.to_string()).collect::<Vec<_>>(),
                "reply": found.referenced_message.as_ref().is_some_and(|asked| asked.author.name == "alice"),
            });
            channel.say(ctx, seen.to_string()).await?;
        }
        "clean" => post()?.delete(ctx).await?,
        "read" => {
            let file = &message.attachments[0];
            let text = String::from_utf8(file.download().await?)?;
            channel.say(ctx, format!("{}: {text}", file.filename)).await?;
        }
        "mistake" => {
            // serenity itself refuses an empty message, so the request is sent without its builder.
            let sent = ctx.http.send_message(channel, Vec::new(), &json!({ "content": "" })).await;
            let code = posts::code(sent);
            channel.say(ctx, format!("mistake {code}")).await?;
        }
        "idle" => {
            ctx.set_presence(Some(ActivityData::playing("nothing")), OnlineStatus::Idle);
            channel.say(ctx, "idle now").await?;
        }
        "echo" => drop(channel.say(ctx, text).await?),
        "burst" => {
            for n in 0..8 {
                channel.say(ctx, format!("burst {n}")).await?;
            }
        }
        name => posts::handle(bot, ctx, name, &message).await?,
    }
    Ok(())
}
