"""An ordinary py-cord bot; only `API_BASE_URL` differs from one for discord.com."""

import io
import json
import logging
import os

import discord
from components import Form, Layout, Panel, Pick

discord.http.Route.API_BASE_URL = f"{os.environ['SANDBOX_URL']}/api/v10"
GUILDS = [int(os.environ["TEST_GUILD_ID"])]
FRUITS = ["apple", "banana", "cherry", "mango"]

bot = discord.Bot(
    intents=discord.Intents.all(), allowed_mentions=discord.AllowedMentions.none(), heartbeat_timeout=10
)


def command(description):
    return bot.slash_command(description=description, guild_ids=GUILDS)


@bot.listen(once=True)
async def on_ready():
    # Commands were synced in on_connect; the global one is then edited by itself.
    commands = await bot.http.get_global_commands(bot.application_id)
    about = next(each for each in commands if each["name"] == "about")
    await bot.http.edit_global_command(bot.application_id, about["id"], {"description": "Who is this?"})
    await discord.utils.get(bot.guilds[0].text_channels, name="bot-test").send("ready")


@bot.slash_command(description="Who?")
async def about(ctx: discord.ApplicationContext):
    await ctx.respond((await bot.application_info()).name)


@command("What the bot knows")
async def world(ctx: discord.ApplicationContext):
    def describe(guild, channels, members, roles):
        return {
            "guild": guild.name,
            "owner": next(member.name for member in members if member.id == guild.owner_id),
            "channels": {channel.name: channel.type.value for channel in channels},
            "members": sorted(member.name for member in members),
            "roles": sorted(role.name for role in roles),
        }

    guild = ctx.guild
    fresh = await bot.fetch_guild(guild.id)
    cached = describe(guild, guild.channels, guild.members, guild.roles)
    members = [member async for member in fresh.fetch_members()]
    fetched = describe(fresh, await fresh.fetch_channels(), members, await fresh.fetch_roles())
    await ctx.respond(json.dumps({"cached": cached, "fetched": fetched}))


@command("All types of options")
@discord.option("text", str, max_length=50)
@discord.option("whole", int, min_value=1, required=False)
@discord.option("flag", bool, required=False)
@discord.option("user", discord.Member, required=False)
@discord.option("channel", discord.TextChannel, required=False)
@discord.option("role", discord.Role, required=False)
@discord.option("mention", discord.SlashCommandOptionType.mentionable, required=False)
@discord.option("number", float, max_value=9.5, required=False)
@discord.option("file", discord.Attachment, required=False)
async def options(
    ctx: discord.ApplicationContext, text, whole, flag, user, channel, role, mention, number, file
):
    seen = {"text": text, "whole": whole, "flag": flag, "number": number}
    seen |= {"user": user and user.joined_at and user.name, "mention": mention and mention.name}
    seen |= {"channel": channel and channel.name, "role": role and role.name}
    seen |= {"file": file and file.filename, "size": file and file.size}
    seen = {key: value for key, value in seen.items() if value is not None}
    await ctx.respond(json.dumps(seen))


tree = bot.create_group("tree", "Subcommands", guild_ids=GUILDS)
branch = tree.create_subgroup("branch", "A branch")


@branch.command(description="A leaf")
@discord.option("name", str)
async def leaf(ctx: discord.ApplicationContext, name):
    await ctx.respond(f"leaf {name}")


@tree.command(description="A root")
async def root(ctx: discord.ApplicationContext):
    await ctx.respond("root")


@command("Answers late")
async def think(ctx: discord.ApplicationContext):
    await ctx.defer()
    await ctx.edit(content="thought")
    await ctx.send_followup("more")
    await ctx.send_followup("whisper", ephemeral=True)
    gone = await ctx.send_followup("gone", wait=True)
    await gone.delete()


@command("Answers to one")
async def secret(ctx: discord.ApplicationContext):
    await ctx.respond("secret", ephemeral=True)


@command("Edits what one sees")
async def edits(ctx: discord.ApplicationContext):
    await ctx.defer(ephemeral=True)
    await ctx.edit(content="one")
    followup = await ctx.send_followup("two", ephemeral=True, wait=True)
    await followup.edit(content="three")


@command("Buttons and menus")
async def panel(ctx: discord.ApplicationContext):
    await ctx.respond("0", view=Panel())


@command("A menu of texts")
async def pick(ctx: discord.ApplicationContext):
    await ctx.respond("pick", view=Pick())


@command("A modal of labels")
async def form(ctx: discord.ApplicationContext):
    await ctx.send_modal(Form())


@command("Components V2")
async def layout(ctx: discord.ApplicationContext):
    await ctx.respond(view=Layout(), file=discord.File(io.BytesIO(b"hello file"), "hello.txt"))


async def complete(ctx: discord.AutocompleteContext):
    return [fruit for fruit in FRUITS if ctx.value in fruit]


@command("Completes")
@discord.option("query", str, autocomplete=complete)
async def find(ctx: discord.ApplicationContext, query):
    await ctx.respond(f"found {query}")


@bot.user_command(name="Greet", guild_ids=GUILDS)
async def greet(ctx: discord.ApplicationContext, user: discord.Member):
    await ctx.respond(f"hello {user.name}")


@bot.message_command(name="Quote", guild_ids=GUILDS)
async def quote(ctx: discord.ApplicationContext, message: discord.Message):
    await ctx.respond(f"{message.author.name}: {message.content}")


@command("Asks the gateway")
async def members(ctx: discord.ApplicationContext):
    ids = [member.id for member in ctx.guild.members]
    found = await ctx.guild.query_members(user_ids=ids, presences=True)
    await ctx.respond(" ".join(sorted(member.name for member in found)))


logging.basicConfig(level=logging.WARNING)
bot.load_extensions("events", "messages", "tour")
bot.run(os.environ["DISCORD_TOKEN"])
