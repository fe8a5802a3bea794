"""What happens in the guild, reported in #general."""

import discord


class Events(discord.Cog):
    def __init__(self, bot):
        self.bot = bot

    async def report(self, text):
        await discord.utils.get(self.bot.guilds[0].text_channels, name="general").send(text)

    @discord.Cog.listener()
    async def on_member_join(self, member):
        await self.report(f"join {member.name}")

    @discord.Cog.listener()
    async def on_member_remove(self, member):
        await self.report(f"leave {member.name}")

    @discord.Cog.listener()
    async def on_member_update(self, before, after):
        if after.nick == "Bobby":
            await self.report(f"member {after.name} {after.nick}")

    @discord.Cog.listener()
    async def on_message_edit(self, before, after):
        if not after.author.bot:
            await self.report(f"edit {after.content}")

    @discord.Cog.listener()
    async def on_message_delete(self, message):
        if message.author.name == "carol":
            await self.report(f"delete {message.id}")

    @discord.Cog.listener()
    async def on_reaction_add(self, reaction, user):
        if not user.bot:
            await self.report(f"react {reaction.emoji} {user.name}")

    @discord.Cog.listener()
    async def on_reaction_remove(self, reaction, user):
        if not user.bot:
            await self.report(f"unreact {reaction.emoji} {user.name}")

    @discord.Cog.listener()
    async def on_presence_update(self, before, after):
        if after.name == "bob" and after.activities:
            await self.report(f"presence {after.name} {after.status} {after.activity.name}")

    @discord.Cog.listener()
    async def on_typing(self, channel, user, when):
        if not user.bot:
            await self.report(f"typing {user.name}")

    @discord.Cog.listener()
    async def on_voice_state_update(self, member, before, after):
        await self.report(f"voice {member.name} {after.channel.name if after.channel else 'none'}")

    @discord.Cog.listener()
    async def on_guild_channel_create(self, channel):
        if channel.name == "news":
            await self.report(f"channel {channel.name}")

    @discord.Cog.listener()
    async def on_guild_role_create(self, role):
        if role.name == "Artist":
            await self.report(f"role {role.name}")

    @discord.Cog.listener()
    async def on_guild_join(self, guild):
        await self.report(f"guild {guild.name}")

    @discord.Cog.listener()
    async def on_thread_create(self, thread):
        if thread.name == "First":
            await self.report("thread First")

    @discord.Cog.listener()
    async def on_thread_update(self, before, after):
        if after.name == "First" and after.archived:
            await self.report("archived First")

    @discord.Cog.listener()
    async def on_poll_vote_add(self, poll, user, answer):
        await self.report(f"vote {user.name}")

    @discord.Cog.listener()
    async def on_poll_vote_remove(self, poll, user, answer):
        await self.report(f"unvote {user.name}")


def setup(bot):
    bot.add_cog(Events(bot))
