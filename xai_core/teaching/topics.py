"""Topics of explanation: one Markdown file each in assets/topics, with the page that shows the topic at work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qsl

from xai_core.errors import UnknownName

TOPICS = Path(__file__).resolve().parents[2] / "assets" / "topics"
GROUPS = ("What an explanation is", "Kinds of explanation", "What it is good for", "Traps")
"""Groups of topics in the order in which they are read."""


@dataclass(frozen=True)
class Topic:
    """A card of about 120 words.

    terms: words of the glossary that it explains. pages: addresses of the pages on which these words stand.
    pictures: methods whose example maps illustrate it. page, settings: folder/file of a page and
    its choices that show the topic at work on the picture or table in use, behind a button labelled `action`.
    """

    name: str
    title: str
    group: str
    terms: tuple[str, ...]
    pages: tuple[str, ...]
    pictures: tuple[str, ...]
    page: str
    settings: Mapping[str, str]
    action: str
    text: str


def read_topic(file: Path) -> Topic:
    """Read a topic's file: lines of `name: value`, an empty line, the text in Markdown."""
    head, text = file.read_text(encoding="utf-8").split("\n\n", 1)
    values = dict(line.split(": ", 1) for line in head.splitlines())

    def read_list(name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in values.get(name, "").split(",") if part.strip())

    settings = MappingProxyType(dict(parse_qsl(values.get("settings", ""), strict_parsing="settings" in values)))
    return Topic(
        file.stem,
        values["title"],
        values["group"],
        read_list("terms"),
        read_list("pages"),
        read_list("pictures"),
        values["page"],
        settings,
        values["action"],
        text.strip(),
    )


@cache
def topics() -> Mapping[str, Topic]:
    """Return all topics by name, in the order of their groups and, within a group, of their titles."""
    known = [read_topic(file) for file in TOPICS.glob("*.md")]
    known.sort(key=lambda topic: (GROUPS.index(topic.group), topic.title))
    return MappingProxyType({topic.name: topic for topic in known})


def get_topic(name: str) -> Topic:
    """Return a topic.

    Raises UnknownName with the nearest names.
    """
    if name not in topics():
        raise UnknownName.of("topic", name, topics())
    return topics()[name]


@cache
def glossary() -> Mapping[str, str]:
    """Return the topic's name for each term, in the alphabet's order."""
    pairs = [(term, topic.name) for topic in topics().values() for term in topic.terms]
    return MappingProxyType(dict(sorted(pairs, key=lambda pair: pair[0].lower())))


@cache
def page_topics(page: str) -> tuple[Topic, ...]:
    """Return the topics whose words stand on the page with this address."""
    return tuple(topic for topic in topics().values() if page in topic.pages)
