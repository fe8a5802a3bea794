"""A small bot of discord.py, as an example."""

import os

import discord
from discord import app_commands


class Order(discord.ui.Modal, title="Your order"):
    dish: discord.ui.TextInput["Order"] = discord.ui.TextInput(label="Dish", custom_id="dish")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"One {self.dish.value}, coming up.", ephemeral=True)


class Counter(discord.ui.View):
    count = 0

    @discord.ui.button(label="More")
    async def more(self, interaction: discord.Interaction, _: discord.ui.Button["Counter"]) -> None:
        self.count += 1
        await interaction.response.edit_message(content=f"{self.count} times", view=self)

    @discord.ui.select(custom_id="colour", options=[discord.SelectOption(label=c) for c in ("red", "blue")])
    async def colour(self, interaction: discord.Interaction, menu: discord.ui.Select["Counter"]) -> None:
        await interaction.response.send_message(f"You like {menu.values[0]}.", ephemeral=True)


class Bot(discord.Client):
    def __init__(self) -> None:
        intents = discord.Intents.default()
        intents.message_content = True
        super().__init__(intents=intents)
        self.tree = app_commands.CommandTree(self)
        self.tree.add_command(app_commands.Command(name="ping", description="Answers", callback=ping))
        self.tree.add_command(app_commands.Command(name="order", description="Takes an order", callback=order))
        self.tree.add_command(app_commands.Command(name="count", description="Counts", callback=count))
        self.tree.add_command(app_commands.Command(name="greet", description="Greets", callback=greet))

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        if message.content == "!ping":
            await message.reply("pong")

    async def on_voice_state_update(
        self, member: discord.Member, _: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        if after.channel:
            channel = next(c for c in member.guild.text_channels if c.name == "general")
            await channel.send(f"{member.name} is in {after.channel.name}")


async def ping(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("pong")


async def order(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Order())


async def count(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("0 times", view=Counter())


async def greet(interaction: discord.Interaction, whom: discord.Member, warmly: bool = False) -> None:
    await interaction.response.send_message(f"{'Dearest' if warmly else 'Hello'} {whom.name}", ephemeral=True)


if __name__ == "__main__":
    # A process is pointed at the sandbox by its environment.
    if url := os.environ.get("DISCORD_API_URL"):
        import yarl

        discord.http.Route.BASE = f"{url}/api/v10"
        gateway = yarl.URL(url.replace("http", "ws", 1))
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway
    Bot().run(os.environ["DISCORD_TOKEN"])
