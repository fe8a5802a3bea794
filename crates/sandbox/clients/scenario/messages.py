"""Messages, files, threads, polls and errors."""

import base64
import hashlib
import json

from .driver import same, step, true


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
def uploads(box, bot):
    """A file of three mebibytes; one that is too large is the library's exception."""
    box.send("!upload")
    [file] = box.message("uploaded")["attachments"]
    same((file["filename"], file["size"]), ("big.bin", 3 << 20), "the file")
    wanted = hashlib.sha256(b"0123456789abcdef" * (3 << 16)).hexdigest()
    same(hashlib.sha256(box.file(file["url"])).hexdigest(), wanted, "the file's content")
    box.asked("!huge", "huge 40005")


@step
def posts(box, bot):
    """A forum with a tag, a post in it, messages there, and its end as a thread."""
    box.send("!forum")
    box.message("thread First", channel="general")
    threads = [t for t in box.overview()["guilds"][0]["channels"] if t["name"] == "First"]
    same([t["type"] for t in threads], [11], "the post's thread")
    post = threads[0]["id"]
    true(any(m["content"] == "What?" for m in box.messages(post)), "the post lacks its message")
    box.asked("!echo here", "here", channel=post)
    box.send("!archive", channel=post)
    box.message("archived First", channel="general")


@step
def polls(box, bot):
    """A poll of the bot: votes arrive, come to an end, and are counted."""
    box.send("!poll")
    poll = box.until("the poll", lambda: next((m for m in box.messages() if m.get("poll")), None))
    same([a["poll_media"]["text"] for a in poll["poll"]["answers"]], ["yes", "no"], "answers")
    for user, answers, wanted in [("bob", ["yes"], "vote bob"), ("carol", ["no"], "vote carol")]:
        box.call("PUT", f"/messages/{poll['id']}/votes", {"as": user, "answers": answers})
        box.message(wanted, channel="general")
    box.call("PUT", f"/messages/{poll['id']}/votes", {"as": "carol", "answers": []})
    box.message("unvote carol", channel="general")
    box.asked("!tally", "yes=1 no=0")


@step
def errors(box, bot):
    """Error bodies that the library understands: an empty message, and what the bot may not do."""
    box.asked("!mistake", "mistake 50006")
    box.asked("!forbidden", "forbidden 50013")
