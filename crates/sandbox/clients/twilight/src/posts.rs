//! Uploads, a forum, polls, and what the bot may not do.

use twilight_http::api_error::ApiError;
use twilight_http::error::ErrorType;
use twilight_model::channel::{ChannelType, Message};
use twilight_model::http::attachment::Attachment;
use twilight_model::id::Id;
use twilight_model::id::marker::ChannelMarker;
use twilight_model::poll::{Poll, PollAnswer, PollLayoutType, PollMedia};

use crate::Bot;

fn file(size: usize, name: &str) -> Attachment {
    Attachment::from_bytes(name.to_owned(), b"0123456789abcdef".repeat(size / 16), 1)
}

/// Returns Discord's code of a failed request.
pub fn code(error: &twilight_http::Error) -> u64 {
    match error.kind() {
        ErrorType::Response { error: ApiError::General(error), .. } => error.code,
        _ => 0,
    }
}

async fn say(bot: &Bot, channel: Id<ChannelMarker>, text: &str) -> anyhow::Result<()> {
    bot.http.create_message(channel).content(text).await?;
    Ok(())
}

pub async fn handle(bot: &Bot, name: &str, message: &Message) -> anyhow::Result<()> {
    let (http, channel) = (&bot.http, message.channel_id);
    let guild = message.guild_id.ok_or_else(|| anyhow::anyhow!("not in a guild"))?;
    match name {
        "upload" => {
            let files = [file(3 << 20, "big.bin")];
            http.create_message(channel).content("uploaded").attachments(&files).await?;
        }
        "huge" => {
            let files = [file(11 << 20, "huge.bin")];
            if let Err(error) = http.create_message(channel).attachments(&files).await {
                say(bot, channel, &format!("huge {}", code(&error))).await?;
            }
        }
        "forum" => {
            let forum = http.create_guild_channel(guild, "ideas").kind(ChannelType::GuildForum);
            let forum = forum.await?.model().await?.id;
            http.create_forum_thread(forum, "First").message().content("What?").await?;
        }
        "archive" => {
            http.update_thread(channel).archived(true).locked(true).await?;
        }
        "poll" => {
            let media = |text: &str| PollMedia { emoji: None, text: Some(text.to_owned()) };
            let answers = [(1, "yes"), (2, "no")]
                .map(|(id, text)| PollAnswer { answer_id: id, poll_media: media(text) });
            let poll = Poll {
                answers: answers.to_vec(),
                allow_multiselect: false,
                expiry: None,
                layout_type: PollLayoutType::Default,
                question: media("Tea?"),
                results: None,
            };
            let asked = http.create_message(channel).poll(&poll).await?.model().await?.id;
            *bot.poll.lock().await = Some(asked);
        }
        "tally" => {
            let asked = bot.poll.lock().await.ok_or_else(|| anyhow::anyhow!("no poll"))?;
            http.end_poll(channel, asked).await?;
            let poll = http.message(channel, asked).await?.model().await?.poll;
            let poll = poll.ok_or_else(|| anyhow::anyhow!("a message without its poll"))?;
            let results = poll.results.ok_or_else(|| anyhow::anyhow!("a poll without results"))?;
            let count =
                |id| results.answer_counts.iter().find(|each| each.id == id).map_or(0, |each| each.count);
            let texts = poll.answers.iter().map(|answer| {
                let text = answer.poll_media.text.as_deref().unwrap_or_default();
                format!("{text}={}", count(answer.answer_id))
            });
            say(bot, channel, &texts.collect::<Vec<_>>().join(" ")).await?;
        }
        "forbidden" => {
            let owner = http.guild(guild).await?.model().await?.owner_id;
            if let Err(error) = http.update_guild_member(guild, owner).nick(Some("Owner")).await {
                say(bot, channel, &format!("forbidden {}", code(&error))).await?;
            }
        }
        _ => {}
    }
    Ok(())
}
