"""The start, the guild and its events."""

import json
import re

from .driver import PEOPLE, same, step, true

# Words of a library that is unhappy with what it was sent.
COMPLAINT = re.compile(
    r"\b(warn(ing)?|\w*error|fatal|traceback|\w*exception|panicked|unhandled|unknown|deprecat\w*)\b", re.IGNORECASE
)
# What the bot is asked to do wrong: an empty message, a file that is too large, the owner's nickname.
ASKED_FOR = {50006, 40005, 50013}


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
        if status >= 400 and status != 429 and answer.get("code") not in ASKED_FOR:
            refused.append(f"{entry['method']} {entry['path']} -> {status} {json.dumps(answer)}")
    true(not refused, "; ".join(refused[:5]))
    complaints = [line for line in bot.output().splitlines() if COMPLAINT.search(line) and not bot.expects(line)]
    true(not complaints, "; ".join(complaints[:5]))
