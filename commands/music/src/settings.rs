//! `/settings`: the settings for music in a server.

use std::time::Duration;

use sdk::prelude::*;
use sdk::text;
use sdk::voice::{GuildSettings, WhenAlone};
use serenity::{ChannelId, CreateEmbed, GuildChannel, Mentionable as _, Permissions, Role, RoleId};

use crate::guard::MusicContext;
use crate::look::COLOR;

/// What the bot does when there are no listeners any more.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
pub(crate) enum Alone {
    #[name = "pause"]
    Pause,
    #[name = "leave"]
    Leave,
    #[name = "play on"]
    PlayOn,
}

/// Settings to reset to their default.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
pub(crate) enum Reset {
    #[name = "DJ role"]
    DjRole,
    #[name = "announce channel"]
    Announce,
    #[name = "everything"]
    Everything,
}

/// Shows how music behaves in this server, or changes it
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "MANAGE_GUILD")]
#[allow(clippy::too_many_arguments)] // Discord has no option that takes several.
pub(crate) async fn settings(
    ctx: Context<'_>,
    #[description = "Role whose members steer the player while others listen"] dj_role: Option<Role>,
    #[description = "Share of the listeners that /voteskip takes, in per cent"]
    #[min = 1]
    #[max = 100]
    vote_ratio: Option<u8>,
    #[description = "Minutes without music after which I leave; 0 for never"]
    #[min = 0]
    #[max = 1440]
    idle_minutes: Option<u32>,
    #[description = "Whether I stay in the channel around the clock"] stay: Option<bool>,
    #[description = "What I do when nobody listens any more"] when_alone: Option<Alone>,
    #[description = "Channel that is told of each track"]
    #[channel_types("Text", "News", "Voice")]
    announce: Option<GuildChannel>,
    #[description = "Loudest volume, in per cent"]
    #[min = 1]
    #[max = 200]
    max_volume: Option<u16>,
    #[description = "Whether I go on with tracks of the library when the queue has ended"] autoplay: Option<
        bool,
    >,
    #[description = "What goes back to how it was at first"] reset: Option<Reset>,
) -> Result<(), Error> {
    let music = MusicContext::of(ctx)?;
    if let Some(channel) = &announce {
        can_write(&ctx.serenity_context().cache, &music, channel.id)?;
    }
    let change = Change {
        dj_role: dj_role.map(|role| role.id),
        vote_ratio,
        idle_minutes,
        stay,
        when_alone,
        announce: announce.map(|channel| channel.id),
        max_volume,
        autoplay,
        reset,
    };
    let settings = change.made(music.settings.clone(), music.guild.everyone_role());
    let title = if settings == music.settings {
        "Music settings"
    } else {
        ctx.data().voice().set_settings(music.guild, settings.clone());
        "Music settings, as they are from now on"
    };
    let embed = CreateEmbed::new().title(title).description(told(&settings)).color(COLOR);
    ctx.send(poise::CreateReply::default().embed(embed)).await?;
    Ok(())
}

/// The options of the command.
#[derive(Default)]
struct Change {
    dj_role: Option<RoleId>,
    vote_ratio: Option<u8>,
    idle_minutes: Option<u32>,
    stay: Option<bool>,
    when_alone: Option<Alone>,
    announce: Option<ChannelId>,
    max_volume: Option<u16>,
    autoplay: Option<bool>,
    reset: Option<Reset>,
}

impl Change {
    /// Returns the settings with the changes applied, resets first.
    fn made(self, before: GuildSettings, everyone: RoleId) -> GuildSettings {
        let mut to = match self.reset {
            Some(Reset::Everything) => GuildSettings::default(),
            Some(Reset::DjRole) => GuildSettings { dj_role: None, ..before },
            Some(Reset::Announce) => GuildSettings { announce: None, ..before },
            None => before,
        };
        if let Some(role) = self.dj_role {
            // The role that everyone has counts as no role.
            to.dj_role = Some(role).filter(|role| *role != everyone);
        }
        if let Some(minutes) = self.idle_minutes {
            to.idle_timeout =
                Some(Duration::from_secs(u64::from(minutes) * 60)).filter(|time| !time.is_zero());
        }
        if let Some(alone) = self.when_alone {
            to.when_alone = match alone {
                Alone::Pause => WhenAlone::Pause,
                Alone::Leave => WhenAlone::Leave,
                Alone::PlayOn => WhenAlone::Play,
            };
        }
        to.announce = self.announce.or(to.announce);
        to.vote_ratio = self.vote_ratio.unwrap_or(to.vote_ratio);
        to.stay = self.stay.unwrap_or(to.stay);
        to.max_volume = self.max_volume.unwrap_or(to.max_volume);
        to.volume = to.volume.min(to.max_volume);
        to.autoplay = self.autoplay.unwrap_or(to.autoplay);
        to
    }
}

/// Refuses an announce channel in which the bot cannot write.
fn can_write(cache: &serenity::Cache, music: &MusicContext, channel: ChannelId) -> Result<(), Error> {
    let Some(guild) = cache.guild(music.guild) else { return Ok(()) };
    let (place, bot) = (guild.channels.get(&channel), cache.current_user().id);
    let (Some(place), Some(member)) = (place, guild.members.get(&bot)) else { return Ok(()) };
    let needed = Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES | Permissions::EMBED_LINKS;
    if guild.user_permissions_in(place, member).contains(needed) {
        return Ok(());
    }
    let name = channel.mention();
    Err(Refusal::new(format!(
        "I may not write in {name}; give me the permissions View Channel, Send Messages and Embed Links there."
    ))
    .into())
}

/// Describes the settings, one per line.
fn told(settings: &GuildSettings) -> String {
    let dj = match settings.dj_role {
        Some(role) => format!("{}, managers, and who listens alone", role.mention()),
        None => "everyone who listens".to_owned(),
    };
    let idle = match settings.idle_timeout {
        Some(time) => format!("after {}", text::duration(time)),
        None => "never".to_owned(),
    };
    let alone = match settings.when_alone {
        WhenAlone::Pause => "I pause",
        WhenAlone::Leave => "I leave",
        WhenAlone::Play => "I play on",
    };
    let announce =
        settings.announce.map_or_else(|| "nowhere".to_owned(), |channel| channel.mention().to_string());
    let switch = |on: bool| if on { "on" } else { "off" };
    [
        ("DJs", dj),
        ("Votes to skip", format!("{} % of the listeners", settings.vote_ratio)),
        ("I leave when nothing plays", idle),
        ("I stay around the clock", switch(settings.stay).to_owned()),
        ("When nobody listens", alone.to_owned()),
        ("Tracks are announced in", announce),
        ("Loudest volume", format!("{} %", settings.max_volume)),
        ("Autoplay", switch(settings.autoplay).to_owned()),
    ]
    .map(|(name, value)| format!("**{name}:** {value}"))
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYONE: RoleId = RoleId::new(1);

    #[test]
    fn what_is_left_out_stays_as_it_is() {
        let before = GuildSettings {
            dj_role: Some(RoleId::new(7)),
            announce: Some(ChannelId::new(8)),
            stay: true,
            ..GuildSettings::default()
        };
        assert_eq!(Change::default().made(before.clone(), EVERYONE), before);
        let louder = Change { max_volume: Some(150), ..Change::default() }.made(before.clone(), EVERYONE);
        assert_eq!(louder, GuildSettings { max_volume: 150, ..before });
    }

    #[test]
    fn what_goes_back_does_so_before_the_rest_is_set() {
        let before =
            GuildSettings { dj_role: Some(RoleId::new(7)), vote_ratio: 90, ..GuildSettings::default() };
        let change = Change { reset: Some(Reset::Everything), idle_minutes: Some(0), ..Change::default() };
        let after = change.made(before.clone(), EVERYONE);
        assert_eq!(after, GuildSettings { idle_timeout: None, ..GuildSettings::default() });
        let change = Change { reset: Some(Reset::DjRole), ..Change::default() };
        assert_eq!(change.made(before.clone(), EVERYONE), GuildSettings { dj_role: None, ..before.clone() });
        let change = Change { dj_role: Some(EVERYONE), ..Change::default() };
        assert_eq!(change.made(before, EVERYONE).dj_role, None);
    }

    #[test]
    fn a_lower_limit_lowers_the_volume_to_begin_with() {
        let quiet = Change { max_volume: Some(30), ..Change::default() };
        assert_eq!(quiet.made(GuildSettings::default(), EVERYONE).volume, 30);
    }

    #[test]
    fn settings_are_told_a_line_each() {
        let words = told(&GuildSettings::default());
        assert_eq!(words.lines().count(), 8);
        assert!(words.contains("**DJs:** everyone who listens\n"), "{words}");
        assert!(words.contains("**I leave when nothing plays:** after 5 minutes\n"), "{words}");
    }
}
