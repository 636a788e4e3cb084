"""Parse texts as dates and times of day, in the forms that offices, programs and people write.

A form is a regular expression whose groups are year, month, day and time. Where the numbers could stand in several
orders, all that fit are returned, and the whole file decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.arrays import Float64, Int64
from xai_core.tabular.reading.values.distinct_cells import DistinctCells
from xai_core.tabular.reading.values.month_names import MONTHS

DAY_S = 86_400
# POSIX: 69 is 1969, 68 is 2068.
_PIVOT = 69
_ZONE = r"(?: ?(?P<zone>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?"
_CLOCK = (
    r"(?P<hour>\d{1,2})[:h](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d(?:[.,]\d{1,9})?))?"
    rf"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?Uhr)?{_ZONE}"
)
_TIME = rf"(?:(?:[Tt:]| ?, ?| +){_CLOCK})?$"
_WEEKDAY = r"^(?:\pL{2,10}\.?,? )?"
_MONTH = r"(?P<name>\pL{3,10})\.?"
_ORDINAL = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.|er|º)?"
_GAP = r"(?:[-/., ]*|[ ,]+(?:de|of) )"
_PLAIN_FORM = r"^(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})$"
# Forms whose numbers have one order.
_FIXED_FORMS = (
    rf"^(?P<year>\d{{4}})[-/](?P<month>\d{{1,2}})(?:[-/](?P<day>\d{{1,2}}){_TIME[:-1]})?$",
    rf"^(?P<year>\d{{4}})\. ?(?P<month>\d{{1,2}})\. ?(?P<day>\d{{1,2}})\.?{_TIME}",
    rf"^(?P<year>\d{{4}}) ?[年년] ?(?P<month>\d{{1,2}}) ?[月월] ?(?:(?P<day>\d{{1,2}}) ?[日일])?{_TIME}",
    r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})T(?P<hour>\d{2}):?(?P<minute>\d{2}):?(?P<second>\d{2})?"
    + _ZONE
    + "$",
    rf"{_WEEKDAY}{_ORDINAL}{_GAP}{_MONTH}{_GAP}(?P<year>\d{{4}}|\d{{2}}){_TIME}",
    rf"{_WEEKDAY}{_MONTH}[-/ ]+{_ORDINAL},?[-/ ]+(?P<year>\d{{4}}|\d{{2}}){_TIME}",
    rf"^\pL{{2,10}} {_MONTH} +(?P<day>\d{{1,2}}) {_CLOCK} (?P<year>\d{{4}})$",
    rf"^(?P<year>\d{{4}})[-/. ]{_MONTH}(?:[-/. ](?P<day>\d{{1,2}}){_TIME[:-1]})?$",
    rf"^{_MONTH}[-/, ]+(?:de )?(?P<year>\d{{4}})$",
    r"^(?P<month>\d{1,2})[/-](?P<year>\d{4})$",
    r"^(?P<year>\d{4})-?W(?P<week>\d{2})(?:-?(?P<weekday>[1-7]))?$",
    r"^(?P<year>\d{4})[-/ ]?Q(?P<quarter>[1-4])$",
    r"^Q(?P<quarter>[1-4])[-/ ](?P<year>\d{4})$",
)
# Forms of three numbers, of which the year is the last, or the first if it has two digits.
_OPEN_FORMS = {
    mark: rf"{_WEEKDAY}(?P<first>\d{{1,2}}){gap}(?P<middle>\d{{1,2}}){gap}(?P<third>\d{{4}}|\d{{2}})\.?{_TIME}"
    for mark, gap in ((".", r"\. ?"), ("/", "/"), ("-", "-"))
}
_CLOCK_FORM = rf"^{_CLOCK}$"
_DURATION = r"^(?P<hour>\d{1,4}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d(?:[.,]\d{1,9})?))?$"
ORDER_WORDS = {"dmy": "the day", "mdy": "the month", "ymd": "the year"}


@dataclass(frozen=True, eq=False)
class DateReading:
    """Days since 1970-01-01, (D,), NaN where a cell is no such date; times with a zone are moved to UTC."""

    days: Float64
    order: str = ""
    """"dmy", "mdy" or "ymd" where the numbers could stand in several orders."""
    has_short_years: bool = False
    is_day_assumed: bool = False
    """True where the day was taken to come first because dots follow it."""
    others: tuple[DateReading, ...] = ()
    """Other orders that fit as well."""


def read_plain_dates(distinct: DistinctCells, min_share: float) -> DateReading | None:
    """Return dates of eight digits, such as 20240131."""
    return _read_form(distinct, _PLAIN_FORM, min_share)


def read_dates(distinct: DistinctCells, min_share: float) -> DateReading | None:
    """Return the dates that the cells are, at least `min_share` of them in one form; None if they are no dates."""
    if distinct.value_share < min_share:
        return None
    for pattern in (_PLAIN_FORM, *_FIXED_FORMS):
        reading = _read_form(distinct, pattern, min_share)
        if reading:
            return reading
    for mark, pattern in _OPEN_FORMS.items():
        if distinct.follows(pattern, min_share):
            return _read_open_form(distinct, pattern, min_share, is_dotted=mark == ".")
    return None


def read_hours(distinct: DistinctCells, min_share: float) -> Float64 | None:
    """Return times of day or durations in hours, (D,): 17:30 is 17.5. None if the cells are none."""
    if distinct.value_share < min_share:
        return None
    for pattern in (_CLOCK_FORM, _DURATION):
        if distinct.follows(pattern, min_share):
            seconds = _read_seconds(_extract(distinct, pattern), limit=pattern is _CLOCK_FORM)
            if distinct.share(~np.isnan(seconds)) >= min_share:
                hours: Float64 = seconds / 3600
                return hours
    return None


def _extract(distinct: DistinctCells, pattern: str) -> dict[str, pa.StringArray]:
    parts = pc.extract_regex(distinct.cells, pattern)
    names = [field.name for field in parts.type]
    return {name: pc.fill_null(pc.struct_field(parts, name), "") for name in names}


def _read_form(distinct: DistinctCells, pattern: str, min_share: float) -> DateReading | None:
    if not distinct.follows(pattern, min_share):
        return None
    texts = _extract(distinct, pattern)
    years, has_short_years = _read_years(texts["year"])
    if "week" in texts:
        days = _count_week_days(years, _to_numbers(texts["week"]), _to_numbers(texts["weekday"], 1))
        months = np.ones(len(years))
    else:
        months = _read_months(texts, len(years))
        days = count_days(years, months, _to_numbers(texts["day"], 1) if "day" in texts else np.ones(len(years)))
    moments = days + _read_seconds(texts) / DAY_S
    # A cell of the right form may still be no date, such as 31.02.2024.
    return DateReading(moments, "", has_short_years) if distinct.share(~np.isnan(moments)) >= min_share else None


def _read_open_form(distinct: DistinctCells, pattern: str, min_share: float, *, is_dotted: bool) -> DateReading | None:
    """Return the dates in the order that fits most cells; in `others` the orders that fit as many."""
    texts = _extract(distinct, pattern)
    first, second, third = (texts[name] for name in ("first", "middle", "third"))
    seconds = _read_seconds(texts) / DAY_S
    long_years = pc.equal(pc.utf8_length(third), 4).to_numpy(zero_copy_only=False)
    is_short = bool(np.any(~long_years & pc.not_equal(third, "").to_numpy(zero_copy_only=False)))
    orders = ["dmy", "mdy"]
    # The day varies more than the year.
    if is_short and not long_years.any():
        year_first = len(pc.unique(third)) > 2 * len(pc.unique(first)) or _to_numbers(first).max() > 31
        orders = ["ymd"] if year_first else orders
    readings = []
    for order in orders:
        parts = dict(zip(order, (first, second, third), strict=True))
        years, _ = _read_years(parts["y"])
        days = count_days(years, _to_numbers(parts["m"]), _to_numbers(parts["d"])) + seconds
        readings.append(DateReading(days, order, is_short))
    return _choose_order(distinct, readings, min_share, is_dotted=is_dotted)


def _choose_order(
    distinct: DistinctCells, readings: list[DateReading], min_share: float, *, is_dotted: bool
) -> DateReading | None:
    shares = [distinct.share(~np.isnan(reading.days)) for reading in readings]
    best = int(np.argmax(shares))
    # Dates with dots start with the day.
    if is_dotted and shares[0] >= min_share:
        best = 0
    if shares[best] < min_share:
        return None
    chosen = readings[best]
    others = tuple(
        reading
        for reading, share in zip(readings, shares, strict=True)
        if reading is not chosen
        and share >= min_share
        and (share == shares[best] or shares[best] < 1)
        and not np.array_equal(reading.days, chosen.days, equal_nan=True)
    )
    if is_dotted:
        return replace(chosen, is_day_assumed=bool(others))
    return replace(chosen, others=others)


def _to_numbers(texts: pa.StringArray, default: float = math.nan) -> Float64:
    """Return numbers, (D,), the default for empty texts."""
    empty = pc.equal(texts, "").to_numpy(zero_copy_only=False)
    filled = pc.replace_substring(pc.if_else(pa.array(empty), "0", texts), ",", ".")
    return np.where(empty, default, filled.cast(pa.float64()).to_numpy())


def _read_years(texts: pa.StringArray) -> tuple[Float64, bool]:
    """Return years, (D,), and whether some have two digits."""
    years = _to_numbers(texts)
    is_short = pc.equal(pc.utf8_length(texts), 2).to_numpy(zero_copy_only=False)
    return np.where(is_short, years + np.where(years < _PIVOT, 2000, 1900), years), bool(is_short.any())


def _read_months(texts: dict[str, pa.StringArray], count: int) -> Float64:
    if "quarter" in texts:
        return 3 * _to_numbers(texts["quarter"]) - 2
    if "name" not in texts:
        return _to_numbers(texts["month"]) if "month" in texts else np.ones(count)
    coded = texts["name"].dictionary_encode()
    numbers = np.array([MONTHS.get(name.lower(), math.nan) for name in coded.dictionary.to_pylist()], dtype=np.float64)
    months: Float64 = numbers[coded.indices.to_numpy()]
    return months


def count_days(years: Float64, months: Float64, days: Float64) -> Float64:
    """Return days since 1970-01-01, (D,), NaN where there is no such date."""
    is_month = (years >= 1) & (months >= 1) & (months <= 12)
    number = np.where(is_month, 12 * (years - 1970) + months - 1, 0).astype(np.int64)
    start, end = (_first_day(number + step) for step in (0, 1))
    is_day = is_month & (days >= 1) & (days <= end - start)
    moments: Float64 = np.where(is_day, start + days - 1, math.nan)
    return moments


def _first_day(months: Int64) -> Int64:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _count_week_days(years: Float64, weeks: Float64, weekdays: Float64) -> Float64:
    """Return the days of ISO weeks, (D,): week 1 holds the fourth of January."""
    fourth = count_days(years, np.ones(len(years)), np.full(len(years), 4.0))
    # 1970-01-01 was a Thursday.
    monday = fourth - (fourth + 3) % 7
    days = monday + 7 * (weeks - 1) + weekdays - 1
    return np.where((weeks >= 1) & (weeks <= 53), days, math.nan)


def _read_seconds(texts: dict[str, pa.StringArray], *, limit: bool = True) -> Float64:
    """Return seconds since midnight in UTC, (D,); 0 without a time, NaN where it is none, such as 25:00."""
    if "hour" not in texts:
        return np.zeros(len(next(iter(texts.values()))))
    hours = _to_numbers(texts["hour"], 0)
    half = pc.utf8_lower(texts["half"]) if "half" in texts else pa.array([""] * len(hours))
    is_pm, is_am = (pc.equal(half, letter).to_numpy(zero_copy_only=False) for letter in ("p", "a"))
    is_wrong = (is_pm | is_am) & ((hours < 1) | (hours > 12)) | (limit & (hours > 24))
    hours = np.where(is_pm | is_am, hours % 12 + 12 * is_pm, hours)
    seconds = 3600 * hours + 60 * _to_numbers(texts["minute"], 0) + _to_numbers(texts["second"], 0)
    # 24:00 is the end of a day.
    is_wrong |= limit & (seconds > DAY_S)
    if "zone" in texts:
        seconds = seconds - _read_zones(texts["zone"])
    return np.where(is_wrong, math.nan, seconds)


def _read_zones(zones: pa.StringArray) -> Float64:
    """Return the seconds by which each zone is ahead of UTC, (D,)."""
    coded = zones.dictionary_encode()
    ahead = []
    for zone in coded.dictionary.to_pylist():
        digits = zone[1:].replace(":", "").ljust(4, "0")
        is_offset = zone[:1] in ("+", "-")
        ahead.append(
            (-1 if zone[:1] == "-" else 1) * (3600 * int(digits[:2]) + 60 * int(digits[2:])) if is_offset else 0
        )
    seconds: Float64 = np.array(ahead, dtype=np.float64)[coded.indices.to_numpy()]
    return seconds
