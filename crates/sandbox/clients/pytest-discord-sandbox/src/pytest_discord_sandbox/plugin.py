"""The pytest plugin: fixtures, and the log of a failed test."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from ._process import NotStarted
from .actors import Actor, AsyncActor
from .sandbox import Guild, Sandbox

_RUNNING: list[Sandbox] = []
"""Sandboxes of this process."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the settings."""
    parser.addini("sandbox_scope", "Scope of a sandbox: function, class, module, package or session.", default="function")
    parser.addini("sandbox_args", "Arguments of `sandbox serve`, such as --no-rate-limits.", default="")


def _scope(fixture_name: str, config: pytest.Config) -> Any:
    return config.getini("sandbox_scope")


@pytest.fixture(scope=_scope)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A local Discord of its own on a free port, for each test or for the scope in `sandbox_scope`."""
    why, running = "", None
    try:
        running = Sandbox(shlex.split(request.config.getini("sandbox_args")))
    except NotStarted as error:
        why = str(error)
    if running is None:
        pytest.fail(why, pytrace=False)
    _RUNNING.append(running)
    yield running
    _RUNNING.remove(running)
    running.stop()


@pytest.fixture
def guild(sandbox: Sandbox) -> Guild:
    """The guild "Sandbox" with its channels bot-test, general and Lounge."""
    return sandbox.guild


def _for(request: pytest.FixtureRequest, actor: Actor) -> Actor | AsyncActor:
    function = getattr(request, "function", None)
    return AsyncActor(actor) if inspect.iscoroutinefunction(function) else actor


@pytest.fixture
def alice(request: pytest.FixtureRequest, sandbox: Sandbox) -> Actor | AsyncActor:
    """Alice, the guild's owner: an `AsyncActor` in a test that is a coroutine, else an `Actor`."""
    return _for(request, sandbox.actor("alice"))


@pytest.fixture
def bob(request: pytest.FixtureRequest, sandbox: Sandbox) -> Actor | AsyncActor:
    """Bob, a member."""
    return _for(request, sandbox.actor("bob"))


@pytest.fixture
def carol(request: pytest.FixtureRequest, sandbox: Sandbox) -> Actor | AsyncActor:
    """Carol, a member."""
    return _for(request, sandbox.actor("carol"))


@pytest.fixture
def new_actor(request: pytest.FixtureRequest, sandbox: Sandbox) -> Callable[..., Actor | AsyncActor]:
    """Makes a user: `new_actor("dave")`."""
    return lambda name, **more: _for(request, sandbox.new_actor(name, **more))


@pytest.fixture
def discord_py(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points discord.py in this process at the sandbox, for one test."""
    import discord
    import yarl

    monkeypatch.setattr(discord.http.Route, "BASE", sandbox.api_url)
    gateway = yarl.URL(sandbox.gateway_url)
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remembers where the log of this test begins."""
    for running in _RUNNING:
        running.start = running.note(f"test {item.name}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the log of a failed test, and the output of its bots, to its report."""
    report = yield
    if report.failed and report.when != "teardown":
        for running in _RUNNING:
            report.sections.append(("discord sandbox", running.log_text(running.start)))
            for output in running.outputs:
                report.sections.append(("output of the bot", output))
    return report
