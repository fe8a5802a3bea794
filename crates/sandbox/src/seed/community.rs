//! Pages for new members of a guild of a seed.

use super::apply::Planter;
use super::file::{
    Choice, Guild as SeedGuild, Onboarding as SeedOnboarding, Prompt as SeedPrompt,
    WelcomeScreen as SeedWelcome,
};
use super::guild::Site;
use super::mistake::Mistake;
use super::names::{emoji, emoji_ref};
use crate::state::community::{Onboarding, Prompt, PromptOption, WelcomeChannel, WelcomeScreen};
use crate::validate::reaction::Emoji;

/// Adds the welcome screen and the onboarding.
pub(super) fn apply(planter: &mut Planter<'_>, site: &Site<'_>, entry: &SeedGuild) -> Result<(), Mistake> {
    let welcome = entry.welcome_screen.as_ref().map(|screen| welcome(planter, site, screen)).transpose()?;
    let onboarding = entry.onboarding.as_ref().map(|asked| onboarding(planter, site, asked)).transpose()?;
    if let Some(guild) = planter.world.guilds.get_mut(&site.id) {
        guild.community.welcome_screen = welcome;
        guild.community.onboarding = onboarding;
    }
    Ok(())
}

fn welcome(planter: &Planter<'_>, site: &Site<'_>, entry: &SeedWelcome) -> Result<WelcomeScreen, Mistake> {
    if let Some(sixth) = entry.channels.get(5) {
        return Err(Mistake::at(&sixth.channel, "a welcome screen has at most 5 channels."));
    }
    let mut channels = Vec::new();
    for channel in &entry.channels {
        channels.push(WelcomeChannel {
            channel_id: site.names.channels.find("channel", &channel.channel)?,
            description: channel.description.clone(),
            emoji: emoji_ref(planter.world, site.id, &site.names, channel.emoji.as_ref())?,
        });
    }
    Ok(WelcomeScreen { enabled: !entry.disabled, description: entry.description.clone(), channels })
}

fn onboarding(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    entry: &SeedOnboarding,
) -> Result<Onboarding, Mistake> {
    let mut prompts = Vec::new();
    for prompt in &entry.prompts {
        prompts.push(self::prompt(planter, site, prompt)?);
    }
    Ok(Onboarding {
        enabled: !entry.disabled,
        prompts,
        default_channel_ids: site.names.channels.all("channel", &entry.channels)?,
        mode: entry.advanced.into(),
    })
}

fn prompt(planter: &mut Planter<'_>, site: &Site<'_>, entry: &SeedPrompt) -> Result<Prompt, Mistake> {
    let path = format!("{}/prompt:{}", site.path, entry.title.value);
    let id = planter.id(entry.id.as_ref(), &path, &entry.title)?;
    let mut options = Vec::new();
    for option in &entry.options {
        options.push(choice(planter, site, option, &path)?);
    }
    Ok(Prompt {
        id,
        title: entry.title.value.clone(),
        options,
        single_select: entry.single,
        required: entry.required,
        in_onboarding: !entry.later,
        kind: entry.dropdown.into(),
    })
}

fn choice(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    entry: &Choice,
    path: &str,
) -> Result<PromptOption, Mistake> {
    let id = planter.id(entry.id.as_ref(), &format!("{path}/option:{}", entry.title.value), &entry.title)?;
    let mut shown = emoji_ref(planter.world, site.id, &site.names, entry.emoji.as_ref())?;
    let mut is_animated = false;
    if let Some(wanted) = &entry.emoji
        && let Emoji::Custom { name, animated, .. } = emoji(planter.world, site.id, &site.names, wanted)?
    {
        (shown.name, is_animated) = (Some(name), animated);
    }
    Ok(PromptOption {
        id,
        title: entry.title.value.clone(),
        description: entry.description.clone(),
        emoji: (shown, is_animated),
        role_ids: site.names.roles.all("role", &entry.roles)?,
        channel_ids: site.names.channels.all("channel", &entry.channels)?,
    })
}
