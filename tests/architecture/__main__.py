"""`python -m tests.architecture xai_core/engine`: all complaints about the files below the given paths, by rule."""

from __future__ import annotations

import sys

from tests.architecture.language_rules import LANGUAGE_RULES
from tests.architecture.shape_rules import SHAPE_RULES, TREE_RULES
from tests.architecture.source import sources

everything = list(sources())
for rule in (*SHAPE_RULES, *LANGUAGE_RULES):
    complaints = [
        f"{source.path}: {complaint}"
        for source in everything
        if not sys.argv[1:] or str(source.path).startswith(tuple(sys.argv[1:]))
        for complaint in rule(source)
    ]
    if complaints:
        print(f"## {rule.__name__}: {len(complaints)}", *complaints, sep="\n")
for tree_rule in TREE_RULES:
    print(*(f"## {tree_rule.__name__}: {complaint}" for complaint in tree_rule(everything)), sep="\n")
