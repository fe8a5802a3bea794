"""Buttons, menus, modals, and a message of Components V2."""

import discord
from discord import ComponentType, ui


class Question(ui.Modal):
    def __init__(self):
        super().__init__(
            ui.InputText(label="name", custom_id="name"),
            ui.InputText(label="about", custom_id="about", style=discord.InputTextStyle.long),
            title="A question",
        )

    async def callback(self, interaction: discord.Interaction):
        name, about = (item.value for item in self.children)
        await interaction.respond(f"name={name} about={about}")


async def chosen(interaction, select):
    names = sorted(str(getattr(value, "name", value)) for value in select.values)
    await interaction.respond(" ".join([select.custom_id, *names]), ephemeral=True)


class Panel(ui.View):
    def __init__(self):
        super().__init__()
        self.add_item(ui.Button(label="link", url="https://example.com", row=0))

    @ui.button(label="count", custom_id="count", style=discord.ButtonStyle.primary)
    async def count(self, button, interaction):
        await interaction.response.edit_message(content=str(int(interaction.message.content) + 1))

    @ui.button(label="ask", custom_id="ask", style=discord.ButtonStyle.success)
    async def ask(self, button, interaction):
        await interaction.response.send_modal(Question())

    @ui.button(label="close", custom_id="close", style=discord.ButtonStyle.danger)
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

    @ui.channel_select(custom_id="channels", channel_types=[discord.ChannelType.text])
    async def channels(self, select, interaction):
        await chosen(interaction, select)


COLOURS = [discord.SelectOption(label=colour) for colour in ["red", "green", "blue"]]


class Pick(ui.View):
    @ui.string_select(custom_id="strings", max_values=2, options=COLOURS)
    async def strings(self, select, interaction):
        await chosen(interaction, select)


class Form(ui.DesignerModal):
    def __init__(self):
        self.name = ui.InputText(custom_id="name")
        self.colour = ui.Select(custom_id="colour", options=COLOURS)
        self.who = ui.Select(ComponentType.user_select, custom_id="who")
        labels = {"Name": self.name, "Colour": self.colour, "Who": self.who}
        super().__init__(*[ui.Label(text, item) for text, item in labels.items()], title="A form")

    async def callback(self, interaction: discord.Interaction):
        [colour], [who] = self.colour.values, self.who.values
        await interaction.respond(f"name={self.name.value} colour={colour} who={who.name}")


class More(ui.Button):
    async def callback(self, interaction: discord.Interaction):
        view = ui.DesignerView(ui.TextDisplay("# One"))
        await interaction.response.edit_message(view=view, attachments=[])


class Layout(ui.DesignerView):
    def __init__(self):
        super().__init__(
            ui.Container(
                ui.TextDisplay("# Zero"),
                ui.Separator(),
                ui.Section(ui.TextDisplay("One more?"), accessory=More(label="more", custom_id="more")),
                ui.File("attachment://hello.txt"),
                colour=0x00FF00,
            )
        )
