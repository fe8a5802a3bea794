#!/usr/bin/env python3
"""Starts a sandbox with a listener in the Lounge and one bot that plays a tone there, and checks what was heard.

    hear.py SANDBOX OUT BOT-COMMAND...

Once without end-to-end encryption, once where it is optional, once where it is required. The bot gets SANDBOX_URL and
DISCORD_TOKEN, and in SSL_CERT_FILE and NODE_EXTRA_CA_CERTS the certificate of the voice servers; it plays five seconds of
440 Hz and ends. OUT is a folder for its output and the result of each step as JSON. CLIENT is the path of the bot's
client.json, whose `lacks` may say "dave required". Needs Python 3.9 and nothing else.
"""

import array
import json
import os
import subprocess
import sys
import time
from pathlib import Path

RATE = 48_000
SECONDS = 5
HERTZ = 440
PATIENCE = 60


class Wrong(Exception):
    """What was heard is not what was to be heard."""


def true(condition, what):
    if not condition:
        raise Wrong(what)


class Sandbox:
    """A sandbox of its own, with its command line."""

    def __init__(self, program, out, dave):
        self.program, self.state = program, out / f"{dave}.json"
        self.state.unlink(missing_ok=True)
        words = [program, "serve", "--listen", "127.0.0.1:0", "--dave", dave, "--state-file", str(self.state)]
        self.log = open(out / f"{dave}-sandbox.log", "w")
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        end = time.monotonic() + PATIENCE
        while not self.state.exists():
            true(self.process.poll() is None and time.monotonic() < end, "the sandbox did not start")
            time.sleep(0.02)

    def run(self, *words):
        environment = {**os.environ, "SANDBOX_STATE_FILE": str(self.state)}
        return subprocess.run(
            [self.program, *words], env=environment, check=True, capture_output=True, text=True, timeout=PATIENCE
        ).stdout

    def environment(self):
        told = dict(line.split("=", 1) for line in self.run("env").splitlines())
        root = str(self.state.with_suffix(".pem"))
        ours = {"SANDBOX_URL": told["DISCORD_API_URL"], "DISCORD_TOKEN": told["DISCORD_TOKEN"]}
        return {**os.environ, **ours, "SSL_CERT_FILE": root, "NODE_EXTRA_CA_CERTS": root}

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()


def is_tone(samples):
    """Whether the left side is one tone of the right height: counted by where it rises through nothing."""
    left = samples[::2]
    # The beginning and end fade in and out.
    part = left[RATE : RATE * 4]
    rises = sum(1 for one, next_ in zip(part, part[1:]) if one < 0 <= next_)
    return abs(rises / (len(part) / RATE) - HERTZ) < 2 and max(part) > 4_000


def play(sandbox, out, dave, command, encrypts):
    sandbox.run("enter", "Lounge")
    with open(out / f"{dave}-bot.log", "w") as log:
        bot = subprocess.run(
            command, env=sandbox.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=PATIENCE
        )
    true(bot.returncode == 0, f"the bot ended with {bot.returncode}")
    bots = json.loads(sandbox.run("users", "--json"))["bots"]
    wav = out / f"{dave}.wav"
    counts = json.loads(sandbox.run("hear", "--json", "--wav", str(wav), "--user", bots[0]["id"]))
    true(counts["packets"] >= SECONDS * 50, f"{counts['packets']} packets")
    for wrong in ["lost", "reordered", "duplicates", "timestamp_gaps", "undecryptable", "unopened", "undecodable"]:
        true(counts[wrong] == 0, f"{wrong}: {counts[wrong]}")
    wanted = encrypts and dave != "off"
    true((counts["encrypted"] >= SECONDS * 45) == wanted, f"{counts['encrypted']} encrypted end to end")
    samples = array.array("h")
    samples.frombytes(wav.read_bytes()[44:])
    true(is_tone(samples), "what was heard is not the tone")
    return f"{counts['packets']} packets, {counts['encrypted']} encrypted end to end"


def main():
    program, out, command = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    out.mkdir(parents=True, exist_ok=True)
    client = json.loads(Path(os.environ["CLIENT"]).read_text()) if "CLIENT" in os.environ else {}
    lacks = client.get("lacks", {})
    steps = []
    for dave in ["off", "optional", "required"]:
        step = f"dave {dave}"
        if step in lacks:
            steps.append({"step": step, "ok": None, "why": lacks[step]})
            print(f"  - {step}: {lacks[step]}", flush=True)
            continue
        began = time.monotonic()
        sandbox = Sandbox(program, out, dave)
        try:
            told, good = play(sandbox, out, dave, command, "dave required" not in lacks), True
        except (Wrong, subprocess.SubprocessError) as error:
            told, good = str(error), False
        finally:
            sandbox.stop()
        seconds = time.monotonic() - began
        steps.append({"step": step, "ok": good, "seconds": seconds, "told": told})
        print(f"  {'✓' if good else '✗'} {step}: {told}", flush=True)
    (out / "result.json").write_text(json.dumps(steps, indent=1))
    sys.exit(0 if all(step["ok"] is not False for step in steps) else 1)


main()
