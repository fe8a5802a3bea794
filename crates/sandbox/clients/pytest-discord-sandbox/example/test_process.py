"""The bot as a process of its own, in any language; the test blocks."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_discord_sandbox import Actor, BotProcess, Guild, Sandbox

BOT = Path(__file__).with_name("bot.py")


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[BotProcess]:
    with sandbox.bot_process(sys.executable, str(BOT)) as process:
        yield process


def test_a_command_is_answered(bot: BotProcess, alice: Actor) -> None:
    assert alice.runs("/ping").content == "pong"


def test_the_bot_keeps_quiet_where_it_may_not_speak(bot: BotProcess, sandbox: Sandbox, guild: Guild, alice: Actor) -> None:
    guild.permits(sandbox.bot_name, at="bot-test", deny=["SEND_MESSAGES"])
    guild.permits(sandbox.bot_name, deny=["ADMINISTRATOR"])
    alice.says("!ping")
    refused = sandbox.wait_for("request", lambda entry: entry.get("status") == 403)
    assert refused["response"]["code"] == 50013
    alice.hears_nothing()
