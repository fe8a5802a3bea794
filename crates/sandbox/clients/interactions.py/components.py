"""Buttons, menus, a modal, and a message of Components V2."""

import io
import os

import interactions
from interactions import (
    ActionRow,
    Button,
    ButtonStyle,
    ChannelSelectMenu,
    ComponentContext,
    ContainerComponent,
    FileComponent,
    MentionableSelectMenu,
    ParagraphText,
    RoleSelectMenu,
    SectionComponent,
    SeparatorComponent,
    ShortText,
    StringSelectMenu,
    TextDisplayComponent,
    UserSelectMenu,
    component_callback,
    slash_command,
)

HERE = [int(os.environ["TEST_GUILD_ID"])]


class Components(interactions.Extension):
    @slash_command("panel", description="Buttons and menus", scopes=HERE)
    async def panel(self, ctx: interactions.SlashContext):
        text = [interactions.ChannelType.GUILD_TEXT]
        rows = [
            ActionRow(
                Button(label="count", custom_id="count", style=ButtonStyle.PRIMARY),
                Button(label="ask", custom_id="ask", style=ButtonStyle.SUCCESS),
                Button(label="close", custom_id="close", style=ButtonStyle.DANGER),
                Button(label="link", url="https://example.com", style=ButtonStyle.LINK),
            ),
            ActionRow(UserSelectMenu(custom_id="users", max_values=2)),
            ActionRow(RoleSelectMenu(custom_id="roles")),
            ActionRow(MentionableSelectMenu(custom_id="mentionables", max_values=2)),
            ActionRow(ChannelSelectMenu(custom_id="channels", channel_types=text)),
        ]
        await ctx.send("0", components=rows)

    @slash_command("pick", description="A menu of texts", scopes=HERE)
    async def pick(self, ctx: interactions.SlashContext):
        menu = StringSelectMenu("red", "green", "blue", custom_id="strings", max_values=2)
        await ctx.send("pick", components=menu)

    @slash_command("layout", description="Components V2", scopes=HERE)
    async def layout(self, ctx: interactions.SlashContext):
        more = Button(label="more", custom_id="more", style=ButtonStyle.PRIMARY)
        container = ContainerComponent(
            TextDisplayComponent("# Zero"),
            SeparatorComponent(divider=True),
            SectionComponent(components=[TextDisplayComponent("One more?")], accessory=more),
            FileComponent("attachment://hello.txt"),
            accent_color=0x00FF00,
        )
        file = interactions.File(io.BytesIO(b"hello file"), file_name="hello.txt")
        await ctx.send(components=[container], files=[file])

    @component_callback("more")
    async def more(self, ctx: ComponentContext):
        await ctx.edit_origin(components=[TextDisplayComponent("# One")])

    @component_callback("count")
    async def count(self, ctx: ComponentContext):
        await ctx.edit_origin(content=str(int(ctx.message.content) + 1))

    @component_callback("ask")
    async def ask(self, ctx: ComponentContext):
        name = ShortText(label="name", custom_id="name")
        about = ParagraphText(label="about", custom_id="about")
        await ctx.send_modal(interactions.Modal(name, about, title="A question", custom_id="question"))

    @interactions.modal_callback("question")
    async def question(self, ctx: interactions.ModalContext, name: str, about: str):
        await ctx.send(f"name={name} about={about}")

    @component_callback("close")
    async def close(self, ctx: ComponentContext):
        await ctx.edit_origin(content="closed", components=[])

    @component_callback("users", "roles", "mentionables", "channels", "strings")
    async def chosen(self, ctx: ComponentContext):
        names = [getattr(each, "username", None) or getattr(each, "name", each) for each in ctx.values]
        await ctx.send(" ".join([ctx.custom_id, *sorted(names)]), ephemeral=True)
