"""Texts of cells as numbers, dates, times, yes and no, or categories."""
