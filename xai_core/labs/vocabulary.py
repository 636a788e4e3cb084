"""Cards on words of training: one Markdown file a card in assets/vocabulary, discovered.

A file begins with `# Title`; a line `at: place place` names the places of pages that show it; the text follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CARDS = Path(__file__).resolve().parents[2] / "assets" / "vocabulary"
MAX_WORDS = 150
_FORM = re.compile(r"# (?P<title>[^\n]+)\n(?:at: (?P<places>[^\n]+)\n)?\n(?P<text>.+)\Z", re.DOTALL)


@dataclass(frozen=True)
class WordCard:
    """A card: its name, its title, the places of pages that it belongs to, and its text in Markdown."""

    name: str
    title: str
    places: tuple[str, ...]
    text: str

    @property
    def words(self) -> int:
        return len(self.text.split())


@cache
def list_cards() -> tuple[WordCard, ...]:
    """Return all cards by title.

    Raises:
        ValueError: a file is not in the form of a card; it stops the start with its name.
    """
    return tuple(sorted((_read(file) for file in CARDS.glob("*.md")), key=lambda card: card.title.casefold()))


def _read(file: Path) -> WordCard:
    form = _FORM.match(file.read_text(encoding="utf-8"))
    if form is None:
        raise ValueError(f"{file.name} is no card: it needs a title, a blank line and a text")
    return WordCard(file.stem, form["title"].strip(), tuple((form["places"] or "").split()), form["text"].strip())


def cards_at(place: str) -> tuple[WordCard, ...]:
    """Return the cards that belong to a place of a page."""
    return tuple(card for card in list_cards() if place in card.places)
