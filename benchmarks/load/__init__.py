"""A class of visitors at once, and twenty minutes of random visits."""
