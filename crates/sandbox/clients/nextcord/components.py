"""Buttons, menus and a modal."""

import nextcord
from nextcord import ui


class Question(ui.Modal):
    def __init__(self):
        super().__init__("A question")
        self.name = ui.TextInput("name", custom_id="name")
        self.about = ui.TextInput("about", custom_id="about", style=nextcord.TextInputStyle.paragraph)
        self.add_item(self.name)
        self.add_item(self.about)

    async def callback(self, interaction):
        await interaction.response.send_message(f"name={self.name.value} about={self.about.value}")


async def chosen(interaction, select):
    names = sorted(str(getattr(value, "name", value)) for value in select.values)
    await interaction.response.send_message(" ".join([select.custom_id, *names]), ephemeral=True)


class Panel(ui.View):
    def __init__(self):
        super().__init__()
        self.add_item(ui.Button(label="link", url="https://example.com"))

    @ui.button(label="count", custom_id="count", style=nextcord.ButtonStyle.primary)
    async def count(self, button, interaction):
        await interaction.response.edit_message(content=str(int(interaction.message.content) + 1))

    @ui.button(label="ask", custom_id="ask", style=nextcord.ButtonStyle.success)
    async def ask(self, button, interaction):
        await interaction.response.send_modal(Question())

    @ui.button(label="close", custom_id="close", style=nextcord.ButtonStyle.danger)
    async def close(self, button, interaction):
        await interaction.response.edit_message(content="closed", view=None)

    @ui.user_select(custom_id="users", max_values=2)
    async def users(self, select, interaction):
        await chosen(interaction, select)

    @ui.role_select(custom_id="roles")
    async def roles(self, select, interaction):
        await chosen(interaction, select)

    @ui.mentionable_select(custom_id="mentionables", max_values=2)
    async def mentionables(self, select, interaction):
        await chosen(interaction, select)

    @ui.channel_select(custom_id="channels", channel_types=[nextcord.ChannelType.text])
    async def channels(self, select, interaction):
        await chosen(interaction, select)


class Pick(ui.View):
    @ui.string_select(
        custom_id="strings", max_values=2, options=[nextcord.SelectOption(label=c) for c in ["red", "green", "blue"]]
    )
    async def strings(self, select, interaction):
        await chosen(interaction, select)
