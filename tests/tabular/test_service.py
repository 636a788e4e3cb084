"""Training jobs and stored tables as the pages use them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tabular.mixed_table import mixed_table
from xai_core.engine import jobs
from xai_core.errors import InvalidParam, UnknownName
from xai_core.tabular import service
from xai_core.tabular.data.builtin import load_table


def test_training_is_shared_and_kept() -> None:
    table = replace(mixed_table(), name="own")
    key = service.keep_table(table)
    first, second = (service.start_training(key, "linear", session_id=session_id) for session_id in ("a", "b"))
    assert first is second
    model = first.wait(60)
    assert service.find_model(str(first.key)) is model and model.id == first.key and model.table is table
    assert jobs.watch(model.id) is not None
    assert service.start_training(key, "linear", seed=1).key != first.key
    with pytest.raises(InvalidParam):
        service.start_training(key, "decision_tree", {"depth": 0})


def test_tables_are_found_by_id_or_name() -> None:
    assert service.table("iris") is load_table("iris")
    with pytest.raises(UnknownName, match="Upload it again"):
        service.table("0" * 24)
    with pytest.raises(UnknownName, match="Upload it again"):
        service.raw("0" * 24)
    assert service.find_model("0" * 24) is None
