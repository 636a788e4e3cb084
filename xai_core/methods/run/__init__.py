"""Requests to attributions: explain, compare, and their background jobs."""
