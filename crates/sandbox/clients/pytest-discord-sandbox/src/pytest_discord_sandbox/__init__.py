"""Tests of Discord bots against a local Discord, the sandbox."""

from ._control import Refused
from ._seen import Message, Reply
from .actors import Actor, AsyncActor, BotDidNotAnswer, NotHeard
from .sandbox import BotEnded, BotProcess, Guild, NotSeen, Sandbox

__all__ = [
    "Actor",
    "AsyncActor",
    "BotDidNotAnswer",
    "BotEnded",
    "BotProcess",
    "Guild",
    "Message",
    "NotHeard",
    "NotSeen",
    "Refused",
    "Reply",
    "Sandbox",
]
