//! Uploads, a forum, polls, and what the bot may not do.

use std::time::Duration;

use serenity::all::*;

use crate::{Bot, Outcome};

fn file(size: usize, name: &str) -> CreateAttachment {
    CreateAttachment::bytes(b"0123456789abcdef".repeat(size / 16), name)
}

/// Returns Discord's code of a failed request.
pub(crate) fn code<T>(sent: Result<T>) -> isize {
    match sent {
        Err(Error::Http(HttpError::UnsuccessfulRequest(answer))) => answer.error.code,
        _ => 0,
    }
}

pub(crate) async fn handle(bot: &Bot, ctx: &Context, name: &str, message: &Message) -> Outcome {
    let channel = message.channel_id;
    let guild = message.guild_id.ok_or("not in a guild")?;
    match name {
        "upload" => {
            let new = CreateMessage::new().content("uploaded").add_file(file(3 << 20, "big.bin"));
            channel.send_message(ctx, new).await?;
        }
        "huge" => {
            let new = CreateMessage::new().add_file(file(11 << 20, "huge.bin"));
            let code = code(channel.send_message(ctx, new).await);
            channel.say(ctx, format!("huge {code}")).await?;
        }
        "forum" => {
            let mut forum =
                guild.create_channel(ctx, CreateChannel::new("ideas").kind(ChannelType::Forum)).await?;
            forum.edit(ctx, EditChannel::new().available_tags([CreateForumTag::new("new")])).await?;
            let post = CreateForumPost::new("First", CreateMessage::new().content("What?"));
            forum.create_forum_post(ctx, post.add_applied_tag(forum.available_tags[0].id)).await?;
        }
        "archive" => {
            channel.edit_thread(ctx, EditThread::new().archived(true).locked(true)).await?;
        }
        "poll" => {
            let answers = ["yes", "no"].map(|text| CreatePollAnswer::new().text(text)).to_vec();
            let poll = CreatePoll::new().question("Tea?").answers(answers).duration(Duration::from_hours(1));
            let asked = channel.send_message(ctx, CreateMessage::new().poll(poll)).await?;
            *bot.poll.lock().map_err(|error| error.to_string())? = Some(asked);
        }
        "tally" => {
            let asked = bot.poll.lock().ok().and_then(|poll| poll.clone()).ok_or("there is no poll")?;
            asked.end_poll(ctx).await?;
            let poll = ctx.http.get_message(channel, asked.id).await?.poll.ok_or("no poll")?;
            let results = poll.results.ok_or("a poll without results")?;
            let count =
                |id| results.answer_counts.iter().find(|each| each.id == id).map_or(0, |each| each.count);
            let texts = poll.answers.iter().map(|answer| {
                let text = answer.poll_media.text.as_deref().unwrap_or_default();
                format!("{text}={}", count(answer.answer_id))
            });
            channel.say(ctx, texts.collect::<Vec<_>>().join(" ")).await?;
        }
        "forbidden" => {
            let owner = guild.to_partial_guild(ctx).await?.owner_id;
            let code = code(guild.edit_member(ctx, owner, EditMember::new().nickname("Owner")).await);
            channel.say(ctx, format!("forbidden {code}")).await?;
        }
        _ => {}
    }
    Ok(())
}
