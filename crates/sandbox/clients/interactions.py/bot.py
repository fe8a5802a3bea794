"""An ordinary interactions.py bot; only `Route.BASE` differs from one for discord.com."""

import json
import os
import signal

import interactions
from interactions import OptionType, SlashCommand, SlashContext, slash_command, slash_option

interactions.api.http.route.Route.BASE = f"{os.environ['SANDBOX_URL']}/api/v10"
FRUITS = ["apple", "banana", "cherry", "mango"]
HERE = [int(os.environ["TEST_GUILD_ID"])]

bot = interactions.Client(
    token=os.environ["DISCORD_TOKEN"], intents=interactions.Intents.ALL, basic_logging=True, logging_level=30
)


def command(name, description):
    return slash_command(name, description=description, scopes=HERE)


@interactions.listen()
async def on_startup():
    channel = next(channel for channel in bot.guilds[0].channels if channel.name == "bot-test")
    await channel.send("ready")


@slash_command("about", description="Who is this?")
async def about(ctx: SlashContext):
    await ctx.send(bot.app.name)


@command("world", "What the bot knows")
async def world(ctx: SlashContext):
    def describe(guild, channels, members, roles):
        return {
            "guild": guild.name,
            "owner": next(member.username for member in members if member.id == guild._owner_id),
            "channels": {channel.name: int(channel.type) for channel in channels},
            "members": sorted(member.username for member in members),
            "roles": sorted(role.name for role in roles),
        }

    guild = ctx.guild
    cached = describe(guild, guild.channels, guild.members, guild.roles)
    fresh = await bot.fetch_guild(guild.id, force=True)
    await fresh.http_chunk()
    fetched = describe(fresh, await fresh.fetch_channels(), fresh.members, fresh.roles)
    await ctx.send(json.dumps({"cached": cached, "fetched": fetched}))


@command("options", "All types of options")
@slash_option("text", "A text", OptionType.STRING, required=True, max_length=50)
@slash_option("whole", "A whole", OptionType.INTEGER, min_value=1)
@slash_option("flag", "A flag", OptionType.BOOLEAN)
@slash_option("user", "A user", OptionType.USER)
@slash_option("channel", "A channel", OptionType.CHANNEL, channel_types=[interactions.ChannelType.GUILD_TEXT])
@slash_option("role", "A role", OptionType.ROLE)
@slash_option("mention", "A mention", OptionType.MENTIONABLE)
@slash_option("number", "A number", OptionType.NUMBER, max_value=9.5)
@slash_option("file", "A file", OptionType.ATTACHMENT)
async def options(ctx: SlashContext, **_):
    seen = {}
    for name, value in ctx.kwargs.items():
        if name == "file":
            seen |= {"file": value.filename, "size": value.size}
        elif isinstance(value, interactions.Member):
            seen[name] = value.joined_at and value.username
        else:
            seen[name] = getattr(value, "name", value)
    await ctx.send(json.dumps(seen))


tree = SlashCommand(name="tree", description="Subcommands", scopes=HERE)
branch = tree.group(name="branch", description="A branch")


@branch.subcommand(sub_cmd_name="leaf", sub_cmd_description="A leaf")
@slash_option("name", "A name", OptionType.STRING, required=True)
async def leaf(ctx: SlashContext, name: str):
    await ctx.send(f"leaf {name}")


@tree.subcommand(sub_cmd_name="root", sub_cmd_description="A root")
async def root(ctx: SlashContext):
    await ctx.send("root")


@command("think", "Answers late")
async def think(ctx: SlashContext):
    await ctx.defer()
    await ctx.send("thought")
    await ctx.send("more")
    await ctx.send("whisper", ephemeral=True)
    gone = await ctx.send("gone")
    await ctx.delete(gone)


@command("secret", "Answers to one")
async def secret(ctx: SlashContext):
    await ctx.send("secret", ephemeral=True)


@command("edits", "Edits what one sees")
async def edits(ctx: SlashContext):
    await ctx.defer(ephemeral=True)
    await ctx.send("one")
    followup = await ctx.send("two", ephemeral=True)
    await ctx.edit(followup, content="three")


@command("find", "Completes")
@slash_option("query", "A query", OptionType.STRING, required=True, autocomplete=True)
async def find(ctx: SlashContext, query: str):
    await ctx.send(f"found {query}")


@find.autocomplete("query")
async def complete(ctx: interactions.AutocompleteContext):
    await ctx.send([fruit for fruit in FRUITS if ctx.input_text in fruit])


@interactions.user_context_menu("Greet", scopes=HERE)
async def greet(ctx: interactions.ContextMenuContext):
    await ctx.send(f"hello {ctx.target.username}")


@interactions.message_context_menu("Quote", scopes=HERE)
async def quote(ctx: interactions.ContextMenuContext):
    await ctx.send(f"{ctx.target.author.username}: {ctx.target.content}")


@command("members", "Asks the gateway")
async def members(ctx: SlashContext):
    await ctx.guild.gateway_chunk()
    await ctx.send(" ".join(sorted(member.username for member in ctx.guild.members)))


for extension in ["components", "events", "messages", "tour"]:
    bot.load_extension(extension)
# `start` ends in good order at Ctrl+C; so it does at SIGTERM.
signal.signal(signal.SIGTERM, signal.default_int_handler)
bot.start()
