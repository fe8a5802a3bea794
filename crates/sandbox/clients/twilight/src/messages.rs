//! Answers to messages that begin with an exclamation mark, and to direct ones.

use serde_json::json;
use twilight_http::request::channel::reaction::RequestReactionType;
use twilight_model::channel::Message;
use twilight_model::channel::message::EmojiReactionType;
use twilight_model::gateway::payload::outgoing::UpdatePresence;
use twilight_model::gateway::presence::{ActivityType, MinimalActivity, Status};
use twilight_model::http::attachment::Attachment;
use twilight_util::builder::embed::{
    EmbedAuthorBuilder, EmbedBuilder, EmbedFieldBuilder, EmbedFooterBuilder,
};

use crate::{Bot, posts};

pub async fn handle(bot: &Bot, message: Message) -> anyhow::Result<()> {
    let (http, channel) = (&bot.http, message.channel_id);
    if message.guild_id.is_none() {
        http.create_message(channel).content(&format!("direct {}", message.content)).await?;
        return Ok(());
    }
    let Some(said) = message.content.strip_prefix('!') else { return Ok(()) };
    let (name, text) = said.split_once(' ').unwrap_or((said, ""));
    match name {
        "post" => {
            let embed = EmbedBuilder::new()
                .title("Title")
                .url("https://example.com")
                .color(0x00_ff00)
                .author(EmbedAuthorBuilder::new("Author"))
                .footer(EmbedFooterBuilder::new("Foot"))
                .field(EmbedFieldBuilder::new("Field", "one"))
                .validate()?
                .build();
            let file = Attachment::from_bytes("hello.txt".to_owned(), b"hello file".to_vec(), 1);
            let post = http
                .create_message(channel)
                .content("posted")
                .embeds(&[embed])
                .attachments(&[file])
                .reply(message.id)
                .await?
                .model()
                .await?;
            http.update_message(channel, post.id).content(Some("posted and edited")).await?.model().await?;
            http.create_reaction(channel, post.id, &RequestReactionType::Unicode { name: "✅" }).await?;
            *bot.post.lock().await = Some(post);
        }
        "fetch" => {
            let history = http.channel_messages(channel).limit(5).await?.models().await?;
            let post = bot.post.lock().await.as_ref().map(|post| post.id);
            let found = history
                .iter()
                .find(|found| Some(found.id) == post)
                .ok_or_else(|| anyhow::anyhow!("no post"))?;
            let reactions: Vec<_> = found
                .reactions
                .iter()
                .map(|reaction| match &reaction.emoji {
                    EmojiReactionType::Unicode { name } => name.clone(),
                    EmojiReactionType::Custom { id, .. } => id.to_string(),
                })
                .collect();
            let seen = json!({
                "content": found.content,
                "embeds": found.embeds.len(),
                "files": found.attachments.iter().map(|file| &file.filename).collect::<Vec<_>>(),
                "reactions": reactions,
                "reply": found.referenced_message.as_ref().is_some_and(|asked| asked.author.name == "alice"),
            });
            http.create_message(channel).content(&seen.to_string()).await?;
        }
        "clean" => {
            if let Some(post) = bot.post.lock().await.take() {
                http.delete_message(channel, post.id).await?;
            }
        }
        "read" => {
            let file = &message.attachments[0];
            let text = read(&file.url).await?;
            http.create_message(channel).content(&format!("{}: {text}", file.filename)).await?;
        }
        "mistake" => {
            let code = match http.create_message(channel).content("").await {
                Err(error) => posts::code(&error),
                Ok(_) => 0,
            };
            http.create_message(channel).content(&format!("mistake {code}")).await?;
        }
        "idle" => {
            let activity =
                MinimalActivity { kind: ActivityType::Playing, name: "nothing".to_owned(), url: None };
            bot.gateway.command(&UpdatePresence::new(vec![activity.into()], false, None, Status::Idle)?)?;
            http.create_message(channel).content("idle now").await?;
        }
        "echo" => {
            http.create_message(channel).content(text).await?;
        }
        "burst" => {
            for n in 0..8 {
                http.create_message(channel).content(&format!("burst {n}")).await?;
            }
        }
        name => posts::handle(bot, name, &message).await?,
    }
    Ok(())
}

/// Reads a file over plain HTTP, for which twilight has no call.
async fn read(url: &str) -> anyhow::Result<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (host, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| anyhow::anyhow!("{url}"))?;
    let mut stream = tokio::net::TcpStream::connect(host).await?;
    stream.write_all(format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let body = answer.split_once("\r\n\r\n").ok_or_else(|| anyhow::anyhow!("no body"))?.1;
    Ok(body.to_owned())
}
