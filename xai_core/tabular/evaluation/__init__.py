"""Scores of a model on unseen rows, in total and by group."""
