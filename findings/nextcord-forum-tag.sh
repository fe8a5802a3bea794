#!/usr/bin/env bash
# nextcord: a forum cannot be created with tags, since a new tag is sent with the text "None" as its id.
#
# A good guess: ForumTag(name="new") is a tag without an id, as its documentation says ("This should not really be passed
#   when constructing this manually"), so the request has no id or null, and Discord gives it one.
# What happens: the payload has "id": "None", which is no snowflake. Discord refuses the request as an invalid form (50035), so
#   neither create_forum_channel nor edit can add a tag.
# Package: nextcord 2.6.0.
# Source: nextcord/channel.py, ForumTag.payload: "id": str(self.id), where id is None.
# Protocol: discord/discord-api-docs, developers/resources/channel.mdx, "Forum Tag Object" (id is a snowflake, and tags need the
#   name only).
# Affected: every bot on nextcord that makes forums or their tags.
#
# How it is shown: the documented call runs against a small HTTP server on loopback in the same program, which records the body.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nextcord==2.6.0 aiohttp==3.14.5 yarl==1.25.1

cat >finding.py <<'PYTHON'
import asyncio
import json
import sys
import traceback

import nextcord
from aiohttp import web

bodies = []
USER = {"id": "2001", "username": "bot", "discriminator": "0000", "avatar": None, "bot": True}
FORUM = {"id": "3001", "type": 15, "name": "ideas", "position": 0, "permission_overwrites": [], "available_tags": []}


def as_json(data, status=200):
    # nextcord reads JSON only under exactly this content type, which is Discord's.
    return web.Response(status=status, body=json.dumps(data).encode(), headers={"Content-Type": "application/json"})


async def answer(request):
    if request.method == "POST" and request.path.endswith("/guilds/1001/channels"):
        bodies.append(await request.json())
        return as_json({**FORUM, "guild_id": "1001"}, 201)
    return as_json(USER)


async def main():
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]

    nextcord.http.Route.BASE = f"http://127.0.0.1:{port}/api/v10"
    client = nextcord.Client()
    await client.login("token")
    guild = nextcord.Guild(data={"id": "1001", "name": "Guild"}, state=client._connection)
    tag = nextcord.ForumTag(name="new")
    try:
        await guild.create_forum_channel("ideas", topic="Ideas", available_tags=[tag])
    finally:
        await client.close()
        await runner.cleanup()

    [sent] = bodies[0]["available_tags"]
    holds = sent["id"] == "None"
    print(f"{'holds' if holds else 'CHANGED'}: nextcord 2.6.0 sends ForumTag(name='new') as {sent}")
    return 0 if holds else 1


try:
    code = asyncio.run(main())
except Exception:
    traceback.print_exc()
    code = 2
sys.exit(code)
PYTHON

venv/bin/python finding.py
