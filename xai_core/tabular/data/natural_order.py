"""Order of texts as people count: numbers in texts by their size, and words of well-known scales from low to high."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_BELOW = re.compile(r"<|≤|\b(?:under|below|less|up to|unter|bis|moins|menos)\b", re.IGNORECASE)
_ABOVE = re.compile(r"[>≥+]|\b(?:over|above|more|older|plus|über|ab|más|mehr)\b", re.IGNORECASE)
# Scales from low to high; "|" separates words for one place.
_SCALES = """
very low|lowest, low, medium|moderate|mid|middle|average|normal|med, high, very high|highest;
none|no, minimal|trace|slight, mild|light|minor, moderate|medium, severe|heavy|serious|major, very
severe|critical|extreme;
xxs, xs, s, m, l, xl, xxl|2xl, xxxl|3xl;
tiny|very small|extra small, small, medium|mid|regular, large|big, very large|extra large|huge;
never, almost never|hardly ever, rarely|seldom, occasionally|sometimes, often|frequently|usually, very often|almost
always, always;
daily, weekly, biweekly, monthly, quarterly, half-yearly|semiannually, yearly|annually;
strongly disagree, disagree, somewhat disagree, neutral|neither agree nor disagree|undecided, somewhat agree, agree,
strongly agree;
very dissatisfied, dissatisfied|unsatisfied, neutral, satisfied, very satisfied;
very unlikely, unlikely, neutral, likely, very likely;
terrible|very bad|very poor, bad|poor, fair|average|typical|ok|satisfactory, good, very good, excellent|outstanding,
ideal;
po, fa, ta, gd, ex;
fair, good, very good, premium, ideal;
e, d, c-, c, c+, b-, b, b+, a-, a, a+;
freezing, cold, cool, mild, warm, hot;
very slow, slow, medium|normal, fast, very fast;
short, medium, long;
young, middle-aged|middle aged, old|senior;
child, teenager|teen|adolescent, young adult, adult, senior|elderly;
bronze, silver, gold, platinum, diamond;
basic, standard, premium, enterprise;
beginner|novice, intermediate, advanced, expert;
trainee|intern, junior, mid|mid-level, senior, lead, director;
first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth;
lower, middle, upper;
freshman, sophomore, junior, senior;
before 1st grade|preschool, kindergarten, 1st-4th, 5th-6th, 7th-8th, 9th, 10th, 11th, 12th, hs-grad, some-college,
assoc-voc, assoc-acdm, bachelors, masters, prof-school, doctorate;
none|no education|illiterate, primary|primary school|elementary|elementary school|basic.4y, middle school|lower
secondary|basic.6y, basic.9y, some high school, secondary|high school|high.school|highschool|upper
secondary|secondary school, vocational|professional.course, some college, associate|associate degree|associate's
degree, undergraduate|college|tertiary|university|university.degree|bachelor|bachelors|bachelor's|bachelor's
degree|graduation, graduate|postgraduate|master|masters|master's|master's degree, phd|doctorate|doctoral|ph.d.;
below college, college, bachelor, master, doctor;
non-travel, travel_rarely, travel_frequently;
january|jan, february|feb, march|mar, april|apr, may, june|jun, july|jul, august|aug, september|sep|sept,
october|oct, november|nov, december|dec;
januar|jan, februar|feb, märz|mär|mrz, april|apr, mai, juni|jun, juli|jul, august|aug, september|sep, oktober|okt,
november|nov, dezember|dez;
janvier|janv, février|févr|fév, mars, avril|avr, mai, juin, juillet|juil, août, septembre|sept, octobre|oct,
novembre|nov, décembre|déc;
enero|ene, febrero|feb, marzo|mar, abril|abr, mayo|may, junio|jun, julio|jul, agosto|ago, septiembre|sep,
octubre|oct, noviembre|nov, diciembre|dic;
monday|mon, tuesday|tue|tues, wednesday|wed, thursday|thu|thur|thurs, friday|fri, saturday|sat, sunday|sun;
montag|mo, dienstag|di, mittwoch|mi, donnerstag|do, freitag|fr, samstag|sa|sonnabend, sonntag|so;
lundi|lun, mardi|mar, mercredi|mer, jeudi|jeu, vendredi|ven, samedi|sam, dimanche|dim;
lunes|lun, martes|mar, miércoles|mié, jueves|jue, viernes|vie, sábado|sáb, domingo|dom;
spring, summer, autumn|fall, winter;
morning, noon, afternoon, evening, night;
q1, q2, q3, q4;
sehr niedrig|sehr gering, niedrig|gering, mittel|normal, hoch, sehr hoch;
sehr klein, klein, mittel, groß|gross, sehr groß|sehr gross;
nie|niemals, selten, manchmal|gelegentlich, oft|häufig, immer;
sehr schlecht, schlecht, mittel|mittelmäßig, gut, sehr gut;
ungenügend, mangelhaft, ausreichend, befriedigend, gut, sehr gut;
keine|kein, leicht, mittel|mäßig, schwer|stark;
très faible, faible|bas, moyen|moyenne, élevé|élevée|haut|fort, très élevé;
jamais, rarement, parfois|quelquefois, souvent, toujours;
petit, moyen, grand;
mauvais, moyen, bon, très bon, excellent;
muy bajo, bajo|baja, medio|media, alto|alta, muy alto;
nunca, rara vez|raramente, a veces, a menudo|frecuentemente, siempre;
pequeño, mediano, grande;
malo, regular, bueno, muy bueno, excelente
"""


def order_rising(labels: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Return labels in rising order, and the reason in words: a scale, their numbers, or how they came.

    `labels`: in the order of their first appearance.
    """
    for scale in _read_scales():
        places = [scale.get(_fold(label)) for label in labels]
        if len(labels) > 1 and None not in places and len(set(places)) == len(labels):
            return _sort_by(labels, places), "from low to high"
    keys = [_range_key(label) for label in labels]
    if None not in keys:
        return _sort_by(labels, keys), "by their numbers"
    return tuple(labels), "as they first appear"


def _sort_by(labels: Sequence[str], keys: Iterable[object]) -> tuple[str, ...]:
    pairs = sorted(zip(keys, labels, strict=True), key=lambda pair: pair[0])  # type: ignore[arg-type, return-value]
    return tuple(label for _, label in pairs)


def _range_key(label: str) -> tuple[float, int, float, str] | None:
    """Return the key of a number or a range such as "18-25", "<18" or "65+"; None without a number."""
    numbers = [float(number.replace(",", ".")) for number in _NUMBER.findall(label)]
    if not numbers:
        return None
    is_negative = bool(re.match(r"\s*[-−]\s*\d", label))
    first = -numbers[0] if is_negative else numbers[0]
    side = -1 if _BELOW.search(label) else 1 if _ABOVE.search(label) else 0
    return first, side, numbers[-1], label


def _fold(label: str) -> str:
    return " ".join(label.casefold().replace("_", " ").split()).strip(".")


@cache
def _read_scales() -> tuple[dict[str, int], ...]:
    """Return the place of each word of each scale."""
    scales = [" ".join(scale.split()) for scale in _SCALES.split(";")]
    return tuple(
        {_fold(word): place for place, words in enumerate(scale.split(", ")) for word in words.split("|")}
        for scale in scales
    )
