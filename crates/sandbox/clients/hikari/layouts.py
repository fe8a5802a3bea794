"""A message of Components V2."""

import hikari
from hikari import impl

FILE = hikari.Bytes(b"hello file", "hello.txt")


def text(content):
    return impl.TextDisplayComponentBuilder(content=content)


async def layout(interaction, options):
    container = impl.ContainerComponentBuilder(accent_color=hikari.Color(0x00FF00))
    container.add_component(text("# Zero"))
    container.add_component(impl.SeparatorComponentBuilder())
    more = impl.InteractiveButtonBuilder(style=hikari.ButtonStyle.PRIMARY, custom_id="more", label="more")
    container.add_component(impl.SectionComponentBuilder(components=[text("One more?")], accessory=more))
    container.add_component(impl.FileComponentBuilder(file=FILE))
    await interaction.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, components=[container])


async def more(interaction):
    await interaction.create_initial_response(
        hikari.ResponseType.MESSAGE_UPDATE, components=[text("# One")], attachments=[]
    )
