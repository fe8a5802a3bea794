"""Answers to messages that begin with an exclamation mark, and to direct ones."""

import io
import json

import aiohttp
import interactions
from interactions.api import events
from interactions.client.errors import Forbidden, HTTPException


def file(size, name):
    return interactions.File(io.BytesIO(b"0123456789abcdef" * (size // 16)), file_name=name)


class Messages(interactions.Extension):
    @interactions.listen()
    async def on_message_create(self, event: events.MessageCreate):
        message = event.message
        if message.author.bot:
            return
        if message.guild is None:
            await message.channel.send(f"direct {message.content}")
        elif message.content.startswith("!"):
            name, _, text = message.content[1:].partition(" ")
            await getattr(self, f"said_{name}")(message, text)

    async def said_post(self, message, text):
        embed = interactions.Embed("Title", url="https://example.com", color=0x00FF00)
        embed.timestamp = interactions.Timestamp.utcnow()
        embed.set_author("Author")
        embed.set_footer("Foot")
        embed.add_field("Field", "one")
        hello = interactions.File(io.BytesIO(b"hello file"), file_name="hello.txt")
        self.post = await message.reply("posted", embeds=embed, files=hello)
        await self.post.edit(content="posted and edited")
        await self.post.add_reaction("✅")

    async def said_fetch(self, message, text):
        history = await message.channel.fetch_messages(limit=5)
        found = next(found for found in history if found.id == self.post.id)
        seen = {
            "content": found.content,
            "embeds": len(found.embeds),
            "files": [file.filename for file in found.attachments],
            "reactions": [reaction.emoji.name for reaction in found.reactions],
            "reply": (await found.fetch_referenced_message()).author.username == "alice",
        }
        await message.channel.send(json.dumps(seen))

    async def said_clean(self, message, text):
        await self.post.delete()

    async def said_read(self, message, text):
        [attached] = message.attachments
        async with aiohttp.ClientSession() as session, session.get(attached.url) as answer:
            await message.channel.send(f"{attached.filename}: {await answer.text()}")

    async def said_mistake(self, message, text):
        try:
            # `send` refuses an empty message by itself.
            await self.bot.http.create_message({"content": ""}, message.channel.id)
        except HTTPException as error:
            await message.channel.send(f"mistake {error.code}")

    async def said_idle(self, message, text):
        await self.bot.change_presence(interactions.Status.IDLE, "nothing")
        await message.channel.send("idle now")

    async def said_echo(self, message, text):
        await message.channel.send(text)

    async def said_burst(self, message, text):
        for n in range(8):
            await message.channel.send(f"burst {n}")

    async def said_upload(self, message, text):
        await message.channel.send("uploaded", files=file(3 << 20, "big.bin"))

    async def said_huge(self, message, text):
        try:
            await message.channel.send(files=file(11 << 20, "huge.bin"))
        except HTTPException as error:
            await message.channel.send(f"huge {error.code}")

    async def said_forum(self, message, text):
        new = interactions.ThreadTag.create("new")
        forum = await message.guild.create_forum_channel("ideas", available_tags=[new])
        await forum.create_post("First", "What?", applied_tags=forum.available_tags)

    async def said_archive(self, message, text):
        await message.channel.archive(locked=True)

    async def said_poll(self, message, text):
        poll = interactions.Poll.create("Tea?", duration=1)
        poll.add_answer("yes").add_answer("no", "👎")
        self.asked = await message.channel.send(poll=poll)

    async def said_tally(self, message, text):
        await self.asked.end_poll()
        poll = (await message.channel.fetch_message(self.asked.id, force=True)).poll
        counts = {count.id: count.count for count in poll.results.answer_counts}
        texts = [f"{answer.poll_media.text}={counts.get(answer.answer_id, 0)}" for answer in poll.answers]
        await message.channel.send(" ".join(texts))

    async def said_forbidden(self, message, text):
        owner = await message.guild.fetch_owner()
        try:
            await owner.edit_nickname("Owner")
        except Forbidden as error:
            await message.channel.send(f"forbidden {error.code}")
