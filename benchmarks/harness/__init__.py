"""Measuring side by side: contests, limits, memory."""
