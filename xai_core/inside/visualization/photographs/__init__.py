"""Photographs beside a visualization: the check against those that a unit likes, and the quiz."""

from __future__ import annotations
