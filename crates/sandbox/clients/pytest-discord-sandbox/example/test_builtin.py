"""A bot with built-in hosts: the sandbox has their names, and leads them to itself as a proxy."""

import sys
from pathlib import Path

from pytest_discord_sandbox import Sandbox

BOT = Path(__file__).with_name("builtin.py")
NAMES = ["discord.com", "gateway.discord.gg", "cdn.discordapp.com"]


def test_a_bot_with_built_in_hosts_needs_no_change() -> None:
    arguments = ["--proxy", *(word for name in NAMES for word in ("--tls-name", name))]
    with Sandbox(arguments) as sandbox, sandbox.bot_process(sys.executable, str(BOT)):
        assert sandbox.url == "https://discord.com"
        assert sandbox.actor("alice").runs("/ping").content == "pong"
