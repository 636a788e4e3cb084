"""Provenance of a map in words. Stored texts and labels are foreign: they are shown as text, never as markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

import xai_core
from pages.ui.widgets.words import format_label
from xai_core.formatting import duration
from xai_core.params import Choice, Param, Value

_STYLE = """<style>
.made { border-collapse: collapse; font-size: 0.875rem; }
.made th, .made td { text-align: left; vertical-align: top; padding: 0.375rem 0.75rem; }
.made th, .made td { border-bottom: 1px solid rgba(128, 128, 128, 0.3); }
.made th { font-weight: 400; opacity: 0.8; white-space: nowrap; }
.made td { min-width: 9rem; max-width: 24rem; overflow-wrap: anywhere; }
</style>"""


def method_titles(result: xai_core.Attribution) -> tuple[str, str]:
    """Return the method's known name and its plain one; a method unknown to this version has only its name."""
    if result.method not in xai_core.METHODS:
        return format_label(result.method), ""
    spec = xai_core.METHODS.get(result.method)
    return spec.technical, spec.plain_title


def model_title(name: str) -> str:
    return xai_core.MODELS.get(name).title if name in xai_core.MODELS else format_label(name)


def _format_value(param: Param | None, value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(param, Choice):
        return format_label(param.options.get(str(value), value))
    number = f"{value:.10g}" if isinstance(value, (int, float)) else format_label(value)
    return f"{number} {param.unit}" if param and param.unit else number


def _format_settings(result: xai_core.Attribution) -> list[str]:
    spec = xai_core.METHODS.get(result.method) if result.method in xai_core.METHODS else None
    declared = {param.name: param for param in spec.params} if spec else {}
    words = {
        name: f"{declared[name].title} ({name})" if name in declared else format_label(name) for name in result.params
    }
    return [f"{words[name]}: {_format_value(declared.get(name), value)}" for name, value in result.params.items()]


def list_facts(result: xai_core.Attribution) -> Mapping[str, Sequence[str]]:
    """Return everything that is known about a map: lines of text by heading."""
    title, plain = method_titles(result)
    number = " and ".join(map(str, result.target)) if isinstance(result.target, tuple) else str(result.target)
    passes = f"{result.evaluations:,} evaluation{'' if result.evaluations == 1 else 's'}"
    return {
        "Method": [f"{title} · {plain}" if plain else title, format_label(result.method)],
        "Model": [model_title(result.model), format_label(result.model)],
        "Explained class": [format_label(result.label), f"class number {number} of this model"],
        "Part of the network": [f"Layer {format_label(result.layer)}" if result.layer else "the whole network"],
        "Settings": _format_settings(result) or ["none"],
        "Seed": [f"{result.seed}"],
        "Measured": [f"{format_label(result.quantity)}, in {format_label(result.unit)}"],
        "Computation": [f"{duration(result.seconds)}, {passes}"],
        "Software": [f"{format_label(name)} {format_label(version)}" for name, version in result.versions.items()],
        "Picture": [f"fingerprint {format_label(result.image_sha256)} (SHA-256)"],
    }


def _format_row(heading: str, cells: Sequence[Sequence[str]]) -> str:
    """Return a row of the table as HTML; a value that all maps share is written once."""
    texts = ["<br>".join(map(escape, lines)) for lines in cells]
    same = (
        f'<td colspan="{len(texts)}">{texts[0]}</td>'
        if len(set(texts)) == 1
        else "".join(f"<td>{text}</td>" for text in texts)
    )
    return f'<tr><th scope="row">{escape(heading)}</th>{same}</tr>'


def draw_table(maps: Sequence[xai_core.Attribution]) -> None:
    """Draw the provenance of the maps, a column each."""
    facts = [list_facts(result) for result in maps]
    body = "".join(_format_row(heading, [fact[heading] for fact in facts]) for heading in facts[0])
    whole = f'<table class="made"><tbody>{body}</tbody></table>'
    region = 'style="overflow-x: auto" tabindex="0" role="region" aria-label="How the maps were made"'
    st.html(f"{_STYLE}<div {region}>{whole}</div>")
