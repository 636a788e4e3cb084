"""Numbers and foreign text in words: one form of percent, one of numbers, one of printable text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

# Letters of a foreign name that are shown on one line.
MAX_LETTERS = 200
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DIGITS = re.compile(r"([0-9]+)")


def percent(share: float) -> str:
    """Return a share (0 to 1) in whole percent; "under 1 %" and "over 99 %" keep 0 % and 100 % for none and all.

    >>> percent(0.73), percent(0.996), percent(1.0), percent(0.004)
    ('73 %', 'over 99 %', '100 %', 'under 1 %')
    """
    if not math.isfinite(share):
        return "–"
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def number(value: float) -> str:
    """Return a number with three significant digits and a proper minus; a dash where it is not finite.

    >>> number(3210.4), number(-4.2512), number(0.0000123), number(1.2e-9)
    ('3,210', '−4.25', '0.0000123', '1.2 × 10⁻⁹')
    """
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 1e15 or 0 < abs(value) < 1e-6:
        return _power_of_ten(value)
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{Decimal(f'{value:.3g}'):f}"
    return text.replace("-", "−")


def score(value: float) -> str:
    """Return a score whose best value is 1 with two decimals; 1.00 stands for what is perfect alone.

    >>> score(0.873), score(0.9996), score(1.0), score(-0.051)
    ('0.87', '0.99', '1.00', '−0.05')
    """
    if not math.isfinite(value):
        return "–"
    return f"{min(value, 0.99) if value < 1 else value:.2f}".replace("-", "−").replace("−0.00", "0.00")


def correlation(value: float) -> str:
    """Return a number from −1 to 1 with its sign and two decimals.

    >>> correlation(0.5), correlation(-0.551)
    ('+0.50', '−0.55')
    """
    return f"{value:+.2f}".replace("-", "−")


def duration(seconds: float) -> str:
    """Return a time in seconds, from a hundred on in minutes.

    >>> duration(0.034), duration(19.2), duration(121)
    ('0.034 s', '19 s', '2 min')
    """
    return f"{seconds / 60:.0f} min" if seconds >= 100 else f"{Decimal(f'{seconds:.2g}'):f} s"


def _power_of_ten(value: float) -> str:
    digits, power = f"{value:.2e}".split("e")
    short = digits.rstrip("0").rstrip(".").replace("-", "−")
    return f"{short} × 10{str(int(power)).translate(_RAISED)}"


_COUNTS = "no one two three four five six seven eight nine ten eleven twelve".split()


def count_in_words(count: int) -> str:
    """Return a count up to twelve as a word, a larger one in digits.

    >>> count_in_words(3), count_in_words(24)
    ('three', '24')
    """
    return _COUNTS[count] if 0 <= count < len(_COUNTS) else f"{count:,}"


def join_words(words: Sequence[str]) -> str:
    """Return words as a list within a sentence.

    >>> join_words(["LIME"]), join_words(["A", "B", "C"])
    ('LIME', 'A, B and C')
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def printable(text: object, limit: int | None = None, replacement: str = " ") -> str:
    """Return foreign text as one line: control characters replaced, cut to `limit` letters with an ellipsis.

    >>> printable("a\\tb"), printable("abcdef", limit=3)
    ('a b', 'abc…')
    """
    line = "".join(letter if letter.isprintable() else replacement for letter in str(text))
    return line if limit is None or len(line) <= limit else f"{line[:limit]}…"


def sort_naturally(texts: Iterable[str]) -> list[str]:
    """Return texts in order, numbers in them by their value; where all are numbers, also negative ones and fractions.

    >>> sort_naturally(["10", "2", "-1"]), sort_naturally(["class 10", "class 9"])
    (['-1', '2', '10'], ['class 9', 'class 10'])
    """
    names = list(texts)
    if all(_NUMBER.fullmatch(name) for name in names):
        return sorted(names, key=lambda name: (float(name), name))
    return sorted(names, key=natural_key)


def natural_key(text: str) -> tuple[list[str | int], str]:
    """Return a key that sorts 2 before 10, also within texts, and words by the alphabet.

    >>> sorted(["10", "2", "b1", "a"], key=natural_key)
    ['2', '10', 'a', 'b1']
    """
    # Texts and numbers alternate, so that like meets like.
    pieces = _DIGITS.split(text)
    return [int(piece) if place % 2 else piece for place, piece in enumerate(pieces)], text
