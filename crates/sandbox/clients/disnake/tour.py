"""Channels, threads, roles, members, pins, webhooks, invites, bans and polls: made, changed and deleted."""

import datetime
import os

import disnake
from disnake.ext import commands


class Tour(commands.Cog):
    def __init__(self, bot):
        self.bot = bot

    @commands.slash_command(description="Makes and deletes", guild_ids=[int(os.environ["TEST_GUILD_ID"])])
    @commands.default_member_permissions(manage_guild=True)
    async def tour(self, inter: disnake.ApplicationCommandInteraction):
        await inter.response.defer()
        guild = inter.guild
        closed = {guild.default_role: disnake.PermissionOverwrite(send_messages=False)}
        room = await guild.create_text_channel("Tour Room", topic="first", overwrites=closed)
        await room.edit(topic="second")
        await room.set_permissions(guild.me, send_messages=True)
        message = await room.send("pinned")
        await message.pin()
        assert [pin.id async for pin in room.pins()] == [message.id]
        await message.unpin()
        thread = await message.create_thread(name="thread")
        await thread.send("in the thread")
        await thread.edit(archived=True)
        role = await guild.create_role(name="Traveller", colour=0xFF00FF, permissions=disnake.Permissions(connect=True))
        [bob] = await guild.query_members("bob")
        await bob.add_roles(role)
        await bob.edit(nick="Tourist Bob")
        await bob.timeout(duration=datetime.timedelta(minutes=1))
        await bob.timeout(duration=None)
        await bob.remove_roles(role)
        await role.edit(name="Tourist")
        await role.delete()
        carol = disnake.utils.get(guild.members, name="carol")
        await carol.ban(reason="tour")
        assert [ban.user.name async for ban in guild.bans()] == ["carol"]
        await guild.unban(carol)
        webhook = await room.create_webhook(name="hook")
        hooked = await webhook.send("by a webhook", username="Hook", wait=True)
        await hooked.edit(content="edited by a webhook")
        await hooked.delete()
        await webhook.delete()
        invite = await room.create_invite(max_age=60)
        await self.bot.fetch_invite(invite.url)
        await invite.delete()
        poll = disnake.Poll("Tea?", answers=["yes", "no"], duration=datetime.timedelta(hours=1))
        message = await room.send(poll=poll)
        assert (await message.poll.expire()).poll.is_finalized
        many = [await room.send("a"), await room.send("b")]
        await room.delete_messages(many)
        async with room.typing():
            pass
        assert [entry.action async for entry in guild.audit_logs(limit=1)] == [disnake.AuditLogAction.message_bulk_delete]
        dm = await inter.author.send("direct from the tour")
        await dm.delete()
        await room.delete()
        await inter.edit_original_response("toured")


def setup(bot):
    bot.add_cog(Tour(bot))
