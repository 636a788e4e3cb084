"""Custom components: a style sheet and scripts of assets/, joined with the script that all of them share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

_ASSETS = Path(__file__).resolve().parents[3] / "assets"


def create_component(name: str, *scripts: str) -> Any:
    """Return the component whose style sheet is `name`.css and whose last script exports its entry.

    One module: code given inline cannot import a neighbour.
    """
    style, *parts = ((_ASSETS / file).read_text(encoding="utf-8") for file in (f"{name}.css", "component.js", *scripts))
    return st.components.v2.component(f"whybox_{name}", css=style, js="\n".join(parts))
