"""Malformed pictures: each is refused in words or read correctly."""
