"""The examples in docstrings run and print what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.architecture.source import ROOT, Source, sources

EXAMPLES = [source for source in sources() if source.within("xai_core") and ">>> " in source.text]


def test_public_entry_points_have_examples() -> None:
    assert len(EXAMPLES) >= 30


@pytest.mark.parametrize("source", EXAMPLES, ids=lambda source: source.module)
def test_examples_run(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    module = importlib.import_module(source.module)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0 and result.failed == 0
