//! Channels, threads, roles, members, pins, webhooks, invites, bans and polls: creating, changing and deleting.

use std::time::Duration;

use serenity::all::*;

use crate::Outcome;

fn ensure(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(what.into()) }
}

pub(crate) async fn run(ctx: &Context, guild: GuildId, user: &User) -> Outcome {
    let closed = PermissionOverwrite {
        allow: Permissions::empty(),
        deny: Permissions::SEND_MESSAGES,
        kind: PermissionOverwriteType::Role(guild.everyone_role()),
    };
    let room = CreateChannel::new("Tour Room").topic("first").permissions([closed]);
    let mut room = guild.create_channel(ctx, room).await?;
    room.edit(ctx, EditChannel::new().topic("second")).await?;
    let open = PermissionOverwriteType::Member(ctx.cache.current_user().id);
    let open =
        PermissionOverwrite { allow: Permissions::SEND_MESSAGES, deny: Permissions::empty(), kind: open };
    room.create_permission(ctx, open).await?;

    let message = room.say(ctx, "pinned").await?;
    message.pin(ctx).await?;
    ensure(room.pins(ctx).await?.iter().map(|pin| pin.id).eq([message.id]), "no pin")?;
    message.unpin(ctx).await?;
    let mut thread = room.create_thread_from_message(ctx, &message, CreateThread::new("thread")).await?;
    thread.say(ctx, "in the thread").await?;
    thread.edit_thread(ctx, EditThread::new().archived(true)).await?;

    let role = EditRole::new().name("Traveller").colour(0xff_00ff).permissions(Permissions::CONNECT);
    let mut role = guild.create_role(ctx, role).await?;
    let mut bob = guild.search_members(ctx, "bob", Some(1)).await?.remove(0);
    bob.add_role(ctx, &role).await?;
    bob.edit(ctx, EditMember::new().nickname("Tourist Bob")).await?;
    let later = Timestamp::from_unix_timestamp(Timestamp::now().unix_timestamp() + 60)?;
    bob.disable_communication_until_datetime(ctx, later).await?;
    bob.enable_communication(ctx).await?;
    bob.remove_role(ctx, &role).await?;
    role.edit(ctx, EditRole::new().name("Tourist")).await?;
    role.delete(ctx).await?;

    let carol = guild.search_members(ctx, "carol", Some(1)).await?.remove(0).user;
    guild.ban_with_reason(ctx, &carol, 0, "tour").await?;
    ensure(guild.bans(ctx, None, None).await?.iter().map(|ban| ban.user.id).eq([carol.id]), "no ban")?;
    guild.unban(ctx, &carol).await?;

    let webhook = room.create_webhook(ctx, CreateWebhook::new("hook")).await?;
    let hooked = ExecuteWebhook::new().content("by a webhook").username("Hook");
    let hooked = webhook.execute(ctx, true, hooked).await?.ok_or("no message of the webhook")?;
    let better = EditWebhookMessage::new().content("edited by a webhook");
    webhook.edit_message(ctx, hooked.id, better).await?;
    webhook.delete_message(ctx, None, hooked.id).await?;
    webhook.delete(ctx).await?;

    let invite = room.create_invite(ctx, CreateInvite::new().max_age(60)).await?;
    Invite::get(ctx, &invite.code, false, false, None).await?;
    invite.delete(ctx).await?;

    let poll = CreatePoll::new()
        .question("Tea?")
        .answers(vec![
            CreatePollAnswer::new().text("yes"),
            CreatePollAnswer::new().text("no").emoji("👎".to_owned()),
        ])
        .duration(Duration::from_hours(1));
    let message = room.send_message(ctx, CreateMessage::new().poll(poll)).await?;
    let ended = message.end_poll(ctx).await?;
    let is_over = ended.poll.and_then(|poll| poll.results).is_some_and(|results| results.is_finalized);
    ensure(is_over, "a poll without an end")?;

    let many = [room.say(ctx, "a").await?, room.say(ctx, "b").await?];
    room.delete_messages(ctx, &many).await?;
    room.broadcast_typing(ctx).await?;
    let log = guild.audit_logs(ctx, None, None, None, Some(1)).await?;
    let newest = log.entries.first().map(|entry| entry.action);
    ensure(
        matches!(newest, Some(audit_log::Action::Message(audit_log::MessageAction::BulkDelete))),
        "no audit log entry",
    )?;
    let direct = user.direct_message(ctx, CreateMessage::new().content("direct from the tour")).await?;
    direct.delete(ctx).await?;
    room.delete(ctx).await?;
    Ok(())
}
