//! `/config show`: what the server has set.

use poise::CreateReply;
use sdk::database::DatabaseError;
use sdk::host::ServerAdmin;
use sdk::prelude::*;
use sdk::server::SettingSource;
use sdk::text;
use serenity::CreateEmbed;

use crate::{admin, answer, display};

/// Shows what this server has set, and what can be set
#[poise::command(slash_command, guild_only, ephemeral)]
pub(crate) async fn show(
    ctx: Context<'_>,
    #[description = "Plugin whose settings are shown; all, if left out"]
    #[autocomplete = "crate::complete::plugin"]
    plugin: Option<String>,
) -> Result<(), Error> {
    let admin = admin(ctx)?;
    ctx.defer_ephemeral().await?;
    let embed = CreateEmbed::new();
    let embed = match plugin {
        None => embed.title("Settings of this server").description(overview(&admin).await?),
        Some(plugin) => {
            let settings = settings(&admin, Some(plugin.trim())).await?;
            if settings.is_empty() {
                let plugin = foreign(&plugin, Surface::Code, 50);
                return Err(Refusal::new(format!("There is no plugin `{plugin}` with settings.")).into());
            }
            embed.title(foreign(&plugin, Surface::Line, text::EMBED_TITLE)).description(settings)
        }
    };
    answer(ctx, CreateReply::default().embed(embed)).await
}

async fn overview(admin: &ServerAdmin) -> Result<String, Error> {
    let prefix = match admin.prefix() {
        (_, None) => "text commands are turned off for this bot".to_owned(),
        (Some(own), Some(_)) => display::code(&own),
        (None, Some(bot)) => format!("{} (the bot's)", display::code(&bot)),
    };
    let off: Vec<_> = admin.switched_off().iter().map(|switch| display::code(&switch.to_string())).collect();
    let off = if off.is_empty() { "nothing".to_owned() } else { off.join(", ") };
    let settings = settings(admin, None).await?;
    Ok(text::cut(format!("Prefix: {prefix}\nSwitched off: {off}\n{settings}"), text::EMBED_DESCRIPTION))
}

/// Lists settings with their values, of one plugin or of all.
async fn settings(admin: &ServerAdmin, only: Option<&str>) -> Result<String, Error> {
    let mut lines = String::new();
    let mut last = None;
    for setting in admin.settings() {
        let is_meant = |only| setting.plugin.as_str() == only || setting.plugin.short() == only;
        if !only.is_none_or(is_meant) {
            continue;
        }
        if only.is_none() && last.as_ref() != Some(&setting.plugin) {
            lines += &format!("\n**{}**\n", setting.plugin);
        }
        let value = match admin.value(&setting).await {
            Ok((None, _)) => "not set".to_owned(),
            Ok((Some(value), source)) => {
                let shown = display::value(&value);
                match source {
                    SettingSource::Server => shown,
                    SettingSource::Bot => format!("{shown} (the bot's)"),
                    SettingSource::Default => format!("{shown} (default)"),
                }
            }
            Err(error) if error.is::<DatabaseError>() => return Err(error),
            // A variable of the bot that does not fit.
            Err(error) => format!("⚠️ {}", display::code(&error.to_string())),
        };
        lines += &format!("`{}`: {value}\n-# {}\n", setting.name, setting.declaration.description);
        last = Some(setting.plugin);
    }
    Ok(text::cut(lines, text::EMBED_DESCRIPTION))
}
