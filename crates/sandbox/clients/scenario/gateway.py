"""Broken connections and limits."""

import re
import signal
import subprocess
import time

from .driver import Wrong, last_step, same, step, true


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
def resumable(box, bot):
    """INVALID_SESSION that leaves the session alive: resumed, and nothing is lost."""
    resumed(box, {"invalid_session": {"resumable": True}})


@step
def heartbeats(box, bot):
    """A connection that answers no heartbeat is left, and its session resumed without loss."""
    since = box.now()
    rule = box.call("POST", "/faults", {"on": {"received": {"op": 1, "effect": "ignore"}}})["id"]
    box.until("the end of a dead connection", lambda: box.log("closed", since), 40)
    box.call("DELETE", f"/faults/{rule}")
    box.send("!echo revived")
    codes = [entry["code"] for entry in box.log("closed", since)]
    true(4009 not in codes, "the bot did not see that its connection was dead")
    box.until("a RESUME", lambda: box.log("resumed", since), 40)
    box.message("revived")
    same(len(box.log("identified", since)), 0, "identifies after a dead connection")


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
    box.fault(request={"method": "POST", "path": "/channels/*/messages", "effect": limit})
    start = time.monotonic()
    box.asked("!echo limited", "limited")
    true(time.monotonic() - start >= 1.4, "the bot did not wait")
    same(len([m for m in box.messages() if m["content"] == "limited"]), 1, "messages after a 429")


@step
def global_limit(box, bot):
    """The global limit: requests of other buckets wait too."""
    # hikari's first request of a bucket waits for no limit.
    box.asked("!echo known", "known", channel="general")
    since = box.now()
    limit = {"rate_limit": {"retry_after": 1.5, "scope": "global"}}
    box.fault(request={"method": "POST", "path": "/channels/*/messages", "effect": limit})
    box.send("!echo first")
    box.until("the 429", lambda: [e for e in box.log("request", since) if e.get("limited") == "global"])
    start = time.monotonic()
    box.asked("!echo second", "second", channel="general")
    true(time.monotonic() - start >= 1.2, "another channel's request did not wait")
    box.message("first")


@step
def server_errors(box, bot):
    """A 502 of the proxy in front of Discord: tried again."""
    respond = {"respond": {"status": 502, "body": "html"}}
    box.fault(request={"method": "POST", "path": "/channels/*/messages", "effect": respond})
    box.asked("!echo retried", "retried")
    same(len([m for m in box.messages() if m["content"] == "retried"]), 1, "messages after a 502")


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


def given_up(box, bot, token, opens, words):
    """A start that Discord refuses for good: the bot says why, and does not try again and again."""
    since = box.now()
    bot.start(token)
    try:
        box.until("the refusal", lambda: opens(since))
        end = time.monotonic() + 6
        while bot.alive() and time.monotonic() < end:
            time.sleep(0.05)
        seen = opens(since)
        true(len(seen) <= 2, f"refused {len(seen)} times")
        true(re.search(words, bot.output(), re.IGNORECASE), f"the bot did not say why: {bot.output()[-300:]!r}")
    finally:
        bot.stop()


@last_step
def wrong_token(box, bot):
    """A token that is not valid: what comes first, a request or the gateway, is refused, and the bot gives up."""

    def refused(since):
        entries = [*box.log("request", since), *box.log("closed", since)]
        return [entry for entry in entries if entry.get("status") == 401 or entry.get("code") == 4004]

    given_up(box, bot, bot.token[:-3] + "xyz", refused, "401|4004|unauthori[sz]ed|token")


@last_step
def failed_authentication(box, bot):
    """The gateway's 4004: the bot gives up."""
    box.fault(received={"op": 2, "effect": {"close": {"code": 4004, "reason": "Authentication failed."}}})
    given_up(box, bot, bot.token, lambda since: identifies(box, since), "4004|token|authentication")


@last_step
def wrong_intents(box, bot):
    """Privileged intents that are not enabled (4014): the bot gives up."""
    path = f"/bots/{bot.name}/intents"
    box.call("PATCH", path, {"disable": ["MESSAGE_CONTENT"]})
    given_up(box, bot, bot.token, lambda since: identifies(box, since), "4014|intent")
    box.call("PATCH", path, {"enable": ["MESSAGE_CONTENT"]})


def identifies(box, since):
    return [entry for entry in box.log("received", since) if entry["op"] == 2]
