"""The sentence on how to read a map: made of what is shown, without a word of another palette, class or setting."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import pytest

from xai_core.images import BASELINES
from xai_core.methods import METHODS, MethodSpec
from xai_core.params import Choice, Flag, Value, resolve
from xai_core.render import PALETTES, Reading, describe_reading
from xai_core.results import Attribution

COLOURS = {
    "orange_blue": ("orange", "blue"),
    "purple_green": ("purple", "green"),
    "even": ("bright", "dark"),
    "grey": ("white", "black"),
}
SETTINGS = {"baseline", "patch", "fill"}


def list_settings(spec: MethodSpec) -> Iterator[Mapping[str, Value]]:
    """Yield the parameters with every value of every choice and switch."""
    usual = resolve(spec.params, None, 224)
    modes: dict[str, list[Value]] = {}
    for param in spec.params:
        if isinstance(param, Choice):
            modes[param.name] = list(param.options)
        elif isinstance(param, Flag):
            modes[param.name] = [False, True]
    for values in product(*modes.values()):
        yield {**usual, **dict(zip(modes, values, strict=True))}


def holds(sentence: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", sentence, re.IGNORECASE) is not None


def strip_settings(sentence: str) -> str:
    """Take the words for fillings away: black is a filling and a colour."""
    for words in (*BASELINES.values(), "grey"):
        sentence = re.sub(rf"(with|from|compared with) {re.escape(words)}\b", r"\1 it", sentence)
    return sentence


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("signed", [True, False])
def test_the_colours_named_are_those_of_the_palette(method: str, signed: bool) -> None:
    assert set(COLOURS) == set(PALETTES)
    spec = METHODS.get(method)
    for params in list_settings(spec):
        for palette, text in describe_reading(spec, Reading(params, ("espresso",), "late", signed)).items():
            sentence = strip_settings(text)
            assert not re.search(r"[\[\]{}]", sentence) and sentence[0].isupper() and sentence.endswith("."), sentence
            assert holds(sentence, COLOURS[palette][0]), sentence
            others = {word for name, words in COLOURS.items() if name != palette for word in words}
            assert not [word for word in others if holds(sentence, word)], sentence
            assert signed or not holds(sentence, COLOURS[palette][1]), sentence


@pytest.mark.parametrize("method", list(METHODS))
def test_both_classes_of_a_pair_are_named(method: str) -> None:
    spec = METHODS.get(method)
    for params in list_settings(spec):
        single = describe_reading(spec, Reading(params, ("espresso",)))["orange_blue"]
        pair = describe_reading(spec, Reading(params, ("espresso", "cup")))["orange_blue"]
        unknown = describe_reading(spec, Reading(params))["orange_blue"]
        assert ("“espresso”" in single) == ("“espresso”" in pair) == ("“cup”" in pair)
        assert "“" not in unknown
        assert "“cup”" not in single


@pytest.mark.parametrize("method", list(METHODS))
def test_the_filling_named_is_the_one_in_force(method: str) -> None:
    spec = METHODS.get(method)
    for params in list_settings(spec):
        sentence = describe_reading(spec, Reading(params, ("espresso",)))["orange_blue"]
        chosen = {BASELINES[str(value)] for name, value in params.items() if name in SETTINGS}
        # Sets of starting pictures have words of their own.
        chosen |= {BASELINES["noise"]} if params.get("baselines") == "noise" else set()
        named = {words for words in BASELINES.values() if holds(sentence, words)}
        assert named <= chosen, sentence


def test_the_layer_is_named_where_one_is_used() -> None:
    for spec in METHODS.specs():
        params = resolve(spec.params, None, 224)
        sentences = {
            stage: describe_reading(spec, Reading(params, ("a",), stage))["even"] for stage in ("early", "late")
        }
        assert not spec.uses_layer or "an early layer" in sentences["early"] or sentences["early"] == sentences["late"]
        assert "late layer" not in sentences["early"] and "early layer of" not in sentences["late"]


@pytest.mark.parametrize(
    ("mode", "led", "reached", "start", "end"),
    [
        ("flip", 1.0, 1.0, "Cover the orange pieces and it says “espresso maker”", "turn came."),
        ("flip", 1.0, 0.0, "Even with the orange pieces covered, it still says “espresso”.", ""),
        ("flip", 0.0, 1.0, "Cover the orange pieces and the odds of “espresso” fall by half", ""),
        ("flip", 0.0, 0.0, "Even with the orange pieces covered, the odds of “espresso” do not fall by half.", ""),
        ("keep", 1.0, 1.0, "Show only the orange pieces and it still says “espresso”", ""),
        ("keep", 0.0, 1.0, "Show only the orange pieces and “espresso” is about as likely", ""),
        ("keep", 1.0, 0.0, "Even these orange pieces are not enough for it to say “espresso”.", ""),
    ],
)
def test_the_smallest_cover_begins_with_what_it_found(
    mode: str, led: float, reached: float, start: str, end: str
) -> None:
    spec = METHODS.get("adaptive_occlusion")
    details = {"led": led, "reached": reached, "answer": 1.0}
    params = {**resolve(spec.params, None, 224), "mode": mode}
    reading = Reading(params, ("espresso",), "", False, details, ["espresso", "espresso maker"].__getitem__)
    sentence = describe_reading(spec, reading)["orange_blue"]
    assert sentence.startswith(start) and sentence.endswith(end)


def test_occlusion_says_what_covering_does_to_the_probability() -> None:
    spec = METHODS.get("occlusion")
    params = resolve(spec.params, None, 224)
    details = {"probability": 0.97, "probability_covered": 0.304}
    finished = describe_reading(spec, Reading(params, ("espresso", "cup"), details=details))["even"]
    assert finished.endswith("takes the probability of “espresso” from 97 % to 30 %.")
    assert "%" not in describe_reading(spec, Reading(params, ("espresso",), details={"probability": 0.97}))["even"]
    same = {"probability": 0.9994, "probability_covered": 0.9961}
    assert "%" not in describe_reading(spec, Reading(params, ("espresso",), details=same))["even"], "from 99 % to 99 %"


def test_a_finished_map_says_whether_it_has_evidence_against() -> None:
    spec = METHODS.get("occlusion")
    params = resolve(spec.params, None, 4)

    def read(values: list[float], target: int | tuple[int, int], label: str) -> str:
        result = Attribution(
            np.array([values], dtype=np.float32),
            "occlusion",
            "m",
            None,
            target,
            label,
            "logit",
            params,
            0,
            1,
            0.1,
            "",
            {},
        )
        return describe_reading(spec, Reading.of(result))["purple_green"]

    assert "green" in read([1, -1], 3, "cup") and "green" not in read([1, 0], 3, "cup")
    assert "“x, not y” over “z”" in read([1, 0], (1, 2), "x, not y, not z")
