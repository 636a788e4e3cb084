"""The formats of picture files: their headers, what is odd about each, and repairs."""
