"""What a user sees: messages, and answers to what they did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


def flat(components: list[Json]) -> Iterator[Json]:
    """Yields all components, also those inside others."""
    for component in components:
        yield component
        yield from flat(component.get("components") or [])
        if accessory := component.get("accessory"):
            yield accessory
        if inner := component.get("component"):
            yield inner


@dataclass(frozen=True)
class Message:
    """A message as its reader sees it."""

    id: str
    content: str
    author: str
    """Name of the account that sent it."""
    by_bot: bool
    embeds: list[Json] = field(repr=False)
    components: list[Json] = field(repr=False)
    attachments: list[Json] = field(repr=False)
    ephemeral: bool = field(repr=False)
    raw: Json = field(repr=False)
    """The message object of Discord's API."""

    @classmethod
    def of(cls, raw: Json) -> Message:
        """Reads a message object."""
        return cls(
            id=raw["id"],
            content=raw["content"],
            author=raw["author"]["username"],
            by_bot=bool(raw["author"].get("bot")),
            embeds=raw["embeds"],
            components=raw.get("components") or [],
            attachments=raw["attachments"],
            ephemeral=bool(raw.get("flags", 0) & 64),
            raw=raw,
        )

    @property
    def buttons(self) -> list[str]:
        """Labels of its buttons."""
        return [c.get("label") or "" for c in flat(self.components) if c.get("type") == 2]

    @property
    def reactions(self) -> dict[str, int]:
        """Reactions by emoji, with their numbers."""
        return {r["emoji"]["name"]: r["count"] for r in self.raw.get("reactions") or []}


@dataclass(frozen=True)
class Reply:
    """The bot's answer to an interaction, as the user sees it."""

    interaction: str
    content: str
    ephemeral: bool
    deferred: bool
    embeds: list[Json] = field(repr=False)
    components: list[Json] = field(repr=False)
    modal: Json | None = field(repr=False)
    """The modal that was opened: `custom_id`, `title`, `components`."""
    followups: list[Message] = field(repr=False)
    message: Message | None = field(repr=False)
    callbacks: int = field(repr=False)
    """How many first answers came. More than one is a bug of the bot."""
    latency_ms: float | None = field(repr=False)
    error: str | None
    """What the user sees in place of an answer; None if there was one."""
    hint: str | None = field(repr=False)
    raw: Json = field(repr=False)

    @classmethod
    def of(cls, raw: Json) -> Reply:
        """Reads an answer of the control API."""
        return cls(
            interaction=raw["interaction"],
            content=raw["content"],
            ephemeral=raw["ephemeral"],
            deferred=raw["deferred"],
            embeds=raw["embeds"],
            components=raw["components"],
            modal=raw["modal"],
            followups=[Message.of(message) for message in raw["followups"]],
            message=Message.of(raw["message"]) if raw["message"] else None,
            callbacks=raw["callbacks"],
            latency_ms=raw["latency_ms"],
            error=raw["error"],
            hint=raw["hint"],
            raw=raw,
        )

    @property
    def buttons(self) -> list[str]:
        """Labels of its buttons."""
        return [c.get("label") or "" for c in flat(self.components) if c.get("type") == 2]
