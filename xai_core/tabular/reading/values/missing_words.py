"""Words that stand for no value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.arrays import Bool

# As pandas has them, in lower case. "none" is not one of them: it is often a category (no garage, no allergy).
TEXT_MISSING = ("", "na", "n/a", "#n/a", "#na", "nan", "<na>", "null")
# Among numbers and dates these are no values either; among words they are kept as categories, as pandas does.
KEPT_SIGNS = ("?", "-", "--")
VALUE_MISSING = (
    *TEXT_MISSING,
    *KEPT_SIGNS,
    *(".", "..", "...", "–", "—", "---", "n.a.", "n.a", "n. a.", "k.a.", "k. a.", "k.a", "n.v.", "n.d.", "nd", "n/d"),
    *("s/d", "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!", "-nan", "missing", "unknown"),
)
# Numbers that often stand for no value where they are far from all others.
_SENTINELS = (-9.0, -99.0, -999.0, -9999.0, -99999.0, 999.0, 9999.0, 99999.0, 999999.0)


def match_words(texts: pa.StringArray, words: tuple[str, ...]) -> Bool:
    """Return which texts are one of the words, in small letters or capitals, (D,)."""
    flags = pc.is_in(pc.utf8_lower(texts), pa.array(words))
    return np.asarray(flags.to_numpy(zero_copy_only=False), dtype=bool)


def find_sentinel(numbers: np.ndarray) -> float | None:
    """Return a number such as −999 that is far below or above all others; None if there is none."""
    present = numbers[~np.isnan(numbers)]
    if len(present) < 3:
        return None
    for extreme, is_low in ((present.min(), True), (present.max(), False)):
        if extreme in _SENTINELS:
            others = present[present != extreme]
            is_far = len(others) and (others.min() > extreme / 10 if is_low else others.max() < extreme / 5)
            if is_far and (extreme < 0) == is_low:
                return float(extreme)
    return None
