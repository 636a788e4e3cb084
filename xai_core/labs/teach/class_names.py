"""Names of own classes: foreign text that all pages show, so only plain signs are allowed."""

from __future__ import annotations

from collections.abc import Sequence

from xai_core.errors import InvalidParam
from xai_core.formatting import join_words
from xai_core.imageset.reading.label_texts import clean_label

MIN_CLASSES, MAX_CLASSES = 2, 10
MAX_LETTERS = 40
# Signs that Markdown, HTML and Plotly read as formatting are none of them.
_SIGNS = frozenset(" -',.")


def make_name(text: str) -> str:
    """Return a label or folder as the name of a class: signs that are not allowed become blanks."""
    plain = "".join(letter if letter.isalnum() or letter in _SIGNS else " " for letter in clean_label(text))
    return " ".join(plain.split())[:MAX_LETTERS].strip()


def check_name(name: object) -> str:
    """Return the name of a class in one line.

    Raises:
        InvalidParam: it is empty, too long, or has signs that are not allowed.
    """
    text = clean_label(name) if isinstance(name, str) else ""
    if not text or len(text) > MAX_LETTERS or make_name(text) != text:
        raise InvalidParam(
            f"The name of a class has 1 to {MAX_LETTERS} letters, digits, blanks, hyphens, commas or dots. "
            f"Got {str(name)[:60]!r}."
        )
    return text


def check_names(names: Sequence[object]) -> tuple[str, ...]:
    """Return the names of all classes. Raises InvalidParam, also where there are too many or two are the same."""
    if not MIN_CLASSES <= len(names) <= MAX_CLASSES:
        raise InvalidParam(f"Between {MIN_CLASSES} and {MAX_CLASSES} classes can be taught. Got {len(names)}.")
    checked = tuple(check_name(name) for name in names)
    # Two names that differ in capitals alone would be confused.
    folded = [name.casefold() for name in checked]
    twice = sorted({name for name in checked if folded.count(name.casefold()) > 1})
    if twice:
        raise InvalidParam(f"Two classes have the same name: {join_words(twice)}. Give each a name of its own.")
    return checked
