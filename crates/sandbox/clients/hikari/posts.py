"""Uploads, a forum, polls, and what the bot may not do."""

import json

import hikari

home = {}


def file(size, name):
    return hikari.Bytes(b"0123456789abcdef" * (size // 16), name)


async def said_upload(message, text):
    await message.respond("uploaded", attachment=file(3 << 20, "big.bin"))


async def said_huge(message, text):
    try:
        await message.respond(attachment=file(11 << 20, "huge.bin"))
    except hikari.ClientHTTPResponseError as error:
        # Of a 413 hikari reads the status only.
        await message.respond(f"huge {json.loads(error.raw_body)['code']}")


async def said_forum(message, text):
    rest = message.app.rest
    new = hikari.ForumTag(name="new")
    forum = await rest.create_guild_forum_channel(message.guild_id, "ideas", available_tags=[new])
    await rest.create_forum_post(forum, "First", "What?", tags=forum.available_tags)


async def said_archive(message, text):
    await message.app.rest.edit_channel(message.channel_id, archived=True, locked=True)


async def said_poll(message, text):
    poll = hikari.impl.PollBuilder(question_text="Tea?", duration=1, allow_multiselect=False)
    poll.add_answer(text="yes")
    poll.add_answer(text="no", emoji="👎")
    home["poll"] = await message.app.rest.create_message(message.channel_id, poll=poll)


async def said_tally(message, text):
    rest = message.app.rest
    await rest.end_poll(message.channel_id, home["poll"])
    poll = (await rest.fetch_message(message.channel_id, home["poll"])).poll
    counts = {count.id: count.count for count in poll.results.answer_counts}
    texts = [f"{answer.poll_media.text}={counts.get(answer.answer_id, 0)}" for answer in poll.answers]
    await message.respond(" ".join(texts))


async def said_forbidden(message, text):
    guild = message.app.cache.get_guild(message.guild_id)
    try:
        await message.app.rest.edit_member(guild, guild.owner_id, nickname="Owner")
    except hikari.ForbiddenError as error:
        await message.respond(f"forbidden {error.code}")


def listen(bot, report):
    @bot.listen()
    async def on_thread(event: hikari.GuildThreadCreateEvent):
        if event.thread.name == "First":
            await report("thread First")

    @bot.listen()
    async def on_thread_update(event: hikari.GuildThreadUpdateEvent):
        if event.thread.name == "First" and event.thread.is_archived:
            await report("archived First")

    @bot.listen()
    async def on_vote(event: hikari.PollVoteCreateEvent):
        await report(f"vote {bot.cache.get_user(event.user_id).username}")

    @bot.listen()
    async def on_unvote(event: hikari.PollVoteDeleteEvent):
        await report(f"unvote {bot.cache.get_user(event.user_id).username}")
