"""Model runs over an image set and their stored outputs."""
