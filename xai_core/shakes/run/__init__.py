"""Shaken pictures asked about: curves, maps in the original frame, random mixes, and sentences about them."""
