"""Uploads, a forum, polls, and what the bot may not do."""

import datetime
import io

import discord


def file(size, name):
    return discord.File(io.BytesIO(b"0123456789abcdef" * (size // 16)), name)


class Said:
    asked = None

    async def upload(self, message, text):
        await message.channel.send("uploaded", file=file(3 << 20, "big.bin"))

    async def huge(self, message, text):
        try:
            await message.channel.send(file=file(11 << 20, "huge.bin"))
        except discord.HTTPException as error:
            await message.channel.send(f"huge {error.code}")

    async def forum(self, message, text):
        forum = await message.guild.create_forum("ideas", available_tags=[discord.ForumTag(name="new")])
        await forum.create_thread(name="First", content="What?", applied_tags=forum.available_tags)

    async def archive(self, message, text):
        await message.channel.edit(archived=True, locked=True)

    async def poll(self, message, text):
        poll = discord.Poll("Tea?", datetime.timedelta(hours=1))
        poll.add_answer(text="yes").add_answer(text="no", emoji="👎")
        Said.asked = await message.channel.send(poll=poll)

    async def tally(self, message, text):
        await Said.asked.poll.end()
        poll = (await message.channel.fetch_message(Said.asked.id)).poll
        await message.channel.send(" ".join(f"{answer.text}={answer.vote_count}" for answer in poll.answers))

    async def forbidden(self, message, text):
        try:
            await message.guild.owner.edit(nick="Owner")
        except discord.Forbidden as error:
            await message.channel.send(f"forbidden {error.code}")


def listen(bot, report):
    @bot.event
    async def on_thread_create(thread):
        if thread.name == "First":
            await report("thread First")

    @bot.event
    async def on_thread_update(before, after):
        if after.name == "First" and after.archived:
            await report("archived First")

    @bot.event
    async def on_poll_vote_add(user, answer):
        await report(f"vote {user.name}")

    @bot.event
    async def on_poll_vote_remove(user, answer):
        await report(f"unvote {user.name}")
