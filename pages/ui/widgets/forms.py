"""Forms from parameter records: one widget a parameter, its value in the link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.ui.frame import url_state
from xai_core.params import Choice, Flag, Int, Number, Param, Value

MAX_SLIDER_STEPS = 500
_SEED_HELP = "The same seed gives the same map. Try another: what changes is chance."
SEED = Int(name="seed", title="Seed", help=_SEED_HELP, default=0, low=0, high=2**32 - 1)


def _format_value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _format_title(param: Param, value: Value) -> str:
    if isinstance(param, Choice):
        return f"“{param.options[str(value)]}”"
    unit = f" {param.unit}" if isinstance(param, Number) and param.unit else ""
    return ("on" if value else "off") if isinstance(param, Flag) else f"{_format_value(value)}{unit}"


def _render_number(param: Number, side: int, key: str) -> Value:
    kind = int if isinstance(param, Int) else float
    low, high = (kind(bound) for bound in param.bounds(side))
    step = kind(param.step_for(side))
    label = f"{param.title} ({param.unit})" if param.unit else param.title
    if high <= low:
        return low
    widget = st.slider if (high - low) / step <= MAX_SLIDER_STEPS else st.number_input
    value: Value = widget(label, low, high, value=url_state.value_of(key), step=step, key=key, help=param.help)
    return value


def _restore(param: Param, side: int, prefix: str) -> str:
    """Restore a parameter and return its widget key, one for each input size, since bounds and defaults follow it."""
    name = prefix + param.name
    return url_state.restore(
        name,
        param.default_for(side),
        lambda text: param.check(text, side),
        _format_value,
        key=f"{name}_{side}",
        title=lambda value: f"{param.title} {_format_title(param, value)}",
    )


def _render_widget(param: Param, side: int, prefix: str) -> Value:
    """Render the widget of a parameter."""
    key = _restore(param, side, prefix)
    if isinstance(param, Choice):
        names = list(param.options)
        start = url_state.index_of(names, key)
        value: Value = st.selectbox(
            param.title, names, start, format_func=lambda n: param.options[n], key=key, help=param.help
        )
        return value
    if isinstance(param, Flag):
        return st.toggle(param.title, value=url_state.value_of(key), key=key, help=param.help)
    if isinstance(param, Number):
        return _render_number(param, side, key)
    raise TypeError(f"no widget for {type(param).__name__}")


def render_toggle(name: str, title: str, help_: str = "") -> bool:
    """Render a toggle, kept in the link."""
    flag = Flag(name=name, title=title, help=help_, default=False)
    key = url_state.restore(
        name,
        False,
        lambda text: bool(flag.check(text, 0)),
        _format_value,
        title=lambda value: f"{title} {_format_title(flag, value)}",
    )
    return bool(st.toggle(title, url_state.value_of(key), key=key, help=help_ or None))


def render_segments(name: str, title: str, options: Mapping[str, str], default: str) -> str:
    """Render a choice among a few options side by side, kept in the link; return its name."""
    key = url_state.restore(name, default, url_state.option_reader("choice", options), title=options.__getitem__)
    chosen = st.segmented_control(
        title, list(options), default=url_state.value_of(key), key=key, format_func=options.__getitem__, required=True
    )
    return chosen or default


def render_params(params: Sequence[Param], side: int, method: str) -> Mapping[str, Value]:
    """Render a widget for each parameter, advanced ones in an expander; return values by parameter name."""
    values = {param.name: _render_widget(param, side, f"{method}_") for param in params if not param.advanced}
    hidden = [param for param in params if param.advanced]
    if hidden:
        with st.expander("More settings"):
            values |= {param.name: _render_widget(param, side, f"{method}_") for param in hidden}
    return values


def restore_params(params: Sequence[Param], side: int, method: str) -> Mapping[str, Value]:
    """Return the values of `render_params` without rendering them."""
    return {param.name: st.session_state[_restore(param, side, f"{method}_")] for param in params}


def restore_seed() -> int:
    """Return the value of `render_seed` without rendering it."""
    return int(st.session_state[_restore(SEED, 0, "")])


def render_seed() -> int:
    """Render the seed of all random draws."""
    return int(_render_widget(SEED, 0, ""))
