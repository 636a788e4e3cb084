"""Guess the encoding of words by the letters of the languages that are written in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from xai_core.text_decoding.alphabets import CANDIDATES, COMMON_SIGNS, LATIN, OTHER_ALPHABETS, STANDARDS

# Bytes of distinct words that are looked at; they may lie anywhere in the text.
SAMPLE_BYTES = 3000
CHUNK_BYTES = 1 << 16
# Likelihood ratio (log e) over the next encoding that reads other words, from which a guess is sure.
MIN_LEAD = 7.0
# Mean log likelihood of a byte, below which the words are none of any language.
MIN_QUALITY = -5.0
# No encoding has one of these as the second byte of a letter.
_BETWEEN_WORDS = re.compile(rb"[\x00-\x20,;:\"'()/.\-]+")
# Log likelihoods of a letter.
_ASCII = math.log(1 / 40)
_BESIDE_ANOTHER_SCRIPT = math.log(0.02)
_SECOND_ACCENT = math.log(0.15)
_UNEXPECTED_CAPITAL = math.log(0.01)
_CAPITAL = math.log(0.3)
_LONE_LETTER = math.log(0.05)
_UNIT, _EDGE_SIGN, _INNER_SIGN, _RARE_SIGN, _NO_SIGN = map(math.log, (0.12, 2e-3, 1e-5, 1e-6, 1e-9))
_UNITS = frozenset("€£¥°²³µ№％℃")
_LEVEL_ONE, _LEVEL_TWO = math.log(0.35 / 3500), math.log(0.02 / 3500)
_EDGE_SIGNS = frozenset("“”„«»‘’‚–—…€£¥°²³µ·•™®©§½¼¾¿¡ºª×±÷№，。、（）：；！？「」《》㎡℃％　・ー")
_INNER_SIGNS = frozenset("’·ー・")


@dataclass(frozen=True)
class Guess:
    """An encoding, and whether every other one that is as likely reads the same words."""

    encoding: str
    is_sure: bool


def collect_words(data: bytes | memoryview) -> list[bytes]:
    """Return distinct words with bytes beyond ASCII, in the order of the text, 3 kB at most."""
    words: dict[bytes, None] = {}
    size = 0
    for start in range(0, len(data), CHUNK_BYTES):
        chunk = bytes(data[start : start + CHUNK_BYTES])
        if chunk.isascii():
            continue
        pieces = _BETWEEN_WORDS.split(chunk)
        # The first and the last word may be cut.
        first, last = int(start > 0), len(pieces) - int(start + CHUNK_BYTES < len(data))
        for word in pieces[first:last] or pieces:
            if word not in words and not word.isascii():
                words[word[:200]] = None
                size += len(word)
                if size > SAMPLE_BYTES:
                    return list(words)
    return list(words)


def guess_encoding(words: Iterable[bytes], penalties: Mapping[str, float] | None = None) -> list[Guess]:
    """Return the encodings from the likeliest down; `penalties` are added to those of CANDIDATES.

    The first is sure if it makes words of a language and every other reading is much less likely.
    """
    words = list(words)
    length = max(sum(map(len, words)), 1)
    ranking = []
    for encoding, _, languages, penalty in CANDIDATES:
        if languages:
            texts = tuple(word.decode(encoding, "replace") for word in words)
            score = _rate(texts, languages.split()) - penalty - (penalties or {}).get(encoding, 0.0)
            ranking.append((score, encoding, texts))
    ranking.sort(key=lambda entry: -entry[0])
    best_score, _, best_texts = ranking[0]
    rival = next((score for score, _, texts in ranking[1:] if texts != best_texts), -math.inf)
    is_sure = best_score - rival >= MIN_LEAD and best_score / length >= MIN_QUALITY
    return [Guess(encoding, is_sure and not place) for place, (_, encoding, _) in enumerate(ranking)]


def _rate(texts: tuple[str, ...], languages: list[str]) -> float:
    """Return the log likelihood of the words: all of one language, or each of any that the encoding is for."""
    scores = [[_rate_word(text, language) for text in texts] for language in languages]
    mixed: float = sum(max(column) - math.log(len(languages)) for column in zip(*scores, strict=True))
    return max(mixed, *map(sum, scores))


def _rate_word(text: str, language: str) -> float:
    letters = _letter_scores(language)
    is_latin = language in LATIN
    # A word of one sign is a unit or a common sign of China or Japan, seldom a letter.
    is_lone = len(text) == 1 and (text.lower() in letters) != (language in COMMON_SIGNS)
    total, previous = _LONE_LETTER if is_lone else 0.0, ""
    for place, letter in enumerate(text):
        # The Turkish İ has no single small letter.
        small = letter if letter in letters else letter.lower()
        if letter.isascii():
            total += _ASCII
            if not is_latin and letter.isalpha() and previous.isalpha() and not previous.isascii():
                total += _BESIDE_ANOTHER_SCRIPT
        elif small in letters:
            total += letters[small]
            if previous.isalpha() and is_latin != previous.isascii():
                total += _SECOND_ACCENT if is_latin else _BESIDE_ANOTHER_SCRIPT if previous.isascii() else 0.0
        else:
            # A unit stands beside digits or ASCII letters, hardly behind a letter of another script or another unit.
            is_odd_unit = letter in _UNITS and (previous in _UNITS or (previous.isalpha() and not previous.isascii()))
            is_inner = is_odd_unit or (previous.isalpha() and text[place + 1 : place + 2].isalpha())
            total += _rate_foreign(letter, language, is_inner=is_inner)
        if small != letter:
            total += _UNEXPECTED_CAPITAL if previous.islower() else _CAPITAL
        previous = letter
    return total


@cache
def _letter_scores(language: str) -> dict[str, float]:
    """Return the log likelihood of each letter of a language."""
    if language in COMMON_SIGNS:
        signs = dict.fromkeys(COMMON_SIGNS[language])
        scores = {sign: math.log(0.6 / (40 + place) / 3) for place, sign in enumerate(signs)}
        if language == "Japanese":
            kana = {chr(code) for code in (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7), 0x30FC)}
            scores |= dict.fromkeys(kana, math.log(0.6 / len(kana)))
        return scores
    letters = LATIN.get(language) or OTHER_ALPHABETS[language]
    weights = [1 / (place + (2 if language in LATIN else 6)) for place in range(len(letters))]
    share = 0.15 if language in LATIN else 0.95
    return {letter: math.log(share * weight / sum(weights)) for letter, weight in zip(letters, weights, strict=True)}


def _rate_foreign(letter: str, language: str, *, is_inner: bool) -> float:
    """Return the log likelihood of a sign that is no common letter of the language."""
    if letter in (_INNER_SIGNS if is_inner else _EDGE_SIGNS):
        return _UNIT if letter in _UNITS else _EDGE_SIGN
    if letter == "\ufffd" or not letter.isprintable():
        return _NO_SIGN
    if language in COMMON_SIGNS:
        return _rate_rare_sign(letter, language)
    return _INNER_SIGN if letter.isalpha() or letter in _EDGE_SIGNS else _RARE_SIGN


def _rate_rare_sign(sign: str, language: str) -> float:
    """Return the log likelihood by the national standard, which sorts signs into common and rare ones."""
    standard, start, stop = STANDARDS[language]
    code = sign.encode(standard, "ignore")
    if not code:
        return _NO_SIGN
    return _LEVEL_ONE if start <= code[0] <= stop else _LEVEL_TWO
