"""Teaching cards: one Markdown file a method in assets/methods, all with the same headings in the same order."""

from __future__ import annotations

import re
from pathlib import Path

from xai_core.methods.base.spec import METHODS

CARDS = Path(__file__).resolve().parents[3] / "assets" / "methods"
HEADINGS = (
    "What question it answers",
    "How to read it",
    "What it cannot tell",
    "When it lies",
    "Cost",
    "Formula",
    "Source",
)


# Cards are written in the colours of the usual palette; the sentence under a map has those of the one in force.
_PALETTE = "*In the usual colours, orange for and blue against; other palettes have others.*\n"


def method_card(method: str, level: int = 4) -> str:
    """Return a method's card in Markdown, with headings of this level and formulas between $$; empty if it has none.

    Raises UnknownName with the nearest names.
    """
    file = CARDS / f"{METHODS.get(method).name}.md"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    if re.search(r"\b(?:orange|blue)\b", text, re.IGNORECASE):
        text = text.replace(f"## {HEADINGS[1]}\n", f"## {HEADINGS[1]}\n{_PALETTE}\n", 1)
    for heading in HEADINGS:
        text = text.replace(f"## {heading}\n", f"{'#' * level} {heading}\n", 1)
    return text


def method_example(method: str) -> Path | None:
    """Return the file of a method's example picture, a square WebP; None for a method without one.

    Raises UnknownName with the nearest names.
    """
    file = CARDS / f"{METHODS.get(method).name}.webp"
    return file if file.is_file() else None
