"""Models of a table: families, training, and own models from skops files."""
