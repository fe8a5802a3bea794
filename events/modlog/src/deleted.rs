//! Logs the content of deleted messages, deleted one by one or many at once.
//!
//! serenity's cache keeps a message after its deletion, so it can still be read when the event arrives.

use sdk::prelude::*;
use sdk::text;
use serenity::{CreateAttachment, CreateEmbed, CreateMessage, Mentionable as _, Message};

use crate::log::{self, DELETIONS, Place};

const RED: u32 = 0x00f2_3f43;

pub(crate) async fn deleted(ctx: EventContext, gone: event::MessageDelete) -> Result<(), Error> {
    let Some(guild) = gone.guild_id else { return Ok(()) };
    let Some(channel) = log::channel(&ctx, DELETIONS, guild, gone.channel_id).await? else { return Ok(()) };
    let known = ctx.cache.message(gone.channel_id, gone.deleted_message_id).map(|message| message.clone());
    if known.as_ref().is_some_and(|message| message.author.id == ctx.cache.current_user().id) {
        return Ok(());
    }
    let place = Place { guild, channel: gone.channel_id, message: gone.deleted_message_id };
    let entry = log::entry("Message deleted", RED, known.as_ref().map(|message| &message.author), &place);
    let entry = match &known {
        Some(message) => {
            let quoted = log::quote(&message.content, text::EMBED_DESCRIPTION, "deleted-message.txt");
            let entry = log::with_files(entry.description(quoted.shown), &message.attachments);
            CreateMessage::new().embed(entry).files(quoted.whole)
        }
        None => {
            let unknown = "*What it said is not known: it was written before the bot began to listen.*";
            CreateMessage::new().embed(entry.description(unknown))
        }
    };
    log::send(&ctx, channel, entry).await
}

pub(crate) async fn deleted_at_once(ctx: EventContext, gone: event::MessageDeleteBulk) -> Result<(), Error> {
    let Some(guild) = gone.guild_id else { return Ok(()) };
    let Some(channel) = log::channel(&ctx, DELETIONS, guild, gone.channel_id).await? else { return Ok(()) };
    let mut ids = gone.multiple_deleted_messages_ids;
    // Ids grow with time, so this is the order in which they were sent.
    ids.sort_unstable();
    let mut known: Vec<_> = ids
        .iter()
        .filter_map(|id| ctx.cache.message(gone.channel_id, *id).map(|message| message.clone()))
        .collect();
    let unknown = ids.len() - known.len();
    let bot = ctx.cache.current_user().id;
    known.retain(|message| message.author.id != bot);
    let count = known.len() + unknown;
    if count == 0 {
        return Ok(());
    }
    let shown = transcript(&known, unknown, Surface::Line);
    let embed = CreateEmbed::new()
        .title(format!("{} deleted at once", text::count(count, "message")))
        .color(RED)
        .field("Channel", gone.channel_id.mention().to_string(), true)
        .description(text::cut(shown.as_str(), text::EMBED_DESCRIPTION));
    let mut entry = CreateMessage::new().embed(embed);
    if shown.chars().count() > text::EMBED_DESCRIPTION {
        let whole = transcript(&known, unknown, Surface::Label);
        entry = entry.add_file(CreateAttachment::bytes(whole, "deleted-messages.txt"));
    }
    log::send(&ctx, channel, entry).await
}

/// Formats messages as a conversation, oldest first: for an embed, which is formatted, or for a file, which is not. A
/// message's continuation lines are marked, so that a message cannot imitate another author's.
fn transcript(messages: &[Message], unknown: usize, surface: Surface) -> String {
    let mut lines = String::new();
    for message in messages {
        let name = foreign(&message.author.name, surface, log::NAME);
        lines += &if surface == Surface::Line {
            let said = foreign(&message.content, Surface::Quote, usize::MAX);
            // The first line follows the name.
            format!("**{name}:** {}", said.strip_prefix("> ").unwrap_or(&said))
        } else {
            format!("{name}: {}", log::indented(&message.content))
        };
        if !message.attachments.is_empty() {
            let names = foreign(&log::names(&message.attachments), surface, usize::MAX);
            lines += &format!(" ({names})");
        }
        lines.push('\n');
    }
    if unknown > 0 {
        lines += &format!("{} written before the bot began to listen", text::count(unknown, "message"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_transcript_tells_who_said_what_with_which_files_and_what_is_missing() {
        let message = |name: &str, content: &str, files: &[&str]| {
            let files: Vec<_> = files
                .iter()
                .map(|name| json!({"id": "9", "filename": name, "size": 1, "url": "u", "proxy_url": "u"}))
                .collect();
            serde_json::from_value::<Message>(json!({
                "id": "3", "channel_id": "4", "author": {"id": "5", "username": name, "discriminator": "0"},
                "content": content, "timestamp": "2024-01-01T00:00:00Z", "edited_timestamp": null, "tts": false,
                "mention_everyone": false, "mentions": [], "mention_roles": [], "attachments": files, "embeds": [],
                "pinned": false, "type": 0,
            }))
            .unwrap()
        };
        let files = ["cat.png", "[dog](x).png"];
        let messages = [message("ann", "look\nbob: **awful**", &files), message("bob", "nice\u{202e}", &[])];
        assert_eq!(
            transcript(&messages, 2, Surface::Line),
            "**ann:** look\n> bob: \\*\\*awful\\*\\* (cat.png, \\[dog\\](x).png)\n**bob:** nice\n\
             2 messages written before the bot began to listen"
        );
        assert_eq!(
            transcript(&messages, 0, Surface::Label),
            "ann: look\n    bob: **awful** (cat.png, [dog](x).png)\nbob: nice\n"
        );
    }
}
