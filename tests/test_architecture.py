"""The shape of the project, read from its sources: imports go one way, files stay small, nothing forbidden creeps in.

Each rule is a generator of complaints about one source file. The second half of this file feeds every rule small offending
snippets, so that a rule that can no longer fail is noticed.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP_LEVEL = frozenset(
    "app.py pages xai_core assets tests benchmarks requirements.txt requirements-dev.txt Dockerfile README.md Makefile pyproject.toml "
    ".streamlit .ci LICENSE .gitignore .dockerignore".split()
)
# From the bottom up. A module may import its own layer and those below. "xai_core" is its __init__ and __main__.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "xai_core._resize",
            "xai_core._resize_loops",
            "xai_core._text",
            "xai_core._threads",
            "xai_core._unpacking",
            "xai_core.images",
            "xai_core._samples",
            "xai_core.results",
            "xai_core.params",
            "xai_core.registry",
            "xai_core.errors",
        }
    ),
    frozenset({"xai_core.rules", "xai_core.engine", "xai_core.models"}),
    frozenset({"xai_core.methods", "xai_core.trust", "xai_core.inside", "xai_core.attacks", "xai_core.imageset", "xai_core.tabular"}),
    frozenset({"xai_core.report", "xai_core.render"}),
    frozenset({"xai_core"}),
    frozenset({"pages.ui"}),
    frozenset({"pages", "app"}),
)
COMPUTING = frozenset({"torch", "torchvision", "captum", "openvino"})
UNPICKLING = frozenset("pickle _pickle joblib dill cloudpickle shelve".split())
OWN_GENERATORS = frozenset("default_rng Generator SeedSequence BitGenerator PCG64 PCG64DXSM Philox SFC64 MT19937".split())
DRAWS = frozenset("rand randn randint randperm rand_like randn_like randint_like normal bernoulli multinomial poisson".split())
IN_PLACE_DRAWS = frozenset("normal_ uniform_ bernoulli_ random_ exponential_ geometric_ cauchy_ log_normal_".split())
TORCH_STATE = frozenset("manual_seed manual_seed_all seed seed_all set_rng_state set_rng_state_all fork_rng".split())


@dataclass(frozen=True)
class Source:
    """One Python file: where it lies in the project and what it says."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def module(self) -> str:
        return ".".join(part for part in self.path.with_suffix("").parts if part not in {"__init__", "__main__"})

    def within(self, *roots: str) -> bool:
        return self.path.parts[0] in roots

    @property
    def shipped(self) -> bool:
        """Part of what runs, not of what tests or measures it."""
        return self.within("xai_core", "pages", "app.py")

    @property
    def is_page(self) -> bool:
        return self.within("pages") and not self.module.startswith("pages.ui")

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """Absolute dotted names, `from a import b` as a.b because b may be a module."""
        names: list[str] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names += [f"{self.base(node)}.{alias.name}" for alias in node.names]
        return tuple(names)

    def base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.path.parts[: len(self.path.parts) - node.level]
        return ".".join([*package, *([node.module] if node.module else [])])

    @property
    def imported_packages(self) -> frozenset[str]:
        return frozenset(name.split(".")[0] for name in self.imports)

    @cached_property
    def calls(self) -> tuple[tuple[str, ast.Call], ...]:
        """Dotted name as written and node of each call, for example ("np.random.rand", …)."""
        return tuple((ast.unparse(node.func), node) for node in ast.walk(self.tree) if isinstance(node, ast.Call))


def layer_of(name: str) -> int | None:
    """Height of a module or name of this project by the longest prefix that has a layer; None for other packages."""
    package, _, rest = name.partition(".")
    for prefix in (f"{package}.{rest.split('.')[0]}", package):
        for height, layer in enumerate(LAYERS):
            if prefix in layer:
                return height
    return None


def imports_go_down(source: Source) -> Iterator[str]:
    if not source.shipped:
        return
    own = layer_of(source.module)
    for name in source.imports:
        height = layer_of(name)
        if own is not None and height is not None and height > own:
            yield f"imports {name}, which lies above it"


def every_core_module_has_a_layer(source: Source) -> Iterator[str]:
    if source.within("xai_core") and "." in source.module:
        known = ".".join(source.module.split(".")[:2])
        if not any(known in layer for layer in LAYERS):
            yield f"{known} is in no layer: add it to LAYERS, and to the design"


def streamlit_stays_in_pages(source: Source) -> Iterator[str]:
    """Benchmarks may: the load programs speak its protocol."""
    if source.within("xai_core") and "streamlit" in source.imported_packages:
        yield "imports streamlit"


def pages_do_not_compute(source: Source) -> Iterator[str]:
    if source.within("pages", "app.py"):
        for package in sorted(COMPUTING & source.imported_packages):
            yield f"imports {package}"


def pages_lie_in_a_subfolder(source: Source) -> Iterator[str]:
    if source.within("pages") and len(source.path.parts) == 2:
        yield "a page directly in pages/ is picked up by Streamlit's old discovery and runs without the frame"


def files_are_short(source: Source) -> Iterator[str]:
    allowed = 120 if source.is_page else 400
    lines = len(source.text.splitlines())
    if lines > allowed:
        yield f"has {lines} lines, {allowed} are allowed"


def functions_are_short(source: Source) -> Iterator[str]:
    for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > 60:
            yield f"{node.name} has {lines} lines, 60 are allowed"


def no_broad_except(source: Source) -> Iterator[str]:
    """Catching everything is allowed only to tidy up and raise it again, or to hand it on to the thread it belongs to."""
    for node in source.nodes(ast.ExceptHandler) if source.shipped else ():
        assert isinstance(node, ast.ExceptHandler)
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        broad = any(kind is None or ast.unparse(kind) in {"Exception", "BaseException"} for kind in caught)
        last = node.body[-1]
        raised = isinstance(last, ast.Raise) and last.exc is None
        handed_on = isinstance(last, ast.Return) and isinstance(last.value, ast.Name) and last.value.id == node.name
        if broad and not (raised or handed_on):
            yield f"line {node.lineno}: catches everything"


def has_generator(call: ast.Call) -> bool:
    return any(keyword.arg == "generator" for keyword in call.keywords)


def draws_from_global_state(name: str, call: ast.Call) -> bool:
    """Whether a call, by its dotted name, reads or sets a generator that others share."""
    *owner, last = name.split(".")
    match owner:
        case ["np" | "numpy", "random"]:
            return last not in OWN_GENERATORS
        case ["random"]:
            return last != "Random"
        case ["torch"] if last in DRAWS:
            return not has_generator(call)
        case ["torch"] | ["torch", "random" | "cuda" | "mps"]:
            return last in TORCH_STATE
        case [_, *_]:
            return last in IN_PLACE_DRAWS and not has_generator(call)
    return False


def no_global_random_state(source: Source) -> Iterator[str]:
    for name, call in source.calls if source.shipped else ():
        if draws_from_global_state(name, call):
            yield f"line {call.lineno}: {name} uses the generator that everybody shares"
    for name in source.imports if source.shipped else ():
        if name.startswith("numpy.random.") and name.rpartition(".")[2] not in OWN_GENERATORS:
            yield f"imports {name}"


def weights_are_only_weights(source: Source) -> Iterator[str]:
    for name, call in source.calls:
        if name == "torch.load" and not any(ast.unparse(keyword) == "weights_only=True" for keyword in call.keywords):
            yield f"line {call.lineno}: torch.load without weights_only=True runs what a file says"


def nothing_is_unpickled(source: Source) -> Iterator[str]:
    """`from pickle import UnpicklingError` is fine: torch.load raises it for a file it refuses."""
    for name in source.imports if source.shipped else ():
        if name.split(".")[0] in UNPICKLING and name != "pickle.UnpicklingError":
            yield f"imports {name}"


RULES: tuple[Callable[[Source], Iterator[str]], ...] = (
    imports_go_down,
    every_core_module_has_a_layer,
    streamlit_stays_in_pages,
    pages_do_not_compute,
    pages_lie_in_a_subfolder,
    files_are_short,
    functions_are_short,
    no_broad_except,
    no_global_random_state,
    weights_are_only_weights,
    nothing_is_unpickled,
)


def sources() -> Iterator[Source]:
    found = [ROOT / "app.py", *(path for top in ("xai_core", "pages", "tests", "benchmarks") for path in (ROOT / top).rglob("*.py"))]
    for path in sorted(found):
        if path.is_file():
            yield Source(PurePosixPath(path.relative_to(ROOT).as_posix()), path.read_text(encoding="utf-8"))


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
    (imports_go_down, "xai_core/images.py", "import xai_core.models"),
    (imports_go_down, "xai_core/engine/jobs.py", "from xai_core.methods import grad_cam"),
    (imports_go_down, "xai_core/engine/jobs.py", "from ..methods import grad_cam"),
    (imports_go_down, "xai_core/methods/lime.py", "from xai_core.render.colour import map_colours"),
    (imports_go_down, "xai_core/methods/lime.py", "from xai_core import explain"),
    (imports_go_down, "xai_core/render/colour.py", "def f():\n    import pages.ui.viewer"),
    (imports_go_down, "pages/ui/viewer.py", "from pages.image import compare"),
    (every_core_module_has_a_layer, "xai_core/utils.py", ""),
    (streamlit_stays_in_pages, "xai_core/render/colour.py", "import streamlit as st"),
    (streamlit_stays_in_pages, "xai_core/engine/jobs.py", "from streamlit.runtime import get_instance"),
    (pages_do_not_compute, "pages/image/explain.py", "import torch"),
    (pages_do_not_compute, "pages/ui/server.py", "def f():\n    from captum.attr import Saliency"),
    (pages_lie_in_a_subfolder, "pages/home.py", ""),
    (files_are_short, "pages/image/explain.py", "x = 1\n" * 121),
    (files_are_short, "pages/ui/server.py", "x = 1\n" * 401),
    (functions_are_short, "xai_core/images.py", LONG_FUNCTION),
    (functions_are_short, "tests/test_images.py", "async " + LONG_FUNCTION),
    (no_broad_except, "app.py", "try: f()\nexcept: pass"),
    (no_broad_except, "xai_core/images.py", "try: f()\nexcept Exception as e: print(e)"),
    (no_broad_except, "pages/image/explain.py", "try: f()\nexcept (ValueError, BaseException): raise TypeError from None"),
    (no_global_random_state, "xai_core/images.py", "torch.manual_seed(0)"),
    (no_global_random_state, "xai_core/images.py", "torch.cuda.manual_seed_all(0)"),
    (no_global_random_state, "xai_core/images.py", "np.random.seed(0)"),
    (no_global_random_state, "xai_core/images.py", "numpy.random.standard_normal(3)"),
    (no_global_random_state, "xai_core/images.py", "from numpy.random import shuffle"),
    (no_global_random_state, "xai_core/images.py", "torch.randn(3)"),
    (no_global_random_state, "xai_core/images.py", "x.data.normal_()"),
    (no_global_random_state, "pages/ui/viewer.py", "random.shuffle(x)"),
    (weights_are_only_weights, "xai_core/models/own.py", "torch.load(path)"),
    (weights_are_only_weights, "xai_core/models/own.py", "torch.load(path, weights_only=False)"),
    (nothing_is_unpickled, "xai_core/models/own.py", "import pickle"),
    (nothing_is_unpickled, "pages/tables/upload.py", "from joblib import load"),
]
FINE = [
    (imports_go_down, "xai_core/engine/jobs.py", "from xai_core.models.layers import Layer\nfrom .isolation import isolate\nimport torch"),
    (imports_go_down, "xai_core/models/__init__.py", "from xai_core import errors, registry\nfrom . import layers"),
    (imports_go_down, "xai_core/__init__.py", "from xai_core.render.colour import map_colours\nfrom .methods import grad_cam"),
    (imports_go_down, "pages/image/explain.py", "from pages.ui import viewer\nimport xai_core"),
    (imports_go_down, "tests/test_images.py", "import pages.image.explain, xai_core.methods"),
    (every_core_module_has_a_layer, "xai_core/__main__.py", ""),
    (streamlit_stays_in_pages, "pages/ui/server.py", "import streamlit"),
    (pages_lie_in_a_subfolder, "pages/start/home.py", ""),
    (files_are_short, "pages/image/explain.py", "x = 1\n" * 120),
    (functions_are_short, "xai_core/images.py", "def f():\n" + "    x = 1\n" * 59),
    (no_broad_except, "xai_core/images.py", "try: f()\nexcept BaseException:\n    tidy()\n    raise"),
    (no_broad_except, "xai_core/images.py", "try: f()\nexcept (OSError, ValueError): pass"),
    (no_global_random_state, "xai_core/images.py", "g = torch.Generator().manual_seed(0)\ntorch.randn(3, generator=g)"),
    (no_global_random_state, "xai_core/images.py", "x.normal_(generator=g)\nrandom.Random(0).random()"),
    (no_global_random_state, "xai_core/images.py", "rng = np.random.default_rng(0)\nrng.normal()"),
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
