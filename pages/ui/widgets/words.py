"""Foreign text on the page: file names and labels are shown as they are, never as formatting, icons or links."""

from __future__ import annotations

import re

LONGEST = 200
_JOINER = "\u2060"
"""Takes no room and lets no line break; it keeps Streamlit's text from finding a web address in a file's name."""


def format_label(text: object) -> str:
    """Foreign text as one short line without control characters, which could turn the words around it."""
    line = "".join(sign if sign.isprintable() else " " for sign in str(text))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def escape_markdown(text: object) -> str:
    """The same for places that Streamlit reads as Markdown: captions, headings, chips."""
    apart = re.sub(r"(?i)(www)(?=\.)|(:)(?=//)|(?=@)", lambda match: match[0] + _JOINER, format_label(text))
    marked = re.sub(r"([\\`*_{}\[\]()#+!|~:$<>&=^])", r"\\\1", apart)
    return re.sub(r"^(\s*\d*)([-.])", r"\1\\\2", marked)  # what would begin a list
