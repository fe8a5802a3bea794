"""An ordinary nextcord bot; only `Route.BASE` differs from one for discord.com."""

import json
import logging
import os

import nextcord
from components import Panel, Pick
from nextcord import Interaction, SlashOption
from nextcord.ext import commands

nextcord.http.Route.BASE = f"{os.environ['SANDBOX_URL']}/api/v10"
FRUITS = ["apple", "banana", "cherry", "mango"]

bot = commands.Bot(
    intents=nextcord.Intents.all(),
    allowed_mentions=nextcord.AllowedMentions.none(),
    default_guild_ids=[int(os.environ["TEST_GUILD_ID"])],
    heartbeat_timeout=10,
)
begun = False


@bot.event
async def on_ready():
    global begun
    if not begun:
        begun = True
        # Commands of a guild are registered as it arrives; the global ones on demand.
        await bot.sync_all_application_commands()
        await nextcord.utils.get(bot.guilds[0].text_channels, name="bot-test").send("ready")


@bot.slash_command(description="Who is this?", force_global=True)
async def about(interaction: Interaction):
    await interaction.response.send_message((await bot.application_info()).name)


@bot.slash_command(description="What the bot knows")
async def world(interaction: Interaction):
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


@bot.slash_command(description="All types of options")
async def options(
    interaction: Interaction,
    text: str = SlashOption(max_length=50),
    whole: int = SlashOption(min_value=1, required=False),
    flag: bool = SlashOption(required=False),
    user: nextcord.Member = SlashOption(required=False),
    channel: nextcord.TextChannel = SlashOption(required=False),
    role: nextcord.Role = SlashOption(required=False),
    mention: nextcord.Mentionable = SlashOption(required=False),
    number: float = SlashOption(max_value=9.5, required=False),
    file: nextcord.Attachment = SlashOption(required=False),
):
    seen = {"text": text, "whole": whole, "flag": flag, "number": number}
    seen |= {"user": user and user.joined_at and user.name, "mention": mention and mention.name}
    seen |= {"channel": channel and channel.name, "role": role and role.name}
    seen |= {"file": file and file.filename, "size": file and file.size}
    seen = {key: value for key, value in seen.items() if value is not None}
    await interaction.response.send_message(json.dumps(seen))


@bot.slash_command(description="Subcommands")
async def tree(interaction: Interaction): ...


@tree.subcommand(description="A branch")
async def branch(interaction: Interaction): ...


@branch.subcommand(description="A leaf")
async def leaf(interaction: Interaction, name: str):
    await interaction.response.send_message(f"leaf {name}")


@tree.subcommand(description="A root")
async def root(interaction: Interaction):
    await interaction.response.send_message("root")


@bot.slash_command(description="Answers late")
async def think(interaction: Interaction):
    await interaction.response.defer()
    await interaction.edit_original_message(content="thought")
    await interaction.followup.send("more")
    await interaction.followup.send("whisper", ephemeral=True)
    gone = await interaction.followup.send("gone", wait=True)
    await gone.delete()


@bot.slash_command(description="Answers to one")
async def secret(interaction: Interaction):
    await interaction.response.send_message("secret", ephemeral=True)


@bot.slash_command(description="Edits what one sees")
async def edits(interaction: Interaction):
    await interaction.response.defer(ephemeral=True)
    await interaction.edit_original_message(content="one")
    followup = await interaction.followup.send("two", ephemeral=True, wait=True)
    await followup.edit(content="three")


@bot.slash_command(description="Buttons and menus")
async def panel(interaction: Interaction):
    await interaction.response.send_message("0", view=Panel())


@bot.slash_command(description="A menu of texts")
async def pick(interaction: Interaction):
    await interaction.response.send_message("pick", view=Pick())


@bot.slash_command(description="Completes")
async def find(interaction: Interaction, query: str):
    await interaction.response.send_message(f"found {query}")


@find.on_autocomplete("query")
async def complete(interaction: Interaction, query: str):
    await interaction.response.send_autocomplete([fruit for fruit in FRUITS if query in fruit])


@bot.user_command(name="Greet")
async def greet(interaction: Interaction, user: nextcord.Member):
    await interaction.response.send_message(f"hello {user.name}")


@bot.message_command(name="Quote")
async def quote(interaction: Interaction, message: nextcord.Message):
    await interaction.response.send_message(f"{message.author.name}: {message.content}")


@bot.slash_command(description="Asks the gateway")
async def members(interaction: Interaction):
    ids = [member.id for member in interaction.guild.members]
    found = await interaction.guild.query_members(user_ids=ids, presences=True)
    await interaction.response.send_message(" ".join(sorted(member.name for member in found)))


logging.basicConfig(level=logging.WARNING)
for extension in ["events", "messages", "tour"]:
    bot.load_extension(extension)
bot.run(os.environ["DISCORD_TOKEN"])
