//! Logs the content of edited messages before and after the edit.

use sdk::prelude::*;
use serenity::{
    Attachment, AttachmentId, CreateEmbed, CreateMessage, Message, MessageUpdateEvent, Timestamp,
};

use crate::log::{self, EDITS, Place, Quoted};

const AMBER: u32 = 0x00f0_b232;
/// Maximum number of characters quoted of each side. Both with everything else stay under the 6000 of one message's
/// embeds.
const QUOTED: usize = 2200;

/// Seconds within which an edit counts as the cause of the event, because Discord's clock and ours may differ.
const RECENT: i64 = 60;

pub(crate) async fn edited(ctx: EventContext, update: event::MessageUpdate) -> Result<(), Error> {
    let (before, event) = (update.old_if_available, update.event);
    let Some(guild) = event.guild_id else { return Ok(()) };
    let author = before.as_ref().map(|message| &message.author).or(event.author.as_ref());
    if author.is_some_and(|author| author.id == ctx.cache.current_user().id)
        || !is_edit(before.as_ref(), &event, Timestamp::now())
    {
        return Ok(());
    }
    let Some(channel) = log::channel(&ctx, EDITS, guild, event.channel_id).await? else { return Ok(()) };

    let place = Place { guild, channel: event.channel_id, message: event.id };
    let was = match &before {
        Some(before) => log::quote(&before.content, QUOTED, "before.txt"),
        None => Quoted {
            shown: "*Not known: it was written before the bot began to listen.*".to_owned(),
            whole: None,
        },
    };
    let now = log::quote(event.content.as_deref().unwrap_or_default(), QUOTED, "now.txt");
    let mut first = log::entry("Message edited", AMBER, author, &place).description(was.shown);
    if let Some(before) = &before {
        first = log::with_files(first, &before.attachments);
    }
    let files = event.attachments.as_deref().unwrap_or_default();
    let second = log::with_files(CreateEmbed::new().title("Now").color(AMBER).description(now.shown), files);
    let whole = was.whole.into_iter().chain(now.whole);
    log::send(&ctx, channel, CreateMessage::new().embeds(vec![first, second]).files(whole)).await
}

/// Returns whether an update is an edit, and not one that Discord makes by itself, for a link's preview, a pin or a
/// thread.
fn is_edit(before: Option<&Message>, event: &MessageUpdateEvent, now: Timestamp) -> bool {
    let Some(content) = &event.content else { return false };
    let Some(before) = before else {
        // The old message is not cached, so only the time of the last edit is known.
        let last = event.edited_timestamp.map_or(0, |at| at.unix_timestamp());
        return now.unix_timestamp() - last < RECENT;
    };
    let ids = |files: &[Attachment]| files.iter().map(|file| file.id).collect::<Vec<AttachmentId>>();
    let files_changed =
        event.attachments.as_deref().is_some_and(|files| ids(files) != ids(&before.attachments));
    *content != before.content || files_changed
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn message(mut more: Value) -> Value {
        let mut message = json!({
            "id": "3", "channel_id": "4", "author": {"id": "5", "username": "ann", "discriminator": "0"},
            "content": "one", "timestamp": "2024-01-01T00:00:00Z", "edited_timestamp": null, "tts": false,
            "mention_everyone": false, "mentions": [], "mention_roles": [], "attachments": [], "embeds": [],
            "pinned": false, "type": 0,
        });
        message.as_object_mut().unwrap().append(more.as_object_mut().unwrap());
        message
    }

    fn judged(before: Option<Value>, after: Value) -> bool {
        let before = before.map(|before| serde_json::from_value::<Message>(before).unwrap());
        let now = "2024-01-02T00:00:10Z".parse().unwrap();
        is_edit(before.as_ref(), &serde_json::from_value(after).unwrap(), now)
    }

    fn file(id: &str) -> Value {
        json!({"id": id, "filename": "cat.png", "size": 1, "url": "https://cdn.test/cat.png", "proxy_url": "https://cdn.test/cat.png"})
    }

    #[test]
    fn other_words_or_other_files_are_an_edit() {
        let before = || Some(message(json!({"attachments": [file("8")]})));
        assert!(judged(before(), message(json!({"content": "two", "attachments": [file("8")]}))));
        assert!(judged(before(), message(json!({"attachments": []}))));
    }

    #[test]
    fn a_preview_or_a_pin_is_none() {
        let before = || Some(message(json!({})));
        assert!(!judged(
            before(),
            message(json!({"embeds": [{"type": "link", "url": "https://example.test"}]}))
        ));
        assert!(!judged(before(), message(json!({"pinned": true}))));
        assert!(!judged(before(), json!({"id": "3", "channel_id": "4", "embeds": []})));
        assert!(!judged(None, message(json!({"pinned": true}))));
    }

    #[test]
    fn an_edit_of_a_message_that_is_not_remembered_is_told() {
        assert!(judged(None, message(json!({"edited_timestamp": "2024-01-02T00:00:00Z"}))));
        assert!(!judged(None, message(json!({"edited_timestamp": "2024-01-01T00:00:00Z", "pinned": true}))));
    }
}
