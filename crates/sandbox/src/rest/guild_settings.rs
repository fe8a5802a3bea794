//! The settings of a guild.

use axum::extract::State;
use axum::routing::patch;
use axum::{Json, Router};
use serde_json::Value;

use super::guilds::require;
use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::live::{Live, changes};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::state::guild::Guild;
use crate::state::perks::INVITES_DISABLED;
use crate::state::picture;
use crate::validate;
use crate::validate::Change;
use crate::validate::guild::GuildBody;

/// Features that a bot can switch, each with the permission that it needs.
const SWITCHED: [(&str, Permissions); 4] = [
    ("COMMUNITY", Permissions::ADMINISTRATOR),
    ("DISCOVERABLE", Permissions::ADMINISTRATOR),
    (INVITES_DISABLED, Permissions::MANAGE_GUILD),
    ("RAID_ALERTS_DISABLED", Permissions::MANAGE_GUILD),
];

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/guilds/{guild_id}", patch(edit))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::guild::modify(&payload.json)?;
    let mut live = rest.discord.lock();
    let before = require(&live, id, bot, Permissions::MANAGE_GUILD).map(Guild::json)?;
    check_channels(&live, id, &body)?;
    if let Some(features) = &body.features {
        for (feature, needed) in SWITCHED {
            if features.iter().any(|wanted| wanted == feature) != live.guild_mut(id)?.perks.has(feature) {
                require(&live, id, bot, needed)?;
            }
        }
    }
    let access = live.access(id);
    let guild = live.guild_mut(id)?;
    let pictures = read_pictures(guild, &body)?;
    if let Some(owner) = body.owner_id.filter(|owner| *owner != guild.owner_id) {
        if guild.owner_id != bot || !guild.members.contains_key(&owner) {
            return Err(ApiError::missing_permissions());
        }
        guild.owner_id = owner;
    }
    let [icon, splash, discovery_splash, banner] =
        pictures.map(|change| change.map(|new| live.keep_picture(new.bytes, new.animated)));
    let guild = live.guild_mut(id)?;
    icon.apply(&mut guild.icon);
    splash.apply(&mut guild.perks.splash);
    discovery_splash.apply(&mut guild.perks.discovery_splash);
    banner.apply(&mut guild.perks.banner);
    apply(guild, body);
    let shown = guild.json();
    let changes = changes::renamed(&before, &shown, changes::GUILD);
    if !changes.is_empty() {
        live.guild_changed(id);
        live.access_changed(id, &access, None);
        live.audit(id, 1, bot, Some(id), reason.as_deref(), changes);
    }
    Ok(Json(shown))
}

fn apply(guild: &mut Guild, body: GuildBody) {
    if let Some(name) = body.name {
        guild.name = name;
    }
    if let Some(features) = body.features {
        // The others come from boosts or from Discord, so a list without them does not take them away.
        for (feature, _) in SWITCHED {
            if features.iter().any(|wanted| wanted == feature) {
                guild.perks.grant(feature);
            } else {
                guild.perks.granted.remove(feature);
            }
        }
    }
    guild.perks.progress_bar = body.premium_progress_bar_enabled.unwrap_or(guild.perks.progress_bar);
    body.description.apply(&mut guild.description);
    body.system_channel_id.apply(&mut guild.system_channel_id);
    body.afk_channel_id.apply(&mut guild.afk_channel_id);
    body.rules_channel_id.apply(&mut guild.rules_channel_id);
    body.public_updates_channel_id.apply(&mut guild.public_updates_channel_id);
    body.safety_alerts_channel_id.apply(&mut guild.safety_alerts_channel_id);
    body.verification_level.map(u64::from).apply_or(&mut guild.verification_level, 0);
    body.default_message_notifications.map(u64::from).apply_or(&mut guild.default_message_notifications, 0);
    body.explicit_content_filter.map(u64::from).apply_or(&mut guild.explicit_content_filter, 0);
    body.system_channel_flags.map(u64::from).apply_or(&mut guild.system_channel_flags, 0);
    body.preferred_locale.map(str::to_owned).apply_or(&mut guild.preferred_locale, "en-US".to_owned());
    guild.afk_timeout = body.afk_timeout.map_or(guild.afk_timeout, u64::from);
}

/// A picture of a guild, which is animated only with a feature.
struct Uploaded {
    bytes: Vec<u8>,
    animated: bool,
}

/// Returns the pictures in a body: icon, splash, discovery splash, banner. A guild without the feature for
/// one gets it not.
fn read_pictures(guild: &Guild, body: &GuildBody) -> ApiResult<[Change<Uploaded>; 4]> {
    let read = |key: &str, data: &Change<String>, feature: Option<&str>, animated: &str| {
        data.clone().try_map(|data| {
            let picture = picture::read(&data, key)?;
            if feature.is_some_and(|feature| !guild.perks.has(feature)) {
                return Err(ApiError::needs_boosts());
            }
            Ok(Uploaded { bytes: picture.bytes, animated: guild.perks.has(animated) })
        })
    };
    Ok([
        read("icon", &body.icon, None, "ANIMATED_ICON")?,
        read("splash", &body.splash, Some("INVITE_SPLASH"), "")?,
        read("discovery_splash", &body.discovery_splash, Some("DISCOVERABLE"), "")?,
        read("banner", &body.banner, Some("BANNER"), "ANIMATED_BANNER")?,
    ])
}

/// Checks that the channels of a body are of this guild and of a type that fits.
fn check_channels(live: &Live<'_>, id: Snowflake, body: &GuildBody) -> ApiResult<()> {
    let text = [kind::TEXT].as_slice();
    for (key, channel, kinds) in [
        ("afk_channel_id", &body.afk_channel_id, [kind::VOICE].as_slice()),
        ("system_channel_id", &body.system_channel_id, &[kind::TEXT, kind::ANNOUNCEMENT]),
        ("rules_channel_id", &body.rules_channel_id, text),
        ("public_updates_channel_id", &body.public_updates_channel_id, text),
        ("safety_alerts_channel_id", &body.safety_alerts_channel_id, text),
    ] {
        let Some(channel) = channel.as_ref() else { continue };
        let found = live.channels.get(channel).filter(|channel| channel.guild_id == Some(id));
        if found.is_some_and(|channel| kinds.contains(&channel.kind)) {
            continue;
        }
        if found.is_some() && kinds == text {
            return Err(ApiError::community_channel_type());
        }
        let error = FieldError::new("CHANNEL_INVALID", "Channel does not exist or is of another type");
        return Err(ApiError::field(&[key], error));
    }
    Ok(())
}
