"""Buttons, menus, modals, and messages of Components V2, in disnake's form without views: by their custom ids."""

import disnake
from disnake import ui
from disnake.ext import commands

COLOURS = ["red", "green", "blue"]


def panel():
    text = [disnake.ChannelType.text]
    return [
        [
            ui.Button(label="count", custom_id="count", style=disnake.ButtonStyle.primary),
            ui.Button(label="ask", custom_id="ask", style=disnake.ButtonStyle.success),
            ui.Button(label="close", custom_id="close", style=disnake.ButtonStyle.danger),
            ui.Button(label="link", url="https://example.com"),
        ],
        ui.UserSelect(custom_id="users", max_values=2),
        ui.RoleSelect(custom_id="roles"),
        ui.MentionableSelect(custom_id="mentionables", max_values=2),
        ui.ChannelSelect(custom_id="channels", channel_types=text),
    ]


def pick():
    return ui.StringSelect(custom_id="strings", max_values=2, options=COLOURS)


def layout():
    more = ui.Button(label="more", custom_id="more", style=disnake.ButtonStyle.primary)
    return ui.Container(
        ui.TextDisplay("# Zero"),
        ui.Separator(),
        ui.Section("One more?", accessory=more),
        ui.File("attachment://hello.txt"),
        accent_colour=disnake.Colour(0x00FF00),
    )


class Question(ui.Modal):
    def __init__(self):
        name = ui.TextInput(label="name", custom_id="name")
        about = ui.TextInput(label="about", custom_id="about", style=disnake.TextInputStyle.paragraph)
        super().__init__(title="A question", components=[name, about])

    async def callback(self, inter: disnake.ModalInteraction):
        values = inter.text_values
        await inter.response.send_message(f"name={values['name']} about={values['about']}")


class Form(ui.Modal):
    def __init__(self):
        components = [
            ui.Label("Name", ui.TextInput(custom_id="name")),
            ui.Label("Colour", ui.StringSelect(custom_id="colour", options=COLOURS)),
            ui.Label("Who", ui.UserSelect(custom_id="who")),
        ]
        super().__init__(title="A form", components=components)

    async def callback(self, inter: disnake.ModalInteraction):
        values = inter.resolved_values
        [colour], [who] = values["colour"], values["who"]
        await inter.response.send_message(f"name={values['name']} colour={colour} who={who.name}")


class Components(commands.Cog):
    @commands.Cog.listener()
    async def on_button_click(self, inter: disnake.MessageInteraction):
        match inter.component.custom_id:
            case "count":
                await inter.response.edit_message(str(int(inter.message.content) + 1))
            case "ask":
                await inter.response.send_modal(Question())
            case "close":
                await inter.response.edit_message("closed", components=None)
            case "more":
                await inter.response.edit_message(components=ui.TextDisplay("# One"), attachments=[])

    @commands.Cog.listener()
    async def on_dropdown(self, inter: disnake.MessageInteraction):
        names = sorted(str(getattr(value, "name", value)) for value in inter.resolved_values)
        await inter.response.send_message(" ".join([inter.component.custom_id, *names]), ephemeral=True)


def setup(bot):
    bot.add_cog(Components())
