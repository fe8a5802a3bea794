#!/usr/bin/env python3
"""Starts a sandbox and one bot, then does what users do and checks what they see.

    scenario.py SANDBOX OUT BOT-COMMAND...

The bot gets two variables: SANDBOX_URL, which stands for https://discord.com, and DISCORD_TOKEN. What it has to do is in
the README. Everything is checked from outside: what users read, and what the sandbox recorded. OUT is a folder for the
bot's output, the record, and the result of each step as JSON. RATE_LIMITS=off is for a bot that does not wait. Needs
Python 3.9 and nothing else.
"""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

PATIENCE = 20.0
PEOPLE = ["alice", "bob", "carol"]
# Words of a library that is unhappy with what it was sent.
COMPLAINT = re.compile(
    r"\b(warn(ing)?|error|traceback|exception|panicked|unhandled|unknown|deprecat\w*)\b", re.IGNORECASE
)


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

    def asked(self, content, wanted, **more):
        """Sends a message and waits for the bot's."""
        self.send(content, **more)
        return self.message(wanted)

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


# The steps, in order. Each has a name, and gets the sandbox, the bot's process and where its output goes.
STEPS = []


def step(check):
    STEPS.append(check)
    return check


@step
def login(box, bot):
    """The bot identifies, registers its commands and says that it is ready."""

    def ready():
        true(bot.alive(), "the bot ended before it was ready")
        return any(message["content"] == "ready" for message in box.messages())

    box.until("the bot's \"ready\"", ready, 60)
    same(len(box.log("identified")), 1, "identifies")


@step
def registration(box, bot):
    """Commands of the guild in bulk, one global command made and edited by itself."""
    commands = {c["name"]: c for c in box.call("GET", "/commands?as=alice&channel=bot-test")}
    for name in ["world", "options", "tree", "think", "secret", "panel", "pick", "find", "Greet", "Quote", "members"]:
        true(name in commands, f"{name} is not registered")
        true("guild_id" in commands[name], f"{name} is not the guild's")
    true("guild_id" not in commands["about"], "about is not global")
    same(commands["about"]["description"], "Who is this?", "description of /about")
    same(box.say("/about")["content"], bot.name, "/about")


@step
def world(box, bot):
    """GUILD_CREATE and the same over REST."""
    seen = json.loads(box.say("/world")["content"])
    guild = box.overview()["guilds"][0]
    names = {user["id"]: user["username"] for user in box.overview()["users"]}
    wanted = {
        "guild": "Sandbox",
        "owner": "alice",
        "channels": {c["name"]: c["type"] for c in guild["channels"]},
        "members": sorted(names[m] for m in guild["members"]),
        "roles": sorted(r["name"] for r in guild["roles"]),
    }
    for source in ["cached", "fetched"]:
        for key, value in wanted.items():
            same(seen[source][key], value, f"{source} {key}")


@step
def options(box, bot):
    """Every type of option, with what it resolves to."""
    file = base64.b64encode(b"hello").decode()
    text = (
        "/options text:hi whole:7 flag:true user:bob channel:general role:Member mention:carol number:1.5 file:note.txt"
    )
    answer = box.say(text, files={"note.txt": {"base64": file}})
    wanted = {
        "text": "hi",
        "whole": 7,
        "flag": True,
        "user": "bob",
        "channel": "general",
        "role": "Member",
        "mention": "carol",
        "number": 1.5,
        "file": "note.txt",
        "size": 5,
    }
    same(json.loads(answer["content"]), wanted, "/options")
    same(json.loads(box.say("/options text:only")["content"]), {"text": "only"}, "/options text")
    same(box.say("/tree branch leaf name:oak")["content"], "leaf oak", "/tree branch leaf")
    same(box.say("/tree root")["content"], "root", "/tree root")


@step
def answers(box, bot):
    """Defer and edit, followups, ephemeral answers, deleted answers."""
    answer = box.say("/think", settle_ms=700)
    true(answer["deferred"], "/think was not deferred")
    same(answer["content"], "thought", "/think")
    followups = [(m["content"], bool(m["flags"] & 64)) for m in answer["followups"]]
    same(followups, [("more", False), ("whisper", True)], "followups")
    answer = box.say("/secret")
    true(answer["ephemeral"], "/secret is not ephemeral")
    same(answer["content"], "secret", "/secret")


@step
def components(box, bot):
    """Buttons, menus of all kinds, a modal."""
    panel = box.say("/panel")["message"]["id"]
    answer = box.use(panel, "count")
    same(answer["content"], "1", "the panel after a press")
    same(box.use(panel, "count")["content"], "2", "the panel after two")
    answer = box.use(box.say("/pick")["message"]["id"], "strings", ["red", "blue"])
    same(answer["content"], "strings blue red", "strings")
    for menu, values, wanted in [
        ("users", ["bob", "carol"], "users bob carol"),
        ("roles", ["Member"], "roles Member"),
        ("mentionables", ["bob", "Moderator"], "mentionables Moderator bob"),
        ("channels", ["general"], "channels general"),
    ]:
        answer = box.use(panel, menu, values)
        same(answer["content"], wanted, menu)
        true(answer["ephemeral"], f"the answer to {menu} is not ephemeral")
    opened = box.use(panel, "ask")
    same(opened["modal"]["title"], "A question", "title of the modal")
    answer = box.interact("modal", interaction=opened["interaction"], values={"name": "Ada", "about": "Maths\n& more"})
    same(answer["content"], "name=Ada about=Maths\n& more", "the modal's answer")
    answer = box.use(panel, "close")
    same((answer["content"], answer["components"]), ("closed", []), "the closed panel")


@step
def autocomplete(box, bot):
    """Choices while typing."""
    choices = box.interact("autocomplete", channel="bot-test", text="/find query:an")["choices"]
    same([c["value"] for c in choices], ["banana", "mango"], "choices for an")
    same(box.say("/find query:mango")["content"], "found mango", "/find")


@step
def context_menus(box, bot):
    """Commands on users and on messages."""
    answer = box.interact("command", channel="bot-test", name="Greet", target="bob")
    same(answer["content"], "hello bob", "Greet")
    message = box.send("to be or not")
    answer = box.interact("command", channel="bot-test", name="Quote", target=message["id"])
    same(answer["content"], "alice: to be or not", "Quote")


@step
def messages(box, bot):
    """Sent with embed, file and reply; reacted to, edited, fetched, deleted; files read; direct messages."""
    question = box.send("!post")
    post = box.message("posted and edited")
    same(post["message_reference"]["message_id"], question["id"], "the reply's reference")
    same(post["referenced_message"]["id"], question["id"], "the reply's message")
    embed = post["embeds"][0]
    same((embed["title"], embed["fields"][0]["value"], embed["footer"]["text"]), ("Title", "one", "Foot"), "the embed")
    same([a["filename"] for a in post["attachments"]], ["hello.txt"], "attachments")
    box.until(
        "the bot's reaction",
        lambda: any(
            r["emoji"]["name"] == "✅" for m in box.messages() if m["id"] == post["id"] for r in m.get("reactions", [])
        ),
    )
    fetched = {"content": "posted and edited", "embeds": 1, "files": ["hello.txt"], "reactions": ["✅"], "reply": True}
    question = box.send("!fetch")["id"]
    answer = box.until("the fetched message", lambda: next((m for m in box.messages() if m["id"] > question), None))
    same(json.loads(answer["content"]), fetched, "the message over REST")
    box.send("!clean")
    box.until("the message's end", lambda: all(m["id"] != post["id"] for m in box.messages()))
    files = {"note.txt": {"base64": base64.b64encode(b"from alice").decode()}}
    box.asked("!read", "note.txt: from alice", files=files)
    box.send("hello", channel=f"@{bot.name}")
    box.message("direct hello", channel=f"@{bot.name}")


@step
def errors(box, bot):
    """An error body that the library understands."""
    box.asked("!mistake", "mistake 50006")


@step
def events(box, bot):
    """What happens in a guild reaches the bot."""

    def told(text):
        box.message(text, channel="general")

    def do(method, path, **body):
        return box.call(method, path, body)

    do("POST", "/users", username="dave")
    do("PUT", "/guilds/Sandbox/members/dave")
    told("join dave")
    do("PATCH", "/guilds/Sandbox/members/bob", nick="Bobby")
    told("member bob Bobby")
    message = box.send("good day", user="carol", channel="general")["id"]
    do("PATCH", f"/messages/{message}", content="good evening", **{"as": "carol"})
    told("edit good evening")
    do("POST", f"/messages/{message}/reactions", emoji="👍", **{"as": "bob"})
    told("react 👍 bob")
    do("DELETE", f"/messages/{message}/reactions", emoji="👍", **{"as": "bob"})
    told("unreact 👍 bob")
    do("DELETE", f"/messages/{message}", **{"as": "carol"})
    told(f"delete {message}")
    do("PUT", "/presences/bob", status="dnd", activities=[{"name": "chess", "type": 0}])
    told("presence bob dnd chess")
    do("POST", "/typing", channel="general", **{"as": "carol"})
    told("typing carol")
    do("PUT", "/guilds/Sandbox/voice/bob", channel="Lounge")
    told("voice bob Lounge")
    do("DELETE", "/guilds/Sandbox/voice/bob")
    told("voice bob none")
    do("POST", "/guilds/Sandbox/channels", name="news")
    told("channel news")
    do("POST", "/guilds/Sandbox/roles", name="Artist", color=255)
    told("role Artist")
    do("DELETE", "/guilds/Sandbox/members/dave")
    told("leave dave")
    do("POST", "/guilds", name="Second", owner="carol")
    told("guild Second")


@step
def chunks(box, bot):
    """Members asked for over the gateway."""
    same(box.say("/members")["content"], " ".join(sorted([*PEOPLE, bot.name])), "/members")
    true(any(entry["op"] == 8 for entry in box.log("received")), "no REQUEST_GUILD_MEMBERS (opcode 8) was received")


@step
def presence(box, bot):
    """The bot's own status."""
    box.asked("!idle", "idle now")

    def told():
        updates = [entry["data"] for entry in box.log("received") if entry["op"] == 3]
        return any(update["status"] == "idle" for update in updates)

    box.until("the bot's status", told)


@step
def tour(box, bot):
    """Channels, threads, roles, members, pins, webhooks, invites, bans, polls: made, changed and deleted."""
    same(box.say("/tour")["content"], "toured", "/tour")
    guild = box.overview()["guilds"][0]
    names = [c["name"] for c in guild["channels"]] + [r["name"] for r in guild["roles"]]
    true("tour-room" not in names and "Tourist" not in names, "the tour left something behind")


@step
def no_complaints(box, bot):
    """No error that was not asked for, no warning of the library."""
    refused = []
    for entry in box.log("request"):
        status, answer = entry.get("status", 0), entry.get("response")
        if status >= 400 and status != 429 and answer.get("code") != 50006:
            refused.append(f"{entry['method']} {entry['path']} -> {status} {json.dumps(answer)}")
    true(not refused, "; ".join(refused[:5]))
    complaints = [line for line in bot.output().splitlines() if COMPLAINT.search(line)]
    true(not complaints, "; ".join(complaints[:5]))


def resumed(box, command):
    """Breaks the connection and sees that nothing sent meanwhile is lost, and no session is new."""
    since = box.now()
    true(box.gateway(command) > 0, "there is no connection to break")
    text = f"away {since}"
    box.asked(f"!echo {text}", text)
    box.until("a RESUME", lambda: box.log("resumed", since))
    same(len(box.log("identified", since)), 0, "identifies after a break")


@step
def resume(box, bot):
    """Dropped, closed with 4000, asked to reconnect: the session goes on and misses nothing."""
    resumed(box, "sever")
    resumed(box, {"close": {"code": 4000}})
    resumed(box, "reconnect")


@step
def invalid_session(box, bot):
    """A session that is gone: the bot identifies again."""
    since = box.now()
    box.gateway({"invalid_session": {"resumable": False}})
    box.until("an IDENTIFY", lambda: box.log("identified", since), 30)
    box.until("readiness", lambda: any(e["event"] == "GUILD_CREATE" for e in box.log("dispatch", since)))
    box.asked("!echo again", "again")


@step
def rate_limits(box, bot):
    """The bucket of a channel, and a 429 out of the blue: waited out, nothing lost, nothing doubled."""
    since = box.now()
    box.send("!burst")
    box.message("burst 7")
    texts = [m["content"] for m in box.messages() if m["content"].startswith("burst")]
    same(texts, [f"burst {n}" for n in range(8)], "the burst")
    # One for a bucket that was not known yet and one that tells of it: twilight reads the headers of a 429 only.
    refused = [e for e in box.log("request", since) if e.get("limited") == "user"]
    true(len(refused) <= 2, f"{len(refused)} requests were refused; the library does not see the limit coming")
    limit = {"rate_limit": {"retry_after": 1.5, "scope": "user"}}
    rule = {"count": 1, "on": {"request": {"method": "POST", "path": "/channels/*/messages", "effect": limit}}}
    box.call("POST", "/faults", rule)
    start = time.monotonic()
    box.asked("!echo limited", "limited")
    true(time.monotonic() - start >= 1.4, "the bot did not wait")
    same(len([m for m in box.messages() if m["content"] == "limited"]), 1, "messages after a 429")


@step
def shutdown(box, bot):
    """SIGTERM: the bot leaves in good order."""
    bot.process.send_signal(signal.SIGTERM)
    try:
        same(bot.process.wait(10), 0, "exit code")
    except subprocess.TimeoutExpired:
        raise Wrong("the bot did not end in 10 s") from None
    box.until("the bot's absence", lambda: not box.overview()["bots"][0]["online"])
    # serenity drops the connection that follows an INVALID_SESSION, so a close frame is not asked for.
    true(box.log("closed")[-1]["by"] != "server", "the sandbox closed the connection")


class Bot:
    """The process under test."""

    def __init__(self, command, out, url, token, name):
        self.name = name
        self.path = out / "bot.log"
        environment = {**os.environ, "SANDBOX_URL": url, "DISCORD_TOKEN": token, "PYTHONUNBUFFERED": "1"}
        with self.path.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)

    def alive(self):
        return self.process.poll() is None

    def output(self):
        return self.path.read_text(errors="replace")


def play(sandbox, out, command):
    out.mkdir(parents=True, exist_ok=True)
    state = out / "sandbox.json"
    state.unlink(missing_ok=True)
    serve = [sandbox, "--state-file", str(state), "serve", "--listen", "127.0.0.1:0"]
    skip = set()
    if os.environ.get("RATE_LIMITS") == "off":
        serve.append("--no-rate-limits")
        skip.add("rate_limits")
    with (out / "sandbox.log").open("wb") as log:
        server = subprocess.Popen(serve, stdout=log, stderr=subprocess.STDOUT)
    bot, results, going = None, [], True
    try:
        end = time.monotonic() + PATIENCE
        while not state.exists():
            true(server.poll() is None and time.monotonic() < end, "the sandbox did not start")
            time.sleep(0.02)
        told = json.loads(state.read_text())
        box = Sandbox(told)
        bot = Bot(command, out, box.url, told["token"], box.overview()["bots"][0]["name"])
        for check in STEPS:
            start, problem = time.monotonic(), None
            if check.__name__ in skip:
                results.append({"step": check.__name__, "ok": None})
                print(f"  - {check.__name__:16} left out", flush=True)
                continue
            try:
                true(going, "the bot was never ready")
                true(bot.alive(), "the bot has ended")
                check(box, bot)
            except (Wrong, KeyError, IndexError, TypeError, ValueError, OSError) as why:
                problem = str(why) if isinstance(why, Wrong) else f"{type(why).__name__}: {why}"
                going = going and check is not login
            seconds = time.monotonic() - start
            result = {"step": check.__name__, "ok": problem is None, "why": problem, "seconds": round(seconds, 2)}
            results.append(result)
            print(f"  {'✓' if problem is None else '✗'} {check.__name__:16} {problem or ''}", flush=True)
        (out / "record.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in box.log()))
    finally:
        if bot is not None and bot.alive():
            bot.process.kill()
            bot.process.wait()
        server.terminate()
        server.wait()
    (out / "result.json").write_text(json.dumps(results, indent=1) + "\n")
    return all(result["ok"] is not False for result in results)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(0 if play(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]) else 1)
