"""The bot in the process of its tests, with asyncio."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from bot import Bot
from pytest_discord_sandbox import AsyncActor, Sandbox


@pytest_asyncio.fixture
async def bot(sandbox: Sandbox, discord_py: None) -> AsyncIterator[Bot]:
    client = Bot()
    async with client, sandbox.bot_task(client.start(sandbox.token)):
        yield client


async def test_a_message_is_answered(bot: Bot, alice: AsyncActor) -> None:
    question = await alice.says("!ping")
    reply = await alice.hears()
    assert reply.content == "pong"
    assert reply.raw["message_reference"]["message_id"] == question.id


async def test_a_command_is_answered(bot: Bot, alice: AsyncActor, bob: AsyncActor) -> None:
    reply = await alice.runs("/ping")
    assert reply.content == "pong"
    assert not reply.ephemeral
    reply = await alice.runs("/greet", whom=bob, warmly=True)
    assert reply.content == "Dearest bob"
    assert reply.ephemeral


async def test_buttons_and_menus(bot: Bot, alice: AsyncActor, bob: AsyncActor) -> None:
    counter = await alice.runs("/count")
    assert counter.buttons == ["More"]
    await alice.clicks(counter, "More")
    assert (await bob.clicks(counter, "More")).content == "2 times"
    assert (await bob.selects(counter, "colour", "blue")).content == "You like blue."


async def test_a_modal(bot: Bot, alice: AsyncActor) -> None:
    opened = await alice.runs("/order")
    assert opened.modal and opened.modal["title"] == "Your order"
    reply = await alice.submits(opened, dish="soup")
    assert reply.content == "One soup, coming up."


async def test_voice_is_noticed(bot: Bot, alice: AsyncActor) -> None:
    await alice.joins_voice("Lounge")
    assert (await alice.hears(at="general")).content == "alice is in Lounge"


async def test_a_rate_limit_is_waited_out(bot: Bot, alice: AsyncActor, sandbox: Sandbox) -> None:
    sandbox.limits("POST", "/channels/*/messages", retry_after=0.3)
    await alice.says("!ping")
    assert (await alice.hears()).content == "pong"
    statuses = [r["status"] for r in sandbox.log("request") if r["route"] == "/channels/{channel.id}/messages"]
    assert statuses == [429, 200]


async def test_a_lost_connection_loses_no_message(bot: Bot, alice: AsyncActor, sandbox: Sandbox) -> None:
    sandbox.drops_connections()
    await alice.says("!ping")
    assert (await alice.hears(within=30)).content == "pong"
    await sandbox.wait_for_async("resumed")


async def test_a_button_works_when_the_token_of_its_message_is_over(
    bot: Bot, alice: AsyncActor, sandbox: Sandbox
) -> None:
    counter = await alice.runs("/count")
    sandbox.advance(timedelta(minutes=16))
    assert (await alice.clicks(counter, "More")).content == "1 times"
