"""What the steps are made of: the sandbox as its users see it, and the bot under test."""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

PATIENCE = 20.0
PEOPLE = ["alice", "bob", "carol"]


class Wrong(Exception):
    """What was seen is not what was to be seen."""


def same(seen, wanted, what):
    if seen != wanted:
        raise Wrong(f"{what}: {seen!r} instead of {wanted!r}")


def true(condition, what):
    if not condition:
        raise Wrong(what)


class Sandbox:
    """The users' side."""

    def __init__(self, state):
        self.url = state["url"]
        # Who acts for people has to know the secret of the control API.
        self.secret = {"Authorization": f"Bearer {state['control_secret']}"}

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"{self.url}/sandbox{path}", method=method, headers=self.secret)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            # No proxy of the environment has a say in what this machine tells itself.
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise Wrong(f"{method} {path}: {error.read().decode()}") from None
        return json.loads(text) if text else None

    def until(self, what, look, patience=PATIENCE):
        """Looks again and again until there is something to see."""
        end = time.monotonic() + patience
        while True:
            seen = look()
            if seen:
                return seen
            if time.monotonic() > end:
                raise Wrong(f"{what} did not come in {patience:.0f} s")
            time.sleep(0.02)

    def log(self, kind=None, since=0):
        request = urllib.request.Request(f"{self.url}/sandbox/log?from={since}", headers=self.secret)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as lines:
            entries = [json.loads(line) for line in lines]
        return [entry for entry in entries if kind in (None, entry["kind"])]

    def now(self):
        entries = self.log()
        return entries[-1]["n"] + 1 if entries else 1

    def overview(self):
        return self.call("GET", "")

    def messages(self, channel="bot-test", user="alice"):
        query = urllib.parse.urlencode({"as": user, "channel": channel, "limit": 50})
        return self.call("GET", f"/messages?{query}")

    def message(self, content, channel="bot-test", user="alice", patience=PATIENCE):
        """The newest message of the bot with this text."""

        def look():
            found = [m for m in self.messages(channel, user) if m["author"].get("bot") and m["content"] == content]
            return found and found[-1]

        return self.until(f"a message {content!r} in {channel}", look, patience)

    def send(self, content, channel="bot-test", user="alice", **more):
        return self.call("POST", "/messages", {"as": user, "channel": channel, "content": content, **more})

    def asked(self, content, wanted, channel="bot-test", **more):
        """Sends a message and waits for the bot's."""
        self.send(content, channel, **more)
        return self.message(wanted, channel)

    def file(self, url):
        """Reads an attachment."""
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as answer:
            return answer.read()

    def fault(self, **on):
        """Makes something go wrong, once."""
        return self.call("POST", "/faults", {"count": 1, "on": on})

    def interact(self, how, **more):
        answer = self.call("POST", f"/interactions/{how}", {"as": "alice", "deadline_ms": 20000, **more})
        if answer["error"]:
            raise Wrong(f"{more.get('text') or more}: {answer['error']} {answer['hint'] or ''}")
        same(answer["callbacks"], 1, "initial responses")
        return answer

    def say(self, text, **more):
        return self.interact("command", channel="bot-test", text=text, **more)

    def use(self, message, custom_id, values=()):
        return self.interact("component", message=message, custom_id=custom_id, values=list(values))

    def gateway(self, command):
        return self.call("POST", "/sessions", {"command": command})["connections"]



class Bot:
    """The process under test."""

    def __init__(self, command, out, box, token, expected=None):
        self.command, self.box, self.token, self.expected = command, box, token, expected
        self.name = box.overview()["bots"][0]["name"]
        self.path = out / "bot.log"
        self.path.write_bytes(b"")
        self.process = None
        self.start(token)

    def start(self, token):
        self.stop()
        environment = {
            **os.environ,
            "SANDBOX_URL": self.box.url,
            "DISCORD_TOKEN": token,
            "TEST_GUILD_ID": self.box.overview()["guilds"][0]["id"],
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with self.path.open("ab") as log:
            self.began = log.tell()
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
            )

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        if self.process is not None and self.alive():
            self.process.kill()
            self.process.wait()

    def expects(self, line):
        """Returns whether its library prints such a line about the errors that it is asked to cause."""
        return self.expected is not None and re.search(self.expected, line)

    def output(self):
        """Returns what it has printed since its last start, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.path.read_bytes()[self.began :].decode(errors="replace"))


# The steps, in order. Each has a name, and gets the sandbox and the bot.
STEPS = []


def step(check):
    """A step with the bot that has logged in."""
    check.running = True
    STEPS.append(check)
    return check


def last_step(check):
    """A step after that bot has ended, which starts others."""
    check.running = False
    STEPS.append(check)
    return check
