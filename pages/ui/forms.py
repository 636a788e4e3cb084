"""Forms drawn from parameter records: one widget a parameter, its value in the link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from xai_core.params import Choice, Flag, Int, Number, Param, Value

MOST_SLIDER_STEPS = 500


def _number(param: Number, side: int, key: str) -> Value:
    kind = int if isinstance(param, Int) else float
    low, high = (kind(bound) for bound in param.bounds(side))
    step, default = kind(param.step_for(side)), kind(param.default_for(side))
    label = f"{param.title} ({param.unit})" if param.unit else param.title
    if high <= low:
        return low
    widget = st.slider if (high - low) / step <= MOST_SLIDER_STEPS else st.number_input
    value: Value = widget(label, low, high, default, step, key=key, help=param.help, bind="query-params")
    return value


def _widget(param: Param, side: int, key: str) -> Value:
    if isinstance(param, Choice):
        names = list(param.options)
        value: Value = st.selectbox(
            param.title, names, names.index(param.default), lambda n: param.options[n], key, param.help, bind="query-params"
        )
        return value
    if isinstance(param, Flag):
        return st.toggle(param.title, param.default, key=key, help=param.help, bind="query-params")
    if isinstance(param, Number):
        return _number(param, side, key)
    raise TypeError(f"no widget for {type(param).__name__}")


def draw(params: Sequence[Param], side: int, prefix: str) -> Mapping[str, Value]:
    """One widget for each parameter, the advanced ones folded away. Values by parameter name."""
    values = {param.name: _widget(param, side, f"{prefix}_{param.name}_{side}") for param in params if not param.advanced}
    hidden = [param for param in params if param.advanced]
    if hidden:
        with st.expander("More settings"):
            values |= {param.name: _widget(param, side, f"{prefix}_{param.name}_{side}") for param in hidden}
    return values


def seed() -> int:
    """The seed of every random draw: the same seed gives the same map."""
    help_ = "The same seed gives the same map. Try another: what changes is chance."
    return int(st.number_input("Seed", 0, 2**32 - 1, 0, key="seed", help=help_, bind="query-params"))
