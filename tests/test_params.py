"""Parameters declared once: what they take, what they refuse, and in which words."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from xai_core.errors import InvalidParam, UnknownName
from xai_core.params import Choice, Flag, Float, Int, resolve

WINDOW = Int(
    name="window",
    title="Window",
    help="Side.",
    unit="pixels",
    default=lambda side: side // 7,
    low=2,
    high=lambda side: side,
)
WIDTH = Float(name="width", title="Width", help="Width.", default=0.25, low=0.05, high=5.0)
FILL = Choice(name="fill", title="Fill", help="Fill.", default="grey", options={"grey": "Grey", "black": "Black"})
RELU = Flag(name="relu", title="ReLU", help="Cut.", default=True)
ALL = (WINDOW, WIDTH, FILL, RELU)


def test_defaults_fit_the_input_side():
    assert resolve(ALL, None, 224) == {"window": 32, "width": 0.25, "fill": "grey", "relu": True}
    assert resolve(ALL, {}, 28)["window"] == 4


def test_text_from_links_and_command_lines_is_read():
    assert resolve(ALL, {"window": "16", "width": "1.5", "relu": "False"}, 224) == {
        "window": 16,
        "width": 1.5,
        "fill": "grey",
        "relu": False,
    }


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("window", 1, "a whole number from 2 to 224 pixels"),
        ("window", 225, "from 2 to 224"),
        ("window", 16.5, "whole number"),
        ("window", True, "whole number"),
        ("window", "wide", "Got 'wide'"),
        ("width", float("nan"), "a number from 0.05 to 5"),
        ("width", None, "Got 'None'"),
        ("fill", "red", "one of grey, black"),
        ("fill", ["grey"], "one of grey, black"),
        ("relu", 1, "true or false"),
    ],
)
def test_a_refusal_says_which_what_and_got(name, value, allowed):
    with pytest.raises(InvalidParam, match=allowed) as refusal:
        resolve(ALL, {name: value}, 224)
    assert name in str(refusal.value) and "Got" in str(refusal.value)


def test_an_unknown_parameter_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean window"):
        resolve(ALL, {"windw": 3}, 224)


@given(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers())),
    st.sampled_from(ALL),
)
def test_any_value_is_taken_within_bounds_or_refused_in_words(value, param):
    try:
        taken = param.check(value, 224)
    except InvalidParam as refusal:
        words = str(refusal)
    else:
        words = param.title
        assert param.check(taken, 224) == taken
    assert param.title in words and len(words) < 300
