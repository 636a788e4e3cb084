"""Cards on words and traps of the field: one Markdown file a card in assets/topics, found by themselves.

A file begins with `# Title`; a line `at: place place` names the places of pages that show it; the text follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from xai_core.errors import UnknownName

TOPICS = Path(__file__).resolve().parents[2] / "assets" / "topics"
MAX_WORDS = 150
_FORM = re.compile(r"# (?P<title>[^\n]+)\n(?:at: (?P<places>[^\n]+)\n)?\n(?P<text>.+)\Z", re.DOTALL)


@dataclass(frozen=True)
class Topic:
    """A card: its name, its title, the places of pages that it belongs to, and its text in Markdown."""

    name: str
    title: str
    places: tuple[str, ...]
    text: str

    @property
    def words(self) -> int:
        return len(self.text.split())


@cache
def list_topics() -> tuple[Topic, ...]:
    """Return all cards by title.

    Raises:
        ValueError: a file is not in the form of a card; it stops the start with its name.
    """
    return tuple(sorted((_read(file) for file in TOPICS.glob("*.md")), key=lambda topic: topic.title.casefold()))


def _read(file: Path) -> Topic:
    form = _FORM.match(file.read_text(encoding="utf-8"))
    if form is None:
        raise ValueError(f"{file.name} is no card: it needs a title, a blank line and a text")
    return Topic(file.stem, form["title"].strip(), tuple((form["places"] or "").split()), form["text"].strip())


def find_topic(name: str) -> Topic:
    """Return the card of a name. Raises UnknownName."""
    topics = {topic.name: topic for topic in list_topics()}
    if name not in topics:
        raise UnknownName.of("card", name, topics)
    return topics[name]


def cards_at(place: str) -> tuple[Topic, ...]:
    """Return the cards that belong to a place of a page."""
    return tuple(topic for topic in list_topics() if place in topic.places)
