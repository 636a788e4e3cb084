"""Fixtures of these tests: the digit network in memory, and no job of a page goes on into the next test."""

from __future__ import annotations

from tests.pages.imageset.conftest import digit_network, stop_jobs

__all__ = ["digit_network", "stop_jobs"]
