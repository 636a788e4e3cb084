"""Fixtures of these tests: no job of a page goes on into the next test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import xai_core


@pytest.fixture(scope="session", autouse=True)
def digit_network(warm_model: None) -> None:
    """In memory like the default model: no page of these tests has to wait for it."""
    xai_core.warm("small_cnn")


@pytest.fixture(autouse=True)
def stop_jobs() -> Iterator[None]:
    yield
    xai_core.jobs.stop()
