"""Explanations of tables against their peers."""
