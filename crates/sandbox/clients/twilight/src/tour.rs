//! Channels, threads, roles, members, pins, webhooks, invites, bans and polls: creating, changing and deleting.

use std::time::{SystemTime, UNIX_EPOCH};

use twilight_model::channel::permission_overwrite::PermissionOverwriteType;
use twilight_model::guild::Permissions;
use twilight_model::guild::audit_log::AuditLogEventType;
use twilight_model::http::permission_overwrite::{PermissionOverwrite, PermissionOverwriteType as Kind};
use twilight_model::id::Id;
use twilight_model::id::marker::UserMarker;
use twilight_model::poll::{Poll, PollAnswer, PollLayoutType, PollMedia};
use twilight_model::util::Timestamp;

use crate::{Bot, Home};

pub async fn run(bot: &Bot, home: &Home, user: Id<UserMarker>) -> anyhow::Result<()> {
    let (http, guild) = (&bot.http, home.guild);
    let closed = [twilight_model::channel::permission_overwrite::PermissionOverwrite {
        allow: Permissions::empty(),
        deny: Permissions::SEND_MESSAGES,
        id: guild.cast(),
        kind: PermissionOverwriteType::Role,
    }];
    let room = http.create_guild_channel(guild, "Tour Room").topic("first").permission_overwrites(&closed);
    let room = room.await?.model().await?.id;
    http.update_channel(room).topic("second").await?.model().await?;
    let open = PermissionOverwrite {
        allow: Some(Permissions::SEND_MESSAGES),
        deny: None,
        id: user.cast(),
        kind: Kind::Member,
    };
    http.update_channel_permission(room, &open).await?;

    let message = http.create_message(room).content("pinned").await?.model().await?.id;
    http.create_pin(room, message).await?;
    let pins = http.pins(room).await?.model().await?;
    anyhow::ensure!(pins.items.iter().map(|pin| pin.message.id).eq([message]), "no pin");
    http.delete_pin(room, message).await?;
    let thread = http.create_thread_from_message(room, message, "thread").await?.model().await?.id;
    http.create_message(thread).content("in the thread").await?;
    http.update_thread(thread).archived(true).await?.model().await?;

    let role =
        http.create_role(guild).name("Traveller").permissions(Permissions::CONNECT).await?.model().await?.id;
    let bob = http.search_guild_members(guild, "bob").await?.models().await?.remove(0).user.id;
    http.add_guild_member_role(guild, bob, role).await?;
    http.update_guild_member(guild, bob).nick(Some("Tourist Bob")).await?.model().await?;
    let later = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())? + 60;
    for until in [Some(Timestamp::from_secs(later)?), None] {
        http.update_guild_member(guild, bob).communication_disabled_until(until).await?.model().await?;
    }
    http.remove_guild_member_role(guild, bob, role).await?;
    http.update_role(guild, role).name(Some("Tourist")).await?.model().await?;
    http.delete_role(guild, role).await?;

    let carol = http.search_guild_members(guild, "carol").await?.models().await?.remove(0).user.id;
    http.create_ban(guild, carol).await?;
    let bans = http.bans(guild).await?.models().await?;
    anyhow::ensure!(bans.iter().map(|ban| ban.user.id).eq([carol]), "no ban");
    http.delete_ban(guild, carol).await?;

    let webhook = http.create_webhook(room, "hook").await?.model().await?;
    let token = webhook.token.ok_or_else(|| anyhow::anyhow!("a webhook without a token"))?;
    let hooked = http
        .execute_webhook(webhook.id, &token)
        .content("by a webhook")
        .username("Hook")
        .wait()
        .await?
        .model()
        .await?;
    http.update_webhook_message(webhook.id, &token, hooked.id).content(Some("edited by a webhook")).await?;
    http.delete_webhook_message(webhook.id, &token, hooked.id).await?;
    http.delete_webhook(webhook.id).await?;

    let invite = http.create_invite(room).max_age(60).await?.model().await?;
    http.invite(&invite.code).await?.model().await?;
    http.delete_invite(&invite.code).await?;

    let media = |text: &str| PollMedia { emoji: None, text: Some(text.to_owned()) };
    let poll = Poll {
        answers: vec![
            PollAnswer { answer_id: 1, poll_media: media("yes") },
            PollAnswer { answer_id: 2, poll_media: media("no") },
        ],
        allow_multiselect: false,
        expiry: None,
        layout_type: PollLayoutType::Default,
        question: media("Tea?"),
        results: None,
    };
    let message = http.create_message(room).poll(&poll).await?.model().await?.id;
    let ended = http.end_poll(room, message).await?.model().await?;
    anyhow::ensure!(
        ended.poll.and_then(|poll| poll.results).is_some_and(|results| results.is_finalized),
        "a poll without an end"
    );

    let mut many = Vec::new();
    for content in ["a", "b"] {
        many.push(http.create_message(room).content(content).await?.model().await?.id);
    }
    http.delete_messages(room, &many).await?;
    http.create_typing_trigger(room).await?;
    let log = http.audit_log(guild).limit(1).await?.model().await?;
    anyhow::ensure!(log.entries[0].action_type == AuditLogEventType::MessageBulkDelete, "no audit log entry");
    let direct = http.create_private_channel(user).await?.model().await?.id;
    let message = http.create_message(direct).content("direct from the tour").await?.model().await?.id;
    http.delete_message(direct, message).await?;
    http.delete_channel(room).await?;
    Ok(())
}
