"""An ordinary disnake bot; only `Route.BASE` differs from one for discord.com."""

import io
import json
import logging
import os

import components
import disnake
from disnake.ext import commands

disnake.http.Route.BASE = f"{os.environ['SANDBOX_URL']}/api/v10"
GUILDS = [int(os.environ["TEST_GUILD_ID"])]
FRUITS = ["apple", "banana", "cherry", "mango"]
Inter = disnake.ApplicationCommandInteraction

bot = commands.InteractionBot(
    intents=disnake.Intents.all(), allowed_mentions=disnake.AllowedMentions.none(), heartbeat_timeout=10
)
begun = False


def command(description):
    return bot.slash_command(description=description, guild_ids=GUILDS)


@bot.event
async def on_ready():
    global begun
    if begun:
        return
    begun = True
    # The commands below were synced in bulk; the global one is then edited by itself.
    [about] = await bot.fetch_global_commands()
    await bot.edit_global_command(about.id, disnake.SlashCommand("about", "Who is this?"))
    await disnake.utils.get(bot.guilds[0].text_channels, name="bot-test").send("ready")


@bot.slash_command(description="Who?")
async def about(inter: Inter):
    await inter.response.send_message((await bot.application_info()).name)


@command("What the bot knows")
async def world(inter: Inter):
    def describe(guild, channels, members, roles):
        return {
            "guild": guild.name,
            "owner": next(member.name for member in members if member.id == guild.owner_id),
            "channels": {channel.name: channel.type.value for channel in channels},
            "members": sorted(member.name for member in members),
            "roles": sorted(role.name for role in roles),
        }

    guild = inter.guild
    fresh = await bot.fetch_guild(guild.id)
    cached = describe(guild, guild.channels, guild.members, guild.roles)
    members = [member async for member in fresh.fetch_members()]
    fetched = describe(fresh, await fresh.fetch_channels(), members, await fresh.fetch_roles())
    await inter.response.send_message(json.dumps({"cached": cached, "fetched": fetched}))


@command("All types of options")
async def options(
    inter: Inter,
    text: str = commands.Param(max_length=50),
    whole: int = commands.Param(None, ge=1),
    flag: bool = None,
    user: disnake.Member = None,
    channel: disnake.TextChannel = None,
    role: disnake.Role = None,
    mention: disnake.Member | disnake.Role = None,
    number: float = commands.Param(None, le=9.5),
    file: disnake.Attachment = None,
):
    seen = {"text": text, "whole": whole, "flag": flag, "number": number}
    seen |= {"user": user and user.joined_at and user.name, "mention": mention and mention.name}
    seen |= {"channel": channel and channel.name, "role": role and role.name}
    seen |= {"file": file and file.filename, "size": file and file.size}
    seen = {key: value for key, value in seen.items() if value is not None}
    await inter.response.send_message(json.dumps(seen))


@command("Subcommands")
async def tree(inter: Inter): ...


@tree.sub_command_group()
async def branch(inter: Inter): ...


@branch.sub_command(description="A leaf")
async def leaf(inter: Inter, name: str):
    await inter.response.send_message(f"leaf {name}")


@tree.sub_command(description="A root")
async def root(inter: Inter):
    await inter.response.send_message("root")


@command("Answers late")
async def think(inter: Inter):
    await inter.response.defer()
    await inter.edit_original_response("thought")
    await inter.followup.send("more")
    await inter.followup.send("whisper", ephemeral=True)
    gone = await inter.followup.send("gone", wait=True)
    await gone.delete()


@command("Answers to one")
async def secret(inter: Inter):
    await inter.response.send_message("secret", ephemeral=True)


@command("Edits what one sees")
async def edits(inter: Inter):
    await inter.response.defer(ephemeral=True)
    await inter.edit_original_response("one")
    followup = await inter.followup.send("two", ephemeral=True, wait=True)
    await followup.edit(content="three")


@command("Buttons and menus")
async def panel(inter: Inter):
    await inter.response.send_message("0", components=components.panel())


@command("A menu of texts")
async def pick(inter: Inter):
    await inter.response.send_message("pick", components=components.pick())


@command("A modal of labels")
async def form(inter: Inter):
    await inter.response.send_modal(components.Form())


@command("Components V2")
async def layout(inter: Inter):
    file = disnake.File(io.BytesIO(b"hello file"), "hello.txt")
    await inter.response.send_message(components=components.layout(), file=file)


async def complete(inter: Inter, typed: str):
    return [fruit for fruit in FRUITS if typed in fruit]


@command("Completes")
async def find(inter: Inter, query: str = commands.Param(autocomplete=complete)):
    await inter.response.send_message(f"found {query}")


@bot.user_command(name="Greet", guild_ids=GUILDS)
async def greet(inter: Inter, user: disnake.Member):
    await inter.response.send_message(f"hello {user.name}")


@bot.message_command(name="Quote", guild_ids=GUILDS)
async def quote(inter: Inter, message: disnake.Message):
    await inter.response.send_message(f"{message.author.name}: {message.content}")


@command("Asks the gateway")
async def members(inter: Inter):
    ids = [member.id for member in inter.guild.members]
    found = await inter.guild.query_members(user_ids=ids, presences=True)
    await inter.response.send_message(" ".join(sorted(member.name for member in found)))


logging.basicConfig(level=logging.WARNING)
for extension in ["components", "events", "messages", "tour"]:
    bot.load_extension(extension)
bot.run(os.environ["DISCORD_TOKEN"])
