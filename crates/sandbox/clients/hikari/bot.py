"""An ordinary hikari bot; only `rest_url` differs from one for discord.com."""

import datetime
import json
import os

import hikari
import layouts
import posts
from hikari import CommandType, OptionType

bot = hikari.GatewayBot(
    os.environ["DISCORD_TOKEN"],
    intents=hikari.Intents.ALL,
    rest_url=f"{os.environ['SANDBOX_URL']}/api/v10",
    banner=None,
    logs="WARNING",
    suppress_optimization_warning=True,
)
rest = bot.rest
FRUITS = ["apple", "banana", "cherry", "mango"]
FILE = hikari.Bytes(b"hello file", "hello.txt")


def option(name, kind, **more):
    return hikari.CommandOption(type=kind, name=name, description=f"A {name}", **more)


LEAF = option("leaf", OptionType.SUB_COMMAND, options=[option("name", OptionType.STRING, is_required=True)])


def slash(name, description, *options, **more):
    command = rest.slash_command_builder(name, description)
    for each in options:
        command.add_option(each)
    if more:
        command.set_default_member_permissions(more["permissions"])
    return command


COMMANDS = [
    slash("world", "What the bot knows"),
    slash(
        "options",
        "All types of options",
        option("text", OptionType.STRING, is_required=True, max_length=50),
        option("whole", OptionType.INTEGER, min_value=1),
        option("flag", OptionType.BOOLEAN),
        option("user", OptionType.USER),
        option("channel", OptionType.CHANNEL, channel_types=[hikari.ChannelType.GUILD_TEXT]),
        option("role", OptionType.ROLE),
        option("mention", OptionType.MENTIONABLE),
        option("number", OptionType.FLOAT, max_value=9.5),
        option("file", OptionType.ATTACHMENT),
    ),
    slash(
        "tree",
        "Subcommands",
        option("branch", OptionType.SUB_COMMAND_GROUP, options=[LEAF]),
        option("root", OptionType.SUB_COMMAND),
    ),
    slash("think", "Answers late"),
    slash("secret", "Answers to one"),
    slash("edits", "Edits what one sees"),
    slash("layout", "Components V2"),
    slash("panel", "Buttons and menus"),
    slash("pick", "A menu of texts"),
    slash("find", "Completes", option("query", OptionType.STRING, autocomplete=True, is_required=True)),
    rest.context_menu_command_builder(CommandType.USER, "Greet"),
    rest.context_menu_command_builder(CommandType.MESSAGE, "Quote"),
    slash("members", "Asks the gateway"),
    slash("tour", "Makes and deletes", permissions=hikari.Permissions.MANAGE_GUILD),
]

home = {}


async def report(text):
    await rest.create_message(home["general"], text)


@bot.listen()
async def started(event: hikari.GuildAvailableEvent):
    if home:
        return
    home.update({channel.name: channel for channel in event.channels.values()}, guild=event.guild)
    application = await rest.fetch_application()
    home["application"] = application
    await rest.set_application_commands(application, COMMANDS, guild=event.guild)
    about = await rest.create_slash_command(application, "about", "Who?")
    await rest.edit_application_command(application, about, description="Who is this?")
    await rest.fetch_application_commands(application, guild=event.guild)
    await rest.create_message(home["bot-test"], "ready")


def answer(interaction, content, **more):
    return interaction.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, content, **more)


async def world(interaction, options):
    def describe(guild, channels, members, roles):
        return {
            "guild": guild.name,
            "owner": next(member.username for member in members if member.id == guild.owner_id),
            "channels": {channel.name: int(channel.type) for channel in channels},
            "members": sorted(member.username for member in members),
            "roles": sorted(role.name for role in roles),
        }

    guild = interaction.get_guild()
    cached = describe(guild, guild.get_channels().values(), guild.get_members().values(), guild.get_roles().values())
    fresh = await rest.fetch_guild(guild)
    fetched = describe(
        fresh, await rest.fetch_guild_channels(fresh), await rest.fetch_members(fresh), await rest.fetch_roles(fresh)
    )
    await answer(interaction, json.dumps({"cached": cached, "fetched": fetched}))


async def show_options(interaction, options):
    seen, resolved = {}, interaction.resolved
    for each in options:
        match each.type:
            case OptionType.USER:
                assert resolved.members[each.value].joined_at
                seen[each.name] = resolved.users[each.value].username
            case OptionType.CHANNEL:
                seen[each.name] = resolved.channels[each.value].name
            case OptionType.ROLE:
                seen[each.name] = resolved.roles[each.value].name
            case OptionType.MENTIONABLE:
                seen[each.name] = (resolved.users.get(each.value) or resolved.roles[each.value]).username
            case OptionType.ATTACHMENT:
                file = resolved.attachments[each.value]
                seen |= {"file": file.filename, "size": file.size}
            case _:
                seen[each.name] = each.value
    await answer(interaction, json.dumps(seen))


async def tree(interaction, options):
    inner = options[0]
    if inner.name == "branch":
        inner = inner.options[0]
    await answer(interaction, " ".join([inner.name, *[each.value for each in inner.options or []]]))


async def think(interaction, options):
    await interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
    await interaction.edit_initial_response("thought")
    await interaction.execute("more")
    await interaction.execute("whisper", flags=hikari.MessageFlag.EPHEMERAL)
    gone = await interaction.execute("gone")
    await interaction.delete_message(gone)


async def edits(interaction, options):
    ephemeral = hikari.MessageFlag.EPHEMERAL
    await interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE, flags=ephemeral)
    await interaction.edit_initial_response("one")
    followup = await interaction.execute("two", flags=ephemeral)
    await interaction.edit_message(followup, "three")


async def panel(interaction, options):
    buttons = rest.build_message_action_row()
    buttons.add_interactive_button(hikari.ButtonStyle.PRIMARY, "count", label="count")
    buttons.add_interactive_button(hikari.ButtonStyle.SUCCESS, "ask", label="ask")
    buttons.add_interactive_button(hikari.ButtonStyle.DANGER, "close", label="close")
    buttons.add_link_button("https://example.com", label="link")
    menu = hikari.ComponentType
    rows = [buttons]
    for name, kind, most in [
        ("users", menu.USER_SELECT_MENU, 2),
        ("roles", menu.ROLE_SELECT_MENU, 1),
        ("mentionables", menu.MENTIONABLE_SELECT_MENU, 2),
    ]:
        rows.append(rest.build_message_action_row().add_select_menu(kind, name, max_values=most))
    text = [hikari.ChannelType.GUILD_TEXT]
    rows.append(rest.build_message_action_row().add_channel_menu("channels", channel_types=text))
    await answer(interaction, "0", components=rows)


async def pick(interaction, options):
    row = rest.build_message_action_row()
    menu = row.add_text_menu("strings", max_values=2)
    for colour in ["red", "green", "blue"]:
        menu.add_option(colour, colour)
    await answer(interaction, "pick", component=row)


async def members(interaction, options):
    found = []
    ids = list(interaction.get_guild().get_members())
    nonce = "asked"
    with bot.stream(hikari.MemberChunkEvent, timeout=10).filter(lambda event: event.nonce == nonce) as stream:
        await bot.request_guild_members(interaction.guild_id, include_presences=True, users=ids, nonce=nonce)
        async for chunk in stream:
            found += [member.username for member in chunk.members.values()]
            if chunk.chunk_index == chunk.chunk_count - 1:
                break
    await answer(interaction, " ".join(sorted(found)))


async def tour(interaction, options):
    await interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
    guild = interaction.get_guild()
    me = bot.get_me()
    closed = hikari.PermissionOverwrite(
        id=guild.id, type=hikari.PermissionOverwriteType.ROLE, deny=hikari.Permissions.SEND_MESSAGES
    )
    room = await rest.create_guild_text_channel(guild, "Tour Room", topic="first", permission_overwrites=[closed])
    await rest.edit_channel(room, topic="second")
    await room.edit_overwrite(
        me, target_type=hikari.PermissionOverwriteType.MEMBER, allow=hikari.Permissions.SEND_MESSAGES
    )
    message = await room.send("pinned")
    await rest.pin_message(room, message)
    assert [pin.message.id for pin in await rest.fetch_pins(room)] == [message.id]
    await rest.unpin_message(room, message)
    thread = await rest.create_message_thread(room, message, "thread")
    await thread.send("in the thread")
    await thread.edit(archived=True)
    role = await rest.create_role(guild, name="Traveller", color=0xFF00FF, permissions=hikari.Permissions.CONNECT)
    [bob] = await rest.search_members(guild, "bob")
    await bob.add_role(role)
    await bob.edit(nickname="Tourist Bob")
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)
    await bob.edit(communication_disabled_until=later)
    await bob.edit(communication_disabled_until=None)
    await bob.remove_role(role)
    await rest.edit_role(guild, role, name="Tourist")
    await rest.delete_role(guild, role)
    [carol] = await rest.search_members(guild, "carol")
    await carol.ban(reason="tour")
    assert [ban.user.username for ban in await rest.fetch_bans(guild)] == ["carol"]
    await carol.unban()
    webhook = await rest.create_webhook(room, "hook")
    hooked = await webhook.execute("by a webhook", username="Hook")
    await webhook.edit_message(hooked, "edited by a webhook")
    await webhook.delete_message(hooked)
    await webhook.delete()
    invite = await rest.create_invite(room, max_age=60)
    await rest.fetch_invite(invite.code)
    await rest.delete_invite(invite.code)
    poll = hikari.impl.PollBuilder(question_text="Tea?", duration=1, allow_multiselect=False)
    poll.add_answer(text="yes")
    poll.add_answer(text="no", emoji="👎")
    message = await rest.create_message(room, poll=poll)
    await rest.end_poll(room, message)
    await rest.delete_messages(room, [await room.send("a"), await room.send("b")])
    await rest.trigger_typing(room)
    log = await rest.fetch_audit_log(guild)
    kinds = [entry.action_type for page in log for entry in page.entries.values()]
    assert hikari.AuditLogEventType.MESSAGE_BULK_DELETE in kinds
    dm = await interaction.user.send("direct from the tour")
    await dm.delete()
    await room.delete()
    await interaction.edit_initial_response("toured")


RUN = {
    "about": lambda interaction, options: answer(interaction, home["application"].name),
    "world": world,
    "options": show_options,
    "tree": tree,
    "think": think,
    "secret": lambda interaction, options: answer(interaction, "secret", flags=hikari.MessageFlag.EPHEMERAL),
    "edits": edits,
    "layout": layouts.layout,
    "panel": panel,
    "pick": pick,
    "find": lambda interaction, options: answer(interaction, f"found {options[0].value}"),
    "members": members,
    "tour": tour,
}


@bot.listen()
async def on_command(event: hikari.CommandInteractionCreateEvent):
    interaction = event.interaction
    if interaction.command_name == "Greet":
        await answer(interaction, f"hello {interaction.resolved.members[interaction.target_id].username}")
    elif interaction.command_name == "Quote":
        message = interaction.resolved.messages[interaction.target_id]
        await answer(interaction, f"{message.author.username}: {message.content}")
    else:
        await RUN[interaction.command_name](interaction, interaction.options)


@bot.listen()
async def on_autocomplete(event: hikari.AutocompleteInteractionCreateEvent):
    typed = next(each.value for each in event.interaction.options if each.is_focused)
    choices = [fruit for fruit in FRUITS if typed in fruit]
    await event.interaction.create_response([hikari.impl.AutocompleteChoiceBuilder(name, name) for name in choices])


@bot.listen()
async def on_component(event: hikari.ComponentInteractionCreateEvent):
    interaction, update = event.interaction, hikari.ResponseType.MESSAGE_UPDATE
    match interaction.custom_id:
        case "count":
            await interaction.create_initial_response(update, str(int(interaction.message.content) + 1))
        case "more":
            await layouts.more(interaction)
        case "close":
            await interaction.create_initial_response(update, "closed", components=[])
        case "ask":
            name = rest.build_modal_action_row().add_text_input("name", "name")
            about = rest.build_modal_action_row()
            about.add_text_input("about", "about", style=hikari.TextInputStyle.PARAGRAPH)
            await interaction.create_modal_response("A question", "question", components=[name, about])
        case menu:
            found = interaction.resolved
            names = list(interaction.values)
            if found:
                names = [user.username for user in found.users.values()]
                names += [each.name for each in [*found.roles.values(), *found.channels.values()]]
            await answer(interaction, " ".join([menu, *sorted(names)]), flags=hikari.MessageFlag.EPHEMERAL)


@bot.listen()
async def on_modal(event: hikari.ModalInteractionCreateEvent):
    values = {field.custom_id: field.value for row in event.interaction.components for field in row}
    await answer(event.interaction, f"name={values['name']} about={values['about']}")


async def said_post(message, text):
    embed = hikari.Embed(title="Title", url="https://example.com", colour=0x00FF00)
    embed.timestamp = datetime.datetime.now(datetime.timezone.utc)
    embed.set_author(name="Author").set_footer("Foot").add_field("Field", "one")
    home["post"] = post = await message.respond("posted", embed=embed, attachment=FILE, reply=True)
    await post.edit("posted and edited")
    await post.add_reaction("✅")


async def said_fetch(message, text):
    history = await rest.fetch_messages(message.channel_id).limit(5)
    found = next(found for found in history if found.id == home["post"].id)
    seen = {
        "content": found.content,
        "embeds": len(found.embeds),
        "files": [file.filename for file in found.attachments],
        "reactions": [reaction.emoji.name for reaction in found.reactions],
        "reply": found.referenced_message.author.username == "alice",
    }
    await message.respond(json.dumps(seen))


async def said_clean(message, text):
    await home["post"].delete()


async def said_read(message, text):
    [file] = message.attachments
    await message.respond(f"{file.filename}: {(await file.read()).decode()}")


async def said_mistake(message, text):
    try:
        await message.respond("")
    except hikari.BadRequestError as error:
        await message.respond(f"mistake {error.code}")


async def said_idle(message, text):
    await bot.update_presence(status=hikari.Status.IDLE, activity=hikari.Activity(name="nothing"))
    await message.respond("idle now")


async def said_echo(message, text):
    await message.respond(text)


async def said_burst(message, text):
    for n in range(8):
        await message.respond(f"burst {n}")


@bot.listen()
async def on_message(event: hikari.GuildMessageCreateEvent):
    if event.is_human and event.content and event.content.startswith("!"):
        name, _, text = event.content[1:].partition(" ")
        said = globals().get(f"said_{name}") or getattr(posts, f"said_{name}")
        await said(event.message, text)


posts.listen(bot, report)


@bot.listen()
async def on_direct(event: hikari.DMMessageCreateEvent):
    if event.is_human:
        await event.message.respond(f"direct {event.content}")


@bot.listen()
async def on_join(event: hikari.MemberCreateEvent):
    await report(f"join {event.user.username}")


@bot.listen()
async def on_leave(event: hikari.MemberDeleteEvent):
    await report(f"leave {event.user.username}")


@bot.listen()
async def on_member(event: hikari.MemberUpdateEvent):
    if event.member.nickname == "Bobby":
        await report(f"member {event.user.username} {event.member.nickname}")


@bot.listen()
async def on_edit(event: hikari.GuildMessageUpdateEvent):
    if event.is_human:
        await report(f"edit {event.content}")


@bot.listen()
async def on_delete(event: hikari.GuildMessageDeleteEvent):
    if event.old_message and event.old_message.author.username == "carol":
        await report(f"delete {event.message_id}")


@bot.listen()
async def on_react(event: hikari.GuildReactionAddEvent):
    if not event.member.is_bot:
        await report(f"react {event.emoji_name} {event.member.username}")


@bot.listen()
async def on_unreact(event: hikari.GuildReactionDeleteEvent):
    await report(f"unreact {event.emoji_name} {bot.cache.get_user(event.user_id).username}")


@bot.listen()
async def on_presence(event: hikari.PresenceUpdateEvent):
    user = bot.cache.get_user(event.user_id)
    if user.username == "bob" and event.presence.activities:
        await report(f"presence bob {event.presence.visible_status} {event.presence.activities[0].name}")


@bot.listen()
async def on_typing(event: hikari.GuildTypingEvent):
    if not event.member.is_bot:
        await report(f"typing {event.member.username}")


@bot.listen()
async def on_voice(event: hikari.VoiceStateUpdateEvent):
    channel = bot.cache.get_guild_channel(event.state.channel_id) if event.state.channel_id else None
    await report(f"voice {event.state.member.username} {channel.name if channel else 'none'}")


@bot.listen()
async def on_channel(event: hikari.GuildChannelCreateEvent):
    if event.channel.name == "news":
        await report("channel news")


@bot.listen()
async def on_role(event: hikari.RoleCreateEvent):
    if event.role.name == "Artist":
        await report("role Artist")


@bot.listen()
async def on_guild(event: hikari.GuildJoinEvent):
    await report(f"guild {event.guild.name}")


# hikari turns SIGTERM into a HikariInterrupt, which `run` raises once everything is closed.
try:
    bot.run(propagate_interrupts=False, check_for_updates=False)
except hikari.HikariInterrupt:
    pass
