"""Starts a sandbox and one bot, then does what users do and checks what they see.

    python3 -m scenario SANDBOX OUT BOT-COMMAND...

The bot gets three variables: SANDBOX_URL, which stands for https://discord.com, DISCORD_TOKEN and TEST_GUILD_ID. What it
has to do is in the README. Everything is checked from outside: what users read, and what the sandbox recorded. OUT is a folder for the
bot's output, the record, and the result of each step as JSON. Needs Python 3.9 and nothing else.

CLIENT is the path of the bot's client.json: `lacks` has the steps that are left out, each with its reason, and `prints` a
pattern of the lines that its library prints about the errors it is asked to cause. STEPS names the only steps to do after
the login, as in STEPS=polls,posts.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from . import guild, interactions, messages, gateway
from .driver import PATIENCE, STEPS, Bot, Sandbox, Wrong, true

# Steps in the order of the day: the guild is as it was made until `world` has seen it, the bot ends in `shutdown`.
ORDER = [
    *[guild.login, guild.registration, guild.world],
    *[interactions.options, interactions.answers, interactions.edits, interactions.components, interactions.labels],
    *[interactions.layouts, interactions.autocomplete, interactions.context_menus],
    *[messages.messages, messages.uploads, messages.posts, messages.polls, messages.errors],
    *[guild.events, guild.chunks, guild.presence, guild.tour, guild.no_complaints],
    *[gateway.resume, gateway.resumable, gateway.invalid_session, gateway.heartbeats],
    *[gateway.rate_limits, gateway.global_limit, gateway.server_errors],
    *[gateway.shutdown, gateway.wrong_token, gateway.failed_authentication, gateway.wrong_intents],
]


def play(sandbox, out, client, command, only):
    out.mkdir(parents=True, exist_ok=True)
    state = out / "sandbox.json"
    state.unlink(missing_ok=True)
    serve = [sandbox, "--state-file", str(state), "serve", "--listen", "127.0.0.1:0", "--heartbeat-interval", "5000"]
    lacks = client.get("lacks", {})
    if "rate_limits" in lacks:
        serve.append("--no-rate-limits")
    with (out / "sandbox.log").open("wb") as log:
        server = subprocess.Popen(serve, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    bot, results, going = None, [], True
    try:
        end = time.monotonic() + PATIENCE
        while not state.exists():
            true(server.poll() is None and time.monotonic() < end, "the sandbox did not start")
            time.sleep(0.02)
        told = json.loads(state.read_text())
        box = Sandbox(told)
        bot = Bot(command, out, box, told["token"], client.get("prints"))
        for check in ORDER:
            name = check.__name__
            if only and name not in [*only, "login"]:
                continue
            if name in lacks:
                results.append({"step": name, "ok": None, "why": lacks[name]})
                print(f"  - {name:16} {lacks[name]}", flush=True)
                continue
            start, problem = time.monotonic(), None
            try:
                true(bot.alive() or not check.running, "the bot has ended")
                check(box, bot)
            except (Wrong, KeyError, IndexError, TypeError, ValueError, OSError) as why:
                problem = str(why) if isinstance(why, Wrong) else f"{type(why).__name__}: {why}"
                going = going and check is not guild.login
            seconds = time.monotonic() - start
            result = {"step": name, "ok": problem is None, "why": problem, "seconds": round(seconds, 2)}
            results.append(result)
            print(f"  {'✓' if problem is None else '✗'} {name:16} {problem or ''}", flush=True)
            if not going:
                break
        (out / "record.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in box.log()))
    finally:
        if bot is not None and bot.alive():
            bot.stop()
        server.terminate()
        server.wait()
    (out / "result.json").write_text(json.dumps(results, indent=1) + "\n")
    return all(result["ok"] is not False for result in results)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    client = json.loads(Path(os.environ["CLIENT"]).read_text()) if "CLIENT" in os.environ else {}
    only = [name for name in os.environ.get("STEPS", "").split(",") if name]
    unknown = [name for name in [*only, *client.get("lacks", {})] if name not in [check.__name__ for check in STEPS]]
    if unknown:
        sys.exit(f"There is no step {unknown[0]}; there are {', '.join(check.__name__ for check in ORDER)}.")
    sys.exit(0 if play(sys.argv[1], Path(sys.argv[2]), client, sys.argv[3:], only) else 1)
