//! The log channel, and the form of messages there.

use sdk::prelude::*;
use serenity::{
    Attachment, Cache, CacheHttp, ChannelId, ChannelType, CreateAllowedMentions, CreateAttachment,
    CreateEmbed, CreateMessage, Guild, GuildId, Mentionable as _, MessageId, User,
};

pub(crate) const CHANNEL: ServerSetting<Option<ChannelId>> =
    ServerSetting::channel("channel", "Channel in which edited and deleted messages are logged")
        .of_types(&[ChannelType::Text, ChannelType::News])
        .or_variable("MODLOG_CHANNEL_ID");
pub(crate) const EDITS: ServerSetting<bool> =
    ServerSetting::boolean("edits", "Whether edited messages are logged", true);
pub(crate) const DELETIONS: ServerSetting<bool> =
    ServerSetting::boolean("deletions", "Whether deleted messages are logged", true);

/// Maximum number of characters of file names. With two quotes of 2200, an entry stays under Discord's 6000 for all its
/// embeds.
const FILES: usize = 500;

/// Maximum number of characters of a user's name; Discord allows 32, and 80 for webhooks.
pub(crate) const NAME: usize = 160;

/// Finds the log channel of a server for what `wanted` says is logged; `None` if it is not, if there is no channel, and
/// for events in the log channel itself.
pub(crate) async fn channel(
    ctx: &EventContext,
    wanted: ServerSetting<bool>,
    guild: GuildId,
    happened_in: ChannelId,
) -> Result<Option<ChannelId>, Error> {
    if !ctx.data().server(guild).get(wanted).await? {
        return Ok(None);
    }
    Ok(of(ctx.data(), &ctx.cache, guild).await?.filter(|log| *log != happened_in))
}

/// Finds the log channel of a server.
pub(crate) async fn of(data: &Data, cache: &Cache, guild: GuildId) -> Result<Option<ChannelId>, Error> {
    let configured = data.server(guild).get(CHANNEL).await?;
    Ok(cache.guild(guild).and_then(|guild| choose(&guild, configured)))
}

/// Returns the configured channel if it belongs to this server, otherwise one named mod-log.
fn choose(guild: &Guild, configured: Option<ChannelId>) -> Option<ChannelId> {
    configured.filter(|id| guild.channels.contains_key(id)).or_else(|| {
        guild.channels.values().find(|channel| channel.name == "mod-log").map(|channel| channel.id)
    })
}

/// Sends a log entry. Mentions in it ping no one.
pub(crate) async fn send(ctx: impl CacheHttp, log: ChannelId, entry: CreateMessage) -> Result<(), Error> {
    match log.send_message(ctx, entry.allowed_mentions(CreateAllowedMentions::new())).await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("channel {log} could not be logged to: {error}").into()),
    }
}

/// The ids of a message.
pub(crate) struct Place {
    pub(crate) guild: GuildId,
    pub(crate) channel: ChannelId,
    pub(crate) message: MessageId,
}

/// Creates an entry with the author and place of a message.
pub(crate) fn entry(title: &str, color: u32, author: Option<&User>, place: &Place) -> CreateEmbed {
    let mut embed = CreateEmbed::new().title(title).color(color);
    if let Some(author) = author {
        let name = foreign(&author.name, Surface::Line, NAME);
        let words = format!("{} {name} (`{}`)", author.mention(), author.id);
        embed = embed.field("Author", words, true);
    }
    let link = place.message.link(place.channel, Some(place.guild));
    embed.field("Channel", place.channel.mention().to_string(), true).field(
        "Message",
        format!("[Go there]({link})"),
        true,
    )
}

/// Returns the embed with the names of a message's files, if there are any.
pub(crate) fn with_files(embed: CreateEmbed, files: &[Attachment]) -> CreateEmbed {
    if files.is_empty() {
        return embed;
    }
    embed.field("Files", foreign(&names(files), Surface::Line, FILES), false)
}

/// Lists the names of files, unchanged.
pub(crate) fn names(files: &[Attachment]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.filename.as_str()).collect();
    names.join(", ")
}

/// The content of a message, as shown in an entry.
pub(crate) struct Quoted {
    pub(crate) shown: String,
    /// The whole content, if it does not fit the entry.
    pub(crate) whole: Option<CreateAttachment>,
}

/// Quotes the content of a message: every line is marked as a quotation and shown unformatted, and a masked link with
/// both its text and its address. If it is longer than `most` characters, the whole content goes into a file called
/// `name`.
pub(crate) fn quote(content: &str, most: usize, name: &str) -> Quoted {
    if content.is_empty() {
        return Quoted { shown: "*No text*".to_owned(), whole: None };
    }
    let shown = foreign(content, Surface::Quote, usize::MAX);
    if shown.chars().count() <= most {
        return Quoted { shown, whole: None };
    }
    let whole = CreateAttachment::bytes(indented(content), name);
    Quoted { shown: foreign(content, Surface::Quote, most), whole: Some(whole) }
}

/// Formats the content of a message for a file, which is not formatted by its readers: lines after the first are
/// indented.
pub(crate) fn indented(content: &str) -> String {
    let lines: Vec<_> = content.lines().map(|line| foreign(line, Surface::Label, usize::MAX)).collect();
    lines.join("\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_has_no_line_that_could_be_an_entry_and_no_hidden_link() {
        let said = "hi\n**Author**\n[free](https://evil.example)\u{202e}";
        let quoted = quote(said, 200, "said.txt");
        assert_eq!(quoted.shown, "> hi\n> \\*\\*Author\\*\\*\n> \\[free\\](https\\://evil.example)");
        assert!(quoted.whole.is_none());
        assert_eq!(quote("", 200, "said.txt").shown, "*No text*");
    }

    #[test]
    fn what_the_entry_has_no_room_for_is_a_file() {
        let quoted = quote(&"*".repeat(2_000), 2_200, "said.txt");
        assert_eq!(quoted.shown.chars().count(), 2_199);
        assert!(quoted.shown.ends_with('…'), "{}", quoted.shown);
        let whole = quoted.whole.unwrap();
        assert_eq!((whole.filename.as_str(), whole.data.len()), ("said.txt", 2_000));
        assert_eq!(indented("one\r\ntwo\u{202e}\n"), "one\n    two");
    }
}
