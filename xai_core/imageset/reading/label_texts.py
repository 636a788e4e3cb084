"""Texts of labels and of the names that are looked for beside them."""

from __future__ import annotations

import unicodedata

MAX_LABEL = 80


def clean_label(label: str) -> str:
    """Return a label as one line of at most 80 printable letters."""
    # Letters with accents are one sign, as most programs write them; macOS keeps names in two.
    line = " ".join(unicodedata.normalize("NFC", label).split())
    return "".join(letter for letter in line if letter.isprintable())[:MAX_LABEL].strip()


def fold_name(name: str) -> str:
    """Return the letters and digits of a name, lower case and without accents.

    >>> fold_name("Étiquette_2")
    'etiquette2'
    """
    letters = unicodedata.normalize("NFKD", name).casefold()
    return unicodedata.normalize("NFC", "".join(letter for letter in letters if letter.isalnum()))
