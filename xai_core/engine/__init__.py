"""The engine: one fast forward pass for everybody, fair shares of the cores, jobs."""
