"""Classes of a set found again among a model's: by name, by ImageNet's code, or, if asked for, by number."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from xai_core.imageset.record import NO_LABEL
from xai_core.models.imagenet import class_codes

# A WordNet number, alone or beside a name: n02099601-golden_retriever.
_CODE = re.compile(r"(?<![^\W_])n\d{8}(?![^\W_])", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,9}")
_BLANKS = re.compile(r"[\s_\-\u2010-\u2015]+")


def match_names(names: Sequence[str], labels: Sequence[str], by_number: bool = False) -> list[int]:
    """Return a model's class for each name, NO_LABEL where no class or several have it.

    Names match without case, with blanks, "_" and "-" alike. A code of ImageNet counts more than a name beside it. With
    `by_number` a whole number is the place of a class, from 0.

    >>> match_names(["golden-retriever", "1"], ["tabby", "Golden retriever"], by_number=True)
    [1, 1]
    """
    codes = class_codes(labels)
    normal = [normalize_name(label) for label in labels]
    counts = Counter(normal)
    rows = {name: row for row, name in enumerate(normal) if counts[name] == 1}

    def match(name: str) -> int:
        if by_number and _NUMBER.fullmatch(name):
            return int(name) if int(name) < len(labels) else NO_LABEL
        code = _CODE.search(name)
        row = rows.get(normalize_name(name)) if code is None else codes.get(code[0].lower())
        if row is None and code is not None:
            row = rows.get(normalize_name(_CODE.sub(" ", name)))
        return NO_LABEL if row is None else row

    return [match(name) for name in names]


def can_match_by_number(names: Sequence[str], labels: Sequence[str]) -> bool:
    """Say if all names are whole numbers of classes of a model that knows none of them by name.

    >>> can_match_by_number(["0", "1"], ["cat", "dog"]), can_match_by_number(["0", "1"], ["0", "1"])
    (True, False)
    """
    numbers = [int(name) for name in names if _NUMBER.fullmatch(name)]
    return (
        0 < len(names) == len(numbers)
        and max(numbers) < len(labels)
        and all(row == NO_LABEL for row in match_names(names, labels))
    )


def normalize_name(name: str) -> str:
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", name)).strip().casefold()
