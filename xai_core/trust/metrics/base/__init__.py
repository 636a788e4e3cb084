"""The declaration of a metric, the request that its `run` is given, and the table of all."""
