"""The shape and the language of the project, read from its sources by the rules in tests/architecture.

Each rule is a generator of complaints about one source file. The second half of this file feeds every rule small
offending snippets, so that a rule that can no longer fail is noticed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

import pytest

from tests.architecture.language_rules import (
    LANGUAGE_RULES,
    docstrings_begin_plainly,
    fields_say_what_they_hold,
    functions_are_no_participles,
    limits_are_max_and_min,
    lines_are_narrow,
    one_word_for_a_model,
    one_word_for_a_session,
    parameters_say_what_they_hold,
    variables_say_what_they_hold,
)
from tests.architecture.shape_rules import (
    SHAPE_RULES,
    TREE_RULES,
    every_core_module_has_a_layer,
    files_are_short,
    folders_are_small,
    functions_are_short,
    imports_go_down,
    imports_make_no_circle,
    no_broad_except,
    no_global_random_state,
    no_private_files,
    no_unpickling,
    pages_do_not_compute,
    pages_import_facades,
    pages_lie_in_a_subfolder,
    private_names_stay_in_their_package,
    streamlit_stays_in_pages,
    weights_are_only_weights,
)
from tests.architecture.source import ROOT, Source, sources

RULES = (*SHAPE_RULES, *LANGUAGE_RULES)
TOP_LEVEL = frozenset(
    "app.py pages xai_core assets tests benchmarks requirements.txt requirements-dev.txt Dockerfile README.md Makefile "
    "pyproject.toml .streamlit .ci LICENSE .gitignore .dockerignore".split()
)


def unexpected_entries(tracked: Iterable[str]) -> list[str]:
    return sorted({path.split("/")[0] for path in tracked} - TOP_LEVEL)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Callable[[Source], Iterator[str]]) -> None:
    complaints = [f"{source.path}: {complaint}" for source in sources() for complaint in rule(source)]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("rule", TREE_RULES, ids=lambda rule: rule.__name__)
def test_tree_rule_holds(rule: Callable[[Sequence[Source]], Iterator[str]]) -> None:
    complaints = list(rule(list(sources())))
    assert not complaints, "\n".join(complaints)


def test_comments_are_two_to_five_percent_of_the_product() -> None:
    is_shipped = [source for source in sources() if source.is_shipped]
    comments = sum(source.comment_count for source in is_shipped)
    lines = sum(len(source.text.splitlines()) for source in is_shipped)
    assert 0.02 <= comments / lines <= 0.05


def test_nothing_unexpected_lies_at_the_top() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert unexpected_entries(listed.stdout.splitlines()) == []


# Each rule can fail

LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 60
OFFENCES = [
    (imports_go_down, "xai_core/params.py", "import xai_core.models"),
    (imports_go_down, "xai_core/engine/jobs.py", "from xai_core.methods import grad_cam"),
    (imports_go_down, "xai_core/engine/jobs.py", "from ..methods import grad_cam"),
    (imports_go_down, "xai_core/methods/lime.py", "from xai_core.render.colour import map_colours"),
    (imports_go_down, "xai_core/methods/lime.py", "from xai_core import explain"),
    (imports_go_down, "xai_core/render/colour.py", "def f():\n    import pages.ui.image.viewer"),
    (imports_go_down, "xai_core/methods/lime.py", "from xai_core.trust.metrics import METRICS"),
    (imports_go_down, "xai_core/trust/verdict.py", "from xai_core.trust.hiding.pieces import GRID"),
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
    (no_unpickling, "xai_core/models/own.py", "import pickle"),
    (no_unpickling, "pages/tables/upload.py", "from joblib import load"),
    (private_names_stay_in_their_package, "xai_core/render/wire.py", "from xai_core.engine.memory import _SHARE"),
    (private_names_stay_in_their_package, "benchmarks/harness/limits.py", "from xai_core.params import _resolve_bound"),
    (no_private_files, "xai_core/tabular/row/_lime.py", ""),
    (pages_import_facades, "pages/image/explain.py", "from xai_core.tabular.models.train import train"),
    (pages_import_facades, "pages/ui/image/viewer.py", "def f():\n    import xai_core.engine.memory"),
    (docstrings_begin_plainly, "xai_core/params.py", '"""What comes out."""'),
    (docstrings_begin_plainly, "tests/test_params.py", 'def f():\n    """Whether it is so."""'),
    (docstrings_begin_plainly, "pages/ui/image/viewer.py", 'LIMIT = 3\n"""How many are shown."""'),
    (functions_are_no_participles, "xai_core/params.py", "def _told(): ..."),
    (functions_are_no_participles, "benchmarks/fuzz/run.py", "class A:\n    def rows_selected(self): ..."),
    (parameters_say_what_they_hold, "xai_core/params.py", "def f(of): ..."),
    (parameters_say_what_they_hold, "tests/test_params.py", "f = lambda each: each"),
    (variables_say_what_they_hold, "xai_core/params.py", "for each in (1, 2): pass"),
    (variables_say_what_they_hold, "pages/ui/image/viewer.py", "def f():\n    found = 1"),
    (fields_say_what_they_hold, "xai_core/results.py", "class A:\n    kept: int = 0"),
    (limits_are_max_and_min, "xai_core/params.py", "MOST_ROWS = 3"),
    (limits_are_max_and_min, "xai_core/params.py", "_FEWEST = 3"),
    (one_word_for_a_session, "pages/ui/image/viewer.py", "def f(waiter: str): ..."),
    (one_word_for_a_model, "xai_core/engine/evaluator.py", "def f(network: Classifier): ..."),
    (lines_are_narrow, "xai_core/params.py", "# " + "x" * 119),
]
FINE = [
    (
        imports_go_down,
        "xai_core/engine/jobs.py",
        "from xai_core.models.layers import Layer\nfrom .isolation import isolate\nimport torch",
    ),
    (imports_go_down, "xai_core/models/__init__.py", "from xai_core import errors, registry\nfrom . import layers"),
    (imports_go_down, "xai_core/methods/lime.py", "from xai_core.trust import run_checks"),
    (imports_go_down, "xai_core/trust/metrics/gain.py", "from xai_core.methods import METHODS"),
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
    (no_unpickling, "xai_core/models/own.py", "from pickle import UnpicklingError"),
    (private_names_stay_in_their_package, "xai_core/engine/cores.py", "from xai_core.engine.memory import _SHARE"),
    (private_names_stay_in_their_package, "tests/test_params.py", "from xai_core.params import _resolve_bound"),
    (no_private_files, "xai_core/tabular/__init__.py", ""),
    (
        pages_import_facades,
        "pages/image/explain.py",
        "from xai_core.tabular import train\nfrom xai_core.errors import XaiError",
    ),
    (docstrings_begin_plainly, "xai_core/params.py", '"""Return the rows."""\nx = 1  # Where it is'),
    (functions_are_no_participles, "xai_core/params.py", "def embed(): ...\ndef is_checked(): ...\ndef seed(): ..."),
    (parameters_say_what_they_hold, "xai_core/params.py", "class A:\n    def __eq__(self, other): ..."),
    (variables_say_what_they_hold, "xai_core/params.py", "result = rows = 1"),
    (limits_are_max_and_min, "xai_core/params.py", "MAX_ROWS = MOSTLY = 3"),
    (one_word_for_a_model, "xai_core/engine/evaluator.py", "def f(model: Classifier): ..."),
    (lines_are_narrow, "xai_core/params.py", "# " + "x" * 118),
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


def make_sources(**texts: str) -> list[Source]:
    """Files of a project by their dotted names with __ for dots."""
    return [Source(PurePosixPath(name.replace("__", "/") + ".py"), text) for name, text in texts.items()]


def test_circles_of_files_and_packages_are_noticed() -> None:
    files = make_sources(
        xai_core__a__x="from xai_core.b.y import f",
        xai_core__b__y="def g():\n    from xai_core.b import z",
        xai_core__b__z="from xai_core.a import x",
    )
    assert len(list(imports_make_no_circle(files))) == 2
    packages = make_sources(
        xai_core__a__x="import xai_core.b.y",
        xai_core__b__y="",
        xai_core__b__z="from xai_core.a import w",
        xai_core__a__w="",
    )
    assert list(imports_make_no_circle(packages)) == ["xai_core.a -> xai_core.b -> xai_core.a"]
    assert not list(imports_make_no_circle(packages[:2]))
    halves = make_sources(
        xai_core__trust__checks="",
        xai_core__trust__hiding__pieces="from xai_core.methods.lime import f",
        xai_core__methods__lime="from xai_core.trust.checks import run_checks",
    )
    assert not list(imports_make_no_circle(halves)), "a part with a layer of its own is a package of its own"
    assert list(
        imports_make_no_circle(
            [*halves[1:], *make_sources(xai_core__trust__checks="import xai_core.trust.hiding.pieces")]
        )
    )


def test_full_folders_are_noticed() -> None:
    files = [Source(PurePosixPath(f"xai_core/a/f{number}.py"), "") for number in range(16)]
    assert list(folders_are_small(files)) and not list(folders_are_small(files[1:]))
    methods = [Source(PurePosixPath(f"xai_core/methods/f{number}.py"), "") for number in range(40)]
    assert not list(folders_are_small(methods))


def test_unexpected_entry_is_noticed() -> None:
    assert unexpected_entries(["app.py", "tests/a.py", "notes.txt", "src/a.py"]) == ["notes.txt", "src"]
