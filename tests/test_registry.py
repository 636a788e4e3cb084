"""Registries: order, nearest names, doubles, and a broken module that stops the start."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from xai_core.errors import UnknownName
from xai_core.registry import Registry, discover


@dataclass
class Thing:
    name: str


def test_names_in_order_and_lookup():
    things: Registry[Thing] = Registry("thing")
    for name in ("saliency", "occlusion", "lime"):
        things.add(Thing(name))
    assert list(things) == ["saliency", "occlusion", "lime"] and len(things) == 3 and "lime" in things
    assert things.get("lime").name == "lime" and [thing.name for thing in things.specs()] == list(things)
    with pytest.raises(UnknownName, match=r"no thing called 'oclusion'\. Did you mean occlusion"):
        things.get("oclusion")
    with pytest.raises(UnknownName, match="Known: saliency, occlusion, lime"):
        things.get("zzz")
    with pytest.raises(UnknownName):
        things.get(["lime"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two entries"):
        things.add(Thing("lime"))


def test_a_broken_module_stops_the_start_with_its_name(tmp_path, monkeypatch):
    package = tmp_path / "parts_of_a_test"
    package.mkdir()
    for name, text in {
        "__init__": "",
        "good": "LOADED = True",
        "_private": "raise RuntimeError('not discovered')",
    }.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import parts_of_a_test  # type: ignore[import-not-found]

    discover(parts_of_a_test)
    assert sys.modules["parts_of_a_test.good"].LOADED
    (package / "broken.py").write_text("import no_such_module_anywhere")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        discover(parts_of_a_test)
