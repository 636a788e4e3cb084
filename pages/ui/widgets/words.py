"""Foreign text on the page: file names and labels are shown as they are, never as formatting, icons or links."""

from __future__ import annotations

import re

from xai_core.formatting import MAX_LETTERS, printable

# Word joiner, of no width: it keeps Streamlit from turning a file name into a link.
_JOINER = "\u2060"


def format_label(text: object) -> str:
    """Return foreign text as one short line, without control characters."""
    return printable(text, MAX_LETTERS)


def escape_markdown(text: object) -> str:
    """Return foreign text for places that Streamlit reads as Markdown: captions, headings, chips."""
    apart = re.sub(r"(?i)(www)(?=\.)|(:)(?=//)|(?=@)", lambda match: match[0] + _JOINER, format_label(text))
    marked = re.sub(r"([\\`*_{}\[\]()#+!|~:$<>&=^])", r"\\\1", apart)
    # A dash or a number with a dot at the start would begin a list.
    return re.sub(r"^(\s*\d*)([-.])", r"\1\\\2", marked)
