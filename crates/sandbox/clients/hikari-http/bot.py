"""A bot of hikari without a gateway: it verifies requests with its application's public key, and answers them."""

import asyncio
import os

import hikari

bot = hikari.RESTBot(
    os.environ["DISCORD_TOKEN"],
    "Bot",
    os.environ["DISCORD_PUBLIC_KEY"],
    rest_url=os.environ["SANDBOX_URL"] + "/api/v10",
    banner=None,
)


class Modal(hikari.impl.InteractionModalBuilder):
    """A modal that Discord takes: hikari 2.7.0 puts each component into a list with its files."""

    def build(self, entity_factory):
        data, files = super().build(entity_factory)
        data["data"]["components"] = [component for component, _ in data["data"]["components"]]
        return data, files


async def command(interaction: hikari.CommandInteraction):
    if interaction.command_name == "ping":
        yield interaction.build_response().set_content("pong")
    elif interaction.command_name == "think":
        yield interaction.build_deferred_response()
        await asyncio.sleep(0.2)
        await interaction.edit_initial_response("thought")
        await interaction.execute("and more")
    elif interaction.command_name == "panel":
        row = bot.rest.build_message_action_row()
        row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "ask", label="Ask")
        yield interaction.build_response().set_content("panel").add_component(row)
    elif interaction.command_name == "file":
        attachment = hikari.Bytes(b"one\ntwo", "list.txt")
        yield interaction.build_response().set_content("file").add_attachment(attachment)
    else:
        yield interaction.build_response().set_content(interaction.options[0].value)


async def complete(interaction: hikari.AutocompleteInteraction):
    typed = interaction.options[0].value
    names = [name for name in ["black", "green", "white"] if name.startswith(typed)]
    return interaction.build_response([hikari.impl.AutocompleteChoiceBuilder(name, name) for name in names])


async def component(interaction: hikari.ComponentInteraction):
    return Modal("Who?", "who").add_component(bot.rest.build_modal_action_row().add_text_input("name", "Name"))


async def modal(interaction: hikari.ModalInteraction):
    name = interaction.components[0].components[0].value
    return interaction.build_response().set_content(f"hello {name}")


async def register(_: hikari.RESTBotAware):
    guild = int(os.environ["TEST_GUILD_ID"])
    application = await bot.rest.fetch_application()
    tea = hikari.CommandOption(
        type=hikari.OptionType.STRING, name="tea", description="Which", is_required=True, autocomplete=True
    )
    names = ["ping", "think", "panel", "file"]
    commands = [bot.rest.slash_command_builder(name, "A command") for name in names]
    commands.append(bot.rest.slash_command_builder("drink", "A command").add_option(tea))
    await bot.rest.set_application_commands(application, commands, guild)
    print("ready", flush=True)


bot.set_listener(hikari.CommandInteraction, command)
bot.set_listener(hikari.AutocompleteInteraction, complete)
bot.set_listener(hikari.ComponentInteraction, component)
bot.set_listener(hikari.ModalInteraction, modal)
bot.add_startup_callback(register)
bot.run(host="127.0.0.1", port=int(os.environ["PORT"]), check_for_updates=False)
