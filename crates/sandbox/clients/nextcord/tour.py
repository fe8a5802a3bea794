"""Channels, threads, roles, members, pins, webhooks, invites and bans: made, changed and deleted."""

import datetime

import nextcord
from nextcord.ext import commands


class Tour(commands.Cog):
    def __init__(self, bot):
        self.bot = bot

    @nextcord.slash_command(
        description="Makes and deletes", default_member_permissions=nextcord.Permissions(manage_guild=True)
    )
    async def tour(self, interaction: nextcord.Interaction):
        await interaction.response.defer()
        guild = interaction.guild
        closed = {guild.default_role: nextcord.PermissionOverwrite(send_messages=False)}
        room = await guild.create_text_channel("Tour Room", topic="first", overwrites=closed)
        await room.edit(topic="second")
        await room.set_permissions(guild.me, send_messages=True)
        message = await room.send("pinned")
        await message.pin()
        assert [pin.id for pin in await room.pins()] == [message.id]
        await message.unpin()
        thread = await message.create_thread(name="thread")
        await thread.send("in the thread")
        await thread.edit(archived=True)
        role = await guild.create_role(name="Traveller", colour=0xFF00FF, permissions=nextcord.Permissions(connect=True))
        [bob] = await guild.query_members("bob")
        await bob.add_roles(role)
        await bob.edit(nick="Tourist Bob")
        await bob.timeout(datetime.timedelta(minutes=1))
        await bob.timeout(None)
        await bob.remove_roles(role)
        await role.edit(name="Tourist")
        await role.delete()
        carol = nextcord.utils.get(guild.members, name="carol")
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
        many = [await room.send("a"), await room.send("b")]
        await room.delete_messages(many)
        async with room.typing():
            pass
        assert [entry.action async for entry in guild.audit_logs(limit=1)] == [nextcord.AuditLogAction.message_bulk_delete]
        dm = await interaction.user.send("direct from the tour")
        await dm.delete()
        await room.delete()
        await interaction.edit_original_message(content="toured")


def setup(bot):
    bot.add_cog(Tour(bot))
