"""What happens in the guild, reported in #general."""

import os

import interactions
from interactions import listen
from interactions.api import events

HERE = int(os.environ["TEST_GUILD_ID"])


class Events(interactions.Extension):
    async def report(self, text):
        channel = next(channel for channel in self.bot.get_guild(HERE).channels if channel.name == "general")
        await channel.send(text)

    @listen()
    async def on_member_add(self, event: events.MemberAdd):
        await self.report(f"join {event.member.username}")

    @listen()
    async def on_member_remove(self, event: events.MemberRemove):
        await self.report(f"leave {event.member.username}")

    @listen()
    async def on_member_update(self, event: events.MemberUpdate):
        if event.after.nick == "Bobby":
            await self.report(f"member {event.after.username} {event.after.nick}")

    @listen()
    async def on_message_update(self, event: events.MessageUpdate):
        if not event.after.author.bot:
            await self.report(f"edit {event.after.content}")

    @listen()
    async def on_message_delete(self, event: events.MessageDelete):
        if event.message.author.username == "carol":
            await self.report(f"delete {event.message.id}")

    @listen()
    async def on_message_reaction_add(self, event: events.MessageReactionAdd):
        if not event.author.bot:
            await self.report(f"react {event.emoji.name} {event.author.username}")

    @listen()
    async def on_message_reaction_remove(self, event: events.MessageReactionRemove):
        if not event.author.bot:
            await self.report(f"unreact {event.emoji.name} {event.author.username}")

    @listen()
    async def on_presence_update(self, event: events.PresenceUpdate):
        if event.user.username == "bob" and event.activities:
            await self.report(f"presence {event.user.username} {event.status.value} {event.activities[0].name}")

    @listen()
    async def on_typing_start(self, event: events.TypingStart):
        if not event.author.bot:
            await self.report(f"typing {event.author.username}")

    @listen()
    async def on_voice_state_update(self, event: events.VoiceStateUpdate):
        state = event.after or event.before
        await self.report(f"voice {state.member.username} {event.after.channel.name if event.after else 'none'}")

    @listen()
    async def on_channel_create(self, event: events.ChannelCreate):
        if event.channel.name == "news":
            await self.report(f"channel {event.channel.name}")

    @listen()
    async def on_role_create(self, event: events.RoleCreate):
        if event.role.name == "Artist":
            await self.report(f"role {event.role.name}")

    @listen()
    async def on_guild_join(self, event: events.GuildJoin):
        if self.bot.is_ready:
            await self.report(f"guild {event.guild.name}")

    @listen()
    async def on_new_thread_create(self, event: events.NewThreadCreate):
        if event.thread.name == "First":
            await self.report("thread First")

    @listen()
    async def on_thread_update(self, event: events.ThreadUpdate):
        if event.thread.name == "First" and event.thread.archived:
            await self.report("archived First")

    @listen()
    async def on_message_poll_vote_add(self, event: events.MessagePollVoteAdd):
        await self.report(f"vote {event.get_user().username}")

    @listen()
    async def on_message_poll_vote_remove(self, event: events.MessagePollVoteRemove):
        await self.report(f"unvote {event.get_user().username}")
