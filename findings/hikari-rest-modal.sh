#!/usr/bin/env bash
# hikari: a bot over HTTP (RESTBot) cannot open a modal, since each of its components is sent in a list with its files.
#
# A good guess: build_modal_response().add_component(...) returned by a listener opens the modal, as it does from a bot on the
#   gateway and as the documentation of RESTBot's listeners says.
# What happens: "components" of the response is [[{...}, []]] in place of [{...}]. Discord's components are objects, so it takes no
#   such response, and the user sees "This interaction failed". The request is answered with 200 and nothing is logged.
# Package: hikari 2.7.0.
# Source: hikari/impl/special_endpoints.py, InteractionModalBuilder.build: component.build() returns a pair of the component and
#   its files, and the pair is put into the array. InteractionMessageBuilder.build takes the pair apart.
# Protocol: discord/discord-api-docs, developers/interactions/receiving-and-responding.mdx, "Modal" of the interaction response.
# Affected: every bot that uses hikari's RESTBot with modals.
#
# How it is shown: a signed slash command goes through RESTBot.on_interaction, and the response's body is read.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'hikari[server]==2.7.0' aiohttp==3.14.5 pynacl==1.6.2

cat >finding.py <<'PYTHON'
import asyncio
import json
import sys
import traceback

import hikari
import nacl.signing

key = nacl.signing.SigningKey.generate()
bot = hikari.RESTBot("token", "Bot", public_key=key.verify_key.encode().hex(), banner=None, logs=None, suppress_optimization_warning=True)

USER = {"id": "2001", "username": "ada", "discriminator": "0", "global_name": None, "avatar": None, "public_flags": 0}
COMMAND = {
    "id": "5001", "application_id": "4001", "type": 2, "token": "t", "version": 1, "app_permissions": "0", "locale": "en-US",
    "user": USER, "channel_id": "3001", "channel": {"id": "3001", "type": 1, "last_message_id": None, "recipients": [USER]},
    "authorizing_integration_owners": {"1": "2001"}, "context": 1, "entitlements": [], "attachment_size_limit": 10485760,
    "data": {"id": "6001", "name": "who", "type": 1},
}


async def command(interaction):
    row = bot.rest.build_modal_action_row().add_text_input("name", "Name")
    return interaction.build_modal_response("Who?", "who").add_component(row)


async def main():
    bot.set_listener(hikari.CommandInteraction, command)
    body, timestamp = json.dumps(COMMAND).encode(), b"1700000000"
    response = await bot.on_interaction(body, key.sign(timestamp + body).signature, timestamp)
    components = json.loads(response.payload)["data"]["components"]
    kinds = [type(component).__name__ for component in components]
    holds = response.status_code == 200 and kinds == ["list"] and components[0][1] == []
    print(f"{'holds' if holds else 'CHANGED'}: hikari 2.7.0 sends a modal's component as a {kinds[0]}: {json.dumps(components)[:70]}...")
    return 0 if holds else 1


try:
    code = asyncio.run(main())
except Exception:
    traceback.print_exc()
    code = 2
sys.exit(code)
PYTHON

venv/bin/python finding.py
