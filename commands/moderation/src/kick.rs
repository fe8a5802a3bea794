//! `/kick`.

use sdk::prelude::*;
use serenity::{Attachment, User};

use crate::act::{self, Order};
use crate::cases::Kind;
use crate::evidence;
use crate::guard::ModerationContext;

/// Removes a member, who can come back with an invitation
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "KICK_MEMBERS")]
pub(crate) async fn kick(
    ctx: Context<'_>,
    #[description = "Whom to kick"] user: User,
    #[description = "Why, for the user, the case and Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
    #[description = "Link to the evidence"]
    #[max_length = 500]
    evidence: Option<String>,
    #[description = "File with the evidence"] file: Option<Attachment>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let evidence = evidence::of(evidence, file.as_ref())?;
    ctx.defer_ephemeral().await?;
    let target = at.target(user).await?;
    act::answer(ctx, &at, Order { evidence, ..Order::new(Kind::Kick, target, reason) }).await
}
