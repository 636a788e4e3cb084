"""Models that can be read as they are: weights, trees, shape functions."""
