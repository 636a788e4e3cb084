"""The declaration of an attack, the request that its `run` is given, and the balls that it stays in."""
