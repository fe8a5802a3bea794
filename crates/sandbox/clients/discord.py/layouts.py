"""A modal of labels, and a message of Components V2."""

import discord
from discord import ui


class Form(ui.Modal, title="A form"):
    name = ui.Label(text="Name", component=ui.TextInput(custom_id="name"))
    colour = ui.Label(
        text="Colour",
        component=ui.Select(custom_id="colour", options=[discord.SelectOption(label=c) for c in ["red", "green", "blue"]]),
    )
    who = ui.Label(text="Who", component=ui.UserSelect(custom_id="who"))

    async def on_submit(self, interaction: discord.Interaction):
        [colour], [who] = self.colour.component.values, self.who.component.values
        name = self.name.component.value
        await interaction.response.send_message(f"name={name} colour={colour} who={who.name}")


class More(ui.Button):
    async def callback(self, interaction: discord.Interaction):
        view = ui.LayoutView()
        view.add_item(ui.TextDisplay("# One"))
        await interaction.response.edit_message(view=view, attachments=[])


class Layout(ui.LayoutView):
    container = ui.Container(
        ui.TextDisplay("# Zero"),
        ui.Separator(),
        ui.Section(ui.TextDisplay("One more?"), accessory=More(label="more", custom_id="more")),
        ui.File("attachment://hello.txt"),
        accent_colour=0x00FF00,
    )
