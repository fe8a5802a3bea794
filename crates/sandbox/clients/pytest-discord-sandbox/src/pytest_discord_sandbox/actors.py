"""People who use the bot: for tests that block, and for asyncio."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ._control import Refused, escaped
from ._seen import Json, Message, Reply

if TYPE_CHECKING:
    from .sandbox import Sandbox

T = TypeVar("T")
# The tracebacks of tests end at the test.
__tracebackhide__ = True
PATIENCE = 10.0
"""Seconds that a user waits for the bot, unless told otherwise."""

Files = Mapping[str, bytes]


class BotDidNotAnswer(AssertionError):
    """The user saw an error in place of an answer."""


class NotHeard(AssertionError):
    """No message of a bot came in time, or one came that should not."""


def _encoded(files: Files | None) -> dict[str, Json]:
    return {path: {"base64": base64.b64encode(data).decode()} for path, data in (files or {}).items()}


def _option(value: Any, files: dict[str, Json]) -> Any:
    if isinstance(value, (Actor, AsyncActor)):
        return value.name
    if isinstance(value, Message):
        return value.id
    if isinstance(value, Path):
        files[value.name] = {"base64": base64.b64encode(value.read_bytes()).decode()}
        return value.name
    return value


def _target(value: Message | Reply | Actor | AsyncActor | str) -> str:
    if isinstance(value, (Actor, AsyncActor)):
        return value.name
    if isinstance(value, Reply):
        if value.message is None:
            raise ValueError("this answer is no message, so it has nothing to use")
        return value.message.id
    return value.id if isinstance(value, Message) else value


class Actor:
    """One user. What waits for the bot blocks, at most `within` seconds."""

    def __init__(self, sandbox: Sandbox, name: str, id: str) -> None:
        self._sandbox = sandbox
        self.name = name
        self.id = id
        self._heard: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def _call(self, method: str, path: str, **body: Any) -> Any:
        return self._sandbox.call(method, path, {"as": self.name, **body})

    def _interact(self, how: str, within: float, allow_error: bool, **body: Any) -> Reply:
        limit = {"deadline_ms": int(within * 1000)}
        raw = self._sandbox.call("POST", f"/interactions/{how}", {"as": self.name, **limit, **body}, within + 30)
        reply = Reply.of(raw)
        if reply.error and not allow_error:
            self._sandbox.check_bots()
            raise BotDidNotAnswer(f"{reply.error}{f' ({reply.hint})' if reply.hint else ''}")
        return reply

    # ---- messages -----------------------------------------------------------

    def says(
        self,
        text: str = "",
        *,
        at: str = "bot-test",
        reply_to: Message | None = None,
        files: Files | None = None,
    ) -> Message:
        """Sends a message in a channel (`@NAME`: direct messages with the bot of this name)."""
        more: Json = {"reply_to": reply_to.id} if reply_to else {}
        if files:
            more["files"] = _encoded(files)
        message = Message.of(self._call("POST", "/messages", channel=at, content=text, **more))
        self._heard[at] = max(self._heard.get(at, 0), int(message.id))
        return message

    def sees(self, *, at: str = "bot-test", limit: int = 50) -> list[Message]:
        """Returns the newest messages of a channel, oldest first."""
        query = {"as": self.name, "channel": at, "limit": limit}
        return [Message.of(message) for message in self._sandbox.control.get("/messages", **query)]

    def _unheard(self, at: str) -> Message | None:
        last = self._heard.get(at, 0)
        return next((m for m in self.sees(at=at) if m.by_bot and int(m.id) > last), None)

    def hears(self, *, at: str = "bot-test", within: float = PATIENCE) -> Message:
        """Waits for the next message of a bot in a channel: after the last one that this user sent or heard there."""
        message = self._sandbox.until(lambda: self._unheard(at), within)
        if message is None:
            raise NotHeard(f"{self.name} heard no bot in {at} within {within:g} s")
        self._heard[at] = int(message.id)
        return message

    def hears_nothing(self, *, at: str = "bot-test", within: float = 0.5) -> None:
        """Fails if a bot sends a message in a channel within this time."""
        message = self._sandbox.until(lambda: self._unheard(at), within)
        if message is not None:
            raise NotHeard(f"{self.name} heard {message.author} in {at}: {message.content!r}")

    def reread(self, message: Message | Reply) -> Message:
        """Returns a message as it is now."""
        path = f"/messages/{_target(message)}"
        return Message.of(self._sandbox.control.get(path, **{"as": self.name}))

    def sees_change(self, message: Message | Reply, *, within: float = PATIENCE) -> Message:
        """Waits until a message differs from what this user has seen of it, and returns it."""
        seen = message if isinstance(message, Message) else message.message
        if seen is None:
            raise ValueError("this answer is no message")

        def look() -> Message | None:
            now = self.reread(seen)
            return now if now.raw != seen.raw else None

        changed = self._sandbox.until(look, within)
        if changed is None:
            raise NotHeard(f"message {seen.id} did not change within {within:g} s")
        return changed

    def edits(self, message: Message, text: str) -> Message:
        """Edits a message of this user's."""
        return Message.of(self._call("PATCH", f"/messages/{message.id}", content=text))

    def deletes(self, message: Message) -> None:
        """Deletes a message."""
        self._call("DELETE", f"/messages/{message.id}")

    def reacts(self, message: Message | Reply, emoji: str) -> None:
        """Adds a reaction."""
        self._call("POST", f"/messages/{_target(message)}/reactions", emoji=emoji)

    def unreacts(self, message: Message | Reply, emoji: str) -> None:
        """Removes a reaction."""
        self._call("DELETE", f"/messages/{_target(message)}/reactions", emoji=emoji)

    # ---- interactions -------------------------------------------------------

    def runs(
        self,
        command: str,
        /,
        *,
        at: str = "bot-test",
        within: float = PATIENCE,
        files: Files | None = None,
        allow_error: bool = False,
        **options: Any,
    ) -> Reply:
        """Runs a slash command and waits for the answer: `runs("/poll tea or:coffee")` as typed, or `runs("/poll new", question="tea")`.

        It first waits until a bot has registered the command. An option can be a user, a `Path` of a file to attach, or
        plain. One whose name is a parameter here goes into the text.
        """
        given = _encoded(files)
        body: Json
        if options:
            words = command.removeprefix("/").split()
            inner: Any = {name: _option(value, given) for name, value in options.items()}
            for word in reversed(words[1:]):
                inner = {word: inner}
            body = {"name": words[0], "options": inner}
        else:
            body = {"text": command}
        if given:
            body["files"] = given
        self._await_command(command.removeprefix("/").split()[0], at, within)
        return self._interact("command", within, allow_error, channel=at, **body)

    def uses(
        self,
        command: str,
        on: Message | Reply | Actor | AsyncActor | str,
        *,
        at: str = "bot-test",
        within: float = PATIENCE,
        allow_error: bool = False,
    ) -> Reply:
        """Runs a user command or a message command on its target."""
        self._await_command(command, at, within)
        return self._interact("command", within, allow_error, channel=at, name=command, target=_target(on))

    def completes(self, text: str, *, at: str = "bot-test", within: float = PATIENCE) -> list[Any]:
        """Returns the values offered for the option that is being typed, the last one of the text."""
        self._await_command(text.removeprefix("/").split()[0], at, within)
        reply = self._interact("autocomplete", within, False, channel=at, text=text)
        return [choice["value"] for choice in reply.raw["choices"] or []]

    def _await_command(self, name: str, at: str, within: float) -> None:
        def look() -> bool:
            known = self._sandbox.control.get("/commands", **{"as": self.name, "channel": at})
            return any(name in (command["name"], command.get("name_localized")) for command in known)

        # If it does not come, the sandbox's own sentence says what there is.
        self._sandbox.until(look, within)

    def clicks(
        self,
        on: Message | Reply,
        button: str,
        *,
        within: float = PATIENCE,
        allow_error: bool = False,
    ) -> Reply:
        """Presses a button, by custom id or label."""
        return self._interact("component", within, allow_error, message=_target(on), component=button)

    def selects(
        self,
        on: Message | Reply,
        menu: str,
        *values: Any,
        within: float = PATIENCE,
        allow_error: bool = False,
    ) -> Reply:
        """Chooses from a menu, by custom id or placeholder: values, or for its kind users, roles and channels."""
        chosen = [str(_option(value, {})) for value in values]
        return self._interact(
            "component", within, allow_error, message=_target(on), component=menu, values=chosen
        )

    def submits(
        self,
        opened: Reply,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        within: float = PATIENCE,
        allow_error: bool = False,
        **inputs: Any,
    ) -> Reply:
        """Submits the modal that an answer opened, with values by custom id."""
        filled = {**(values or {}), **inputs}
        return self._interact("modal", within, allow_error, interaction=opened.interaction, values=filled)

    # ---- places -------------------------------------------------------------

    def joins_voice(self, channel: str = "Lounge", *, guild: str = "Sandbox") -> None:
        """Joins a voice channel."""
        path = f"/guilds/{escaped(guild)}/voice/{escaped(self.name)}"
        self._sandbox.call("PUT", path, {"channel": channel})

    def leaves_voice(self, *, guild: str = "Sandbox") -> None:
        """Leaves voice."""
        self._sandbox.call("DELETE", f"/guilds/{escaped(guild)}/voice/{escaped(self.name)}")

    def joins(self, guild: str = "Sandbox") -> None:
        """Joins a guild."""
        self._sandbox.call("PUT", f"/guilds/{escaped(guild)}/members/{escaped(self.name)}", {})

    def leaves(self, guild: str = "Sandbox") -> None:
        """Leaves a guild."""
        self._sandbox.call("DELETE", f"/guilds/{escaped(guild)}/members/{escaped(self.name)}")

    def gets_roles(self, *roles: str, guild: str = "Sandbox") -> None:
        """Has these roles from now on, by name, and no others."""
        path = f"/guilds/{escaped(guild)}/members/{escaped(self.name)}"
        self._sandbox.call("PATCH", path, {"roles": list(roles)})


_THREADS = ThreadPoolExecutor(max_workers=64, thread_name_prefix="sandbox user")
"""Each waits on one answer of the sandbox."""


async def _apart(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    try:
        return await asyncio.get_running_loop().run_in_executor(_THREADS, lambda: function(*args, **kwargs))
    except (AssertionError, Refused) as error:
        # Without the frames of the thread, which say nothing to a test.
        raise error.with_traceback(None) from error.__cause__


class AsyncActor:
    """One user, for asyncio: the same words as `Actor`, awaited."""

    def __init__(self, actor: Actor) -> None:
        self.blocking = actor
        self.name = actor.name
        self.id = actor.id

    def __repr__(self) -> str:
        return repr(self.blocking)

    async def says(
        self,
        text: str = "",
        *,
        at: str = "bot-test",
        reply_to: Message | None = None,
        files: Files | None = None,
    ) -> Message:
        """Sends a message in a channel (`@NAME`: direct messages with the bot of this name)."""
        return await _apart(self.blocking.says, text, at=at, reply_to=reply_to, files=files)

    async def sees(self, *, at: str = "bot-test", limit: int = 50) -> list[Message]:
        """Returns the newest messages of a channel, oldest first."""
        return await _apart(self.blocking.sees, at=at, limit=limit)

    async def hears(self, *, at: str = "bot-test", within: float = PATIENCE) -> Message:
        """Waits for the next message of a bot in a channel: after the last one that this user sent or heard there."""
        return await _apart(self.blocking.hears, at=at, within=within)

    async def hears_nothing(self, *, at: str = "bot-test", within: float = 0.5) -> None:
        """Fails if a bot sends a message in a channel within this time."""
        await _apart(self.blocking.hears_nothing, at=at, within=within)

    async def reread(self, message: Message | Reply) -> Message:
        """Returns a message as it is now."""
        return await _apart(self.blocking.reread, message)

    async def sees_change(self, message: Message | Reply, *, within: float = PATIENCE) -> Message:
        """Waits until a message differs from what this user has seen of it, and returns it."""
        return await _apart(self.blocking.sees_change, message, within=within)

    async def edits(self, message: Message, text: str) -> Message:
        """Edits a message of this user's."""
        return await _apart(self.blocking.edits, message, text)

    async def deletes(self, message: Message) -> None:
        """Deletes a message."""
        await _apart(self.blocking.deletes, message)

    async def reacts(self, message: Message | Reply, emoji: str) -> None:
        """Adds a reaction."""
        await _apart(self.blocking.reacts, message, emoji)

    async def unreacts(self, message: Message | Reply, emoji: str) -> None:
        """Removes a reaction."""
        await _apart(self.blocking.unreacts, message, emoji)

    async def runs(
        self,
        command: str,
        /,
        *,
        at: str = "bot-test",
        within: float = PATIENCE,
        files: Files | None = None,
        allow_error: bool = False,
        **options: Any,
    ) -> Reply:
        """Runs a slash command and waits for the answer; see `Actor.runs`."""
        return await _apart(
            self.blocking.runs, command, at=at, within=within, files=files, allow_error=allow_error, **options
        )

    async def uses(
        self,
        command: str,
        on: Message | Reply | Actor | AsyncActor | str,
        *,
        at: str = "bot-test",
        within: float = PATIENCE,
        allow_error: bool = False,
    ) -> Reply:
        """Runs a user command or a message command on its target."""
        return await _apart(self.blocking.uses, command, on, at=at, within=within, allow_error=allow_error)

    async def completes(self, text: str, *, at: str = "bot-test", within: float = PATIENCE) -> list[Any]:
        """Returns the values offered for the option that is being typed, the last one of the text."""
        return await _apart(self.blocking.completes, text, at=at, within=within)

    async def clicks(
        self, on: Message | Reply, button: str, *, within: float = PATIENCE, allow_error: bool = False
    ) -> Reply:
        """Presses a button, by custom id or label."""
        return await _apart(self.blocking.clicks, on, button, within=within, allow_error=allow_error)

    async def selects(
        self,
        on: Message | Reply,
        menu: str,
        *values: Any,
        within: float = PATIENCE,
        allow_error: bool = False,
    ) -> Reply:
        """Chooses from a menu, by custom id or placeholder: values, or for its kind users, roles and channels."""
        return await _apart(
            self.blocking.selects, on, menu, *values, within=within, allow_error=allow_error
        )

    async def submits(
        self,
        opened: Reply,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        within: float = PATIENCE,
        allow_error: bool = False,
        **inputs: Any,
    ) -> Reply:
        """Submits the modal that an answer opened, with values by custom id."""
        return await _apart(
            self.blocking.submits, opened, values, within=within, allow_error=allow_error, **inputs
        )

    async def joins_voice(self, channel: str = "Lounge", *, guild: str = "Sandbox") -> None:
        """Joins a voice channel."""
        await _apart(self.blocking.joins_voice, channel, guild=guild)

    async def leaves_voice(self, *, guild: str = "Sandbox") -> None:
        """Leaves voice."""
        await _apart(self.blocking.leaves_voice, guild=guild)

    async def joins(self, guild: str = "Sandbox") -> None:
        """Joins a guild."""
        await _apart(self.blocking.joins, guild)

    async def leaves(self, guild: str = "Sandbox") -> None:
        """Leaves a guild."""
        await _apart(self.blocking.leaves, guild)

    async def gets_roles(self, *roles: str, guild: str = "Sandbox") -> None:
        """Has these roles from now on, by name, and no others."""
        await _apart(self.blocking.gets_roles, *roles, guild=guild)


