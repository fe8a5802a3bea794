//! The content of a live message, as an answer, an edit, or the answer to a press.

use sdk::prelude::*;
use serenity::{
    CreateActionRow, CreateEmbed, CreateInteractionResponse, CreateInteractionResponseMessage, EditMessage,
};

/// Colour of the embeds of the player.
pub(crate) const COLOR: u32 = 0x58_65_f2;

/// An embed with its buttons.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Look {
    pub(crate) embed: CreateEmbed,
    pub(crate) rows: Vec<CreateActionRow>,
}

impl Look {
    /// Creates an embed with one text and no buttons.
    pub(crate) fn text(words: impl Into<String>) -> Self {
        Self { embed: CreateEmbed::new().description(words).color(COLOR), rows: Vec::new() }
    }

    pub(crate) fn reply(self) -> poise::CreateReply {
        poise::CreateReply::default().embed(self.embed).components(self.rows)
    }

    pub(crate) fn edit(self) -> EditMessage {
        EditMessage::new().embed(self.embed).components(self.rows)
    }

    pub(crate) fn update(self) -> CreateInteractionResponse {
        let message = CreateInteractionResponseMessage::new().embed(self.embed).components(self.rows);
        CreateInteractionResponse::UpdateMessage(message)
    }
}
