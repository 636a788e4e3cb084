"""Rules about the words of the code (xai_core/README.md, Language): each yields complaints about one source file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Source

OPENINGS = frozenset("What Who How Where Which Whether When Why Whose Whoever Whatever Whichever Wherever".split())
"""First words of a clause, not of an imperative or a noun phrase."""
BANNED_NAMES = frozenset("of found said told asked wanted made kept each one other".split())
"""Names that do not say what they hold."""
PARTICIPLES = frozenset(
    "told said made kept found drawn seen gone given taken left written known held lost sent shown built begun done "
    "chosen bought brought thought meant cut spread soon alone worth".split()
)
REGULAR_PARTICIPLE = re.compile(r"[a-z]+[^e]ed")
VERBS_IN_ED = frozenset("read seed feed need speed embed proceed exceed succeed shed bed".split())
NAMED_BY_DESIGN = frozenset("occluded hidden done cancelled stratified seconds_left tree_based".split())
"""Standard words: `Evaluator.occluded` and `.hidden` (rows of scores), `done` and `cancelled` of futures, stratified
sampling.
"""
SUPERLATIVES = re.compile(r"_?(MOST|FEWEST|LARGEST|SMALLEST|LEAST|LONGEST|SHORTEST|HIGHEST|LOWEST|WIDEST|TALLEST)(_|$)")
SESSION_WORDS = frozenset({"waiter", "visitor", "waiter_id", "visitor_id"})
MAX_COLUMNS = 120

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(source: Source) -> Iterator[Function]:
    for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, Function)
        yield node


def _arguments(function: Function) -> Iterator[ast.arg]:
    args = function.args
    yield from (*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg)))


def _docstrings(source: Source) -> Iterator[tuple[int, str]]:
    """Line and text of each docstring and of each string that documents the assignment above it."""
    for node in source.nodes(ast.Expr):
        assert isinstance(node, ast.Expr)
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def docstrings_begin_plainly(source: Source) -> Iterator[str]:
    for line, text in _docstrings(source):
        first = re.match(r"\W*(\w*)", text)
        if first and first[1] in OPENINGS:
            yield f"line {line}: a docstring begins with {first[1]}; begin with an imperative or a noun phrase"


def is_participle(name: str) -> bool:
    """Say whether a function's name ends in a participle: `_told`, `rows_selected`."""
    last = name.strip("_").rpartition("_")[2]
    if name.strip("_") in NAMED_BY_DESIGN or name.strip("_").startswith(
        ("is_", "has_", "are_", "was_", "can_", "add_", "check_")
    ):
        return False
    return last in PARTICIPLES or (bool(REGULAR_PARTICIPLE.fullmatch(last)) and last not in VERBS_IN_ED)


def functions_are_no_participles(source: Source) -> Iterator[str]:
    for node in _functions(source):
        if is_participle(node.name) and not node.name.startswith("test_"):
            yield f"line {node.lineno}: function {node.name} is named by a participle; use a verb phrase or a noun"


def parameters_say_what_they_hold(source: Source) -> Iterator[str]:
    for node in _functions(source):
        for arg in _arguments(node):
            operator = node.name.startswith("__") and arg.arg == "other"
            if arg.arg in BANNED_NAMES and not operator:
                yield f"line {arg.lineno}: parameter {arg.arg} of {node.name}"
    for node in source.nodes(ast.Lambda):
        assert isinstance(node, ast.Lambda)
        for arg in (*node.args.args, *node.args.kwonlyargs):
            if arg.arg in BANNED_NAMES:
                yield f"line {arg.lineno}: parameter {arg.arg} of a lambda"


def variables_say_what_they_hold(source: Source) -> Iterator[str]:
    for node in source.nodes(ast.Name):
        assert isinstance(node, ast.Name)
        if isinstance(node.ctx, ast.Store) and node.id in BANNED_NAMES:
            yield f"line {node.lineno}: variable {node.id}"


def fields_say_what_they_hold(source: Source) -> Iterator[str]:
    """Fields and methods of a class: `run.found` says as little as a variable of that name."""
    for node in source.nodes(ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        for entry in node.body:
            target = entry.target if isinstance(entry, ast.AnnAssign) else None
            name = target.id if isinstance(target, ast.Name) else getattr(entry, "name", "")
            if name in BANNED_NAMES and name != "of":
                yield f"line {entry.lineno}: {node.name}.{name}"


def limits_are_max_and_min(source: Source) -> Iterator[str]:
    for node in source.nodes(ast.Name):
        assert isinstance(node, ast.Name)
        if isinstance(node.ctx, ast.Store) and SUPERLATIVES.match(node.id):
            yield f"line {node.lineno}: {node.id}; limits are called MAX_ and MIN_"


def one_word_for_a_session(source: Source) -> Iterator[str]:
    for node in _functions(source) if source.is_shipped else ():
        for arg in _arguments(node):
            if arg.arg in SESSION_WORDS:
                yield f"line {arg.lineno}: parameter {arg.arg} of {node.name}; a session's id is session_id"


def one_word_for_a_model(source: Source) -> Iterator[str]:
    for node in _functions(source) if source.is_shipped else ():
        for arg in _arguments(node):
            if arg.annotation is not None and ast.unparse(arg.annotation) == "Classifier" and arg.arg != "model":
                yield f"line {arg.lineno}: parameter {arg.arg} of {node.name}; a Classifier is called model"


def lines_are_narrow(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if len(line) > MAX_COLUMNS:
            yield f"line {number}: {len(line)} columns, {MAX_COLUMNS} are allowed"


LANGUAGE_RULES = (
    docstrings_begin_plainly,
    functions_are_no_participles,
    parameters_say_what_they_hold,
    variables_say_what_they_hold,
    fields_say_what_they_hold,
    limits_are_max_and_min,
    one_word_for_a_session,
    one_word_for_a_model,
    lines_are_narrow,
)
