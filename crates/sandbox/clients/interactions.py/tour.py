"""Channels, threads, roles, members, pins, webhooks, invites, bans and polls: made, changed and deleted."""

import datetime
import os

import interactions
from interactions import Permissions


class Tour(interactions.Extension):
    @interactions.slash_command("tour", description="Makes and deletes", scopes=[int(os.environ["TEST_GUILD_ID"])])
    @interactions.slash_default_member_permission(Permissions.MANAGE_GUILD)
    async def tour(self, ctx: interactions.SlashContext):
        await ctx.defer()
        guild = ctx.guild
        closed = interactions.PermissionOverwrite.for_target(guild.default_role)
        closed.add_denies(Permissions.SEND_MESSAGES)
        room = await guild.create_text_channel("Tour Room", topic="first", permission_overwrites=[closed])
        await room.edit(topic="second")
        await room.set_permission(guild.me, send_messages=True)
        message = await room.send("pinned")
        await message.pin()
        assert [pinned.id for pinned in await room.fetch_pinned_messages()] == [message.id]
        await message.unpin()
        thread = await message.create_thread("thread")
        await thread.send("in the thread")
        await thread.archive()
        role = await guild.create_role("Traveller", color=0xFF00FF, permissions=Permissions.CONNECT)
        [bob] = await guild.search_members("bob")
        await bob.add_role(role)
        await bob.edit_nickname("Tourist Bob")
        await bob.timeout(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1))
        await bob.timeout(None)
        await bob.remove_role(role)
        await role.edit(name="Tourist")
        await role.delete()
        [carol] = await guild.search_members("carol")
        await carol.ban(reason="tour")
        assert [ban.user.username for ban in await guild.fetch_bans()] == ["carol"]
        await guild.unban(carol.id)
        webhook = await room.create_webhook("hook")
        hooked = await webhook.send("by a webhook", username="Hook", wait=True)
        await webhook.edit_message(hooked, content="edited by a webhook")
        await webhook.delete_message(hooked)
        await webhook.delete()
        invite = await room.create_invite(max_age=60)
        await self.bot.http.get_invite(invite.code)
        await invite.delete()
        poll = interactions.Poll.create("Tea?", duration=1, answers=["yes", "no"])
        message = await room.send(poll=poll)
        assert (await message.end_poll()).poll.results.is_finalized
        many = [await room.send("a"), await room.send("b")]
        await room.delete_messages(many)
        async with room.typing:
            pass
        log = await guild.fetch_audit_log(limit=1)
        assert [entry.action_type for entry in log.entries] == [interactions.AuditLogEventType.MESSAGE_BULK_DELETE]
        dm = await ctx.author.send("direct from the tour")
        await dm.delete()
        await room.delete()
        await ctx.send("toured")
