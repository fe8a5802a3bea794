//! `/nick`.

use sdk::prelude::*;
use serde_json::json;
use serenity::{Permissions, User};

use crate::guard::ModerationContext;
use crate::{answer, discord};

/// Changes or removes the nickname of a member
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "MANAGE_NICKNAMES")]
pub(crate) async fn nick(
    ctx: Context<'_>,
    #[description = "Whose nickname"] user: User,
    #[description = "The new nickname; removed, if left out"]
    #[max_length = 32]
    nickname: Option<String>,
    #[description = "Why, for Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    ctx.defer_ephemeral().await?;
    let target = at.target(user).await?;
    let name = target.name();
    at.bot_may(Permissions::MANAGE_NICKNAMES, &format!("to change the nickname of {name}"))?;
    at.check(&target, "change the nickname of")?;
    let change = json!({ "nick": nickname });
    let reason = at.audit(reason.as_deref());
    let answer = ctx.http().edit_member(at.guild, target.user.id, &change, Some(&reason)).await;
    answer.map_err(|error| discord::explained(error, &format!("change the nickname of {name}")))?;
    let sentence = match &nickname {
        Some(nickname) => {
            format!("The nickname of {name} is {} now", foreign(nickname, Surface::Line, 100))
        }
        None => format!("{name} has no nickname now"),
    };
    answer::logged(ctx, &at, "Nickname", sentence).await
}
