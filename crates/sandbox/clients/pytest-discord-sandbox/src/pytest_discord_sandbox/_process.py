"""The process of a sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class NotStarted(Exception):
    """There is no sandbox to test against. The text says what to do."""


def program() -> str:
    """Returns the path of the program: `SANDBOX_BIN`, else `sandbox` in PATH."""
    if named := os.environ.get("SANDBOX_BIN"):
        if not os.access(named, os.X_OK):
            raise NotStarted(f"SANDBOX_BIN is {named}, which is no program")
        return named
    found = shutil.which("sandbox")
    if found is None:
        raise NotStarted(
            "there is no program `sandbox` in PATH; build it (cargo build -p sandbox) and set SANDBOX_BIN to it"
        )
    return found


class Process:
    """A running `sandbox serve` on a free port of loopback, which ends with this process at the latest."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="discord-sandbox-", ignore_cleanup_errors=True)
        state = Path(self._folder.name) / "sandbox.json"
        command = [program(), "--state-file", str(state), "serve", "--listen", "127.0.0.1:0", "--exit-with-stdin"]
        # Settings for another sandbox are none for this one.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SANDBOX_")}
        self._process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
            errors="replace",
        )
        assert self._process.stdout is not None
        said = ""
        # The state file is complete by the first line of the greeting.
        for line in self._process.stdout:
            said += line
            if state.exists():
                break
        else:
            self.stop()
            raise NotStarted(f"the sandbox did not start: {said.strip()}")
        self.state: dict[str, Any] = json.loads(state.read_text())
        threading.Thread(target=self._drain, name="sandbox output", daemon=True).start()

    def _drain(self) -> None:
        assert self._process.stdout is not None
        for _ in self._process.stdout:
            pass

    def stop(self) -> None:
        """Ends it. It has nothing to lose, so it need not be asked."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._folder.cleanup()
