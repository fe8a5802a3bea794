"""Answers to messages that begin with an exclamation mark, and to direct ones."""

import io
import json

import nextcord
from nextcord.ext import commands


def file(size, name):
    return nextcord.File(io.BytesIO(b"0123456789abcdef" * (size // 16)), name)


class Messages(commands.Cog):
    def __init__(self, bot):
        self.bot = bot

    @commands.Cog.listener()
    async def on_message(self, message):
        if message.author.bot:
            return
        if message.guild is None:
            await message.channel.send(f"direct {message.content}")
        elif message.content.startswith("!"):
            name, _, text = message.content[1:].partition(" ")
            await getattr(self, f"said_{name}")(message, text)

    async def said_post(self, message, text):
        embed = nextcord.Embed(title="Title", url="https://example.com", colour=0x00FF00)
        embed.timestamp = nextcord.utils.utcnow()
        embed.set_author(name="Author").set_footer(text="Foot").add_field(name="Field", value="one")
        file = nextcord.File(io.BytesIO(b"hello file"), "hello.txt")
        self.post = await message.reply("posted", embed=embed, file=file)
        await self.post.edit(content="posted and edited")
        await self.post.add_reaction("✅")

    async def said_fetch(self, message, text):
        history = [found async for found in message.channel.history(limit=5)]
        found = next(found for found in history if found.id == self.post.id)
        seen = {
            "content": found.content,
            "embeds": len(found.embeds),
            "files": [file.filename for file in found.attachments],
            "reactions": [reaction.emoji for reaction in found.reactions],
            "reply": found.reference.resolved.author.name == "alice",
        }
        await message.channel.send(json.dumps(seen))

    async def said_clean(self, message, text):
        await self.post.delete()

    async def said_read(self, message, text):
        [file] = message.attachments
        await message.channel.send(f"{file.filename}: {(await file.read()).decode()}")

    async def said_mistake(self, message, text):
        try:
            await message.channel.send("")
        except nextcord.HTTPException as error:
            await message.channel.send(f"mistake {error.code}")

    async def said_idle(self, message, text):
        await self.bot.change_presence(status=nextcord.Status.idle, activity=nextcord.Game("nothing"))
        await message.channel.send("idle now")

    async def said_echo(self, message, text):
        await message.channel.send(text)

    async def said_burst(self, message, text):
        for n in range(8):
            await message.channel.send(f"burst {n}")

    async def said_upload(self, message, text):
        await message.channel.send("uploaded", file=file(3 << 20, "big.bin"))

    async def said_huge(self, message, text):
        try:
            await message.channel.send(file=file(11 << 20, "huge.bin"))
        except nextcord.HTTPException as error:
            await message.channel.send(f"huge {error.code}")

    async def said_forum(self, message, text):
        # Without tags: nextcord sends a new tag with the id "None", which is no snowflake.
        forum = await message.guild.create_forum_channel("ideas", topic="Ideas")
        await forum.create_thread(name="First", content="What?")

    async def said_archive(self, message, text):
        await message.channel.edit(archived=True, locked=True)

    async def said_forbidden(self, message, text):
        try:
            await message.guild.owner.edit(nick="Owner")
        except nextcord.Forbidden as error:
            await message.channel.send(f"forbidden {error.code}")


def setup(bot):
    bot.add_cog(Messages(bot))
