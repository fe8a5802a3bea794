"""What happens in the guild, reported in #general."""

import nextcord
from nextcord.ext import commands


class Events(commands.Cog):
    def __init__(self, bot):
        self.bot = bot

    async def report(self, text):
        await nextcord.utils.get(self.bot.guilds[0].text_channels, name="general").send(text)

    @commands.Cog.listener()
    async def on_member_join(self, member):
        await self.report(f"join {member.name}")

    @commands.Cog.listener()
    async def on_member_remove(self, member):
        await self.report(f"leave {member.name}")

    @commands.Cog.listener()
    async def on_member_update(self, before, after):
        if after.nick == "Bobby":
            await self.report(f"member {after.name} {after.nick}")

    @commands.Cog.listener()
    async def on_message_edit(self, before, after):
        if not after.author.bot:
            await self.report(f"edit {after.content}")

    @commands.Cog.listener()
    async def on_message_delete(self, message):
        if message.author.name == "carol":
            await self.report(f"delete {message.id}")

    @commands.Cog.listener()
    async def on_reaction_add(self, reaction, user):
        if not user.bot:
            await self.report(f"react {reaction.emoji} {user.name}")

    @commands.Cog.listener()
    async def on_reaction_remove(self, reaction, user):
        if not user.bot:
            await self.report(f"unreact {reaction.emoji} {user.name}")

    @commands.Cog.listener()
    async def on_presence_update(self, before, after):
        if after.name == "bob" and after.activities:
            await self.report(f"presence {after.name} {after.status} {after.activity.name}")

    @commands.Cog.listener()
    async def on_typing(self, channel, user, when):
        if not user.bot:
            await self.report(f"typing {user.name}")

    @commands.Cog.listener()
    async def on_voice_state_update(self, member, before, after):
        await self.report(f"voice {member.name} {after.channel.name if after.channel else 'none'}")

    @commands.Cog.listener()
    async def on_guild_channel_create(self, channel):
        if channel.name == "news":
            await self.report(f"channel {channel.name}")

    @commands.Cog.listener()
    async def on_guild_role_create(self, role):
        if role.name == "Artist":
            await self.report(f"role {role.name}")

    @commands.Cog.listener()
    async def on_guild_join(self, guild):
        await self.report(f"guild {guild.name}")

    @commands.Cog.listener()
    async def on_thread_create(self, thread):
        if thread.name == "First":
            await self.report("thread First")

    @commands.Cog.listener()
    async def on_thread_update(self, before, after):
        if after.name == "First" and after.archived:
            await self.report("archived First")


def setup(bot):
    bot.add_cog(Events(bot))
