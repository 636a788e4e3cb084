"""Requests to attacked pictures; the smallest strength that works, and what the picture does elsewhere."""
