"""The control API of a sandbox, over HTTP with the standard library only."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

Entry = dict[str, Any]
__tracebackhide__ = True


class Refused(Exception):
    """What was asked of the sandbox is not possible. The text is its sentence."""


class Control:
    """Calls the control API and follows the log."""

    def __init__(self, url: str, secret: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._headers = {"Authorization": f"Bearer {secret}"}

    def _request(self, method: str, path: str, body: Any, timeout: float | None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        headers = dict(self._headers)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection.request(method, f"/sandbox{path}", data, headers)
        return connection.getresponse()

    def call(self, method: str, path: str, body: Any = None, timeout: float = 60) -> Any:
        """Calls a route of the control API and returns its JSON."""
        with self._request(method, path, body, timeout) as answer:
            text = answer.read()
            if answer.status < 400:
                return json.loads(text) if text else None
        try:
            sentence = str(json.loads(text)["error"])
        except (ValueError, KeyError, TypeError):
            sentence = f"{method} {path} was answered with {answer.status}"
        raise Refused(sentence)

    def get(self, path: str, **query: Any) -> Any:
        """Reads a route of the control API."""
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def text(self, since: int) -> str:
        """Returns the log from an entry on, as lines for people."""
        with self._request("GET", f"/log?text=true&from={since}", None, 60) as answer:
            return answer.read().decode()

    def follow(self) -> Iterator[Entry]:
        """Yields each entry of the log, until the sandbox ends."""
        with self._request("GET", "/log?from=1&follow=true", None, None) as answer:
            while line := answer.readline():
                yield json.loads(line)


class Log:
    """The log as far as it has come, which tells who waits of each new entry."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._entries: list[Entry] = []
        self._changed = threading.Condition()
        self._events = 0
        self._over = False
        threading.Thread(target=self._follow, name="sandbox log", daemon=True).start()

    def _follow(self) -> None:
        try:
            for entry in self._control.follow():
                with self._changed:
                    self._entries.append(entry)
                    self._events += 1
                    self._changed.notify_all()
        except (OSError, http.client.HTTPException, ValueError):
            pass  # The sandbox has ended, which `over` tells.
        with self._changed:
            self._over = True
        self.wake()

    def wake(self) -> None:
        """Lets all who wait look again."""
        with self._changed:
            self._events += 1
            self._changed.notify_all()

    def entries(self, since: int = 1) -> list[Entry]:
        """Returns the entries from this number on."""
        with self._changed:
            return [entry for entry in self._entries if entry.get("n", 0) >= since]

    @property
    def events(self) -> int:
        """How many times something has changed."""
        return self._events

    @property
    def over(self) -> bool:
        """Whether the sandbox has ended."""
        return self._over

    def wait(self, seen: int, seconds: float) -> bool:
        """Waits until more than `seen` things have changed; returns False if that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self._events > seen, seconds)


def escaped(name: str) -> str:
    """Returns a name as one segment of a path."""
    return quote(name, safe="")


