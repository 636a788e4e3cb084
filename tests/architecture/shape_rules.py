"""Rules about the shape of the project: imports go one way, files stay small, nothing forbidden creeps in."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.architecture.source import ROOT, Source

# From the bottom up. A module may import its own layer and those below. "xai_core" is its __init__ and __main__.
LAYERS: tuple[frozenset[str], ...] = (
    *tuple(
        frozenset(f"xai_core.{name}" for name in layer.split())
        for layer in (
            (
                "errors arrays calibration settings formatting params registry results images text_decoding threads "
                "object_cache teaching"
            ),
            "rules",
            "models",
            "engine",
            "methods trust tabular",
            # The upper half of trust asks methods for maps; its lower half (checks, verdict) judges the maps they make.
            "inside attacks shakes what_if trust.hiding trust.sanity trust.metrics",
            "imageset labs",
            "render report",
        )
    ),
    frozenset({"xai_core"}),
    frozenset({"pages.ui"}),
    frozenset({"pages", "app"}),
)
MAX_FILES = 15
REGISTRIES = frozenset({"xai_core/methods", "tests/methods"})
"""Folders with one file an entry, which may hold more."""
COMPUTING = frozenset({"torch", "torchvision", "captum", "openvino"})
UNPICKLING = frozenset("pickle _pickle joblib dill cloudpickle shelve".split())
OWN_GENERATORS = frozenset(
    "default_rng Generator SeedSequence BitGenerator PCG64 PCG64DXSM Philox SFC64 MT19937".split()
)
DRAWS = frozenset(
    "rand randn randint randperm rand_like randn_like randint_like normal bernoulli multinomial poisson".split()
)
IN_PLACE_DRAWS = frozenset("normal_ uniform_ bernoulli_ random_ exponential_ geometric_ cauchy_ log_normal_".split())
TORCH_STATE = frozenset("manual_seed manual_seed_all seed seed_all set_rng_state set_rng_state_all fork_rng".split())


def layer_of(name: str) -> int | None:
    """Height of a module or name of this project by the longest prefix that has a layer; None for other packages."""
    layered = _layered_prefix(name)
    return next((height for height, layer in enumerate(LAYERS) if layered in layer), None)


def _layered_prefix(name: str) -> str | None:
    """Longest beginning of a dotted name that has a layer of its own."""
    parts = name.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if any(prefix in layer for layer in LAYERS)), None)


def imports_go_down(source: Source) -> Iterator[str]:
    if not source.is_shipped:
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
    """Catching everything is allowed only to tidy up and raise again, or to hand it to the thread it belongs to."""
    for node in source.nodes(ast.ExceptHandler) if source.is_shipped else ():
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
    """Say whether a call, by its dotted name, reads or sets a generator that others share."""
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
    for name, call in source.calls if source.is_shipped else ():
        if draws_from_global_state(name, call):
            yield f"line {call.lineno}: {name} uses the generator that everybody shares"
    for name in source.imports if source.is_shipped else ():
        if name.startswith("numpy.random.") and name.rpartition(".")[2] not in OWN_GENERATORS:
            yield f"imports {name}"


def weights_are_only_weights(source: Source) -> Iterator[str]:
    for name, call in source.calls:
        if name == "torch.load" and not any(ast.unparse(keyword) == "weights_only=True" for keyword in call.keywords):
            yield f"line {call.lineno}: torch.load without weights_only=True runs what a file says"


def no_unpickling(source: Source) -> Iterator[str]:
    """`from pickle import UnpicklingError` is fine: torch.load raises it for a file it refuses."""
    for name in source.imports if source.is_shipped else ():
        if name.split(".")[0] in UNPICKLING and name != "pickle.UnpicklingError":
            yield f"imports {name}"


def private_names_stay_in_their_package(source: Source) -> Iterator[str]:
    """A name or module with an underscore is used within the folder that has it, by its tests and by nobody else."""
    for name in source.imports if source.is_shipped or source.within("benchmarks") else ():
        parts = name.split(".")
        private = next((place for place, part in enumerate(parts) if part.startswith("_") and part[1:2] != "_"), None)
        if private is None or parts[0] not in {"xai_core", "pages", "benchmarks"}:
            continue
        owner = ".".join(parts[:private])
        folder = owner if (ROOT / owner.replace(".", "/")).is_dir() else owner.rpartition(".")[0]
        if source.package != folder:
            yield f"imports {name}, which is private to {folder}"


def no_private_files(source: Source) -> Iterator[str]:
    """A package hides by not exporting; a file's name says what is in it."""
    if source.is_shipped and source.path.name.startswith("_") and not source.path.name.startswith("__"):
        yield "begins with an underscore"


def _exports(package: Path) -> frozenset[str] | None:
    """Names that a package's `__init__` exports by `__all__` or by its stub; None where it has neither."""
    stub, module = package / "__init__.pyi", package / "__init__.py"
    if stub.is_file():
        imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
        return frozenset(alias.asname or alias.name for node in imports for alias in node.names)
    for node in ast.parse(module.read_text()).body if module.is_file() else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return frozenset(ast.literal_eval(node.value))
    return None


def pages_import_facades(source: Source) -> Iterator[str]:
    """Pages know packages by what they export and single modules of the bottom (`xai_core.errors`), not their insides.

    A package that exports names, such as `xai_core.render.tables`, is a facade too.
    """
    for name in source.imports if source.within("pages", "app.py") else ():
        parts = name.split(".")
        for depth in range(2, len(parts)) if parts[0] == "xai_core" else ():
            exports = _exports(ROOT.joinpath(*parts[:depth])) or frozenset()
            inside = ROOT.joinpath(*parts[: depth + 1])
            if parts[depth] in exports or (inside.is_dir() and _exports(inside) is not None):
                continue
            if inside.is_dir() or inside.with_suffix(".py").is_file():
                yield f"imports {name} past the facade of {'.'.join(parts[:depth])}"
            break


def folders_are_small(sources: Sequence[Source]) -> Iterator[str]:
    files = Counter(str(source.path.parent) for source in sources if source.path.name != "__init__.py")
    for folder, count in sorted(files.items()):
        if count > MAX_FILES and folder not in REGISTRIES:
            yield f"{folder}: holds {count} files, {MAX_FILES} are allowed"


def imports_make_no_circle(sources: Sequence[Source]) -> Iterator[str]:
    """No file imports itself by way of others, type checkers' imports and those inside functions included."""
    modules = {source.module: source for source in sources if source.is_shipped}
    arrows = {
        name: {target for target in (_module_of(imported, modules) for imported in source.imports) if target} - {name}
        for name, source in modules.items()
    }
    yield from (" -> ".join(circle) for circle in _circles(arrows))
    packages: dict[str, set[str]] = {}
    for name, targets in arrows.items():
        own = _package_of(name)
        packages.setdefault(own, set()).update({_package_of(target) for target in targets} - {own})
    yield from (" -> ".join(circle) for circle in _circles(packages))


def _module_of(name: str, modules: dict[str, Source]) -> str | None:
    """The longest known module that a dotted name begins with."""
    parts = name.split(".")
    return next((m for m in (".".join(parts[:n]) for n in range(len(parts), 0, -1)) if m in modules), None)


def _package_of(module: str) -> str:
    """A first-level package or module: xai_core.engine; the root facade is a package of its own.

    So is a part of a package with a layer of its own: xai_core.trust.metrics.
    """
    layered = _layered_prefix(module)
    return layered if layered and layered.count(".") > 1 else ".".join(module.split(".")[:2])


def _circles(arrows: dict[str, set[str]]) -> Iterator[list[str]]:
    """Each strongly connected component of more than one node (Tarjan 1972), as one path around it."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    components: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(arrows.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            place = stack.index(node)
            components.append(stack[place:])
            del stack[place:]

    for node in sorted(arrows):
        if node not in index:
            visit(node)
    yield from ([*component, component[0]] for component in components if len(component) > 1)


SHAPE_RULES = (
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
    no_unpickling,
    private_names_stay_in_their_package,
    no_private_files,
    pages_import_facades,
)
TREE_RULES = (folders_are_small, imports_make_no_circle)
"""Rules about all files together."""
