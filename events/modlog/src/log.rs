//! The channel that is logged to, and how a message is shown there.

use sdk::prelude::*;
use sdk::text;
use serenity::{
    Attachment, Cache, CacheHttp, ChannelId, CreateAllowedMentions, CreateEmbed, CreateMessage, Guild,
    GuildId, Mentionable as _, MessageId, User,
};

/// Names the channel to log to, by id.
const CHANNEL: &str = "MODLOG_CHANNEL_ID";

/// Most characters of file names; with two quotes of 2200 an entry stays under Discord's 6000 for all its embeds.
const FILES: usize = 500;

/// Finds the log channel of a server; `None` where there is none, and for what happens in the log itself.
pub(crate) fn channel(
    ctx: &EventContext,
    guild: GuildId,
    happened_in: ChannelId,
) -> Result<Option<ChannelId>, Error> {
    Ok(of(ctx.data(), &ctx.cache, guild)?.filter(|log| *log != happened_in))
}

/// Finds the log channel of a server.
pub(crate) fn of(data: &Data, cache: &Cache, guild: GuildId) -> Result<Option<ChannelId>, Error> {
    let configured = data.settings().channel(CHANNEL)?;
    Ok(cache.guild(guild).and_then(|guild| choose(&guild, configured)))
}

/// Chooses the configured channel if it is one of this server's, else one called mod-log.
fn choose(guild: &Guild, configured: Option<ChannelId>) -> Option<ChannelId> {
    configured.filter(|id| guild.channels.contains_key(id)).or_else(|| {
        guild.channels.values().find(|channel| channel.name == "mod-log").map(|channel| channel.id)
    })
}

/// Sends a log entry, in which no mention pings anyone.
pub(crate) async fn send(ctx: impl CacheHttp, log: ChannelId, entry: CreateMessage) -> Result<(), Error> {
    match log.send_message(ctx, entry.allowed_mentions(CreateAllowedMentions::new())).await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("channel {log} could not be logged to: {error}").into()),
    }
}

/// Where a message is or was.
pub(crate) struct Place {
    pub(crate) guild: GuildId,
    pub(crate) channel: ChannelId,
    pub(crate) message: MessageId,
}

/// Begins an entry with who wrote the message, and where.
pub(crate) fn entry(title: &str, color: u32, author: Option<&User>, place: &Place) -> CreateEmbed {
    let mut embed = CreateEmbed::new().title(title).color(color);
    if let Some(author) = author {
        let words = format!("{} {} (`{}`)", author.mention(), author.name, author.id);
        embed = embed.field("Author", words, true);
    }
    let link = place.message.link(place.channel, Some(place.guild));
    embed.field("Channel", place.channel.mention().to_string(), true).field(
        "Message",
        format!("[Go there]({link})"),
        true,
    )
}

/// Adds the names of a message's files.
pub(crate) fn with_files(embed: CreateEmbed, files: &[Attachment]) -> CreateEmbed {
    if files.is_empty() {
        return embed;
    }
    embed.field("Files", text::cut(names(files), FILES), false)
}

/// Lists the names of files.
pub(crate) fn names(files: &[Attachment]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.filename.as_str()).collect();
    names.join(", ")
}

/// Gives what a message said, cut to `most` characters, or says that it had no text.
pub(crate) fn quote(content: &str, most: usize) -> String {
    if content.is_empty() { "*No text*".to_owned() } else { text::cut(content, most) }
}
