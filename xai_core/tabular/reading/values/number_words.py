"""Signs and words around a number: currencies, percent and units."""

from __future__ import annotations

import re
from collections.abc import Collection

CURRENCY_WORDS = frozenset(
    """
    usd eur gbp jpy chf cny rmb inr rs krw aud cad nzd hkd sgd twd thb php idr myr vnd zar ngn kes ghs mxn brl ars clp
    cop pen try tl rub руб р uah грн pln zł zl czk kč huf ft ron lei leu bgn лв hrk kn rsd din sek nok dkk isk kr ils
    nis aed sar egp mad tnd fr sfr euro euros dollar dollars 円 元 원
    """.split()
)
# Units that are understood without a blank before them; they are compared in small letters.
GLUED_UNITS = frozenset(
    """
    ° °c °f mm cm dm m km µm nm in ft yd mi mm² cm² m² km² m2 km2 m³ m3 cm3 ha µg mg g kg t lb lbs oz ml cl l ms s sec
    min h hr hrs yr yrs mo mv v kv ma mw w kw kwh mwh wh kj kcal hz khz mhz ghz pa hpa kpa mbar bar px pt kb mb gb tb
    mbps km/h m/s mph kmh rpm hp ps cc bhp nm x ppm ppb dpi ‰
    """.split()
)
_PERCENT = frozenset(("%", "pct", "percent", "Prozent", "٪", "％"))
MAX_UNIT_LETTERS = 16
_SYMBOL = re.compile("[$¢£¤¥\u20a0-\u20c0\ufdfc\uff04\uffe0\uffe1\uffe5\uffe6]")
_BRACKETED = re.compile(r"[\[(](.{1,16})[\])]")
# Endings of several things in English, German and the Romance languages.
_PLURALS = ("s", "e", "en", "n", "es", "er")
# A text with one of these is no unit.
_NO_UNIT = re.compile(r"^[-+.,:/;<>=()]|[,;:=]|\d\d| .* ")


def is_currency(text: str) -> bool:
    """Return whether a text beside a number is a currency, such as "€", "CHF" or "R$"."""
    word = text.strip()
    if _SYMBOL.search(word):
        # Letters may name the country: US$, R$.
        rest = _SYMBOL.sub("", word).strip(" .")
        return len(rest) <= 2 and (not rest or rest.isalpha())
    return word.casefold().strip(".") in CURRENCY_WORDS


def read_unit(text: str, *, has_gap: bool) -> str | None:
    """Return the unit in a text behind a number, "%" for percent, or None where it is none.

    `has_gap`: a blank stands between the number and the text.
    """
    bracketed = _BRACKETED.fullmatch(text)
    word = bracketed[1].strip() if bracketed else text
    if word in _PERCENT:
        return "%"
    if len(word) > MAX_UNIT_LETTERS or _NO_UNIT.search(word):
        return None
    is_unit = bool(bracketed) or has_gap or is_known_unit(word)
    return word if is_unit and word else None


def is_known_unit(text: str) -> bool:
    """Return whether a text is a unit by itself, such as "kg"."""
    return text == "%" or text.casefold() in GLUED_UNITS


def unify_units(units: Collection[str]) -> str | None:
    """Return the one unit of all cells, or None where there are several; "year" and "years" are one.

    >>> unify_units({"year", "years"}), unify_units({"kg", "g"})
    ('years', None)
    """
    names = sorted({unit.removesuffix(".") for unit in units}, key=len)
    is_plural = len(names) == 2 and names[1].removeprefix(names[0]) in _PLURALS
    return max(units, key=len) if len(names) == 1 or is_plural else None
