//! Events of a guild, reported in #general.

use twilight_gateway::Event;
use twilight_model::channel::message::EmojiReactionType;
use twilight_model::id::Id;
use twilight_model::id::marker::UserMarker;

use crate::{Bot, Home, commands, interactions, messages};

/// Returns the author of a deleted message, which the cache only has before the event changes it.
pub fn before(bot: &Bot, event: &Event) -> Option<Id<UserMarker>> {
    match event {
        Event::MessageDelete(gone) => bot.cache.message(gone.id).map(|message| message.author()),
        _ => None,
    }
}

fn name(bot: &Bot, user: Id<UserMarker>) -> String {
    bot.cache.user(user).map_or_else(|| user.to_string(), |user| user.name.clone())
}

fn emoji(emoji: &EmojiReactionType) -> &str {
    match emoji {
        EmojiReactionType::Unicode { name } => name,
        EmojiReactionType::Custom { name, .. } => name.as_deref().unwrap_or_default(),
    }
}

pub async fn handle(bot: &Bot, event: Event, author: Option<Id<UserMarker>>) -> anyhow::Result<()> {
    let me = bot.cache.current_user().map(|user| user.id);
    let text = match event {
        Event::GuildCreate(_) if bot.home.get().is_none() => return begin(bot).await,
        Event::InteractionCreate(interaction) => return interactions::handle(bot, interaction.0).await,
        Event::MessageCreate(message) if !message.author.bot => {
            return messages::handle(bot, message.message).await;
        }
        Event::MemberChunk(chunk) => {
            if let Some(asked) = &*bot.chunks.lock().await {
                asked.send(chunk)?;
            }
            return Ok(());
        }
        Event::MemberAdd(member) => format!("join {}", member.user.name),
        Event::MemberRemove(member) => format!("leave {}", member.user.name),
        Event::MemberUpdate(member) if member.nick.as_deref() == Some("Bobby") => {
            format!("member {} Bobby", member.user.name)
        }
        Event::MessageUpdate(message) if !message.author.bot => format!("edit {}", message.content),
        Event::MessageDelete(gone) if author.is_some_and(|author| name(bot, author) == "carol") => {
            format!("delete {}", gone.id)
        }
        Event::ReactionAdd(reaction) if Some(reaction.user_id) != me => {
            format!("react {} {}", emoji(&reaction.emoji), name(bot, reaction.user_id))
        }
        Event::ReactionRemove(reaction) if Some(reaction.user_id) != me => {
            format!("unreact {} {}", emoji(&reaction.emoji), name(bot, reaction.user_id))
        }
        Event::PresenceUpdate(presence) => match presence.activities.first() {
            Some(activity) if name(bot, presence.user.id()) == "bob" => {
                format!(
                    "presence bob {} {}",
                    serde_json::to_value(presence.status)?.as_str().unwrap_or_default(),
                    activity.name
                )
            }
            _ => return Ok(()),
        },
        Event::TypingStart(typing) if Some(typing.user_id) != me => {
            format!("typing {}", name(bot, typing.user_id))
        }
        Event::VoiceStateUpdate(state) => {
            let channel = state.channel_id.and_then(|id| bot.cache.channel(id)?.name.clone());
            format!("voice {} {}", name(bot, state.user_id), channel.as_deref().unwrap_or("none"))
        }
        Event::ThreadCreate(thread) if thread.name.as_deref() == Some("First") => "thread First".to_owned(),
        Event::ThreadUpdate(thread)
            if thread.name.as_deref() == Some("First")
                && thread.thread_metadata.as_ref().is_some_and(|data| data.archived) =>
        {
            "archived First".to_owned()
        }
        Event::MessagePollVoteAdd(vote) => format!("vote {}", name(bot, vote.user_id)),
        Event::MessagePollVoteRemove(vote) => format!("unvote {}", name(bot, vote.user_id)),
        Event::ChannelCreate(channel) if channel.name.as_deref() == Some("news") => "channel news".to_owned(),
        Event::RoleCreate(role) if role.role.name == "Artist" => "role Artist".to_owned(),
        Event::GuildCreate(guild) => match *guild {
            twilight_model::gateway::payload::incoming::GuildCreate::Available(guild)
                if guild.unavailable != Some(false) =>
            {
                format!("guild {}", guild.name)
            }
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    if let Some(home) = bot.home.get() {
        bot.http.create_message(home.general).content(&text).await?;
    }
    Ok(())
}

/// Handles the first guild: registers the commands and reports it.
async fn begin(bot: &Bot) -> anyhow::Result<()> {
    let guild = bot.http.current_user_guilds().await?.models().await?.remove(0).id;
    let channels = bot.http.guild_channels(guild).await?.models().await?;
    let channel =
        |name: &str| channels.iter().find(|channel| channel.name.as_deref() == Some(name)).map(|c| c.id);
    let (Some(general), Some(test)) = (channel("general"), channel("bot-test")) else {
        anyhow::bail!("the guild lacks a channel");
    };
    let application = bot.http.current_user_application().await?.model().await?.id;
    if bot.home.set(Home { application, guild, general }).is_err() {
        return Ok(());
    }
    commands::register(bot.http.interaction(application), guild).await?;
    bot.http.create_message(test).content("ready").await?;
    Ok(())
}
