//! What a search of messages looks for (Message Resource, "Search Guild Messages").

use serde_json::Value;

use super::super::Query;
use super::kinds::Kinds;
use super::words::Phrase;
use crate::error::ApiResult;
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::state::message::{Author, Message};

const HAS: &[&str] = &["image", "sound", "video", "file", "sticker", "embed", "link", "poll", "snapshot"];

/// The conditions of a search, all of which a message must meet. An empty list is no condition.
#[derive(Debug)]
pub(super) struct Filter {
    content: Phrase,
    min_id: Option<Snowflake>,
    max_id: Option<Snowflake>,
    channels: Vec<Snowflake>,
    author_type: Kinds,
    authors: Vec<Snowflake>,
    mentions: Vec<Snowflake>,
    mentioned_roles: Vec<Snowflake>,
    mention_everyone: Option<bool>,
    replied_to_users: Vec<Snowflake>,
    replied_to_messages: Vec<Snowflake>,
    pinned: Option<bool>,
    has: Kinds,
    embed_type: Kinds,
    embed_providers: Vec<String>,
    link_hostnames: Vec<String>,
    filenames: Vec<String>,
    extensions: Vec<String>,
    sort_by: &'static str,
    sort_order: &'static str,
    include_nsfw: bool,
}

impl Filter {
    /// Reads the query string.
    pub(super) fn read(query: &Query) -> ApiResult<Self> {
        let content = query.short_text("content", 1024)?.unwrap_or_default();
        let ids = |name, most| query.id_set(name, most);
        let texts = |name, longest| query.text_set(name, 100, longest);
        Ok(Self {
            content: Phrase::new(content, query.number("slop", 0..=100, 2)?),
            min_id: query.id("min_id")?,
            max_id: query.id("max_id")?,
            channels: ids("channel_id", 500)?,
            author_type: Kinds::read(query, "author_type", &["user", "bot", "webhook"], true)?,
            authors: ids("author_id", 100)?,
            mentions: ids("mentions", 100)?,
            mentioned_roles: ids("mentions_role_id", 100)?,
            mention_everyone: query.strict_flag("mention_everyone")?,
            replied_to_users: ids("replied_to_user_id", 100)?,
            replied_to_messages: ids("replied_to_message_id", 100)?,
            pinned: query.strict_flag("pinned")?,
            has: Kinds::read(query, "has", HAS, true)?,
            embed_type: Kinds::read(
                query,
                "embed_type",
                &["image", "video", "gif", "sound", "article"],
                false,
            )?,
            embed_providers: texts("embed_provider", 256)?,
            link_hostnames: texts("link_hostname", 256)?,
            filenames: texts("attachment_filename", 1024)?,
            extensions: texts("attachment_extension", 256)?,
            sort_by: query.word("sort_by", &["timestamp", "relevance"])?.unwrap_or("timestamp"),
            sort_order: query.word("sort_order", &["desc", "asc"])?.unwrap_or("desc"),
            include_nsfw: query.strict_flag("include_nsfw")?.unwrap_or(false),
        })
    }

    /// Returns whether results are sorted by relevance, for which the order counts nothing.
    pub(super) fn by_relevance(&self) -> bool {
        self.sort_by == "relevance"
    }

    /// Returns whether the oldest results come first.
    pub(super) fn ascending(&self) -> bool {
        self.sort_order == "asc"
    }

    /// Returns whether messages of a channel can be results.
    pub(super) fn includes_channel(&self, channel: Snowflake, nsfw: bool) -> bool {
        (self.channels.is_empty() || self.channels.contains(&channel)) && (!nsfw || self.include_nsfw)
    }

    /// Returns how well a message fits; `None` if it does not.
    pub(super) fn relevance(&self, world: &World, message: &Message) -> Option<u64> {
        let in_range =
            self.min_id.is_none_or(|min| message.id > min) && self.max_id.is_none_or(|max| message.id < max);
        if !in_range
            || !self.fits_author(world, message)
            || !self.fits_mentions(message)
            || !self.fits_reply(world, message)
            || self.pinned.is_some_and(|pinned| message.pinned != pinned)
            || !self.has.fit(|kind| has(message, kind))
            || !self.fits_embeds(message)
            || !self.fits_files(message)
        {
            return None;
        }
        self.content.count(&message.content)
    }

    fn fits_author(&self, world: &World, message: &Message) -> bool {
        let kind = match message.author {
            Author::Webhook { .. } => "webhook",
            Author::User(id) if world.users.get(&id).is_some_and(|user| user.bot) => "bot",
            Author::User(_) => "user",
        };
        let author = message.author_id().or(message.webhook_id);
        self.author_type.fit(|wanted| wanted == kind) && any(&self.authors, author)
    }

    fn fits_mentions(&self, message: &Message) -> bool {
        any(&self.mentions, message.mentions.iter().copied())
            && any(&self.mentioned_roles, message.mention_roles.iter().copied())
            && self.mention_everyone.is_none_or(|wanted| message.mention_everyone == wanted)
    }

    fn fits_reply(&self, world: &World, message: &Message) -> bool {
        let reply = message.reference.filter(|_| message.kind == 19);
        let other = reply.and_then(|reply| reply.message_id);
        let author = reply.and_then(|reply| world.message(reply.channel_id, reply.message_id?)?.author_id());
        any(&self.replied_to_messages, other) && any(&self.replied_to_users, author)
    }

    fn fits_embeds(&self, message: &Message) -> bool {
        let of_type = |kind: &str| message.embeds.iter().any(|embed| is_embed(embed, kind));
        let providers = message.embeds.iter().filter_map(|embed| embed["provider"]["name"].as_str());
        self.embed_type.fit(of_type) && any(&self.embed_providers, providers.map(str::to_owned))
    }

    fn fits_files(&self, message: &Message) -> bool {
        let lower = |list: &[String]| list.iter().map(|text| text.to_lowercase()).collect::<Vec<_>>();
        let names: Vec<String> = message.files().map(|file| file.filename.to_lowercase()).collect();
        let extensions = names.iter().filter_map(|name| name.rsplit_once('.').map(|(_, end)| end.to_owned()));
        let wanted = lower(&self.filenames);
        (wanted.is_empty() || wanted.iter().any(|part| names.iter().any(|name| name.contains(part))))
            && any(&lower(&self.extensions), extensions)
            && any(&lower(&self.link_hostnames), hostnames(&message.content))
    }
}

/// Returns whether a list is empty or has one of these values.
fn any<T: PartialEq>(wanted: &[T], values: impl IntoIterator<Item = T>) -> bool {
    wanted.is_empty() || values.into_iter().any(|value| wanted.contains(&value))
}

/// Returns the hosts of the links in a text, in lower case.
fn hostnames(text: &str) -> impl Iterator<Item = String> {
    let links = text.split_whitespace().filter_map(|word| word.split_once("://"));
    links.filter_map(|(_, rest)| {
        let host = rest.split(['/', '?', '#', ':', '>', ')']).next()?;
        (!host.is_empty()).then(|| host.to_lowercase())
    })
}

fn has(message: &Message, kind: &str) -> bool {
    let file = |family: &str| message.files().any(|file| file.content_type.starts_with(family));
    let embed = |kind: &str| message.embeds.iter().any(|embed| is_embed(embed, kind));
    match kind {
        "image" => file("image/") || embed("image"),
        "sound" => file("audio/"),
        "video" => file("video/") || embed("video"),
        "file" => message.files().next().is_some(),
        "embed" => !message.embeds.is_empty(),
        "link" => hostnames(&message.content).next().is_some(),
        "poll" => message.poll.is_some(),
        "snapshot" => message.forwarded.is_some(),
        _ => false,
    }
}

/// Returns whether an embed is of a searchable type, which is wider than the type that it has.
fn is_embed(embed: &Value, kind: &str) -> bool {
    let own = embed["type"].as_str().unwrap_or_default();
    match kind {
        "image" => own == "image" || embed["image"].is_object() || embed["thumbnail"].is_object(),
        "video" => own == "video" || embed["video"].is_object(),
        "gif" => own == "gifv",
        _ => own == kind,
    }
}
