#!/usr/bin/env python3
"""Starts a sandbox and one bot without a gateway, sends the bot's interactions to its address, and checks its answers.

    endpoint.py SANDBOX OUT BOT-COMMAND...

The bot gets SANDBOX_URL, DISCORD_TOKEN, DISCORD_PUBLIC_KEY and TEST_GUILD_ID, and in PORT where to listen on the loopback
interface, at any path. It registers the guild's commands `ping`, `think`, `panel`, `file` and `drink`, and prints "ready". OUT is a
folder for its output, the sandbox's record and the result of each step as JSON. Needs Python 3.9 and nothing else.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from scenario.driver import PATIENCE, Sandbox, Wrong, same, true


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def verified(box, bot, url):
    """The address is set: a PING is answered, and one with a wrong signature is refused."""
    shown = box.call("PATCH", f"/bots/{bot}/endpoints", {"interactions_endpoint_url": url})
    same(shown["interactions_endpoint_url"], url, "the address")
    pings = [entry["status"] for entry in box.log("delivery") if entry["event"] == "PING"]
    true(pings[0] == 200 and 400 <= pings[1] < 500, f"answers to PINGs: {pings}")


def answered(box, bot, url):
    """A command is answered at once."""
    same(box.say("/ping")["content"], "pong", "the answer")
    sent = [entry for entry in box.log("delivery") if entry["event"] == "INTERACTION_CREATE"]
    same([entry["status"] for entry in sent], [200], "answers to interactions")
    same(box.call("GET", "/sessions"), [], "sessions of the gateway")


def deferred(box, bot, url):
    """An answer is deferred and edited, and a further message follows."""
    answer = box.say("/think", settle_ms=500)
    same((answer["content"], answer["deferred"]), ("thought", True), "the answer")
    same([message["content"] for message in answer["followups"]], ["and more"], "further messages")


def completed(box, bot, url):
    """Choices are completed, and the option arrives."""
    choices = box.interact("autocomplete", channel="bot-test", text="/drink tea:gr")["choices"]
    same([choice["value"] for choice in choices], ["green"], "choices")
    same(box.say("/drink tea:green")["content"], "green", "the answer")


def pressed(box, bot, url):
    """A button opens a modal, and that is answered."""
    panel = box.say("/panel")["message"]
    opened = box.use(panel["id"], "ask")
    same(opened["modal"]["custom_id"], "who", "the modal")
    answer = box.interact("modal", interaction=opened["interaction"], values={"name": "Pat"})
    same(answer["content"], "hello Pat", "the answer")


def uploaded(box, bot, url):
    """A response is a form with a file."""
    attachment = box.say("/file")["message"]["attachments"][0]
    same((attachment["filename"], box.file(attachment["url"])), ("list.txt", b"one\ntwo"), "the file")


def checked(box, bot, url):
    """It passes the check that Discord makes from time to time."""
    same(box.call("POST", f"/bots/{bot}/endpoints/check")["removed"], {}, "addresses that were removed")


STEPS = [verified, answered, deferred, completed, pressed, uploaded, checked]


def wait(process, what, look):
    end = time.monotonic() + PATIENCE
    while not look():
        true(process.poll() is None and time.monotonic() < end, f"{what} did not start")
        time.sleep(0.02)


def main():
    program, out, command = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    out.mkdir(parents=True, exist_ok=True)
    state = out / "state.json"
    state.unlink(missing_ok=True)
    words = [program, "serve", "--listen", "127.0.0.1:0", "--no-rate-limits", "--state-file", str(state)]
    steps = []
    with open(out / "sandbox.log", "w") as said, open(out / "bot.log", "w") as log:
        sandbox = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        bot = None
        try:
            wait(sandbox, "the sandbox", state.exists)
            told = json.loads(state.read_text())
            box = Sandbox(told)
            overview = box.overview()
            port = free_port()
            environment = {
                **os.environ,
                "SANDBOX_URL": box.url,
                "DISCORD_TOKEN": told["token"],
                "DISCORD_PUBLIC_KEY": overview["bots"][0]["public_key"],
                "TEST_GUILD_ID": overview["guilds"][0]["id"],
                "PORT": str(port),
            }
            bot = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            wait(bot, "the bot", lambda: "ready" in (out / "bot.log").read_text())
            for step in STEPS:
                name = step.__name__
                began = time.monotonic()
                try:
                    step(box, overview["bots"][0]["id"], f"http://127.0.0.1:{port}/")
                    result = {"step": name, "ok": True}
                except Wrong as error:
                    result = {"step": name, "ok": False, "told": str(error)}
                steps.append({**result, "seconds": time.monotonic() - began})
                print(f"  {'✓' if result['ok'] else '✗'} {name} {result.get('told', '')}", flush=True)
            (out / "record.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in box.log()))
        except Wrong as error:
            steps.append({"step": "start", "ok": False, "told": str(error)})
            print(f"  ✗ start {error}", flush=True)
        finally:
            for process in [bot, sandbox]:
                if process is not None:
                    process.terminate()
                    process.wait(PATIENCE)
    (out / "result.json").write_text(json.dumps(steps, indent=1))
    sys.exit(0 if all(step["ok"] for step in steps) else 1)


main()
