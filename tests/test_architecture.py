"""The shape and the language of the project, read from its sources by the rules in tests/architecture.

Each rule is a generator of complaints about one source file. The second half of this file feeds every rule small
offending snippets, so that a rule that can no longer fail is noticed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

import pytest

from tests.architecture.language_rules import LANGUAGE_RULES
from tests.architecture.shape_rules import (
    SHAPE_RULES,
    every_core_module_has_a_layer,
    files_are_short,
    functions_are_short,
    imports_go_down,
    no_broad_except,
    no_global_random_state,
    nothing_is_unpickled,
    pages_do_not_compute,
    pages_lie_in_a_subfolder,
    streamlit_stays_in_pages,
    weights_are_only_weights,
)
from tests.architecture.source import ROOT, Source, sources

RULES = (*SHAPE_RULES, *LANGUAGE_RULES)
TOP_LEVEL = frozenset(
    "app.py pages xai_core assets tests benchmarks requirements.txt requirements-dev.txt Dockerfile README.md Makefile pyproject.toml "
    ".streamlit .ci LICENSE .gitignore .dockerignore".split()
)


def unexpected(tracked: Iterable[str]) -> list[str]:
    return sorted({path.split("/")[0] for path in tracked} - TOP_LEVEL)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Callable[[Source], Iterator[str]]) -> None:
    complaints = [f"{source.path}: {complaint}" for source in sources() for complaint in rule(source)]
    assert not complaints, "\n".join(complaints)


def test_nothing_unexpected_lies_at_the_top() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert unexpected(listed.stdout.splitlines()) == []


# Each rule can fail

LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 60
OFFENCES = [
    (imports_go_down, "xai_core/params.py", "import xai_core.models"),
    (imports_go_down, "xai_core/engine/jobs.py", "from xai_core.methods import grad_cam"),
    (imports_go_down, "xai_core/engine/jobs.py", "from ..methods import grad_cam"),
    (imports_go_down, "xai_core/methods/lime.py", "from xai_core.render.colour import map_colours"),
    (imports_go_down, "xai_core/methods/lime.py", "from xai_core import explain"),
    (imports_go_down, "xai_core/render/colour.py", "def f():\n    import pages.ui.image.viewer"),
    (imports_go_down, "pages/ui/image/viewer.py", "from pages.image import compare"),
    (every_core_module_has_a_layer, "xai_core/utils.py", ""),
    (streamlit_stays_in_pages, "xai_core/render/colour.py", "import streamlit as st"),
    (streamlit_stays_in_pages, "xai_core/engine/jobs.py", "from streamlit.runtime import get_instance"),
    (pages_do_not_compute, "pages/image/explain.py", "import torch"),
    (pages_do_not_compute, "pages/ui/frame/server.py", "def f():\n    from captum.attr import Saliency"),
    (pages_lie_in_a_subfolder, "pages/home.py", ""),
    (files_are_short, "pages/image/explain.py", "x = 1\n" * 121),
    (files_are_short, "pages/ui/frame/server.py", "x = 1\n" * 401),
    (functions_are_short, "xai_core/params.py", LONG_FUNCTION),
    (functions_are_short, "tests/images/test_images.py", "async " + LONG_FUNCTION),
    (no_broad_except, "app.py", "try: f()\nexcept: pass"),
    (no_broad_except, "xai_core/params.py", "try: f()\nexcept Exception as e: print(e)"),
    (
        no_broad_except,
        "pages/image/explain.py",
        "try: f()\nexcept (ValueError, BaseException): raise TypeError from None",
    ),
    (no_global_random_state, "xai_core/params.py", "torch.manual_seed(0)"),
    (no_global_random_state, "xai_core/params.py", "torch.cuda.manual_seed_all(0)"),
    (no_global_random_state, "xai_core/params.py", "np.random.seed(0)"),
    (no_global_random_state, "xai_core/params.py", "numpy.random.standard_normal(3)"),
    (no_global_random_state, "xai_core/params.py", "from numpy.random import shuffle"),
    (no_global_random_state, "xai_core/params.py", "torch.randn(3)"),
    (no_global_random_state, "xai_core/params.py", "x.data.normal_()"),
    (no_global_random_state, "pages/ui/image/viewer.py", "random.shuffle(x)"),
    (weights_are_only_weights, "xai_core/models/own.py", "torch.load(path)"),
    (weights_are_only_weights, "xai_core/models/own.py", "torch.load(path, weights_only=False)"),
    (nothing_is_unpickled, "xai_core/models/own.py", "import pickle"),
    (nothing_is_unpickled, "pages/tables/upload.py", "from joblib import load"),
]
FINE = [
    (
        imports_go_down,
        "xai_core/engine/jobs.py",
        "from xai_core.models.layers import Layer\nfrom .isolation import isolate\nimport torch",
    ),
    (imports_go_down, "xai_core/models/__init__.py", "from xai_core import errors, registry\nfrom . import layers"),
    (
        imports_go_down,
        "xai_core/__init__.py",
        "from xai_core.render.colour import map_colours\nfrom .methods import grad_cam",
    ),
    (imports_go_down, "pages/image/explain.py", "from pages.ui import viewer\nimport xai_core"),
    (imports_go_down, "tests/images/test_images.py", "import pages.image.explain, xai_core.methods"),
    (every_core_module_has_a_layer, "xai_core/__main__.py", ""),
    (streamlit_stays_in_pages, "pages/ui/frame/server.py", "import streamlit"),
    (pages_lie_in_a_subfolder, "pages/start/home.py", ""),
    (files_are_short, "pages/image/explain.py", "x = 1\n" * 120),
    (functions_are_short, "xai_core/params.py", "def f():\n" + "    x = 1\n" * 59),
    (no_broad_except, "xai_core/params.py", "try: f()\nexcept BaseException:\n    tidy()\n    raise"),
    (no_broad_except, "xai_core/params.py", "try: f()\nexcept (OSError, ValueError): pass"),
    (no_global_random_state, "xai_core/params.py", "g = torch.Generator().manual_seed(0)\ntorch.randn(3, generator=g)"),
    (no_global_random_state, "xai_core/params.py", "x.normal_(generator=g)\nrandom.Random(0).random()"),
    (no_global_random_state, "xai_core/params.py", "rng = np.random.default_rng(0)\nrng.normal()"),
    (weights_are_only_weights, "xai_core/models/own.py", "torch.load(path, weights_only=True)"),
    (nothing_is_unpickled, "xai_core/models/own.py", "from pickle import UnpicklingError"),
]


def short(value: object) -> str | None:
    return getattr(value, "__name__", None) or str(value)[:40].replace("\n", "; ")


@pytest.mark.parametrize(("rule", "path", "text"), OFFENCES, ids=short)
def test_offence_is_noticed(rule: Callable[[Source], Iterator[str]], path: str, text: str) -> None:
    assert list(rule(Source(PurePosixPath(path), text)))


@pytest.mark.parametrize(("rule", "path", "text"), FINE, ids=short)
def test_what_is_fine_passes(rule: Callable[[Source], Iterator[str]], path: str, text: str) -> None:
    assert not list(rule(Source(PurePosixPath(path), text)))


def test_every_rule_has_an_offence() -> None:
    assert {rule for rule, _, _ in OFFENCES} == set(RULES)


def test_unexpected_entry_is_noticed() -> None:
    assert unexpected(["app.py", "tests/a.py", "notes.txt", "src/a.py"]) == ["notes.txt", "src"]
