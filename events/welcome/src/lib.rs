//! Greets members who join.

use sdk::prelude::*;
use sdk::text;
use serenity::{
    ChannelId, ChannelType, CreateAllowedMentions, CreateMessage, GatewayIntents, Guild, Mentionable as _,
};

const CHANNEL: ServerSetting<Option<ChannelId>> =
    ServerSetting::channel("channel", "Channel in which new members are greeted")
        .of_types(&[ChannelType::Text, ChannelType::News])
        .or_variable("WELCOME_CHANNEL_ID");
const MESSAGE: ServerSetting<String> = ServerSetting::text(
    "message",
    "Greeting, in which {user}, {server} and {count} are replaced",
    1000,
    "Welcome to {server}, {user}! You are member {count}.",
);
/// Maximum number of characters of a server's name, which has at most 100, with escapes.
const SERVER: usize = 200;

struct Welcome;

impl Plugin for Welcome {
    fn subscriptions(&self, on: &mut Subscriptions) {
        on.event(greet);
    }

    fn server_settings(&self) -> Vec<SettingDeclaration> {
        vec![CHANNEL.declaration(), MESSAGE.declaration()]
    }

    fn intents(&self) -> GatewayIntents {
        // Fills the cache with the channels to choose from.
        GatewayIntents::GUILDS
    }
}

async fn greet(ctx: EventContext, joined: event::GuildMemberAddition) -> Result<(), Error> {
    let member = joined.new_member;
    let settings = ctx.data().server(member.guild_id);
    let (configured, message) = (settings.get(CHANNEL).await?, settings.get(MESSAGE).await?);
    // The cache's lock must not be held over an await, so the text is created first.
    let greeting = ctx.cache.guild(member.guild_id).and_then(|guild| {
        let channel = channel(&guild, configured)?;
        Some((channel, words(&message, &guild, &member)))
    });
    let Some((channel, words)) = greeting else {
        sdk::tracing::warn!(
            guild = %member.guild_id,
            "nobody is greeted: the server has no system channel and none called welcome or general, and the setting \
             welcome.channel names none of its channels"
        );
        return Ok(());
    };
    let mentions = CreateAllowedMentions::new().users([member.user.id]);
    let message = CreateMessage::new().content(words).allowed_mentions(mentions);
    if let Err(error) = channel.send_message(&ctx, message).await {
        return Err(format!("a member could not be greeted in channel {channel}: {error}").into());
    }
    Ok(())
}

/// Returns the greeting. What replaces a part of it is not searched for parts again.
fn words(message: &str, guild: &Guild, member: &serenity::Member) -> String {
    let parts = [
        ("{server}", foreign(&guild.name, Surface::Line, SERVER)),
        ("{user}", member.user.id.mention().to_string()),
        ("{count}", guild.member_count.to_string()),
    ];
    let (mut words, mut rest) = (String::new(), message);
    let next = |rest: &str| {
        let found = parts.iter().filter_map(|(name, value)| Some((rest.find(name)?, *name, value)));
        found.min_by_key(|(at, ..)| *at)
    };
    while let Some((at, name, value)) = next(rest) {
        words += &rest[..at];
        words += value;
        rest = &rest[at + name.len()..];
    }
    text::cut(words + rest, text::MESSAGE)
}

/// Returns the configured channel if it belongs to this server, otherwise the system channel, otherwise one by its
/// name.
fn channel(guild: &Guild, configured: Option<ChannelId>) -> Option<ChannelId> {
    let named = |name| {
        let is_it =
            |channel: &&serenity::GuildChannel| channel.name == name && channel.kind == ChannelType::Text;
        guild.channels.values().find(is_it).map(|channel| channel.id)
    };
    configured
        .filter(|id| guild.channels.contains_key(id))
        .or(guild.system_channel_id)
        .or_else(|| named("welcome"))
        .or_else(|| named("general"))
}

sdk::export!(Welcome);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn guild(system: Option<u64>, channels: &[(u64, &str)]) -> Guild {
        let channels: Vec<_> = channels
            .iter()
            .map(|(id, name)| json!({"id": id.to_string(), "guild_id": "1", "type": 0, "name": name, "position": 0}))
            .collect();
        serde_json::from_value(json!({
            "id": "1", "name": "Home", "owner_id": "2", "afk_timeout": 60, "verification_level": 0,
            "default_message_notifications": 0, "explicit_content_filter": 0, "roles": [], "emojis": [],
            "features": [], "mfa_level": 0, "system_channel_flags": 0, "premium_tier": 0,
            "preferred_locale": "en-US", "nsfw_level": 0, "stickers": [], "premium_progress_bar_enabled": false,
            "joined_at": "2024-01-01T00:00:00Z", "large": false, "member_count": 5, "voice_states": [],
            "members": [], "threads": [], "presences": [], "stage_instances": [], "guild_scheduled_events": [],
            "system_channel_id": system.map(|id| id.to_string()), "channels": channels,
        }))
        .unwrap()
    }

    #[test]
    fn the_configured_channel_comes_first_then_the_system_channel_then_a_name() {
        let all = &[(10, "chat"), (11, "general"), (12, "welcome")];
        let channel = |guild: &Guild, configured: Option<u64>| {
            super::channel(guild, configured.map(ChannelId::new)).map(ChannelId::get)
        };
        assert_eq!(channel(&guild(Some(11), all), Some(10)), Some(10));
        assert_eq!(channel(&guild(Some(10), all), None), Some(10));
        assert_eq!(channel(&guild(None, all), None), Some(12));
        assert_eq!(channel(&guild(None, &all[..2]), None), Some(11));
        assert_eq!(channel(&guild(None, &all[..1]), None), None);
    }

    #[test]
    fn a_greeting_is_made_of_its_parts_and_never_too_long() {
        let mut guild = guild(None, &[]);
        guild.name = "{user} *Club*".to_owned();
        let member: serenity::Member = serde_json::from_value(json!({
            "user": {"id": "7", "username": "ann", "discriminator": "0"}, "roles": [], "deaf": false,
            "mute": false, "flags": 0, "guild_id": "1", "joined_at": "2024-01-01T00:00:00Z",
        }))
        .unwrap();
        assert_eq!(
            words("Hi {user}, no. {count} of {server}{x}", &guild, &member),
            "Hi <@7>, no. 5 of {user} \\*Club\\*{x}"
        );
        guild.name = "x".repeat(100);
        assert_eq!(words(&"{server}".repeat(125), &guild, &member).chars().count(), text::MESSAGE);
    }

    #[test]
    fn a_channel_of_another_server_is_not_greeted_in() {
        let guild = guild(Some(11), &[(11, "general")]);
        assert_eq!(channel(&guild, Some(ChannelId::new(99))), Some(ChannelId::new(11)));
    }
}
