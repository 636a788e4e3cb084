"""Image sets: built-in, uploaded, stored on disk."""
