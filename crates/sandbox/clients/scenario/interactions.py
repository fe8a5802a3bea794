"""Commands, components, modals and completions."""

import base64
import json

from .driver import same, step, true


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
def edits(box, bot):
    """An ephemeral answer, deferred and edited, with an ephemeral followup that is edited too."""
    answer = box.say("/edits", settle_ms=700)
    true(answer["deferred"] and answer["ephemeral"], "/edits was not deferred for one user")
    same(answer["content"], "one", "/edits")
    followups = [(m["content"], bool(m["flags"] & 64)) for m in answer["followups"]]
    same(followups, [("three", True)], "followups")


@step
def labels(box, bot):
    """A modal of labels, with a text, a menu of texts and a menu of users."""
    opened = box.say("/form")
    same([c["type"] for c in opened["modal"]["components"]], [18, 18, 18], "the modal's components")
    values = {"name": "Ada", "colour": ["green"], "who": ["bob"]}
    answer = box.interact("modal", interaction=opened["interaction"], values=values)
    same(answer["content"], "name=Ada colour=green who=bob", "the form's answer")


def flat(components):
    """All components of a message, with those inside."""
    for component in components:
        yield component
        yield from flat(component.get("components", []))
        if "accessory" in component:
            yield component["accessory"]


@step
def layouts(box, bot):
    """Components V2: a container with texts, a section, a button and a file."""
    answer = box.say("/layout")
    true(answer["message"]["flags"] & 1 << 15, "the message lacks IS_COMPONENTS_V2")
    found = list(flat(answer["components"]))
    same(sorted({c["type"] for c in found}), [2, 9, 10, 13, 14, 17], "kinds of components")
    true("# Zero" in [c.get("content") for c in found], "no text \"# Zero\"")
    same([(c["name"], c["size"]) for c in found if c["type"] == 13], [("hello.txt", 10)], "the file")
    answer = box.use(answer["message"]["id"], "more")
    same([c.get("content") for c in flat(answer["components"])], ["# One"], "the layout after a press")
