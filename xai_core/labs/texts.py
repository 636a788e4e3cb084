"""Teaching texts of the labs: one Markdown file a lab in assets/labs, a section a part of its page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from xai_core.errors import UnknownName

TEXTS = Path(__file__).resolve().parents[2] / "assets" / "labs"
_HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)


@cache
def lab_texts(lab: str) -> Mapping[str, str]:
    """Return the sections of a lab's text in Markdown, by heading.

    Raises:
        UnknownName: no such lab.
    """
    files = {file.stem: file for file in sorted(TEXTS.glob("*.md"))}
    if lab not in files:
        raise UnknownName.of("lab", lab, files)
    parts = _HEADING.split(files[lab].read_text(encoding="utf-8"))[1:]
    return MappingProxyType({heading: text.strip() for heading, text in zip(parts[::2], parts[1::2], strict=True)})
