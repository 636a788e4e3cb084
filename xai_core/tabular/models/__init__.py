"""Models of a table: one file a family, training, own models from skops files."""
