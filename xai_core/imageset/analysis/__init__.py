"""Extremes, scores and groups of a run."""
