"""All methods of the registry: question, needs, cost and sanity check of each; one card open at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

import xai_core
from pages.ui.frame import link_readers, session, url_state
from pages.ui.widgets import method_examples, models
from pages.ui.widgets.method_texts import FAMILIES, MODELS, NEEDS, SANITY, TIMES, UNKNOWN, VERDICTS
from xai_core import labs
from xai_core.methods import MethodSpec
from xai_core.params import resolve


def _format_cost(spec: MethodSpec) -> str:
    forward, backward = spec.passes(resolve(spec.params, None, model.side), model.side)
    back = f" and up to {backward:,} backward" if backward else ""
    return f"about {forward:,} forward{back} pass{'' if (backward or forward) == 1 else 'es'}"


def _format_needs(spec: MethodSpec) -> str:
    return " and ".join(NEEDS[need] for need in spec.needs)


def _list_facts(spec: MethodSpec) -> Mapping[str, str]:
    return {
        "Speaks about": "one picture (local)" if spec.local else "the model on all pictures (global)",
        "When": TIMES[spec.post_hoc],
        "Works with": MODELS[spec.model_agnostic],
        "Family": FAMILIES[spec.family],
        "Needs": _format_needs(spec),
        "Cost": f"{_format_cost(spec)}, with the usual settings on {model.title}",
        f"On {model.title}": refusals[spec.name] or "it works",
        "Tested where the truth is known": labs.describe_truth(spec.name) or "not yet",
    }


def _open_method(name: str) -> None:
    st.session_state["method"] = name


def _render_filter(title: str, name: str, options: Mapping[str, str]) -> str | None:
    reader = url_state.option_reader(title.lower(), options)
    key = url_state.restore(name, None, reader, title=lambda _name: "all methods")
    return st.pills(
        title, list(options), default=url_state.value_of(key), format_func=options.__getitem__, key=key, wrap=True
    )


def _render_row(spec: MethodSpec, chosen: str) -> None:
    """Render a method of the list: name, question, needs and cost; grey where it does not fit this model."""
    reason = refusals[spec.name]
    with st.container(border=True, gap="small"):
        left, right = st.container(key=f"example_{spec.name}").columns([1, 3], gap="small", vertical_alignment="center")
        with left:
            method_examples.draw_example(spec.name, 88)
        with right:
            looks: Literal["primary", "secondary"] = "primary" if spec.name == chosen else "secondary"
            st.button(spec.full_title, f"open_{spec.name}", type=looks, on_click=_open_method, args=(spec.name,))
            st.markdown(f":gray[*{spec.question}*]" if reason else f"*{spec.question}*")
        st.caption(f"Needs {_format_needs(spec)} · {_format_cost(spec)}")
        st.markdown(VERDICTS[spec.verdict])
        if reason:
            st.caption(f":material/block: Not available for {model.title}. {reason}")


def _render_list(specs: Sequence[MethodSpec], chosen: str) -> None:
    with st.container(height=620, border=False, key="methods"):
        groups = {"Start with these": [spec for spec in specs if spec.usual]}
        for family, words in FAMILIES.items():
            groups[words] = [spec for spec in specs if spec.family == family and not spec.usual]
        for words, members in groups.items():
            if members:
                st.markdown(f"**{words}**")
            for spec in members:
                _render_row(spec, chosen)


def _render_card(spec: MethodSpec) -> None:
    st.subheader(spec.full_title)
    st.markdown(f"**{spec.question}**")
    method_examples.draw_example(spec.name, method_examples.CARD_PX)
    st.markdown("\n".join(f"- **{label}:** {fact}" for label, fact in _list_facts(spec).items()))
    st.markdown(f"{VERDICTS[spec.verdict]} {spec.sanity or UNKNOWN}", help=SANITY)
    if st.button("Try it on the picture", icon=":material/search:", disabled=refusals[spec.name] is not None):
        st.switch_page("pages/image/explain.py", query_params=url_state.query())
    st.markdown(xai_core.method_card(spec.name))


# Nothing is computed here: what another page has started stops.
xai_core.jobs.leave(session.session_id(), pool="attributions")
st.title("All methods")
st.markdown(
    "Each method asks the model a different question. Choose one to read what it can tell you, when it lies, and "
    "what it costs."
)
model = models.current_model()
with st.spinner(f"Checking what works with {model.title} …"):
    refusals = {spec.name: spec.refusal(model) for spec in xai_core.METHODS.specs()}
family, need = _render_filter("Family", "family", FAMILIES), _render_filter("Needs", "needs", NEEDS)
fitting = [
    spec for spec in xai_core.METHODS.specs() if family in (None, spec.family) and (need is None or need in spec.needs)
]
link_readers.restore_entry("method", "grad_cam", xai_core.METHODS)
st.caption(
    f"{len(fitting)} of {len(refusals)} methods" if fitting else "No method fits both filters: remove one of them."
)
overview, card = st.columns([2, 3], gap="large")
with card:
    start = url_state.index_of(refusals, "method")
    words = {name: xai_core.METHODS.get(name).full_title for name in refusals}
    name = st.selectbox("Method", list(refusals), start, format_func=words.__getitem__, key="method")
    _render_card(xai_core.METHODS.get(name))
with overview:
    _render_list(fitting, name)
method_examples.render_row_methods()
