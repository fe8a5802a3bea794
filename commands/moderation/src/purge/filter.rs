//! Which messages a purge deletes.

use serenity::{Message, MessageType, UserId};

use sdk::prelude::serenity;

/// Parts of a message that a filter asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
pub(crate) enum Has {
    #[name = "attachments"]
    Attachments,
    #[name = "links"]
    Links,
    #[name = "embeds"]
    Embeds,
}

/// All conditions of a purge.
pub(super) struct Filter {
    user: Option<UserId>,
    bots: bool,
    contains: Option<String>,
    has: Option<Has>,
}

impl Filter {
    pub(super) fn new(user: Option<UserId>, bots: bool, contains: Option<String>, has: Option<Has>) -> Self {
        Self { user, bots, contains: contains.map(|text| text.to_lowercase()), has }
    }

    /// Returns whether a message meets all conditions. A pinned one never does, nor one that Discord does not delete.
    pub(super) fn matches(&self, message: &Message) -> bool {
        !message.pinned
            && is_deletable(message.kind)
            && self.user.is_none_or(|user| message.author.id == user)
            && (!self.bots || message.author.bot)
            && self.contains.as_ref().is_none_or(|text| message.content.to_lowercase().contains(text))
            && self.has.is_none_or(|has| has.is_in(message))
    }
}

/// Returns whether Discord deletes messages of this type. Source: "Message Types" in Discord's documentation.
fn is_deletable(kind: MessageType) -> bool {
    !matches!(u8::from(kind), 1..=5 | 21)
}

impl Has {
    fn is_in(self, message: &Message) -> bool {
        match self {
            Self::Attachments => !message.attachments.is_empty(),
            Self::Links => ["https://", "http://"].iter().any(|scheme| message.content.contains(scheme)),
            Self::Embeds => !message.embeds.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn message(mut more: Value) -> Message {
        let mut message = json!({
            "id": "3", "channel_id": "4", "author": {"id": "5", "username": "ann", "discriminator": "0"},
            "content": "Buy at https://example.org", "timestamp": "2024-01-01T00:00:00Z", "edited_timestamp": null,
            "tts": false, "mention_everyone": false, "mentions": [], "mention_roles": [], "attachments": [],
            "embeds": [], "pinned": false, "type": 0,
        });
        message.as_object_mut().unwrap().append(more.as_object_mut().unwrap());
        serde_json::from_value(message).unwrap()
    }

    #[test]
    fn all_conditions_have_to_hold() {
        let plain = message(json!({}));
        let bot = json!({"id": "6", "username": "b", "discriminator": "0", "bot": true});
        let bot =
            message(json!({"author": bot, "content": "hi", "embeds": [{"type": "rich", "title": "t"}]}));
        let all = |user: Option<u64>, bots, text: Option<&str>, has| {
            let filter = Filter::new(user.map(UserId::new), bots, text.map(ToOwned::to_owned), has);
            (filter.matches(&plain), filter.matches(&bot))
        };
        assert_eq!(all(None, false, None, None), (true, true));
        assert_eq!(all(Some(5), false, None, None), (true, false));
        assert_eq!(all(None, true, None, None), (false, true));
        assert_eq!(all(None, false, Some("BUY"), None), (true, false));
        assert_eq!(all(None, false, None, Some(Has::Links)), (true, false));
        assert_eq!(all(None, false, None, Some(Has::Embeds)), (false, true));
        assert_eq!(all(None, false, None, Some(Has::Attachments)), (false, false));
        assert_eq!(all(Some(5), true, None, None), (false, false));
    }

    #[test]
    fn a_pinned_message_stays() {
        let filter = Filter::new(None, false, None, None);
        assert!(!filter.matches(&message(json!({"pinned": true}))));
    }

    #[test]
    fn messages_that_discord_does_not_delete_stay() {
        let filter = Filter::new(None, false, None, None);
        let stay: Vec<u8> =
            (0..=50).filter(|kind| !filter.matches(&message(json!({"type": kind})))).collect();
        assert_eq!(stay, [1, 2, 3, 4, 5, 21]);
    }
}
