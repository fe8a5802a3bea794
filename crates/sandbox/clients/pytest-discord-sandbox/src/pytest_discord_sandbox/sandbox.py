"""A local Discord of a test: its world, its faults, its clock, and the bot under test."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from ._control import Control, Entry, Log, escaped
from ._process import Process
from ._seen import Json
from .actors import PATIENCE, Actor, _apart

T = TypeVar("T")
__tracebackhide__ = True


class BotEnded(AssertionError):
    """The bot under test ended while the test went on."""


class NotSeen(AssertionError):
    """Nothing in the log was what the test waited for."""


class Guild:
    """A guild of the sandbox."""

    def __init__(self, sandbox: Sandbox, raw: Json) -> None:
        self._sandbox = sandbox
        self.name: str = raw["name"]
        self.id: str = raw["id"]

    def __repr__(self) -> str:
        return f"<guild {self.name}>"

    def _overview(self) -> Json:
        return next(g for g in self._sandbox.call("GET", "")["guilds"] if g["id"] == self.id)

    @property
    def channels(self) -> dict[str, str]:
        """Ids of its channels by name."""
        return {channel["name"]: channel["id"] for channel in self._overview()["channels"]}

    @property
    def roles(self) -> dict[str, str]:
        """Ids of its roles by name."""
        return {role["name"]: role["id"] for role in self._overview()["roles"]}

    def new_channel(self, name: str, **fields: Any) -> Json:
        """Creates a channel: `type`, `parent`, `topic`, `nsfw`. Returns Discord's object."""
        body = {"name": name, **fields}
        return self._sandbox.call("POST", f"/guilds/{self.id}/channels", body)  # type: ignore[no-any-return]

    def new_role(self, name: str, **fields: Any) -> Json:
        """Creates a role: `permissions`, `color`, `mentionable`. Returns Discord's object."""
        body = {"name": name, **fields}
        return self._sandbox.call("POST", f"/guilds/{self.id}/roles", body)  # type: ignore[no-any-return]

    def permits(
        self, role: str, *, allow: Sequence[str] = (), deny: Sequence[str] = (), at: str | None = None
    ) -> None:
        """Changes the permissions of a role (a bot's has its name), in the guild or in one channel, by Discord's names."""
        place = f"channels/{escaped(at)}/permissions/{escaped(role)}" if at else f"roles/{escaped(role)}/permissions"
        self._sandbox.call("PATCH", f"/guilds/{self.id}/{place}", {"allow": list(allow), "deny": list(deny)})


class BotProcess:
    """A bot that runs as a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], output: Any) -> None:
        self._process = process
        self._output = output

    @property
    def output(self) -> str:
        """What it has printed so far."""
        self._output.flush()
        with open(self._output.name, errors="replace") as file:
            return file.read()

    def ended(self) -> str | None:
        """Returns how it ended, or None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        return f"the bot ended with exit code {code}; its output:\n{self.output}"


class Sandbox:
    """A running sandbox."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self._process = Process(arguments)
        state = self._process.state
        self.url: str = state["url"]
        """Base address, which corresponds to https://discord.com."""
        self.token: str = state["token"]
        """Token of the bot."""
        self.control = Control(state["local_url"], state["control_secret"])
        self.env: dict[str, str] = {
            "DISCORD_TOKEN": self.token,
            "DISCORD_API_URL": self.url,
            "TEST_GUILD_ID": str(state["guild_id"]),
            "SANDBOX_URL": state["local_url"],
            "SANDBOX_CONTROL_SECRET": state["control_secret"],
        }
        """Variables for a bot that is a process of its own, as `sandbox env` prints them."""
        if self.url.startswith("https://"):
            for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "DENO_CERT"):
                self.env[name] = state["voice_root"]
        if proxy := state.get("proxy"):
            self.env |= {"HTTPS_PROXY": proxy, "NODE_USE_ENV_PROXY": "1", "NO_PROXY": "localhost,127.0.0.1,::1"}
        self.root_certificate: str = state["voice_root"]
        """File with the certificate that a bot in voice must trust."""
        self._log = Log(self.control)
        self._bots: list[Callable[[], str | None]] = []
        self._processes: list[BotProcess] = []
        self.start = 1
        """Number of the log's entry with which the current test begins."""
        overview = self.call("GET", "")
        self.api_url: str = overview["api_url"]
        self.gateway_url: str = overview["gateway_url"]
        guild, bot = overview["guilds"][0], overview["bots"][0]
        self.env |= {
            "DISCORD_APPLICATION_ID": bot["id"],
            "DISCORD_PUBLIC_KEY": bot["public_key"],
            "OWNER_IDS": guild["owner"],
        }
        self.guild = Guild(self, guild)
        """The guild "Sandbox", in which alice (its owner), bob, carol and the bot are."""
        self.bot_name: str = bot["name"]

    def __repr__(self) -> str:
        return f"<sandbox at {self.url}>"

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it."""
        self._process.stop()

    def call(self, method: str, path: str, body: Any = None, timeout: float = 60) -> Any:
        """Calls a route of the control API, below `/sandbox`. The sandbox's README lists them."""
        return self.control.call(method, path, body, timeout)

    # ---- people and guilds --------------------------------------------------

    def actor(self, name: str) -> Actor:
        """Returns a user by name."""
        for user in self.call("GET", "/users"):
            if user["username"] == name:
                return Actor(self, name, user["id"])
        raise LookupError(f"there is no user {name}; make one with new_actor")

    def new_actor(self, name: str, *, guild: str | None = "Sandbox", locale: str | None = None) -> Actor:
        """Creates a user, in a guild unless that is None."""
        body = {"username": name, "guild": guild, "locale": locale}
        user = self.call("POST", "/users", {key: value for key, value in body.items() if value is not None})
        return Actor(self, user["username"], user["id"])

    def new_guild(self, name: str, *, owner: str = "alice") -> Guild:
        """Creates a guild with the bot in it."""
        return Guild(self, self.call("POST", "/guilds", {"name": name, "owner": owner}))

    # ---- time and faults ----------------------------------------------------

    def advance(self, time: timedelta) -> None:
        """Moves the world's clock forward. What is due by then has happened when this returns."""
        self.call("POST", "/clock", {"advance_ms": int(time.total_seconds() * 1000)})

    def fault(self, on: Json, *, times: int | None = 1, skip: int = 0, delay_ms: int = 0) -> None:
        """Injects a fault: `on` as in the sandbox's README. It strikes so many times, or always if that is None."""
        rule: Json = {"on": on, "skip": skip, "delay_ms": delay_ms}
        self.call("POST", "/faults", rule if times is None else {**rule, "count": times})

    def fails(self, method: str, path: str, *, status: int = 503, times: int | None = 1) -> None:
        """Makes requests fail: `fails("POST", "/channels/*/messages")`."""
        self.fault({"request": {"method": method, "path": path, "effect": {"respond": {"status": status}}}}, times=times)

    def limits(
        self, method: str, path: str, *, retry_after: float = 1.0, scope: str = "user", times: int | None = 1
    ) -> None:
        """Makes requests run into a rate limit (429); the scope is user, shared or global."""
        effect = {"rate_limit": {"retry_after": retry_after, "scope": scope}}
        self.fault({"request": {"method": method, "path": path, "effect": effect}}, times=times)

    def heals(self) -> None:
        """Removes all faults."""
        self.call("DELETE", "/faults")

    def _sessions(self, command: Any) -> None:
        self.call("POST", "/sessions", {"command": command})

    def drops_connections(self) -> None:
        """Cuts the bot's connections to the gateway, as when a cable is pulled."""
        self._sessions("sever")

    def closes_connections(self, code: int = 4000) -> None:
        """Closes the bot's connections to the gateway with a close code."""
        self._sessions({"close": {"code": code}})

    def asks_to_reconnect(self) -> None:
        """Asks the bot to reconnect (opcode 7)."""
        self._sessions("reconnect")

    def invalidates_sessions(self, *, resumable: bool = False) -> None:
        """Declares the bot's sessions invalid (opcode 9)."""
        self._sessions({"invalid_session": {"resumable": resumable}})

    # ---- the log ------------------------------------------------------------

    def log(self, kind: str | None = None, *, since: int = 1) -> list[Entry]:
        """Returns entries of the log: requests, events, connections, each with `n`, `at_us`, `kind` and more."""
        return [entry for entry in self._log.entries(since) if kind in (None, entry["kind"])]

    def log_text(self, since: int = 1) -> str:
        """Returns the log as lines for people."""
        return self.control.text(since)

    def note(self, text: str) -> int:
        """Adds a note to the log, and returns its number."""
        return self.call("POST", "/notes", {"text": text})["n"]  # type: ignore[no-any-return]

    def until(self, look: Callable[[], T | None], within: float = PATIENCE) -> T | None:
        """Looks at once and after each event in the sandbox, until there is something to see; None if that takes longer."""
        end = time.monotonic() + within
        while True:
            seen = self._log.events
            if found := look():
                return found
            self.check_bots()
            if self._log.over:
                raise NotSeen("the sandbox has ended")
            left = end - time.monotonic()
            if left <= 0 or not self._log.wait(seen, left):
                # Once more, for what happened in the last moment.
                return look() or None

    def wait_for(
        self,
        kind: str,
        where: Callable[[Entry], bool] = lambda _: True,
        *,
        since: int | None = None,
        within: float = PATIENCE,
    ) -> Entry:
        """Waits for an entry of the log, among those of this test or from number `since` on, and returns it."""
        first = self.start if since is None else since

        def look() -> Entry | None:
            return next((entry for entry in self.log(kind, since=first) if where(entry)), None)

        found = self.until(look, within)
        if found is None:
            raise NotSeen(f"there was no {kind} as wanted within {within:g} s")
        return found

    async def wait_for_async(
        self,
        kind: str,
        where: Callable[[Entry], bool] = lambda _: True,
        *,
        since: int | None = None,
        within: float = PATIENCE,
    ) -> Entry:
        """The same as `wait_for`, for asyncio."""
        return await _apart(self.wait_for, kind, where, since=since, within=within)

    # ---- the bot under test -------------------------------------------------

    def check_bots(self) -> None:
        """Fails if a bot under test has ended."""
        for ended in self._bots:
            if how := ended():
                raise BotEnded(how)

    def _until_online(self, since: int, within: float) -> None:
        def online(entry: Entry) -> bool:
            return bool(entry["event"] == "GUILD_CREATE")

        try:
            self.wait_for("dispatch", online, since=since, within=within)
        except NotSeen:
            raise NotSeen(f"the bot did not get its guild from the gateway within {within:g} s") from None

    @contextmanager
    def bot_process(
        self, *command: str, env: Mapping[str, str] | None = None, cwd: str | None = None, within: float = 30
    ) -> Iterator[BotProcess]:
        """Runs a bot as a process with `env` of the sandbox, and waits until it is connected."""
        since = self.note("the bot starts") + 1
        environment = {**os.environ, **self.env, "PYTHONUNBUFFERED": "1", **(env or {})}
        with tempfile.NamedTemporaryFile(prefix="bot-", suffix=".log") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=cwd)
            bot = BotProcess(process, output)

            def watch_it() -> None:
                process.wait()
                self._log.wake()

            watch = threading.Thread(target=watch_it, name="bot", daemon=True)
            watch.start()
            self._bots.append(bot.ended)
            self._processes.append(bot)
            try:
                self._until_online(since, within)
                yield bot
            finally:
                self._bots.remove(bot.ended)
                process.terminate()
                watch.join(10)
                process.kill()
                watch.join()
                self._processes.remove(bot)

    @asynccontextmanager
    async def bot_task(self, run: Coroutine[Any, Any, Any], *, within: float = 30) -> AsyncIterator[None]:
        """Runs a bot as a task of this process, such as `client.start(sandbox.token)`, and waits until it is connected."""
        since = self.note("the bot starts") + 1
        task = asyncio.get_running_loop().create_task(run)

        def ended() -> str | None:
            if not task.done() or task.cancelled():
                return None
            return f"the bot ended: {task.exception()!r}" if task.exception() else "the bot ended by itself"

        self._bots.append(ended)
        task.add_done_callback(lambda _: self._log.wake())
        try:
            await _apart(self._until_online, since, within)
            yield
        except BotEnded as error:
            # Its own traceback says more.
            if task.done() and not task.cancelled() and (cause := task.exception()):
                raise error from cause
            raise
        finally:
            self._bots.remove(ended)
            task.cancel()
            await asyncio.wait([task])

    @property
    def outputs(self) -> list[str]:
        """What running bots have printed."""
        return [bot.output for bot in self._processes]
