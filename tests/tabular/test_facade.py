"""Every public name of `xai_core.tabular` loads."""

from __future__ import annotations

import pytest

from xai_core import tabular


def test_public_names_exist() -> None:
    names = dir(tabular)
    assert len(names) > 10
    assert all(getattr(tabular, name) is not None for name in names)
    with pytest.raises(AttributeError, match="load_tables"):
        tabular.load_tables  # noqa: B018
