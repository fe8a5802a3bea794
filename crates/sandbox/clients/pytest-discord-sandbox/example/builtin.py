"""A bot that says nowhere where Discord is, but uses the proxy of its environment."""

import os

import discord
from discord import app_commands

client = discord.Client(intents=discord.Intents.default(), proxy=os.environ.get("HTTPS_PROXY"))
tree = app_commands.CommandTree(client)


@tree.command(description="Answers")
async def ping(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("pong")


@client.event
async def setup_hook() -> None:
    await tree.sync()


client.run(os.environ["DISCORD_TOKEN"])
