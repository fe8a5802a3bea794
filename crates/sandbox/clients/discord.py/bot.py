"""An ordinary discord.py bot; only the two addresses at the top differ from one for discord.com."""

import asyncio
import datetime
import io
import json
import os
import signal
import sys

if os.environ.get("TRANSPORT") == "zlib":
    # discord.py takes zstd-stream wherever it can be read; this is how to be without.
    sys.modules["zstandard"] = None

import discord
import posts
import yarl
from discord import app_commands
from discord.http import Route
from layouts import Form, Layout

URL = os.environ["SANDBOX_URL"]
Route.BASE = f"{URL}/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(URL.replace("http", "ws", 1))

FRUITS = ["apple", "banana", "cherry", "mango"]


class Bot(discord.Client):
    def __init__(self):
        super().__init__(intents=discord.Intents.all(), allowed_mentions=discord.AllowedMentions.none(), heartbeat_timeout=10)
        self.tree = app_commands.CommandTree(self)
        self.post = None
        self.begun = False

    async def on_ready(self):
        if self.begun:
            return
        self.begun = True
        guild = self.guilds[0]
        self.tree.copy_global_to(guild=guild)
        self.tree.clear_commands(guild=None)
        await self.tree.sync(guild=guild)
        # The tree registers in bulk; one command is made and edited by itself.
        self.tree.add_command(about)
        made = await self.http.upsert_global_command(self.application_id, {"name": "about", "description": "Who?"})
        await self.http.edit_global_command(self.application_id, made["id"], {"description": "Who is this?"})
        await self.tree.fetch_commands(guild=guild)
        await self.application_info()
        await discord.utils.get(guild.text_channels, name="bot-test").send("ready")


bot = Bot()


async def report(text):
    await discord.utils.get(bot.guilds[0].text_channels, name="general").send(text)


@app_commands.command(description="Who?")
async def about(interaction: discord.Interaction):
    await interaction.response.send_message((await bot.application_info()).name)


@bot.tree.command(description="What the bot knows")
async def world(interaction: discord.Interaction):
    def describe(guild, channels, members, roles):
        return {
            "guild": guild.name,
            "owner": next(member.name for member in members if member.id == guild.owner_id),
            "channels": {channel.name: channel.type.value for channel in channels},
            "members": sorted(member.name for member in members),
            "roles": sorted(role.name for role in roles),
        }

    guild = interaction.guild
    fresh = await bot.fetch_guild(guild.id)
    cached = describe(guild, guild.channels, guild.members, guild.roles)
    members = [member async for member in fresh.fetch_members()]
    fetched = describe(fresh, await fresh.fetch_channels(), members, await fresh.fetch_roles())
    await interaction.response.send_message(json.dumps({"cached": cached, "fetched": fetched}))


@bot.tree.command(description="All types of options")
async def options(
    interaction: discord.Interaction,
    text: app_commands.Range[str, 1, 50],
    whole: app_commands.Range[int, 1] = None,
    flag: bool = None,
    user: discord.Member = None,
    channel: discord.TextChannel = None,
    role: discord.Role = None,
    mention: discord.Member | discord.Role = None,
    number: app_commands.Range[float, None, 9.5] = None,
    file: discord.Attachment = None,
):
    seen = {"text": text, "whole": whole, "flag": flag, "number": number}
    seen |= {"user": user and user.joined_at and user.name, "mention": mention and mention.name}
    seen |= {"channel": channel and channel.name, "role": role and role.name}
    seen |= {"file": file and file.filename, "size": file and file.size}
    seen = {key: value for key, value in seen.items() if value is not None}
    await interaction.response.send_message(json.dumps(seen))


tree = app_commands.Group(name="tree", description="Subcommands")
branch = app_commands.Group(name="branch", description="A branch", parent=tree)


@branch.command(description="A leaf")
async def leaf(interaction: discord.Interaction, name: str):
    await interaction.response.send_message(f"leaf {name}")


@tree.command(description="A root")
async def root(interaction: discord.Interaction):
    await interaction.response.send_message("root")


@bot.tree.command(description="Answers late")
async def think(interaction: discord.Interaction):
    await interaction.response.defer()
    await interaction.edit_original_response(content="thought")
    await interaction.followup.send("more")
    await interaction.followup.send("whisper", ephemeral=True)
    gone = await interaction.followup.send("gone", wait=True)
    await gone.delete()


@bot.tree.command(description="Answers to one")
async def secret(interaction: discord.Interaction):
    await interaction.response.send_message("secret", ephemeral=True)


@bot.tree.command(description="Edits what one sees")
async def edits(interaction: discord.Interaction):
    await interaction.response.defer(ephemeral=True)
    await interaction.edit_original_response(content="one")
    followup = await interaction.followup.send("two", ephemeral=True, wait=True)
    await followup.edit(content="three")


@bot.tree.command(description="A modal of labels")
async def form(interaction: discord.Interaction):
    await interaction.response.send_modal(Form())


@bot.tree.command(description="Components V2")
async def layout(interaction: discord.Interaction):
    file = discord.File(io.BytesIO(b"hello file"), "hello.txt")
    await interaction.response.send_message(view=Layout(), file=file)


class Question(discord.ui.Modal, title="A question"):
    name = discord.ui.TextInput(label="name", custom_id="name")
    about = discord.ui.TextInput(label="about", custom_id="about", style=discord.TextStyle.paragraph)

    async def on_submit(self, interaction: discord.Interaction):
        await interaction.response.send_message(f"name={self.name.value} about={self.about.value}")


async def chosen(interaction, select):
    names = sorted(str(getattr(value, "name", value)) for value in select.values)
    await interaction.response.send_message(" ".join([select.custom_id, *names]), ephemeral=True)


class Panel(discord.ui.View):
    def __init__(self):
        super().__init__()
        self.add_item(discord.ui.Button(label="link", url="https://example.com"))

    @discord.ui.button(label="count", custom_id="count", style=discord.ButtonStyle.primary)
    async def count(self, interaction, button):
        await interaction.response.edit_message(content=str(int(interaction.message.content) + 1))

    @discord.ui.button(label="ask", custom_id="ask", style=discord.ButtonStyle.success)
    async def ask(self, interaction, button):
        await interaction.response.send_modal(Question())

    @discord.ui.button(label="close", custom_id="close", style=discord.ButtonStyle.danger)
    async def close(self, interaction, button):
        await interaction.response.edit_message(content="closed", view=None)

    @discord.ui.select(cls=discord.ui.UserSelect, custom_id="users", max_values=2)
    async def users(self, interaction, select):
        await chosen(interaction, select)

    @discord.ui.select(cls=discord.ui.RoleSelect, custom_id="roles")
    async def roles(self, interaction, select):
        await chosen(interaction, select)

    @discord.ui.select(cls=discord.ui.MentionableSelect, custom_id="mentionables", max_values=2)
    async def mentionables(self, interaction, select):
        await chosen(interaction, select)

    @discord.ui.select(cls=discord.ui.ChannelSelect, custom_id="channels", channel_types=[discord.ChannelType.text])
    async def channels(self, interaction, select):
        await chosen(interaction, select)


class Pick(discord.ui.View):
    @discord.ui.select(
        custom_id="strings", max_values=2, options=[discord.SelectOption(label=c) for c in ["red", "green", "blue"]]
    )
    async def strings(self, interaction, select):
        await chosen(interaction, select)


@bot.tree.command(description="Buttons and menus")
async def panel(interaction: discord.Interaction):
    await interaction.response.send_message("0", view=Panel())


@bot.tree.command(description="A menu of texts")
async def pick(interaction: discord.Interaction):
    await interaction.response.send_message("pick", view=Pick())


@bot.tree.command(description="Completes")
async def find(interaction: discord.Interaction, query: str):
    await interaction.response.send_message(f"found {query}")


@find.autocomplete("query")
async def complete(interaction: discord.Interaction, current: str):
    return [app_commands.Choice(name=fruit, value=fruit) for fruit in FRUITS if current in fruit]


@bot.tree.context_menu(name="Greet")
async def greet(interaction: discord.Interaction, user: discord.Member):
    await interaction.response.send_message(f"hello {user.name}")


@bot.tree.context_menu(name="Quote")
async def quote(interaction: discord.Interaction, message: discord.Message):
    await interaction.response.send_message(f"{message.author.name}: {message.content}")


@bot.tree.command(description="Asks the gateway")
async def members(interaction: discord.Interaction):
    ids = [member.id for member in interaction.guild.members]
    found = await interaction.guild.query_members(user_ids=ids, presences=True)
    await interaction.response.send_message(" ".join(sorted(member.name for member in found)))


@bot.tree.command(description="Makes and deletes")
@app_commands.default_permissions(manage_guild=True)
async def tour(interaction: discord.Interaction):
    await interaction.response.defer()
    guild = interaction.guild
    closed = {guild.default_role: discord.PermissionOverwrite(send_messages=False)}
    room = await guild.create_text_channel("Tour Room", topic="first", overwrites=closed)
    await room.edit(topic="second")
    await room.set_permissions(guild.me, send_messages=True)
    message = await room.send("pinned")
    await message.pin()
    assert [pinned.id async for pinned in room.pins()] == [message.id]
    await message.unpin()
    thread = await message.create_thread(name="thread")
    await thread.send("in the thread")
    await thread.edit(archived=True)
    role = await guild.create_role(name="Traveller", colour=0xFF00FF, permissions=discord.Permissions(connect=True))
    [bob] = await guild.query_members("bob")
    await bob.add_roles(role)
    await bob.edit(nick="Tourist Bob")
    await bob.timeout(datetime.timedelta(minutes=1))
    await bob.timeout(None)
    await bob.remove_roles(role)
    await role.edit(name="Tourist")
    await role.delete()
    carol = discord.utils.get(guild.members, name="carol")
    await carol.ban(reason="tour")
    assert [ban.user.name async for ban in guild.bans()] == ["carol"]
    await guild.unban(carol)
    webhook = await room.create_webhook(name="hook")
    hooked = await webhook.send("by a webhook", username="Hook", wait=True)
    await hooked.edit(content="edited by a webhook")
    await hooked.delete()
    await webhook.delete()
    invite = await room.create_invite(max_age=60)
    await bot.fetch_invite(invite.url)
    await invite.delete()
    poll = discord.Poll("Tea?", datetime.timedelta(hours=1))
    poll.add_answer(text="yes").add_answer(text="no", emoji="👎")
    message = await room.send(poll=poll)
    assert (await message.poll.end()).is_finalised()
    many = [await room.send("a"), await room.send("b")]
    await room.delete_messages(many)
    async with room.typing():
        pass
    assert [entry.action async for entry in guild.audit_logs(limit=1)] == [discord.AuditLogAction.message_bulk_delete]
    dm = await interaction.user.send("direct from the tour")
    await dm.delete()
    await room.delete()
    await interaction.edit_original_response(content="toured")


bot.tree.add_command(tree)


class Said(posts.Said):
    async def post(self, message, text):
        embed = discord.Embed(title="Title", url="https://example.com", colour=0x00FF00)
        embed.timestamp = discord.utils.utcnow()
        embed.set_author(name="Author").set_footer(text="Foot").add_field(name="Field", value="one")
        file = discord.File(io.BytesIO(b"hello file"), "hello.txt")
        bot.post = await message.reply("posted", embed=embed, file=file)
        await bot.post.edit(content="posted and edited")
        await bot.post.add_reaction("✅")

    async def fetch(self, message, text):
        history = [found async for found in message.channel.history(limit=5)]
        found = next(found for found in history if found.id == bot.post.id)
        seen = {
            "content": found.content,
            "embeds": len(found.embeds),
            "files": [file.filename for file in found.attachments],
            "reactions": [reaction.emoji for reaction in found.reactions],
            "reply": found.reference.resolved.author.name == "alice",
        }
        await message.channel.send(json.dumps(seen))

    async def clean(self, message, text):
        await bot.post.delete()

    async def read(self, message, text):
        [file] = message.attachments
        await message.channel.send(f"{file.filename}: {(await file.read()).decode()}")

    async def mistake(self, message, text):
        try:
            await message.channel.send("")
        except discord.HTTPException as error:
            await message.channel.send(f"mistake {error.code}")

    async def idle(self, message, text):
        await bot.change_presence(status=discord.Status.idle, activity=discord.Game("nothing"))
        await message.channel.send("idle now")

    async def echo(self, message, text):
        await message.channel.send(text)

    async def burst(self, message, text):
        for n in range(8):
            await message.channel.send(f"burst {n}")


@bot.event
async def on_message(message):
    if message.author.bot:
        return
    if message.guild is None:
        await message.channel.send(f"direct {message.content}")
    elif message.content.startswith("!"):
        name, _, text = message.content[1:].partition(" ")
        await getattr(Said(), name)(message, text)


posts.listen(bot, report)


@bot.event
async def on_member_join(member):
    await report(f"join {member.name}")


@bot.event
async def on_member_remove(member):
    await report(f"leave {member.name}")


@bot.event
async def on_member_update(before, after):
    if after.nick == "Bobby":
        await report(f"member {after.name} {after.nick}")


@bot.event
async def on_message_edit(before, after):
    if not after.author.bot:
        await report(f"edit {after.content}")


@bot.event
async def on_message_delete(message):
    if message.author.name == "carol":
        await report(f"delete {message.id}")


@bot.event
async def on_reaction_add(reaction, user):
    if not user.bot:
        await report(f"react {reaction.emoji} {user.name}")


@bot.event
async def on_reaction_remove(reaction, user):
    if not user.bot:
        await report(f"unreact {reaction.emoji} {user.name}")


@bot.event
async def on_presence_update(before, after):
    if after.name == "bob" and after.activities:
        await report(f"presence {after.name} {after.status} {after.activity.name}")


@bot.event
async def on_typing(channel, user, when):
    if not user.bot:
        await report(f"typing {user.name}")


@bot.event
async def on_voice_state_update(member, before, after):
    await report(f"voice {member.name} {after.channel.name if after.channel else 'none'}")


@bot.event
async def on_guild_channel_create(channel):
    if channel.name == "news":
        await report(f"channel {channel.name}")


@bot.event
async def on_guild_role_create(role):
    if role.name == "Artist":
        await report(f"role {role.name}")


@bot.event
async def on_guild_join(guild):
    await report(f"guild {guild.name}")


async def main():
    async with bot:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(bot.close()))
        await bot.start(os.environ["DISCORD_TOKEN"])


discord.utils.setup_logging(level=30)
asyncio.run(main())
